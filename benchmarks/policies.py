"""The four zoom policies: the same model, with its first look left alone, scripted or forbidden.

All are greedy. Knows tasks, dialects and one banned token; knows nothing of models. What "oracle" means is fixed here:
the window that the trace templates call the right one.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents.rollout import ChatFormat, EpisodeSettings
from pixel_env.boxes import Box
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.types import Task
from synth.templates import GRID_CELLS, right_window, written_look

NO_ZOOM = "no_zoom"
RANDOM_ZOOM = "random_zoom"
LEARNED_ZOOM = "learned_zoom"
ORACLE_ZOOM = "oracle_zoom"
POLICIES = (NO_ZOOM, RANDOM_ZOOM, LEARNED_ZOOM, ORACLE_ZOOM)


@dataclass(frozen=True, slots=True)
class Policy:
    """What `rollout` is told: scripted first turns of a task (None: nothing is forced) and ids that are banned."""

    name: str
    forced: Callable[[Task], Sequence[str]] | None = None
    banned_ids: frozenset[int] = frozenset()


def policy_named(name: str, settings: EpisodeSettings, chat: ChatFormat, *, seed: int) -> Policy:
    """The policy called `name`. Raises UnknownNameError."""
    match name:
        case "no_zoom":
            return Policy(name, banned_ids=chat.call_opening_ids())
        case "random_zoom":
            return Policy(name, forced=lambda task: [_call(task, random_window(task, seed), settings)])
        case "learned_zoom":
            return Policy(name)
        case "oracle_zoom":
            return Policy(name, forced=lambda task: [_call(task, oracle_window(task), settings)])
        case _:
            raise UnknownNameError.among("zoom policy", name, POLICIES)


def oracle_window(task: Task) -> Box:
    """The window around the evidence. Raises ConfigError for a task without evidence."""
    if not task.evidence:
        raise ConfigError(
            f"the task {task.task_id!r} has no evidence box, so nobody knows where an oracle would look. "
            f"Add 'evidence' to its row, or measure --policies {NO_ZOOM} {LEARNED_ZOOM} only."
        )
    return right_window(task.evidence[0].box)


def random_window(task: Task, seed: int) -> Box:
    """A window of the oracle's size at a uniform place on the grid; it depends on the seed and the task's id alone."""
    window = oracle_window(task)
    digest = hashlib.blake2b(f"{seed}/{task.task_id}".encode(), digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    x0, y0 = (int(rng.integers(int((1.0 - side) * GRID_CELLS) + 1)) / GRID_CELLS for side in _sides(window))
    return Box(x0, y0, min(1.0, x0 + window.width), min(1.0, y0 + window.height))


def _sides(box: Box) -> tuple[float, float]:
    return box.width, box.height


def _call(task: Task, window: Box, settings: EpisodeSettings) -> str:
    dialect = dataclasses.replace(settings.dialect, budgets=settings.budgets)
    return written_look(task, task.evidence[0].image, window, dialect)
