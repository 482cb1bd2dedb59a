"""The policies of an evaluation: the model's operations are its own, scripted, banned, or their results replaced.

All are greedy. Depends on tasks, dialects, banned tokens and interventions; independent of models. "Oracle" means the
window around the evidence that the trace templates use; for a video, the operations of the oracle player.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.chat.format import ChatFormat
from agents.rollout import EpisodeSettings
from benchmarks.evaluation.looks import looks_at
from benchmarks.evaluation.oracle import oracle_answer, oracle_operations, oracle_turns
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.interventions import Intervention, blank, random_position, unchanged, withheld
from pixel_env.operations.crop_image import CropImage
from pixel_env.seeding import rng_of
from pixel_env.task import Evidence, Task
from synth.plans.windows import GRID_CELLS, right_window, windows_off
from synth.warm_starts.templates import written_crop_call

NO_ZOOM = "no_zoom"
RANDOM_ZOOM = "random_zoom"
LEARNED_ZOOM = "learned_zoom"
ORACLE_ZOOM = "oracle_zoom"
POLICIES = (NO_ZOOM, RANDOM_ZOOM, LEARNED_ZOOM, ORACLE_ZOOM)
"""The zoom policies: they differ in how the first operation is chosen."""

BLANK_CROP = "blank_crop"
RANDOM_CROP = "random_crop"
WITHHELD_CROP = "withheld_crop"
FALSIFIED = (BLANK_CROP, RANDOM_CROP, WITHHELD_CROP)
"""Control crops: the model chooses its operation and is shown another image, or none."""

WRONG_ZOOM = "wrong_zoom"
"""The first crop is scripted to miss the evidence, the same one for all models: does the model crop again?"""

SCRIPTED_ZOOM = (RANDOM_ZOOM, ORACLE_ZOOM, WRONG_ZOOM)
"""Policies whose first operation is scripted from the evidence: they need tasks with evidence."""

_CLEARANCE = 0.01
"""Distance between a wrong crop and the evidence, as a share of the side: dialects in pixels round."""

NAMES = (*POLICIES, WRONG_ZOOM, *FALSIFIED)
"""Every policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The arguments of `rollout` that a policy sets.

    `forced`: scripted first turns of a task (None: no scripted turns); `banned_ids`: tokens that are never sampled;
    `intervention`: replaces the result of an operation.
    """

    name: str
    forced: Callable[[Task], Sequence[str]] | None = None
    banned_ids: frozenset[int] = frozenset()
    intervention: Intervention = unchanged

    def can_play(self, task: Task, dialect: Dialect) -> bool:
        """False if scripted turns are needed and the task has no evidence, or the dialect offers no look at it."""
        return self.forced is None or bool(looks_at(task, dialect, room=1))


def policy_named(name: str, settings: EpisodeSettings, chat: ChatFormat, *, seed: int) -> Policy:
    """The policy called `name`. Raises UnknownNameError."""
    match name:
        case "no_zoom":
            return Policy(name, banned_ids=chat.call_opening_ids())
        case "random_zoom":
            return Policy(name, forced=lambda task: _scripted(with_random_evidence(task, seed), settings))
        case "learned_zoom":
            return Policy(name)
        case "oracle_zoom":
            return Policy(name, forced=lambda task: _scripted(task, settings))
        case "wrong_zoom":
            padding = settings.dialect.edges.padding
            return Policy(name, forced=lambda task: _scripted(with_wrong_evidence(task, seed, padding), settings))
        case "blank_crop":
            return Policy(name, intervention=blank)
        case "random_crop":
            return Policy(name, intervention=random_position(seed))
        case "withheld_crop":
            return Policy(name, intervention=withheld)
        case _:
            raise UnknownNameError.among("policy", name, NAMES)


# ------------------------------------------------------------------------------------------- scripted first operations


def oracle_window(task: Task) -> Box:
    """The window around the first evidence. Raises ConfigError for a task without evidence."""
    return right_window(_first_evidence(task).box)


def _first_evidence(task: Task) -> Evidence:
    if not task.evidence:
        raise ConfigError(
            f"the task {task.task_id!r} has no evidence box, so the oracle's crop is unknown. "
            f"Add 'evidence' to its row, or give --policies {NO_ZOOM} {LEARNED_ZOOM}."
        )
    return task.evidence[0]


def random_window(task: Task, seed: int) -> Box:
    """A window of the oracle's size at a uniform position on the grid; depends only on the seed and the task's id."""
    return _moved(oracle_window(task), _rng(task, seed))


def with_random_evidence(task: Task, seed: int) -> Task:
    """The task with its evidence at random positions: windows of the oracle's size; for a video also in random frames.

    The positions depend only on the seed and the task's id.
    """
    if task.media != "video":
        window = random_window(task, seed)
        return replace(task, evidence=(Evidence(task.evidence[0].image, window),))
    rng = _rng(task, seed)
    first = {evidence.image: evidence.box for evidence in reversed(task.evidence)}
    frames = rng.choice(len(task.sources), len(first), replace=False).tolist()
    boxes = [_moved(right_window(box), rng) for box in first.values()]
    return replace(task, evidence=tuple(map(Evidence, sorted(frames), boxes)))


def with_wrong_evidence(task: Task, seed: int, padding: float = 0.0) -> Task:
    """The task with false evidence: a window that does not overlap the real one, even with `padding` around it.

    For a video: as many frames without evidence. The choice depends only on the seed and the task's id. Raises
    ConfigError for a task without evidence, and for one whose evidence leaves no room.
    """
    image = _first_evidence(task).image
    rng = _rng(task, seed)
    if task.media == "video":
        evidence = {known.image for known in task.evidence}
        free = [frame for frame in range(len(task.sources)) if frame not in evidence]
        frames = rng.permutation(free)[: len(evidence)].tolist()
        wrong = tuple(Evidence(frame, FULL) for frame in sorted(frames))
    else:
        boxes = [known.box.padded(padding + _CLEARANCE) for known in task.evidence if known.image == image]
        windows = windows_off(boxes)
        wrong = tuple(Evidence(image, windows[index]) for index in rng.permutation(len(windows))[:1])
    if not wrong:
        raise ConfigError(
            f"the evidence of the task {task.task_id!r} leaves no room for a crop that misses it. "
            f"Remove the task from the set, or {WRONG_ZOOM} from --policies."
        )
    return replace(task, evidence=wrong)


def _rng(task: Task, seed: int) -> np.random.Generator:
    return rng_of(f"{seed}/{task.task_id}")


def _moved(window: Box, rng: np.random.Generator) -> Box:
    sides = (window.width, window.height)
    x0, y0 = (int(rng.integers(int((1.0 - side) * GRID_CELLS) + 1)) / GRID_CELLS for side in sides)
    return Box(x0, y0, min(1.0, x0 + window.width), min(1.0, y0 + window.height))


def _scripted(task: Task, settings: EpisodeSettings) -> list[str]:
    window = oracle_window(task)
    if not looks_at(task, settings.dialect, room=1):
        raise ConfigError(
            f"no operation that the dialect {settings.dialect.name!r} offers shows the evidence of the task "
            f"{task.task_id!r}. Give another --dialect, or --policies {NO_ZOOM} {LEARNED_ZOOM}."
        )
    if task.media == "video" or not settings.dialect.can_call(CropImage.name):
        return oracle_operations(task, settings)
    return [
        written_crop_call(task, task.evidence[0].image, window, replace(settings.dialect, budgets=settings.budgets))
    ]


# ------------------------------------------------------------------------------------------ players without a model

PLAYERS = ("oracle",)
"""Names that `pixel-env eval --engine scripted --model NAME` accepts: all turns of these players are scripted."""


def check_player(name: str) -> None:
    """Raises UnknownNameError for an unknown player."""
    if name not in PLAYERS:
        raise UnknownNameError.among("scripted player", name, PLAYERS, "For a checkpoint give another --engine.")


def played_by_oracle(policy: Policy, settings: EpisodeSettings) -> Policy:
    """`policy` played by the oracle: it crops the evidence unless the policy scripts or bans operations."""
    if policy.forced is None and not policy.banned_ids:
        return replace(policy, forced=lambda task: oracle_turns(task, settings))
    operations = policy.forced or _no_operations
    return replace(policy, forced=lambda task: [*operations(task), oracle_answer(task, settings)])


def _no_operations(task: Task) -> Sequence[str]:
    return ()
