"""Files of other programs as episodes: their texts are played once more, in the dialect of the run.

What the tool of the run delivered is not in such files; delivered is what the dialect's own tool delivers for the same
text. So the dialect must do what that tool did, its mistakes included. With `tasks`, the task set of the run, questions
are found by their id, and bring their images, answers and evidence. Depends on the readers of rows and on replay;
independent of what is measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.audit.episodes import Episodes
from benchmarks.audit.messages import conversation_of, image_at
from benchmarks.audit.replay import replayed
from benchmarks.audit.samples import COLUMNS, Sample, grade_of, sample_of, turns_in
from benchmarks.evaluation.records import Evaluation, Record
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import MediaError, TaskError
from pixel_env.media.sources import FileSource
from pixel_env.task import MediaKind, Task, TaskSet
from pixel_env.tasks.files.row import Row, is_writable, shortened
from pixel_env.tasks.files.rows import read_plain_rows
from pixel_env.views import Source, ViewBudgets
from synth.conversion.conversations import assistant_texts, observations_of, question_of, task_images
from synth.conversion.encoded_images import HeldImage

MESSAGES = "messages"
"""Name of the policy of message lists; that of samples is the name of their file."""


@dataclass(frozen=True, slots=True)
class _Import:
    """What reading a row needs besides the row."""

    dialect: Dialect
    budgets: ViewBudgets
    tasks: TaskSet | None


def read_files(name: str, files: Sequence[Path], dialect: Dialect, tasks: TaskSet | None) -> Episodes:
    """The episodes of the files, in order. Raises TaskError for a file that cannot be read."""
    budgets = dialect.budgets if tasks is None else budgets_for(None, tasks, dialect)
    settings = _Import(dialect, budgets, tasks)
    found: list[_Found] = []
    faults: list[str] = []
    rows = without_images = 0
    for file in files:
        for row in read_plain_rows(file):
            rows += 1
            try:
                of_row = list(_found_in(row, f"{file.stem}:{row.number}", settings))
            except (TaskError, MediaError) as error:
                faults.append(f"{file}, {row.location}: {error}")
                continue
            found += of_row
            played = [one.record.trajectory for one in of_row]
            without_images += any(one.operations and not one.task.sources for one in played)
    remarks = []
    if without_images:
        remarks.append(
            f"{without_images} rows with calls hold no image, so the regions and edge rules of these are not audited; "
            "--tasks gives the images and the evidence"
        )
    by_id = {one.record.trajectory.task.task_id: one.record.trajectory.task for one in found}
    evaluation = Evaluation(TaskSet(name, tuple(by_id.values())), budgets, [one.record for one in found])
    returned = tuple(one.returned for one in found)
    return Episodes(name, evaluation, dialect, rows, tuple(faults), tuple(remarks), returned)


@dataclass(frozen=True, slots=True)
class _Found:
    """An episode of a row; `returned`: the images after each of its messages, where the row holds them."""

    record: Record
    returned: tuple[tuple[Source, ...], ...] = ()


def _found_in(row: Row, name: str, settings: _Import) -> Iterator[_Found]:
    if row.problem:
        raise TaskError(row.problem)
    if any(column in row.values for column in COLUMNS):
        found = _of_sample(row, sample_of(row.values), settings)
    else:
        found = iter([_of_messages(row, name, settings)])
    for one in found:
        task = one.record.trajectory.task
        if not is_writable(task.task_id + task.question):
            raise TaskError("its id or its question holds a lone surrogate (half of a character)")
        yield one


# ------------------------------------------------------------------------------------------------- lmms-eval samples


def _of_sample(row: Row, sample: Sample, settings: _Import) -> Iterator[_Found]:
    task = _task_of_sample(sample, row.file.parent, settings)
    policy = row.file.stem.rpartition("samples_")[2]
    for number, response in enumerate(sample.responses):
        played = replayed(task, turns_in(response, settings.dialect.calls), settings.dialect, settings.budgets)
        if sample.score is not None:
            played = replace(played, reward=sample.score)
        yield _Found(Record(played, policy, None if len(sample.responses) == 1 else number))


def _task_of_sample(sample: Sample, folder: Path, settings: _Import) -> Task:
    if settings.tasks is not None:
        return _task_named(sample.name, sample.doc_id, sample.question, settings.tasks)
    # Without the task's own grader, only a score says whether a response is right.
    answers = () if sample.score is None else (sample.target,)
    sources = tuple(_source(image_at(item), folder) for item in sample.media)
    return Task(sample.name, sample.question, answers, sources, "image" if sources else "text")


def _task_named(name: str, index: int | None, question: str, tasks: TaskSet) -> Task:
    """The task by its id, or by its position if its question is in the prompt. Raises TaskError."""
    by_id = next((task for task in tasks.tasks if task.task_id == name), None)
    if by_id is not None:
        return by_id
    if index is not None and 0 <= index < len(tasks) and tasks.tasks[index].question in question:
        return tasks.tasks[index]
    raise TaskError(f"{tasks.name} has no question {name!r}; give the --tasks of the run")


def _source(item: str | HeldImage, folder: Path) -> Source:
    if not isinstance(item, str):
        return item
    path = folder / item
    if not path.is_file():
        raise TaskError(f"the image {shortened(item)} is missing")
    return FileSource(path)


# ----------------------------------------------------------------------------------------------------- message lists


def _of_messages(row: Row, name: str, settings: _Import) -> _Found:
    conversation = conversation_of(row.values, settings.dialect.calls)
    question = question_of(conversation).text
    score = grade_of(row.optional("score", "reward"))
    if settings.tasks is not None:
        task = _task_named(conversation.name, None, question, settings.tasks)
    else:
        sources, is_video = task_images(conversation, row.file.parent)
        media: MediaKind = "video" if is_video else "image" if sources else "text"
        # Without the task's own grader, only a score says whether an answer is right.
        answers = () if score is None else (str(row.optional("answer", "target") or ""),)
        task = Task(conversation.name or name, question, answers, sources, media)
    played = replayed(task, assistant_texts(conversation), settings.dialect, settings.budgets)
    if score is not None:
        played = replace(played, reward=score)
    folder = row.file.parent
    returned = (
        tuple(_source(item, folder) for images in observation.images for item in images.files)
        for observation in observations_of(conversation)
    )
    return _Found(Record(played, MESSAGES, None), tuple(returned))
