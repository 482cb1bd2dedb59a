"""Seeds: annotated pictures and videos as tasks with evidence, sifted, with the reasons counted: `load_seeds`.

| seeds | file |
|---|---|
| `embedded`: the sample sets in turn, recipes rendered on demand | `embedded.py` |
| SA-1B | `sa1b.py` |
| web pages with question, answer and answer box | `webpages.py` |
| STAR | `star.py` |
| COCO-style boxes | `coco.py` |
| our own JSONL with `evidence`, and every published task set | `pixel_env/tasks` |

What a seed has to be stands in `filters.py`, who may ask about unlabelled regions in `asking.py`, how a model is asked
without looking in `overview.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.samples import DEFAULT_COUNT
from pixel_env.samples.scenes import Split
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import load_tasks, read_path
from pixel_env.tasks.formats.outside import task_function
from pixel_env.tasks.reading import Reading, read_located
from synth.seed_data.asking import Asked, Asker, asked_of
from synth.seed_data.embedded import embedded_seeds
from synth.seed_data.filters import FOR_RECIPES, Drop, Filters, Sieve
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
    "SeedReport",
    "Seeds",
    "load_seeds",
    "without_looking",
]

EMBEDDED = "embedded"
_SAMPLE_PREFIX = "sample:"
_COMPOSED_PER_KEPT = 10
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class _Found:
    """What a name or a path stands for; `is_unlabelled`: its questions are a template's for want of labels."""

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
    """The seeds that `spec` stands for: the first `count` that pass the filters, and what became of the others.

    "embedded" is the sample sets in turn and "sample:NAME" one of them (`count` is 1,000 if it is not given); anything
    else is a file or a folder, told by its columns or named before the path ("coco:PATH", "module:FORMAT:PATH"), or
    "module:function", a function of your own from the split to its tasks. `filters` default to those
    of `filters.py`, for composed scenes to `FOR_RECIPES`. `asker` replaces the questions about unlabelled regions;
    `answers_without_looking` drops what a model answers from the overview. Rows that cannot be used are left out with
    one BadRowsWarning, which `strict` turns into a TaskError. Raises TaskError too if nothing passes.
    """
    if count is not None and count < 1:
        raise TaskError(f"count is the number of seeds to keep and must be at least 1, got {count}")
    found = _found(spec, split, count, strict)
    tally = Tally()
    for problem in found.problems:
        tally.drop(Drop.BAD_ROW, problem)
    count = DEFAULT_COUNT if count is None and found.is_composed else count
    sieve = Sieve(filters or (FOR_RECIPES if found.is_composed else Filters()))
    chunks = _chunks(_sifted(found.task_set.tasks, sieve, tally), _CHUNK if count is None else min(count, _CHUNK))
    asked = (_asked(chunk, asker, seed, tally) if asker and found.is_unlabelled else chunk for chunk in chunks)
    sets = (replace(found.task_set, tasks=tuple(chunk)) for chunk in asked)
    kept = (task for chunk in sets for task in _looked_for(chunk, answers_without_looking, tally))
    tasks = tuple(islice(kept, count))
    report = tally.report(found.task_set.name, found.format_name, len(tasks))
    if not tasks:
        raise TaskError("\n".join([*report.lines(), "No seed is left. Give other seeds or wider Filters."]))
    return Seeds(replace(found.task_set, tasks=tasks), report)


def _found(spec: str | Path, split: Split, count: int | None, strict: bool) -> _Found:
    composed = _COMPOSED_PER_KEPT * (count or DEFAULT_COUNT)
    if spec == EMBEDDED:
        return _Found(embedded_seeds(split, composed), EMBEDDED, is_composed=True)
    if isinstance(spec, str) and spec.startswith(_SAMPLE_PREFIX):
        return _Found(load_tasks(spec, split=split, count=composed), "sample", is_composed=True)
    located = locate_seeds(spec, split)
    if located is None and isinstance(spec, str) and task_function(spec) is not None:
        return _Found(load_tasks(spec, split=split), "function")
    reading: Reading = read_path(spec, split=split) if located is None else read_located(located)[0]
    if not reading.rows:
        raise TaskError(f"{spec} holds nothing that can be asked about; it was read as {reading.format_name!r}")
    task_set = reading.usable(strict=strict)
    is_unlabelled = located is not None and located.format is SA1B
    return _Found(task_set, reading.format_name, tuple(map(str, reading.problems)), is_unlabelled=is_unlabelled)


def _sifted(tasks: Iterable[Task], sieve: Sieve, tally: Tally) -> Iterator[Task]:
    for task in tasks:
        reason = sieve.judge(task)
        if reason is None:
            yield task
        else:
            tally.drop(reason, task.task_id)


def _asked(tasks: Sequence[Task], asker: Asker, seed: int, tally: Tally) -> list[Task]:
    answers = dict(asker.ask(tasks, seed=seed))
    asked = []
    for place, task in enumerate(tasks):
        match answers[place]:
            case Asked() as answer:
                asked.append(asked_of(task, answer))
            case refusal:
                tally.drop(Drop.NOT_ASKED, f"{task.task_id}: {refusal.code}: {refusal.message}")
    return asked


def _looked_for(chunk: TaskSet, answered: AnswersWithoutLooking | None, tally: Tally) -> list[Task]:
    if answered is None:
        return list(chunk.tasks)
    suffices = answered(chunk)
    for task in (task for task, is_answered in zip(chunk.tasks, suffices, strict=True) if is_answered):
        tally.drop(Drop.OVERVIEW_SUFFICES, task.task_id)
    return [task for task, is_answered in zip(chunk.tasks, suffices, strict=True) if not is_answered]


def _chunks(tasks: Iterable[Task], size: int) -> Iterator[list[Task]]:
    tasks = iter(tasks)
    while chunk := list(islice(tasks, size)):
        yield chunk
