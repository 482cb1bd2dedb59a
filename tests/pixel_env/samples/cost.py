"""What tasks of the embedded sample sets cost, in units that hold on any machine."""

import itertools
from collections.abc import Callable

from pixel_env.samples import sample_set
from pixel_env.samples.scenes import PHOTOS, digits, photo
from pixel_env.task import Task
from pixel_env.views import ViewBudgets
from tests.cpu_time import work_units


def units_of_a_task(name: str, use: Callable[[Task, ViewBudgets], object], tasks: int) -> float:
    """The `work_units` of `use(task, budgets)` for a task of the set, a mean over `tasks` new ones."""
    for photograph in PHOTOS["train"] + PHOTOS["test"]:
        photo(photograph)
    digits()
    seeds = itertools.count(1_000)

    def use_new_ones() -> None:
        task_set = sample_set(name, count=tasks, seed=next(seeds))
        for task in task_set.tasks:
            use(task, task_set.budgets)

    return work_units(use_new_ones) / tasks
