"""The questions of an evaluation: a task set, its options in drawn orders.

Knows tasks. Knows nothing of models. The order of a question's options depends on the seed and the task's id alone, so
every policy, sample, shard and restart shows the same one.
"""

import dataclasses
import re
from dataclasses import replace

from pixel_env.grading.choices import option_meant
from pixel_env.seeding import rng_of
from pixel_env.task import Task, TaskSet

_LABEL = re.compile(r"\(?[A-Za-z][.):]\s*\S")
_IS_A_LETTER = re.compile(r"\s*\(?[A-Za-z]\)?[.:]?\s*")
_HOW_MANY = r"\b(?:all|none|both|any|neither|either|each|one|two)\s+"
_OPTIONS = r"(?:options?|choices?|answers?)"
# Alone "above" is a place in a picture, "the other" a man in it, and "these" goes with a noun.
_SPEAKS_OF_OTHERS = re.compile(
    rf"{_HOW_MANY}(?:of\s+)?the\s+(?:above|below|previous|preceding)\b|\b(?:all|none|both|neither|either)\s+above\W*$|"
    rf"{_HOW_MANY}(?:of\s+)?(?:(?:the|these|those)\s+)?(?:(?:other|above|previous|preceding)\s+)?{_OPTIONS}\b|"
    rf"{_HOW_MANY}of\s+(?:these|those|(?:the\s+)?others?)(?!\s+\w)|"
    rf"\bthe\s+(?:previous|preceding|first|last)\s+(?:(?:one|two|three)\W*$|(?:(?:two|three)\s+)?{_OPTIONS}\b)|"
    rf"\bthe\s+(?:one|two|three|{_OPTIONS})\s+(?:above|below)\W*$",
    re.IGNORECASE,
)
_STANDS_FOR_OTHERS = re.compile(r"\s*(?:all|none|both|neither|either|any)\W*", re.IGNORECASE)
_NAMES_LETTERS = re.compile(
    r"(?<!\w)\(?[A-H]\)?(?:\s*[,&/+]\s*(?:(?:and|or)\s+)?|\s+(?:and|or|nor)\s+)\(?[A-H]\b|"
    r"\([a-h]\)\s*(?:[,&/+]|and|or|nor)\s*\([a-h]\)|"
    r"\b(?:[Oo]ptions?|[Bb]oth|[Nn]either|[Ee]ither|[Oo]nly)\s+\(?[A-H]\b"
)


def shuffled(task_set: TaskSet, seed: int) -> TaskSet:
    """The set with the options of every question in an order of its own."""
    return replace(task_set, tasks=tuple(with_options_shuffled(task, seed) for task in task_set.tasks))


def with_options_shuffled(task: Task, seed: int) -> Task:
    """The task with its options in a drawn order; as it is where no order but its own makes sense.

    That is where the options carry letters themselves or are letters, where one speaks of others ("all of the above",
    "A and B", "neither"), or where a reference answer stands for no single option.
    """
    meant = [option_meant(answer, task.options) for answer in task.answers]
    if len(task.options) < 2 or not all(meant) or any(map(_is_bound_to_its_place, task.options)):
        return task
    order = rng_of(f"{seed}/options/{task.task_id}").permutation(len(task.options))
    # A reference that is a letter names another option now: the text does not.
    answers = tuple(task.options[place] for places in meant for place in places)
    return dataclasses.replace(task, options=tuple(task.options[place] for place in order), answers=answers)


def _is_bound_to_its_place(option: str) -> bool:
    is_one = _LABEL.match(option) or _IS_A_LETTER.fullmatch(option) or _STANDS_FOR_OTHERS.fullmatch(option)
    return bool(is_one or _SPEAKS_OF_OTHERS.search(option) or _NAMES_LETTERS.search(option))


def right_place(task: Task) -> int | None:
    """The place (from 0) of the right option as it was shown; None without options, or with several right ones."""
    places = {place for answer in task.answers for place in option_meant(answer, task.options)}
    return places.pop() if len(places) == 1 else None
