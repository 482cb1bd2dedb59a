"""Generation of one data set: its plans, their outcomes, and replacements for dropped plans.

Depends on seeds, plans, teachers and the journal; independent of flags and of the files of the data set.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from synth.generation.checking import outcomes
from synth.generation.config import SynthConfig, framing_of
from synth.generation.data_card import Facts, is_embedded
from synth.generation.judging import Judge, judged
from synth.generation.outcomes import Journal, Outcome, read_journal
from synth.generation.progress import progress
from synth.generation.student import Student, WithStudent
from synth.plans.mix import Cell, cell_counts, draw_plans
from synth.plans.plan import Plan, Teacher
from synth.seed_data import AnswersWithoutLooking, Seeds, load_seeds
from synth.text_only.tasks import text_tasks
from synth.verification.repeats import Repeats
from synth.verification.verify import Reason
from synth.warm_starts.templates import shown_as

_SEEDS_PER_TRACE = 1.5
_SPARE = 64
_FIRST_OPERATIONS: Mapping[str, tuple[str, str]] = {
    "image": (CropImage.name, "crop images"),
    "video": (SelectFrames.name, "select frames"),
}
"""By medium: the operation that every plan about it begins with, and what it does."""


@dataclass
class Shortage:
    """Missing traces of one kind: their number, why no task is left, and why the last plan was dropped."""

    reason: str
    missing: int = 0
    last_dropped: str = ""


class Job:
    """The plans of a data set by their number, and their outcomes.

    With a judge, verified traces that it calls untrue are dropped. With a student, seeds that it answers from the
    overview are dropped, and with `text_from: student` it writes the text-only traces.

    The first `config.count` plans meet the mix; further ones replace dropped plans. `kept`: for each position in the
    data set, the number of its plan; `shortages`: the kinds for which there were not enough tasks; `made`: the number
    of outcomes that this process added.
    """

    def __init__(
        self,
        config: SynthConfig,
        folder: Path,
        teacher: Teacher,
        student: Student | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Raises TaskError if the seeds do not suffice, ConfigError for a folder that cannot be written."""
        self.config = config
        self.folder = folder
        self._judge = judge
        self.teacher = WithStudent(teacher, student) if student and config.text_from == "student" else teacher
        self.wanted = cell_counts(config.mix, config.count)
        dialect = dialect_named(config.dialect)
        refuse_media(self.wanted, dialect)
        with nullcontext() if student is None else student.overview() as answers_without_looking:
            self.seeds = seeds_of(config, self.wanted, answers_without_looking)
        task_set = self.seeds.task_set
        budgets = budgets_for(None, task_set, dialect)
        self.settings = EpisodeSettings(shown_as(task_set, dialect), config.limits, budgets)
        tasks = [*task_set.tasks, *text_tasks_of(config, self.wanted)]
        drawn = draw_plans(
            tasks,
            config.mix,
            config.count,
            config.seed,
            framing=framing_of(dialect),
            max_operations=config.max_turns - 1,
        )
        self.plans: list[Plan] = list(drawn.plans)
        self._supply = drawn.supply
        self.journal = Journal(folder)
        self.journal.check(self.plans)
        self.kept: dict[int, int] = {}
        self.dropped: Counter[str] = Counter()
        self.shortages: dict[Cell, Shortage] = {}
        self.made = 0

    def merge(self, journals: Sequence[Path]) -> None:
        """Adds the outcomes that the journals of shards have and this one lacks."""
        for path in journals:
            for outcome in read_journal(path):
                self.journal.merge(outcome)
        self.journal.check(self.plans)

    def make(self, numbers: Sequence[int], executor: Executor) -> None:
        """Adds the outcomes of these plans that are not in the journal yet."""
        numbered = [(number, self.plans[number]) for number in numbers]
        missing = [(number, plan) for number, plan in numbered if self.journal.of(number, plan) is None]
        made = outcomes(missing, self.teacher, self.config.seed, self.settings, executor)
        if self._judge is not None:
            made = judged(made, self.plans.__getitem__, self._judge, self.settings)
        done = len(numbers) - len(missing)
        for outcome in progress(made, "traces", unit="trace", total=len(numbers), initial=done):
            self.journal.add(outcome)
            self.made += 1

    def make_all(self, executor: Executor) -> None:
        """Fills every position of the data set; a dropped plan is replaced by one of its kind while tasks are left.

        The replacements are drawn in rounds, each after the whole round before it has ended, so that they do not depend
        on the order in which plans end.
        """
        repeats = Repeats(self.settings.dialect)
        unfilled = dict(enumerate(range(self.config.count)))
        while unfilled:
            self.make(list(unfilled.values()), executor)
            kept = {position: number for position, number in unfilled.items() if self._is_kept(number, repeats)}
            self.kept |= kept
            dropped = {position: number for position, number in unfilled.items() if position not in kept}
            replacements = {position: self._replacement(number) for position, number in dropped.items()}
            unfilled = {position: number for position, number in replacements.items() if number is not None}

    @property
    def traces(self) -> list[Trace]:
        """The traces of the data set, in order."""
        return [self._outcome(number).trace(self.plans[number]) for _, number in sorted(self.kept.items())]

    @property
    def facts(self) -> Facts:
        """The facts for the data card. Raises TaskError if the data set is empty."""
        traces = self.traces
        if not traces:
            counts = ", ".join(f"{reason} {number}" for reason, number in sorted(self.dropped.items()))
            raise TaskError(
                f"None of {len(self.plans)} plans became a trace ({counts}). Reason of the first: "
                f"{self._outcome(0).message}"
            )
        passed = {f"{kind.value}: {reason.value}": number for (kind, reason), number in self._supply.refused.items()}
        return Facts(
            config=self.config,
            teacher=self.teacher.name,
            task_set=self.seeds.task_set,
            seeds=self.seeds.report,
            wanted=self.wanted,
            traces=traces,
            dropped=self.dropped,
            passed_over=passed,
        )

    def _outcome(self, number: int) -> Outcome:
        outcome = self.journal.of(number, self.plans[number])
        assert outcome is not None, "every plan has an outcome before it is used"
        return outcome

    def _is_kept(self, number: int, repeats: Repeats) -> bool:
        """Whether the trace of the plan is kept; if not, its reason is counted."""
        outcome = self._outcome(number)
        reason = outcome.dropped
        if not reason and repeats.holds(outcome.trace(self.plans[number]), outcome.action_fingerprint):
            reason = Reason.DUPLICATE.value
        if reason:
            self.dropped[reason] += 1
        return not reason

    def _replacement(self, number: int) -> int | None:
        """The number of a new plan of the same kind; None, with a shortage recorded, if no task is left for one."""
        plan = self.plans[number]
        cell = (plan.task.media, plan.kind)
        try:
            self.plans.append(self._supply.take(cell, len(self.plans)))
        except TaskError as error:
            shortage = self.shortages.setdefault(cell, Shortage(str(error)))
            shortage.missing += 1
            outcome = self._outcome(number)
            shortage.last_dropped = f"{outcome.dropped or Reason.DUPLICATE.value}: {outcome.message}".rstrip(": ")
            return None
        return len(self.plans) - 1


def refuse_media(wanted: Mapping[Cell, int], dialect: Dialect) -> None:
    """Raises ConfigError for traces about a medium on which the dialect lacks the operation that plans begin with."""
    lacking = {medium: what for medium, (name, what) in _FIRST_OPERATIONS.items() if not dialect.can_call(name)}
    possible = next(medium for medium in ("image", "video", "text") if medium not in lacking)
    for medium in dict.fromkeys(medium for medium, _ in wanted):
        if medium in lacking:
            raise ConfigError(
                f"the dialect {dialect.name!r} cannot {lacking[medium]}, so it has no traces about {medium}s. Give "
                f"--media without {medium}, for example --media {possible}=1, or another --dialect."
            )


def seeds_of(
    config: SynthConfig, wanted: Mapping[Cell, int], answers_without_looking: AnswersWithoutLooking | None = None
) -> Seeds:
    """The seeds for this number of traces. Raises TaskError."""
    needed = sum(number for (medium, _), number in wanted.items() if medium != "text")
    count = config.seed_count
    if count is None and is_embedded(config):
        count = int(_SEEDS_PER_TRACE * needed) + _SPARE
    return load_seeds(
        config.seeds,
        split=config.split,
        count=count,
        answers_without_looking=answers_without_looking,
        seed=config.seed,
        strict=config.strict,
    )


def text_tasks_of(config: SynthConfig, wanted: Mapping[Cell, int]) -> Sequence[Task]:
    """Text-only questions, which come from no seed data; each split has different ones."""
    needed = sum(number for (medium, _), number in wanted.items() if medium == "text")
    seed = 2 * config.seed + (config.split == "test")
    return text_tasks(int(_SEEDS_PER_TRACE * needed) + _SPARE, seed) if needed else ()
