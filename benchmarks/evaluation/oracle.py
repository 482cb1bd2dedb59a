"""The oracle: a scripted player that looks at the evidence and gives the right answer.

Its score is the highest that the questions and the environment allow. It uses what its dialect offers
(`looks.py`); depends on tasks and dialects; independent of models and policies.
"""

from collections.abc import Sequence

from agents.rollout import EpisodeSettings
from benchmarks.evaluation.looks import frames_shown, looks_at
from pixel_env.actions import sizes_for, write
from pixel_env.episode import Answer
from pixel_env.errors import ConfigError
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import View, ViewKind

NEEDS_EVIDENCE = (
    "The oracle needs tasks with evidence: add 'evidence' to the rows, or use another --engine and --model."
)
"""The way out of a task that the oracle cannot play."""


def oracle_turns(task: Task, settings: EpisodeSettings) -> list[str]:
    """The texts of the oracle's turns: its operations, then the answer. Raises ConfigError as the two functions do."""
    return [*oracle_operations(task, settings), oracle_answer(task, settings)]


def oracle_operations(task: Task, settings: EpisodeSettings) -> list[str]:
    """The oracle's calls, limited so that a turn remains for the answer and the image budget holds.

    For images: a look at each evidence box, with the first operation of the dialect that can. For a video: the frames
    of the evidence, then a look at the first box. Empty where nothing that the dialect offers helps: the question is
    answered directly. Raises ConfigError for a task without evidence, and for a call that cannot be written.
    """
    dialect = settings.dialect
    if not dialect.offers_calls:
        return []
    if not task.evidence:
        raise ConfigError(f"the task {task.task_id!r} has no evidence box. {NEEDS_EVIDENCE}")
    room = settings.limits.max_images - (1 if task.media == "video" else len(task.sources))
    operations = looks_at(task, dialect, max(room, 0))
    affordable = _affordable(operations[: settings.limits.max_turns - 1], room, task, settings)
    frames = [source for operation in affordable for source in frames_shown(operation, task, dialect)]
    views = [*task.opening_views, *(View(source, ViewKind.SELECTED_FRAME) for source in frames)]
    return [_written(operation, views, task, settings) for operation in affordable]


def oracle_answer(task: Task, settings: EpisodeSettings) -> str:
    """The right answer, as the dialect writes it. Raises ConfigError for a question that has none."""
    if not task.answers:
        raise ConfigError(
            f"the task {task.task_id!r} has no reference answer, which the oracle needs. Add one to its row."
        )
    return write(Answer(task.answers[0]), settings.dialect)


def _affordable(operations: Sequence[Operation], room: int, task: Task, settings: EpisodeSettings) -> list[Operation]:
    """The first operations that together bring at most `room` images."""
    kept = []
    for operation in operations:
        room -= len(frames_shown(operation, task, settings.dialect)) or 1
        if room < 0:
            break
        kept.append(operation)
    return kept


def _written(operation: Operation, views: Sequence[View], task: Task, settings: EpisodeSettings) -> str:
    try:
        return write(operation, settings.dialect, *sizes_for(settings.dialect, views, settings.budgets))
    except ValueError as error:
        raise ConfigError(
            f"the oracle's operation for the task {task.task_id!r} cannot be written: {error}. Give another --dialect."
        ) from error
