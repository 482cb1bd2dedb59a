"""Logic puzzles in words: four families of problems whose clues leave exactly one answer.

Depends on `problem.py`; independent of tasks.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from synth.text_only.problem import NAMES, Problem, counted, one_of, solved, some_of, whole

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_COMPARISONS = (("taller", "tallest"), ("older", "oldest"), ("faster", "fastest"), ("heavier", "heaviest"))
_FRUITS = ("pears", "plums", "figs", "limes", "dates", "grapes")
_COLOURS = ("red", "green", "blue", "white", "black", "yellow")


def ordering(rng: np.random.Generator) -> Problem:
    """A chain of comparisons in mixed order; the question is about one position in it."""
    people = some_of(NAMES, whole(4, 5, rng), rng)
    more, most = _COMPARISONS[int(rng.integers(len(_COMPARISONS)))]
    pairs = list(itertools.pairwise(people))
    clues = " ".join(f"{pairs[int(i)][0]} is {more} than {pairs[int(i)][1]}." for i in rng.permutation(len(pairs)))
    position = whole(0, len(people) - 1, rng)
    rank = most if position == 0 else f"{_ORDINALS[position]} {most}"
    question = f"{clues} Who is the {rank}?"
    steps = (
        f"The clues form one chain, from the {most} on: {', '.join(people)}.",
        f"Number {position + 1} of this chain is {people[position]}.",
    )
    return Problem(question, people[position], solved(*steps, answer=people[position], rng=rng), "exact")


def weekday(rng: np.random.Generator) -> Problem:
    """The day of the week so many days before or after another."""
    today, days, is_past = whole(0, 6, rng), whole(8, 700, rng), bool(rng.integers(2))
    rest = days % 7
    answer = _DAYS[(today - rest if is_past else today + rest) % 7]
    request = (
        f"Which day of the week was it {days} days ago?" if is_past else f"Which day of the week is it in {days} days?"
    )
    steps = (
        f"Every 7 days the day of the week is the same again, and {days} = 7 × {days // 7} + {rest}.",
        f"So I count {counted(rest, 'day')} {'back' if is_past else 'on'} from {_DAYS[today]} and reach {answer}.",
    )
    question = f"{one_of(NAMES, rng)} looks at the calendar: today is {_DAYS[today]}. {request}"
    return Problem(question, answer, solved(*steps, answer=answer, rng=rng), "exact")


def truth_tellers(rng: np.random.Generator) -> Problem:
    """Three people who always lie or always tell the truth make claims about each other; exactly one case fits."""
    while True:
        people = some_of(NAMES, 3, rng)
        claims = [_claim(speaker, rng) for speaker in range(3)]
        count = whole(1, 2, rng)
        fitting = [case for case in itertools.product((True, False), repeat=3) if _fits(case, claims, count)]
        if len(fitting) == 1:
            return _truth_problem(people, claims, count, fitting[0], rng)


Claim = tuple[int, int, bool]
"""The speaker, the person that the claim is about, and whether it claims that this person tells the truth."""


def _claim(speaker: int, rng: np.random.Generator) -> Claim:
    about = [person for person in range(3) if person != speaker][int(rng.integers(2))]
    return speaker, about, bool(rng.integers(2))


def _fits(case: Sequence[bool], claims: Sequence[Claim], count: int) -> bool:
    return sum(case) == count and all(
        case[speaker] == (case[about] == says_true) for speaker, about, says_true in claims
    )


def _truth_problem(
    people: list[str], claims: list[Claim], count: int, case: Sequence[bool], rng: np.random.Generator
) -> Problem:
    wanted = count == 1  # the question is about the person who differs from the other two
    answer = people[list(case).index(wanted)]
    kinds = {True: "always tells the truth", False: "always lies"}
    statements = " ".join(
        f'{people[speaker]} says: "{people[about]} {kinds[says]}."' for speaker, about, says in claims
    )
    rule = f"Of {people[0]}, {people[1]} and {people[2]}, exactly {_ONE_TWO[count]}; everyone else always lies."
    question = f"{rule} {statements} Who {kinds[wanted]}?"
    steps = []
    for speaker in range(3):
        suspected = tuple((person == speaker) == wanted for person in range(3))
        if _fits(suspected, claims, count):
            steps.append(f"If {people[speaker]} {kinds[wanted]}, all the statements fit.")
        else:
            steps.append(f"If {people[speaker]} {kinds[wanted]}, {_contradiction(people, claims, suspected)}.")
    return Problem(question, answer, solved(*steps, answer=answer, rng=rng), "exact")


_ONE_TWO = {1: "one always tells the truth", 2: "two always tell the truth"}


def _contradiction(people: list[str], claims: list[Claim], case: Sequence[bool]) -> str:
    for speaker, about, says_true in claims:
        is_true = case[about] == says_true
        if is_true != case[speaker]:
            kind = "true" if is_true else "false"
            who = "a liar" if is_true else "someone who tells the truth"
            return f"the statement of {people[speaker]}, who is {who}, is {kind}, which cannot be"
    raise AssertionError("a case that does not fit has a statement that does not fit")


def boxes(rng: np.random.Generator) -> Problem:
    """Which of three boxes holds what, from clues about what a box does not hold."""
    while True:
        colours, fruits = some_of(_COLOURS, 3, rng), some_of(_FRUITS, 3, rng)
        pairs = [(box, fruit) for box in range(3) for fruit in range(3)]
        clues = [pairs[int(i)] for i in rng.permutation(9)[:3]]
        fitting = [case for case in itertools.permutations(range(3)) if all(case[box] != fruit for box, fruit in clues)]
        if len(fitting) == 1:
            return _box_problem(colours, fruits, clues, fitting[0], rng)


def _box_problem(
    colours: list[str], fruits: list[str], clues: list[tuple[int, int]], case: Sequence[int], rng: np.random.Generator
) -> Problem:
    name, wanted = one_of(NAMES, rng), whole(0, 2, rng)
    answer = colours[case.index(wanted)]
    given = " ".join(f"The {colours[box]} box does not hold the {fruits[fruit]}." for box, fruit in clues)
    question = (
        f"{name} has a {colours[0]}, a {colours[1]} and a {colours[2]} box. One holds {fruits[0]}, one {fruits[1]} and "
        f"one {fruits[2]}. {given} Which colour has the box with the {fruits[wanted]}?"
    )
    steps = ["I go through the ways to fill the boxes."]
    for filled in itertools.permutations(range(3)):
        text = ", ".join(f"{colours[box]}: {fruits[fruit]}" for box, fruit in enumerate(filled))
        broken = [index for index, (box, fruit) in enumerate(clues) if filled[box] == fruit]
        verdict = f"contradicts clue {broken[0] + 1}" if broken else "fits all clues"
        steps.append(f"{text}: {verdict}.".capitalize())
    return Problem(question, answer, solved(*steps, answer=answer, rng=rng), "exact")
