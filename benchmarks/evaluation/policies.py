"""The policies of an evaluation: the same model, with its looks left alone, scripted, forbidden or falsified.

All are greedy. Knows tasks, dialects, one banned token and interventions; knows nothing of models. What "oracle" means
is fixed here: the window that the trace templates call the right one; of a video, what the oracle player looks at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.chat.format import ChatFormat
from agents.rollout import EpisodeSettings
from benchmarks.evaluation.oracle import oracle_answer, oracle_looks, oracle_turns
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.interventions import Intervention, blank, random_position, unchanged, withheld
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.seeding import rng_of
from pixel_env.task import Evidence, Task
from synth.plans.windows import GRID_CELLS, right_window, windows_off
from synth.warm_starts.templates import written_crop_call

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

WRONG_ZOOM = "wrong_zoom"
"""The first look misses the evidence, for all models at the same place: does the model look again?"""

_CLEARANCE = 0.01
"""Between a wrong look and the evidence, as a share of the side: a dialect in pixels rounds."""

NAMES = (*POLICIES, WRONG_ZOOM, *FALSIFIED)
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
    if task.media == "video":
        return dialect.can_say(SelectFrames((0,)))
    return dialect.can_say(CropImage(task.evidence[0].image, FULL))


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
        case "wrong_zoom":
            padding = settings.dialect.padding
            return Policy(name, forced=lambda task: _first_looks(with_wrong_evidence(task, seed, padding), settings))
        case "blank_crop":
            return Policy(name, intervention=blank)
        case "random_crop":
            return Policy(name, intervention=random_position(seed))
        case "withheld_crop":
            return Policy(name, intervention=withheld)
        case _:
            raise UnknownNameError.among("policy", name, NAMES)


# --------------------------------------------------------------------------------------------- where they look first


def oracle_window(task: Task) -> Box:
    """The window around the first evidence. Raises ConfigError for a task without evidence."""
    return right_window(_first_evidence(task).box)


def _first_evidence(task: Task) -> Evidence:
    if not task.evidence:
        raise ConfigError(
            f"the task {task.task_id!r} has no evidence box, so nobody knows where an oracle would look. "
            f"Add 'evidence' to its row, or measure --policies {NO_ZOOM} {LEARNED_ZOOM} only."
        )
    return task.evidence[0]


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


def with_wrong_evidence(task: Task, seed: int, padding: float = 0.0) -> Task:
    """The task with its evidence where there is none: a window that shows nothing of it, even with `padding` around it.

    Of a video, frames without evidence, as many. It depends on the seed and the task's id alone. Raises ConfigError
    for a task without evidence, and for one whose evidence leaves no room.
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
        wrong = tuple(Evidence(image, windows[place]) for place in rng.permutation(len(windows))[:1])
    if not wrong:
        raise ConfigError(
            f"the evidence of the task {task.task_id!r} leaves no room for a look that misses it. "
            f"Leave the task out of the set, or {WRONG_ZOOM} out of --policies."
        )
    return replace(task, evidence=wrong)


def _rng(task: Task, seed: int) -> np.random.Generator:
    return rng_of(f"{seed}/{task.task_id}")


def _moved(window: Box, rng: np.random.Generator) -> Box:
    sides = (window.width, window.height)
    x0, y0 = (int(rng.integers(int((1.0 - side) * GRID_CELLS) + 1)) / GRID_CELLS for side in sides)
    return Box(x0, y0, min(1.0, x0 + window.width), min(1.0, y0 + window.height))


def _first_looks(task: Task, settings: EpisodeSettings) -> list[str]:
    window = oracle_window(task)
    if task.media == "video":
        return oracle_looks(task, settings)
    return [
        written_crop_call(task, task.evidence[0].image, window, replace(settings.dialect, budgets=settings.budgets))
    ]


# ------------------------------------------------------------------------------------------ players without a model

PLAYERS = ("oracle",)
"""Names that `pixel-env eval --engine scripted --model NAME` takes: all turns of such a player are scripted."""


def check_player(name: str) -> None:
    """Raises UnknownNameError for a name that no player has."""
    if name not in PLAYERS:
        raise UnknownNameError.among("scripted player", name, PLAYERS, "A checkpoint is played by another --engine.")


def played_by_oracle(policy: Policy, settings: EpisodeSettings) -> Policy:
    """`policy` with the oracle in the model's place: it looks where the policy leaves that open, and answers right."""
    if policy.forced is None and not policy.banned_ids:
        return replace(policy, forced=lambda task: oracle_turns(task, settings))
    looks = policy.forced or _no_looks
    return replace(policy, forced=lambda task: [*looks(task), oracle_answer(task, settings)])


def _no_looks(task: Task) -> Sequence[str]:
    return ()
