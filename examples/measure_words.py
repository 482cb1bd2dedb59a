"""How many texts the template teacher has, and how well the leak rules tell innocent texts from stated answers.

    python examples/measure_words.py

Innocent are its own overviews, ten of each seed. Stated is the answer, the right option or a number in digits and in
words, in five plain sentences. The seeds are embedded ones; text-only questions are drawn with the seed 0.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.boxes import Box
from pixel_env.grading.choices import option_meant
from pixel_env.grading.number_words import ENGLISH_SMALL
from pixel_env.task import Task
from synth.seed_data import load_seeds
from synth.teachers.template import images, videos
from synth.teachers.template.wording import Grammar, place_words
from synth.text_only.tasks import text_tasks
from synth.verification.leaks import leak_in

STATED = (
    "I can see {}.",
    "It shows {}, I think.",
    "The answer is {}.",
    "Looking at it, {} is what I find there.",
    "There seems to be {}.",
)
NUMBERS = ENGLISH_SMALL[:11]
OVERVIEWS = 10
CORNER = Box(0.1, 0.1, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Words:
    """`forms`: fewest and most texts of a kind of remark; counts of texts, with how many of them the rules stop."""

    forms: tuple[int, int]
    innocent: int
    stopped_wrongly: int
    stated: int
    stopped: int
    questions: int
    distinct: int


def main(argv: Sequence[str] | None = None) -> Words:
    """Measures, prints and returns it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=600, help="seeds (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=33_000, help="text-only questions (default: %(default)s)")
    options = parser.parse_args(argv)
    tasks, rng = load_seeds("embedded", count=options.seeds).task_set.tasks, np.random.default_rng(0)
    innocent = [(task, text) for task in tasks for text in overviews(task, rng)]
    stated = [(task, form.format(answer)) for task in tasks for answer in answers(task) for form in STATED]
    sizes = [len(grammar) for grammar in grammars()]
    questions = [task.question for task in text_tasks(options.questions, 0)]
    found = Words(
        (min(sizes), max(sizes)),
        len(innocent),
        stops(innocent),
        len(stated),
        stops(stated),
        len(questions),
        len(set(questions)),
    )
    print(f"texts for each kind of remark: {found.forms[0]:,} to {found.forms[1]:,}")
    print(f"overviews stopped wrongly: {found.stopped_wrongly:,} of {found.innocent:,}")
    print(f"stated answers stopped: {found.stopped:,} of {found.stated:,} ({found.stopped / found.stated:.1%})")
    print(f"distinct text-only questions: {found.distinct:,} of {found.questions:,}")
    return found


def grammars() -> Iterator[Grammar]:
    """All that the template teacher draws from."""
    for module in (images, videos):
        yield from (value for value in vars(module).values() if isinstance(value, Grammar))


def overviews(task: Task, rng: np.random.Generator) -> Iterator[str]:
    """What is said of the whole picture before any look."""
    grammar = videos.OVERVIEW if task.media == "video" else images.OVERVIEW
    for _ in range(OVERVIEWS):
        place = place_words(CORNER, "the picture", rng)
        yield grammar.draw(rng, {"question": task.question, "place": place, "moment": "the middle frames"})


def answers(task: Task) -> Iterator[str]:
    """The first reference as somebody would say it."""
    answer = task.answers[0]
    if task.options:
        [place] = option_meant(answer, task.options)
        answer = task.options[place]
    yield answer
    if answer.isdigit() and int(answer) < len(NUMBERS):
        yield NUMBERS[int(answer)]


def stops(texts: Sequence[tuple[Task, str]]) -> int:
    """Of how many texts the rules say that they state the detail."""
    return sum(leak_in(text, task) is not None for task, text in texts)


if __name__ == "__main__":
    main()
