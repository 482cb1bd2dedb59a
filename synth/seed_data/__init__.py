"""Seed data: annotated images and videos as filtered tasks with evidence (`load_seeds`), and a report of what was
dropped.

| seed data | file |
|---|---|
| `embedded`: the sample sets in turn, rendered on demand | `embedded.py` |
| SA-1B | `sa1b.py` |
| web pages with question, answer and answer box | `webpages.py` |
| STAR | `star.py` |
| COCO-style boxes | `coco.py` |
| our own JSONL with `evidence`, and every published task set | `pixel_env/tasks` |

`filters.py` has the requirements for a seed, `asking.py` the protocol for questions about unlabelled regions, and
`overview.py` the check whether a model answers from the overview, without any operation. Depends on task sets and their
formats; independent of plans and teachers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.samples import DEFAULT_COUNT
from pixel_env.samples.scenes import Split
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import SAMPLE_PREFIX, load_tasks, read_path
from pixel_env.tasks.formats.outside import task_function
from pixel_env.tasks.reading import Reading, read_located
from synth.seed_data.asking import Asked, Asker, RegionQuestion, with_question
from synth.seed_data.embedded import embedded_seeds
from synth.seed_data.filters import FOR_RECIPES, Drop, Filters, SeedFilter
from synth.seed_data.locating import SEED_FORMATS, locate_seeds
from synth.seed_data.overview import AnswersWithoutLooking, KeptAnswers, without_looking
from synth.seed_data.report import SeedReport, Seeds, Tally
from synth.seed_data.sa1b import SA1B

__all__ = [
    "FOR_RECIPES",
    "SEED_FORMATS",
    "AnswersWithoutLooking",
    "Asked",
    "Asker",
    "Drop",
    "Filters",
    "KeptAnswers",
    "RegionQuestion",
    "SeedReport",
    "Seeds",
    "load_seeds",
    "without_looking",
]

EMBEDDED = "embedded"
_COMPOSED_PER_KEPT = 10
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class _SeedSource:
    """The tasks behind a name or a path; `is_unlabelled`: without labels, so that questions come from a template."""

    task_set: TaskSet
    format_name: str
    problems: tuple[str, ...] = ()
    is_composed: bool = False
    is_unlabelled: bool = False


def load_seeds(
    spec: str | Path,
    *,
    split: Split = "train",
    count: int | None = None,
    filters: Filters | None = None,
    asker: Asker | None = None,
    answers_without_looking: AnswersWithoutLooking | None = None,
    seed: int = 0,
    strict: bool = False,
) -> Seeds:
    """The seed data of `spec`: the first `count` tasks that pass the filters, and a report of the dropped ones.

    "embedded" is the sample sets in turn and "sample:NAME" one of them (`count` is 1,000 if it is not given); anything
    else is a file or a folder, recognised by its columns or with its format before the path ("coco:PATH",
    "module:FORMAT:PATH"), or "module:function", your own function from the split to its tasks. The default of `filters`
    is `Filters()`, and `FOR_RECIPES` for composed scenes. `asker` replaces the questions about unlabelled regions;
    `answers_without_looking` drops tasks that a model answers from the overview. Rows that cannot be used are skipped
    with one BadRowsWarning, which `strict` turns into a TaskError. Raises TaskError too if no task passes.
    """
    if count is not None and count < 1:
        raise TaskError(f"count is the number of seeds to keep and must be at least 1, got {count}")
    source = _source(spec, split, count, strict)
    tally = Tally()
    for problem in source.problems:
        tally.drop(Drop.BAD_ROW, problem)
    count = DEFAULT_COUNT if count is None and source.is_composed else count
    seed_filter = SeedFilter(filters or (FOR_RECIPES if source.is_composed else Filters()))
    chunks = _chunks(
        _filtered(source.task_set.tasks, seed_filter, tally), _CHUNK if count is None else min(count, _CHUNK)
    )
    questioned = (_with_questions(c, asker, seed, tally) if asker and source.is_unlabelled else c for c in chunks)
    sets = (replace(source.task_set, tasks=tuple(chunk)) for chunk in questioned)
    kept = (task for chunk in sets for task in _without_easy(chunk, answers_without_looking, tally))
    tasks = tuple(islice(kept, count))
    report = tally.report(source.task_set.name, source.format_name, len(tasks))
    if not tasks:
        raise TaskError("\n".join([*report.lines(), "No seed is left. Give other seed data or less strict Filters."]))
    return Seeds(replace(source.task_set, tasks=tasks), report)


def _source(spec: str | Path, split: Split, count: int | None, strict: bool) -> _SeedSource:
    composed = _COMPOSED_PER_KEPT * (count or DEFAULT_COUNT)
    if spec == EMBEDDED:
        return _SeedSource(embedded_seeds(split, composed), EMBEDDED, is_composed=True)
    if isinstance(spec, str) and spec.startswith(SAMPLE_PREFIX):
        return _SeedSource(load_tasks(spec, split=split, count=composed), "sample", is_composed=True)
    located = locate_seeds(spec, split)
    if located is None and isinstance(spec, str) and task_function(spec) is not None:
        return _SeedSource(load_tasks(spec, split=split), "function")
    reading: Reading = read_path(spec, split=split) if located is None else read_located(located)[0]
    if not reading.rows:
        raise TaskError(f"{spec} holds no tasks; it was read in the format {reading.format_name!r}")
    task_set = reading.usable(strict=strict)
    is_unlabelled = located is not None and located.format is SA1B
    return _SeedSource(task_set, reading.format_name, tuple(map(str, reading.problems)), is_unlabelled=is_unlabelled)


def _filtered(tasks: Iterable[Task], seed_filter: SeedFilter, tally: Tally) -> Iterator[Task]:
    for task in tasks:
        reason = seed_filter.drop_reason(task)
        if reason is None:
            yield task
        else:
            tally.drop(reason, task.task_id)


def _with_questions(tasks: Sequence[Task], asker: Asker, seed: int, tally: Tally) -> list[Task]:
    questions = dict(asker.ask(tasks, seed=seed))
    questioned = []
    for index, task in enumerate(tasks):
        match questions[index]:
            case RegionQuestion() as question:
                questioned.append(with_question(task, question))
            case refusal:
                tally.drop(Drop.NOT_ASKED, f"{task.task_id}: {refusal.code}: {refusal.message}")
    return questioned


def _without_easy(chunk: TaskSet, check: AnswersWithoutLooking | None, tally: Tally) -> list[Task]:
    if check is None:
        return list(chunk.tasks)
    suffices = check(chunk)
    for task in (task for task, is_answered in zip(chunk.tasks, suffices, strict=True) if is_answered):
        tally.drop(Drop.OVERVIEW_SUFFICES, task.task_id)
    return [task for task, is_answered in zip(chunk.tasks, suffices, strict=True) if not is_answered]


def _chunks(tasks: Iterable[Task], size: int) -> Iterator[list[Task]]:
    tasks = iter(tasks)
    while chunk := list(islice(tasks, size)):
        yield chunk
