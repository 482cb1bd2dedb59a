"""Answers with the truth about them: what a reader takes each of them to say, for the graders of choices and counts.

A wording is a sentence as models write it, in one of six languages, with a truth: it chooses option {L}, or it chooses
nothing (`examples/wordings/*.jsonl`). Every wording is put into every set of options, at every position:

    {L} the letter of an option, {T} its text; {M} and {U} those of another one; {K} the letter of a third

In wordings of counts, {N} is the number and {M} another one. The wordings come in sets, in the order of their writing:
the graders' rules were written with sets 1 to 4 in view, and set 5 was written after the rules, so only its figures
tell how the rules generalise. Depends on nothing of the graders.
"""

import json
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORDINGS = Path(__file__).parent / "wordings"
OPTION_SETS = {
    "en": (
        ("crimson", "blue", "green", "yellow"),
        ("rubber", "metal", "wood", "plastic"),
        ("left", "right", "above", "below"),
        ("a cat", "a dog", "a horse", "a bird"),
        ("2", "4", "6", "8"),
        ("dark red", "red", "light red", "pink", "orange"),
        tuple(f"The motorcycle is {place} the dog." for place in ("left of", "right of", "behind", "in front of")),
        ("$1,000", "$2,500", "$40", "$975"),
        ("(A) standing", "(B) sitting on a bench", "(C) walking"),
    ),
    "zh": (
        ("红色", "蓝色", "绿色", "黄色"),
        ("猫", "狗", "马", "鸟"),
        ("左边", "右边", "上面", "下面"),
        ("2", "4", "6", "8"),
    ),
    "ja": (
        ("赤", "青", "緑", "黄色"),
        ("猫", "犬", "馬", "鳥"),
        ("左側", "右側", "上", "下"),
        ("木材", "金属", "ゴム"),
    ),
    "de": (("rot", "blau", "grün", "gelb"), ("Gummi", "Metall", "Holz"), ("links", "rechts", "oben", "unten")),
    "fr": (
        ("rouge", "bleu", "vert", "jaune"),
        ("du bois", "du métal", "du verre"),
        ("à gauche", "à droite", "en haut"),
    ),
    "es": (("rojo", "azul", "verde", "amarillo"), ("madera", "metal", "goma"), ("izquierda", "derecha", "arriba")),
}
COUNTS = ((3, 5), (7, 2), (12, 21), (4, 0))


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence with gaps, and whether it chooses the option (or names the number) of its first gap."""

    language: str
    kind: str
    chooses: bool
    text: str
    set: int


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """An answer to a question with `options`; `chosen`: the option that it names, None if it names none."""

    wording: Wording
    text: str
    options: tuple[str, ...]
    chosen: int | None


@dataclass(frozen=True, slots=True)
class CountAnswer:
    """An answer to a question for a count; `value`: the number that it names, None if none; `references` are tried."""

    wording: Wording
    text: str
    value: int | None
    references: tuple[int, ...]


def wordings(grader: str) -> list[Wording]:
    """The wordings for that grader, "choice" or "number"."""
    lines = (WORDINGS / f"{grader}.jsonl").read_text("utf-8").splitlines()
    return [Wording(**json.loads(line)) for line in lines]


def choice_answers() -> Iterator[ChoiceAnswer]:
    """Every wording with every set of options of its language, at every position."""
    for wording in wordings("choice"):
        for options in OPTION_SETS[wording.language]:
            seen = set()
            for place, step in ((p, s) for p in range(len(options)) for s in (1, 2)):
                text = _filled(wording.text, options, place, step)
                if text not in seen:
                    seen.add(text)
                    yield ChoiceAnswer(wording, text, options, place if wording.chooses else None)


def _filled(text: str, options: tuple[str, ...], place: int, step: int) -> str:
    other, third = ((place + n) % len(options) for n in (step, 3 - step))
    for gap, index in (("L", place), ("M", other), ("K", third)):
        text = text.replace(f"{{{gap}}}", string.ascii_uppercase[index])
    for gap, index in (("T", place), ("U", other)):
        text = text.replace(f"{{{gap}}}", _within(options[index]))
    return text


def _within(option: str) -> str:
    """The option's text as a sentence quotes it: without a label and without a full stop."""
    return option.split(") ", 1)[-1].removesuffix(".")


def count_answers() -> Iterator[CountAnswer]:
    """Every wording with every pair of numbers."""
    for wording in wordings("number"):
        for value, other in COUNTS:
            text = wording.text.replace("{N}", str(value)).replace("{M}", str(other))
            yield CountAnswer(wording, text, value if wording.chooses else None, (value, other, 1))
