"""A task set whose answers are graded by another grader than the one that its rows name.

Depends on tasks and graders; independent of files and formats.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pixel_env.errors import PixelEnvError, TaskError, shortened
from pixel_env.grading import Grader, grade, grader_named
from pixel_env.import_callable import name_of
from pixel_env.lazy_sequence import LazySequence
from pixel_env.task import Task, TaskSet


def regraded(task_set: TaskSet, grader: str | Grader) -> TaskSet:
    """`task_set` with `grader` for every task: a built-in name, 'module:function', or a function marked with @grader.

    Raises UnknownNameError or ConfigError for a grader that cannot be found by name, and TaskError if the first task
    cannot be graded by it (`check_gradable`, which is for all tasks).
    """
    name = grader if isinstance(grader, str) else name_of(grader, "grader")
    grader_named(name)
    tasks = task_set.tasks
    chosen = _Regraded(tasks, name) if isinstance(tasks, LazySequence) else _eager(tasks, name)
    check_gradable(chosen[:1])
    return replace(task_set, tasks=chosen)


def check_gradable(tasks: Iterable[Task]) -> None:
    """Raises TaskError for a task with reference answers of which its grader gives none the grade 1."""
    for task in tasks:
        try:
            is_gradable = not task.answers or any(
                grade(replace(task, answers=(reference,)), reference) == 1.0 for reference in task.answers
            )
            reason = "gives none of its reference answers the grade 1"
        except PixelEnvError:
            raise
        except Exception as error:  # a grader of the user's own: any error may come
            is_gradable, reason = False, f"raised {shortened(error)} for a reference answer"
        if not is_gradable:
            options = "" if task.options or task.grader != "choice" else " It has no options to choose from."
            raise TaskError(
                f"the task {task.task_id!r} cannot be graded by {task.grader!r}, which {reason}: "
                f"{shortened(list(task.answers))}.{options} Give another grader, or none to take that of the task."
            )


class _Regraded(LazySequence[Task]):
    """Lazy tasks with another grader."""

    def __init__(self, tasks: Sequence[Task], grader: str) -> None:
        self._tasks, self._grader = tasks, grader

    def __len__(self) -> int:
        return len(self._tasks)

    def at(self, position: int) -> Task:
        return replace(self._tasks[position], grader=self._grader)


def _eager(tasks: Sequence[Task], grader: str) -> Sequence[Task]:
    return tuple(replace(task, grader=grader) for task in tasks)
