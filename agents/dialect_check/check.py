"""The door of `pixel-env dialect check`, which loads this module by name.

Depends on names of checkpoints; a model that does not exist is refused before transformers is loaded.
"""

from collections.abc import Iterator

from agents.checkpoints.checked import checked_model_folder
from agents.dialect_check.finding import Finding
from pixel_env.dialects.dialect import Dialect
from pixel_env.task import TaskSet


def findings(
    dialect: Dialect, model: str, task_set: TaskSet, *, max_new_tokens: int | None = None
) -> Iterator[Finding]:
    """What fits and what does not; a problem says the way out.

    `model`: a folder, a hub id or an embedded checkpoint. `task_set`: its first task is played. `max_new_tokens`: of
    one greedy turn, for which the weights are loaded; None: no turn is sampled. Raises ConfigError for a model that
    cannot be loaded.
    """
    folder = checked_model_folder(model)
    from agents.dialect_check.model import model_findings  # seconds, which a mistyped folder should not cost

    yield from model_findings(dialect, folder, task_set, max_new_tokens)
