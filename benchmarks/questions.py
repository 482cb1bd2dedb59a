"""The questions of an evaluation: a task set, its options in drawn orders.

Knows tasks. Knows nothing of models. The order of a question's options depends on the seed and the task's id alone, so
every policy, sample, shard and restart shows the same one.
"""

import dataclasses
import hashlib
import re
from dataclasses import replace

import numpy as np

from pixel_env.grading.choices import option_meant
from pixel_env.types import Task, TaskSet

_LABEL = re.compile(r"\(?[A-Za-z][.):]\s*\S")
_ABOUT_OTHERS = re.compile(r"\b(?:above|below|(?:both|neither|either|options?)\s+\(?[A-Z]\b)")


def shuffled(task_set: TaskSet, seed: int) -> TaskSet:
    """The set with the options of every question in an order of its own."""
    return replace(task_set, tasks=tuple(with_options_shuffled(task, seed) for task in task_set.tasks))


def with_options_shuffled(task: Task, seed: int) -> Task:
    """The task with its options in a drawn order; as it is where no order but its own makes sense.

    That is where the options carry letters themselves, where one speaks of others ("all of the above"), or where a
    reference answer stands for no single option.
    """
    meant = [option_meant(answer, task.options) for answer in task.answers]
    if len(task.options) < 2 or not all(meant) or any(map(_is_bound_to_its_place, task.options)):
        return task
    digest = hashlib.blake2b(f"{seed}/options/{task.task_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    order = np.random.default_rng(int.from_bytes(digest, "big")).permutation(len(task.options))
    # A reference that is a letter names another option now: the text does not.
    answers = tuple(task.options[place] for places in meant for place in places)
    return dataclasses.replace(task, options=tuple(task.options[place] for place in order), answers=answers)


def _is_bound_to_its_place(option: str) -> bool:
    return bool(_LABEL.match(option) or _ABOUT_OTHERS.search(option))


def right_place(task: Task) -> int | None:
    """The place (from 0) of the right option as it was shown; None without options, or with several right ones."""
    places = {place for answer in task.answers for place in option_meant(answer, task.options)}
    return places.pop() if len(places) == 1 else None
