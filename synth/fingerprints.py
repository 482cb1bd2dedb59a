"""Marks: short hashes by which a later process knows a task, or a plan, again.

Ids are not enough: an annotation that is corrected and a picture that is replaced keep theirs. Knows tasks and the keys
of their pictures. Knows no files.
"""

import hashlib
from dataclasses import replace

from pixel_env.errors import MediaError
from pixel_env.task import Task
from pixel_env.views import Source


def mark_of(task: Task, *more: object) -> str:
    """Equal for tasks that ask the same about the same pixels, wherever these are, and the same `more`."""
    parts = (replace(task, sources=()), [_key(source) for source in task.sources], *more)
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def _key(source: Source) -> str:
    try:
        return source.key
    except MediaError:
        return "unreadable"
