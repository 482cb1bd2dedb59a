"""The questions of an evaluation: a task set with the options of each question in a random order.

Depends on tasks; independent of models. The order of a question's options depends only on the seed and the task's id,
so every policy, sample, shard and restart shows the same one.
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
# Without more context "above" is a position in an image, "the other" a person in it, and "these" precedes a noun.
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
    """The set with the options of every question in a random order; its notice says which ones keep theirs."""
    tasks = tuple(with_options_shuffled(task, seed) for task in task_set.tasks)
    rotated = sum(_is_rotation(task) for task in tasks)
    notices = [task_set.notice] if task_set.notice else []
    if rotated:
        notices.append(f"the options of {rotated} tasks keep their order: the set asks each question in every rotation")
    return replace(task_set, tasks=tasks, notice="; ".join(notices))


def with_options_shuffled(task: Task, seed: int) -> Task:
    """The task with its options in a random order; unchanged where only the original order makes sense.

    That is where the options carry letters themselves or are letters, where one refers to others ("all of the above",
    "A and B", "neither"), where a reference answer matches no option, or where the set rotates the options itself. Both
    views of a question have one order.
    """
    if _is_rotation(task):
        return task
    meant = [option_meant(answer, task.options) for answer in task.answers]
    if len(task.options) < 2 or not all(meant) or any(map(_is_bound_to_its_position, task.options)):
        return task
    question_id = task.variant.question_id if task.variant else task.task_id
    order = rng_of(f"{seed}/options/{question_id}").permutation(len(task.options))
    # A reference that is a letter names another option now: the text does not.
    answers = tuple(task.options[index] for indices in meant for index in indices)
    return dataclasses.replace(task, options=tuple(task.options[index] for index in order), answers=answers)


def _is_rotation(task: Task) -> bool:
    return task.variant is not None and task.variant.kind == "rotation"


def _is_bound_to_its_position(option: str) -> bool:
    is_one = _LABEL.match(option) or _IS_A_LETTER.fullmatch(option) or _STANDS_FOR_OTHERS.fullmatch(option)
    return bool(is_one or _SPEAKS_OF_OTHERS.search(option) or _NAMES_LETTERS.search(option))


def right_position(task: Task) -> int | None:
    """Index (from 0) of the right option as it was shown; None without options, or with several right ones."""
    indices = {index for answer in task.answers for index in option_meant(answer, task.options)}
    return indices.pop() if len(indices) == 1 else None
