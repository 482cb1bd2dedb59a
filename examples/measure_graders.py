"""How often the graders read answers as a reader does, per kind of wording and language.

    python examples/measure_graders.py                    # the graders of choices and counts
    python examples/measure_graders.py --set 5            # on the wordings that were written after the rules

Two things are counted over the answers of `graded_answers.py`: of answers that choose, those that are not read as their
option (or number), and of answers that choose nothing, those that some reference would pay. Scorers of lmms-eval and
VLMEvalKit read the same choices where those packages are installed.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from graded_answers import ChoiceAnswer, CountAnswer, Wording, choice_answers, count_answers

from pixel_env.grading import grade
from pixel_env.grading.choices import options_named
from pixel_env.task import Task

LETTERS = "ABCDEFGH"
Reader = Callable[[str, tuple[str, ...]], int | None]
"""From an answer and its options to the place of the option that it names, None if it names none."""


@dataclass(frozen=True)
class Judged:
    """A wording in use, and whether it was graded wrongly: not as it chooses, or paid though it chooses nothing."""

    wording: Wording
    is_wrong: bool


def main() -> int:
    """Prints the tables. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grader", choices=("choice", "number", "all"), default="all")
    parser.add_argument("--set", type=int, nargs="+", choices=(1, 2, 3, 4, 5), help="only these sets of wordings")
    arguments = parser.parse_args()
    if arguments.grader != "number":
        for name, reader in readers():
            show(f"choice: {name}", chosen(judged_choices(reader), arguments.set))
    if arguments.grader != "choice":
        show("number: pixel_env", chosen(judged_counts(), arguments.set))
    return 0


def readers() -> Iterator[tuple[str, Reader]]:
    """Our grader, and those of other packages as far as they are installed."""
    yield "pixel_env", ours
    try:
        from lmms_eval.tasks._task_utils.mcq_extract import extract_mcq_answer
    except ImportError as error:
        print(f"lmms-eval: not installed ({error}).\n")
    else:
        yield "lmms-eval, extract_mcq_answer", partial(lmms_eval, extract=extract_mcq_answer)
    try:
        from vlmeval.utils.matching_util import can_infer
    except ImportError as error:
        print(f"VLMEvalKit: not installed ({error}).\n")
    else:
        yield "VLMEvalKit, can_infer", partial(vlmevalkit, infer=can_infer)


def ours(text: str, options: tuple[str, ...]) -> int | None:
    named = options_named(text, options)
    return next(iter(named)) if len(named) == 1 else None


def lmms_eval(text: str, options: tuple[str, ...], extract: Callable[[str, list[str]], str]) -> int | None:
    letter = extract(text, list(LETTERS[: len(options)]))
    return LETTERS.index(letter) if letter else None


def vlmevalkit(text: str, options: tuple[str, ...], infer: Callable[[str, dict[str, str]], str | bool]) -> int | None:
    # It changes the options that it is given.
    letter = infer(text, dict(zip(LETTERS, options, strict=False)))
    return LETTERS.index(letter) if letter and letter in LETTERS[: len(options)] else None


def judged_choices(reader: Reader, answers: Iterable[ChoiceAnswer] | None = None) -> Iterator[Judged]:
    """Every choice, by `reader`."""
    for answer in choice_answers() if answers is None else answers:
        yield Judged(answer.wording, reader(answer.text, answer.options) != answer.chosen)


def judged_counts(answers: Iterable[CountAnswer] | None = None) -> Iterator[Judged]:
    """Every count, by our grader, with the number and others as references."""
    for answer in count_answers() if answers is None else answers:
        paid = {value for value in answer.references if grade(count_task(value), answer.text)}
        yield Judged(answer.wording, paid != ({answer.value} - {None}))


def count_task(value: int) -> Task:
    """The question of a count, whose answer is `value`."""
    return Task("count", "How many dogs are there?", (str(value),), grader="number")


def chosen(judged: Iterable[Judged], sets: list[int] | None) -> list[Judged]:
    """Those of these sets of wordings, or all."""
    return [one for one in judged if sets is None or one.wording.set in sets]


def show(title: str, judged: list[Judged]) -> None:
    """Prints one table: kinds of wordings by languages, the share that was graded wrongly, and the sums."""
    languages = list(dict.fromkeys(one.wording.language for one in judged))
    kinds = list(dict.fromkeys((not one.wording.chooses, one.wording.kind) for one in judged))
    all_of, wrong = Counter(), Counter()
    for one in judged:
        chooses, kind = one.wording.chooses, one.wording.kind
        for key in ((kind, one.wording.language), (kind, "all"), (chooses, one.wording.language), (chooses, "all")):
            all_of[key] += 1
            wrong[key] += one.is_wrong
    print(f"{title}\n\n| wording | {' | '.join([*languages, 'all', 'answers'])} |")
    print("|---" * (len(languages) + 3) + "|")
    for chooses, label in ((True, "**chooses: read wrongly**"), (False, "**chooses nothing: paid**")):
        rows = [(kind, kind) for chooses_nothing, kind in sorted(kinds) if chooses_nothing != chooses]
        for key, name in [*rows, (chooses, label)]:
            shares = [share(wrong[key, column], all_of[key, column]) for column in [*languages, "all"]]
            print(f"| {name} | {' | '.join(shares)} | {all_of[key, 'all']:,} |")
    print()


def share(wrong: int, count: int) -> str:
    """A percentage; a dash if there is nothing."""
    return f"{100 * wrong / count:.1f} %" if count else "-"


if __name__ == "__main__":
    raise SystemExit(main())
