"""The mix: how many traces of each kind, in exact counts, and the plans for it.

Depends on shares, counts and the media of tasks; independent of how a plan is drawn (`planning.py`), narrated or
verified.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from pixel_env.errors import ConfigError, TaskError
from pixel_env.task import MediaKind, Task
from synth.plans.framing import FREE, Framing
from synth.plans.plan import Plan, PlanKind
from synth.plans.planning import HOPELESS, MAX_OPERATIONS, NoRoom, planned

Cell = tuple[MediaKind, PlanKind]
"""A kind of trace on a medium: single passes exist on images and on videos."""

IMAGE_KINDS = {
    PlanKind.SINGLE_PASS: 30,
    PlanKind.RECROP_ONCE: 20,
    PlanKind.RECROP_TWICE: 20,
    PlanKind.FURTHER_ZOOM: 30,
}
"""Per cent of the traces on images (arXiv 2505.15966, Table 2 by secondary sources)."""
VIDEO_KINDS = {PlanKind.SINGLE_PASS: 90, PlanKind.RESELECT: 10}
"""Per cent of the traces on videos (the same)."""


@dataclass(frozen=True)
class Mix:
    """Shares of the media, and of the kinds within each medium; they need not sum to 1, only their ratios matter.

    Text has about 2,000 of the paper's 7,500 traces. How the other 5,500 are divided between images and videos is
    not published; four to one is our choice.
    """

    image: float = 4400
    video: float = 1100
    text: float = 2000
    image_kinds: Mapping[PlanKind, float] = field(default_factory=lambda: dict(IMAGE_KINDS))
    video_kinds: Mapping[PlanKind, float] = field(default_factory=lambda: dict(VIDEO_KINDS))

    def __post_init__(self) -> None:
        for name, kinds, known in (
            ("image_kinds", self.image_kinds, IMAGE_KINDS),
            ("video_kinds", self.video_kinds, VIDEO_KINDS),
        ):
            if not set(kinds) <= set(known):
                raise ConfigError(f"mix: {name} has {sorted(set(kinds) - set(known))}; known kinds: {sorted(known)}.")
        parts = (self.image, self.video, self.text, *self.image_kinds.values(), *self.video_kinds.values())
        if min(parts) < 0 or not self.shares:
            raise ConfigError(f"mix: shares must be at least 0, and not all of them 0; got {self}.")
        for medium, share, kinds in (("image", self.image, self.image_kinds), ("video", self.video, self.video_kinds)):
            if share and not sum(kinds.values()):
                raise ConfigError(
                    f"mix: {medium} has the share {share}, but all of its kinds have the share 0; got {kinds}."
                )

    @property
    def shares(self) -> dict[Cell, Fraction]:
        """The share of each kind on each medium; they sum to 1, and none is 0."""
        media: dict[MediaKind, tuple[float, Mapping[PlanKind, float]]] = {
            "image": (self.image, self.image_kinds),
            "video": (self.video, self.video_kinds),
            "text": (self.text, {PlanKind.TEXT_ONLY: 1}),
        }
        given: dict[Cell, Fraction] = {}
        for medium, (share, kinds) in media.items():
            whole = sum((Fraction(part) for part in kinds.values()), Fraction())
            given |= {(medium, kind): Fraction(share) * Fraction(part) / whole for kind, part in kinds.items() if part}
        total = sum(given.values(), Fraction())
        return {cell: share / total for cell, share in given.items() if share}


PAPER = Mix()


def cell_counts(mix: Mix, count: int) -> dict[Cell, int]:
    """How many of `count` traces each kind on each medium gets: its share, rounded by the largest remainder."""
    exact = {cell: share * count for cell, share in mix.shares.items()}
    counts = {cell: int(number) for cell, number in exact.items()}
    by_remainder = sorted(exact, key=lambda cell: counts[cell] - exact[cell])  # stable: ties in the order of the mix
    for cell in by_remainder[: count - sum(counts.values())]:
        counts[cell] += 1
    return counts


def counts(mix: Mix, count: int) -> dict[PlanKind, int]:
    """How many of `count` traces each kind gets, on all media together."""
    total: Counter[PlanKind] = Counter()
    for (_, kind), number in cell_counts(mix, count).items():
        total[kind] += number
    return dict(total)


def tally(plans: Iterable[Plan]) -> dict[Cell, int]:
    """The number of plans of each kind on each medium."""
    return dict(Counter((plan.task.media, plan.kind) for plan in plans))


# ----------------------------------------------------------------------------------------------------------- plans

_TASK_ORDER, _KIND_ORDER, _PLAN = 1, 2, 3
_DEMANDING = (
    PlanKind.RECROP_TWICE,
    PlanKind.FURTHER_ZOOM,
    PlanKind.RECROP_ONCE,
    PlanKind.RESELECT,
    PlanKind.SINGLE_PASS,
    PlanKind.TEXT_ONLY,
)


_PassedOver = tuple[Task, frozenset[PlanKind]]
"""A task, and the kinds for which it has no room."""


@dataclass
class PlanSupply:
    """Plans on demand. Each task is used at most once; the order of the tasks is drawn from the seed.

    A kind is tried on the next task. A task that has no room for the kind is passed over and counted in `refused`. It
    is offered to other kinds only after all tasks were tried, because otherwise a kind would be limited to the tasks
    that the others cannot use. The same calls give the same plans.
    """

    tasks: Sequence[Task]
    seed: int
    framing: Framing = FREE
    max_operations: int = MAX_OPERATIONS
    refused: Counter[tuple[PlanKind, NoRoom]] = field(default_factory=Counter)
    _order: Iterator[int] = field(init=False, repr=False)
    _untried: dict[MediaKind, deque[Task]] = field(init=False, repr=False)
    _passed_over: dict[MediaKind, deque[_PassedOver]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._order = iter(np.random.default_rng((self.seed, _TASK_ORDER)).permutation(len(self.tasks)).tolist())
        self._untried = {"image": deque(), "video": deque(), "text": deque()}
        self._passed_over = {"image": deque(), "video": deque(), "text": deque()}

    def take(self, cell: Cell, index: int) -> Plan:
        """A plan of this kind on this medium, drawn with a generator seeded by (seed, index).

        Raises TaskError if no remaining task has room for one.
        """
        medium, kind = cell
        rng = np.random.default_rng((self.seed, _PLAN, index))
        for task, refused_by in self._waiting(medium, kind):
            plan = planned(task, kind, rng, framing=self.framing, max_operations=self.max_operations)
            if isinstance(plan, Plan):
                return plan
            self.refused[kind, plan] += 1
            if plan not in HOPELESS:
                self._passed_over[medium].append((task, refused_by | {kind}))
        raise TaskError(self._shortage(cell))

    def _waiting(self, medium: MediaKind, kind: PlanKind) -> Iterator[_PassedOver]:
        """The unused tasks of the medium: first the untried ones, then those that other kinds passed over."""
        while self._untried[medium] or self._draw_one_of(medium):
            yield self._untried[medium].popleft(), frozenset()
        passed_over = self._passed_over[medium]
        for _ in range(len(passed_over)):
            task, refused_by = passed_over.popleft()
            if kind in refused_by:
                passed_over.append((task, refused_by))
            else:
                yield task, refused_by

    def _draw_one_of(self, medium: MediaKind) -> bool:
        for index in self._order:
            task = self.tasks[index]
            self._untried[task.media].append(task)
            if task.media == medium:
                return True
        return False

    def _shortage(self, cell: Cell) -> str:
        medium, kind = cell
        refused = {reason: count for (of, reason), count in self.refused.items() if of is kind}
        reasons = ", ".join(f"{count} {reason.value}" for reason, count in refused.items())
        turns = (
            f"More than {self.max_operations} operations need more turns. " if NoRoom.TOO_MANY_LOOKS in refused else ""
        )
        return (
            f"none of the remaining tasks (of {len(self.tasks)}) has room for another {kind.value} trace ({medium}); "
            f"tasks passed over: {reasons or 'none'}. {turns}Give more tasks, a smaller count, or another mix."
        )


def cells_in_order(mix: Mix, count: int, seed: int) -> list[Cell]:
    """The kind of each of `count` traces: the exact counts of the mix, in an order drawn from the seed."""
    cells = [cell for cell, number in cell_counts(mix, count).items() for _ in range(number)]
    return [cells[int(index)] for index in np.random.default_rng((seed, _KIND_ORDER)).permutation(count)]


@dataclass(frozen=True)
class DrawnPlans:
    """Plans that meet a mix exactly. `supply` draws replacements for dropped traces and counts the tasks that were
    passed over."""

    plans: tuple[Plan, ...]
    supply: PlanSupply


def draw_plans(
    tasks: Sequence[Task],
    mix: Mix,
    count: int,
    seed: int,
    *,
    framing: Framing = FREE,
    max_operations: int = MAX_OPERATIONS,
) -> DrawnPlans:
    """`count` plans that meet the mix exactly, up to rounding; the same arguments give the same plans.

    Every shard draws all plans and uses its own part, because drawing needs no pixels. `max_operations`: the most
    operations of one plan. Raises TaskError if the tasks do not suffice.
    """
    supply = PlanSupply(tasks, seed, framing, max_operations)
    cells = list(enumerate(cells_in_order(mix, count, seed)))
    # The most demanding kinds choose first: a task without room for them may still suffice for a single pass.
    plans = {i: supply.take(cell, i) for i, cell in sorted(cells, key=lambda item: _DEMANDING.index(item[1][1]))}
    return DrawnPlans(tuple(plans[i] for i, _ in cells), supply)
