"""The policies of an evaluation: the same model, with its looks left alone, scripted, forbidden or falsified.

All are greedy. Knows tasks, dialects, one banned token and interventions; knows nothing of models. What "oracle" means
is fixed here: the window that the trace templates call the right one; of a video, what the oracle player looks at.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.chat_format import ChatFormat
from agents.rollout import EpisodeSettings
from benchmarks.oracle import oracle_looks
from pixel_env.boxes import Box
from pixel_env.dialects import Dialect, IntegerCalls, JsonCalls
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.interventions import Intervention, blank, random_place, unchanged, withheld
from pixel_env.types import Evidence, Task
from synth.templates import GRID_CELLS, right_window, written_look

NO_ZOOM = "no_zoom"
RANDOM_ZOOM = "random_zoom"
LEARNED_ZOOM = "learned_zoom"
ORACLE_ZOOM = "oracle_zoom"
POLICIES = (NO_ZOOM, RANDOM_ZOOM, LEARNED_ZOOM, ORACLE_ZOOM)
"""The zoom policies: who chooses where the model looks first."""

BLANK_CROP = "blank_crop"
RANDOM_CROP = "random_crop"
WITHHELD_CROP = "withheld_crop"
FALSIFIED = (BLANK_CROP, RANDOM_CROP, WITHHELD_CROP)
"""The model chooses its operation, and is shown something else."""

NAMES = (*POLICIES, *FALSIFIED)
"""Every policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What `rollout` is told.

    `forced`: scripted first turns of a task (None: nothing is forced); `banned_ids` are never sampled; `intervention`:
    what is shown instead of what an operation brought.
    """

    name: str
    forced: Callable[[Task], Sequence[str]] | None = None
    banned_ids: frozenset[int] = frozenset()
    intervention: Intervention = unchanged

    def can_play(self, task: Task, dialect: Dialect) -> bool:
        """False if its first turns are scripted and nobody knows where to look, or the dialect cannot say it."""
        return self.forced is None or (bool(task.evidence) and _can_say(task, dialect))


def _can_say(task: Task, dialect: Dialect) -> bool:
    match dialect.calls:
        case JsonCalls():
            return True
        case IntegerCalls():
            return task.media != "video" and task.evidence[0].image == 0


def policy_named(name: str, settings: EpisodeSettings, chat: ChatFormat, *, seed: int) -> Policy:
    """The policy called `name`. Raises UnknownNameError."""
    match name:
        case "no_zoom":
            return Policy(name, banned_ids=chat.call_opening_ids())
        case "random_zoom":
            return Policy(name, forced=lambda task: _first_looks(with_random_evidence(task, seed), settings))
        case "learned_zoom":
            return Policy(name)
        case "oracle_zoom":
            return Policy(name, forced=lambda task: _first_looks(task, settings))
        case "blank_crop":
            return Policy(name, intervention=blank)
        case "random_crop":
            return Policy(name, intervention=random_place(seed))
        case "withheld_crop":
            return Policy(name, intervention=withheld)
        case _:
            raise UnknownNameError.among("policy", name, NAMES)


# --------------------------------------------------------------------------------------------- where they look first


def oracle_window(task: Task) -> Box:
    """The window around the first evidence. Raises ConfigError for a task without evidence."""
    if not task.evidence:
        raise ConfigError(
            f"the task {task.task_id!r} has no evidence box, so nobody knows where an oracle would look. "
            f"Add 'evidence' to its row, or measure --policies {NO_ZOOM} {LEARNED_ZOOM} only."
        )
    return right_window(task.evidence[0].box)


def random_window(task: Task, seed: int) -> Box:
    """A window of the oracle's size at a uniform place on the grid; it depends on the seed and the task's id alone."""
    return _moved(oracle_window(task), _rng(task, seed))


def with_random_evidence(task: Task, seed: int) -> Task:
    """The task with its evidence at random places: windows of the oracle's size; of a video, in other frames too.

    It depends on the seed and the task's id alone.
    """
    if task.media != "video":
        window = random_window(task, seed)
        return replace(task, evidence=(Evidence(task.evidence[0].image, window),))
    rng = _rng(task, seed)
    first = {evidence.image: evidence.box for evidence in reversed(task.evidence)}
    frames = rng.choice(len(task.sources), len(first), replace=False).tolist()
    boxes = [_moved(right_window(box), rng) for box in first.values()]
    return replace(task, evidence=tuple(map(Evidence, sorted(frames), boxes)))


def _rng(task: Task, seed: int) -> np.random.Generator:
    told = f"{seed}/{task.task_id}".encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big"))


def _moved(window: Box, rng: np.random.Generator) -> Box:
    sides = (window.width, window.height)
    x0, y0 = (int(rng.integers(int((1.0 - side) * GRID_CELLS) + 1)) / GRID_CELLS for side in sides)
    return Box(x0, y0, min(1.0, x0 + window.width), min(1.0, y0 + window.height))


def _first_looks(task: Task, settings: EpisodeSettings) -> list[str]:
    window = oracle_window(task)
    if task.media == "video":
        return oracle_looks(task, settings)
    return [written_look(task, task.evidence[0].image, window, replace(settings.dialect, budgets=settings.budgets))]
