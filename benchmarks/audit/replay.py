"""Assistant texts from elsewhere as a trajectory: played once more, in a dialect, on their own images.

Depends on environments; independent of where the texts come from.
"""

from collections.abc import Sequence

from pixel_env.dialects.dialect import Dialect
from pixel_env.env import PixelEnv
from pixel_env.episode import Limits, Trajectory
from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.views import ViewBudgets

_MAX_IMAGES = 10_000


def replayed(task: Task, texts: Sequence[str], dialect: Dialect, budgets: ViewBudgets) -> Trajectory:
    """The episode in which the assistant says the `texts`, up to its answer. It has no stop if none of them answers.

    Raises MediaError if an image of the task cannot be read, TaskError if the texts go on after the answer.
    """
    limits = Limits(max_turns=len(texts) + 1, max_images=_MAX_IMAGES)
    env = PixelEnv([task], dialect=dialect, budgets=budgets, limits=limits)
    env.reset(seed=0)
    for number, text in enumerate(texts, start=1):
        env.step(text)
        if env.trajectory.stop is not None and number < len(texts):
            raise TaskError(
                f"its turn {number} of {len(texts)} ends the episode in the dialect {dialect.name!r} "
                f"({env.trajectory.stop.value}); give the --dialect of the run"
            )
    return env.trajectory
