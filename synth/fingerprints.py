"""Fingerprints: short hashes by which a later process recognises a task or a plan.

Ids are not enough: a task keeps its id when its annotation is corrected or its image is replaced. Depends on tasks and
the keys of their images; independent of files.
"""

import hashlib
from dataclasses import replace

from pixel_env.errors import MediaError
from pixel_env.task import Task
from pixel_env.views import Source


def fingerprint_of(task: Task, *more: object) -> str:
    """A hash of the task, of the content of its images (not of their paths) and of `more`."""
    rate = () if task.frames_per_second is None else (task.frames_per_second,)
    parts = (replace(task, sources=()), [_key(source) for source in task.sources], *rate, *more)
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def _key(source: Source) -> str:
    try:
        return source.key
    except MediaError:
        return "unreadable"
