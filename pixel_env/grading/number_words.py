"""Number words of English, German, French and Spanish, and the values that they form together.

The project's one list of number words. Depends on text; independent of graders. All texts are folded
(`pixel_env.grading.answers.folded`); a word may be written without its accents. Chinese and Japanese numerals stand in
`cjk_numerals.py`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pixel_env.grading.patterns import Pattern

Words = tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """The number words of one language.

    `phrases`: numbers by their words, those that need no scale. `scales`: the words that multiply what stands before
    them. `thousand`: the scale that is written in one word with its neighbours, or "". `joiner`: the word for "and".
    `ones`: words that are 1 or an article. `marks`: frequent words that tell that a text is in this language.
    `ambiguous`: number words that mean something else in English: no number begins with one in a text without a mark.
    """

    phrases: Mapping[Words, int]
    scales: Mapping[str, int]
    joiner: str
    ones: frozenset[str]
    marks: frozenset[str]
    ambiguous: frozenset[str] = frozenset()
    thousand: str = ""


@dataclass(frozen=True)
class WordRun:
    """Number words in a row, from `start` to `end` of a text; several values if they do not form one number."""

    start: int
    end: int
    values: tuple[float, ...]


# ------------------------------------------------------------------------------------------------------ the languages


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _phrases(numbers: Iterable[tuple[str, int]]) -> dict[Words, int]:
    """By words, which a space or a hyphen separates, each phrase with and without its accents."""
    by_words = {tuple(text.split()): value for text, value in numbers}
    return by_words | {tuple(map(_without_accents, words)): value for words, value in by_words.items()}


def _counted(words: str, start: int = 0, step: int = 1) -> list[tuple[str, int]]:
    return [(word, start + step * place) for place, word in enumerate(words.split())]


_EN_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
ENGLISH_SMALL = tuple(_EN_SMALL.split())
"""The English words for 0 to 19."""
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EN_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}


def _english() -> list[tuple[str, int]]:
    small, tens = _counted(_EN_SMALL), _counted(_EN_TENS, 20, 10)
    return small + tens + [(f"{ten} {unit}", t + u) for ten, t in tens for unit, u in small[1:10]]


ENGLISH_VALUES: Mapping[str, int] = {word: value for word, value in _english() if " " not in word}
"""The English words for 0 to 20 and the tens, with their values."""
_DE_SMALL = """null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn
siebzehn achtzehn neunzehn"""
_DE_TENS = "zwanzig dreissig vierzig fünfzig sechzig siebzig achtzig neunzig"


def _german() -> list[tuple[str, int]]:
    """0 to 999, each in one word. "ß" is folded to "ss"."""
    small = _counted(_DE_SMALL)
    units = [("ein", 1), *small[2:10]]
    tens = _counted(_DE_TENS, 20, 10)
    below = [*small, ("zwo", 2), *tens, *((f"{unit}und{ten}", u + t) for ten, t in tens for unit, u in units)]
    hundreds = [("hundert", 100), *((f"{unit}hundert", 100 * u) for unit, u in units)]
    above = [(f"{head}{rest}", h + r) for head, h in hundreds for rest, r in [("", 0), *below] if rest != "null"]
    words = below + above
    return [*words, *((word.replace("ü", "ue").replace("ö", "oe"), value) for word, value in words)]


_FR_SMALL = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
_FR_TENS = "vingt trente quarante cinquante soixante"


def _french() -> list[tuple[str, int]]:
    small = [*_counted(_FR_SMALL), ("dix sept", 17), ("dix huit", 18), ("dix neuf", 19)]
    units = [*small[1:10], ("une", 1)]
    joined = [(f"et {unit}", u) for unit, u in units if u == 1] + units
    tens = [*_counted(_FR_TENS, 20, 10), ("septante", 70), ("huitante", 80), ("octante", 80), ("nonante", 90)]
    regular = [*tens, *((f"{ten} {unit}", t + u) for ten, t in tens for unit, u in joined)]
    teens = [*small[10:], ("et onze", 11)]
    twenties = [("quatre vingt", 80), ("quatre vingts", 80)]
    composed = [(f"soixante {teen}", 60 + t) for teen, t in teens]
    composed += [(f"quatre vingt {unit}", 80 + u) for unit, u in units + teens]
    return [pair for pair in small if pair[1] != 1] + regular + twenties + composed


_ES_SMALL = """cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis
diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete
veintiocho veintinueve"""
_ES_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_ES_HUNDREDS = "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"


def _spanish() -> list[tuple[str, int]]:
    small, tens = _counted(_ES_SMALL), _counted(_ES_TENS, 30, 10)
    units = [*small[1:10], ("un", 1), ("una", 1)]
    hundreds = _counted(_ES_HUNDREDS, 100, 100)
    feminine = [(word.replace("ientos", "ientas"), value) for word, value in hundreds]
    ones = [("veintiún", 21), ("veintiuna", 21), ("cien", 100)]
    joined = [(f"{ten} y {unit}", t + u) for ten, t in tens for unit, u in units]
    return [*small, *ones, *tens, *joined, *hundreds, *feminine]


_DE_SCALES = {"tausend": 1_000, "million": 10**6, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9}
_DE_MARKS = "ist sind gibt und nicht ich sehe das der auf dem wie viele kein keine nur im zu hunde"
_FR_SCALES = {"cent": 100, "cents": 100, "mille": 1_000, "million": 10**6, "millions": 10**6, "milliard": 10**9}
_FR_MARKS = "il est sont dans je vois les des et sur combien nombre une avec du au ce réponse"
_ES_SCALES = {"mil": 1_000, "millón": 10**6, "millon": 10**6, "millones": 10**6, "docena": 12, "docenas": 12}
_ES_MARKS = "hay los las el cuántos cuántas cuantos cuantas veo imagen respuesta número sólo una"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LANGUAGES = (
    Language(
        phrases=_phrases(_english()),
        scales=_EN_SCALES | {f"{word}s": scale for word, scale in _EN_SCALES.items()},
        joiner="and",
        ones=_set("single"),
        marks=frozenset(),
    ),
    Language(
        phrases=_phrases(_german()),
        scales=_DE_SCALES | {"dutzend": 12},
        joiner="und",
        ones=_set("ein eine einen einem einer eines"),
        marks=_set(_DE_MARKS),
        ambiguous=_set("null elf"),
        thousand="tausend",
    ),
    Language(
        phrases=_phrases(_french()),
        scales=_FR_SCALES | {"milliards": 10**9, "douzaine": 12, "douzaines": 12},
        joiner="et",
        ones=_set("un une"),
        marks=_set(_FR_MARKS),
        ambiguous=_set("cent cents six sept seize un"),
    ),
    Language(
        phrases=_phrases(_spanish()),
        scales=_ES_SCALES,
        joiner="y",
        ones=_set("un una"),
        marks=_set(_ES_MARKS),
        ambiguous=_set("once uno dos mil quince un una"),
    ),
)

_VAGUE_ALONE = _set(
    "dozens hundreds thousands millions billions millionen milliarden cents milliards douzaines millones docenas"
)
"""Plurals that are a scale behind a number, and without one ("dozens of dogs") are none."""

HALF_A_DOZEN = Pattern(r"\b(?:half (?:a )?dozen|(?:ein )?halbes dutzend|(?:une )?demi-douzaine|media docena)\b")
"""Six, in a folded text."""

ENGLISH_NUMBER_WORD = "|".join(
    sorted({word for words in LANGUAGES[0].phrases for word in words} | set(_EN_SCALES), key=len, reverse=True)
)
"""The English number words as alternatives of a regular expression, longer ones first."""

# --------------------------------------------------------------------------------------------------------- the values

_TOKEN = Pattern(r"[^\W\d_]+")
_LONGEST_PHRASE = 4  # quatre-vingt-dix-sept


def languages_of(text: str) -> frozenset[int]:
    """The positions in `LANGUAGES` of those that a mark in the folded `text` tells."""
    words = set(_TOKEN.findall(text))
    return frozenset(place for place, language in enumerate(LANGUAGES) if not language.marks.isdisjoint(words))


def word_runs(text: str, spoken: frozenset[int]) -> Iterator[WordRun]:
    """The runs of number words in the folded `text`, in order; `spoken`: from `languages_of`."""
    tokens = list(_TOKEN.finditer(text))
    index = 0
    while index < len(tokens):
        runs = [_run(tokens, index, language, place in spoken) for place, language in enumerate(LANGUAGES)]
        length, values = max(runs, key=lambda run: run[0])  # of equal ones the first: English before the others
        if length:
            yield WordRun(tokens[index].start(), tokens[index + length - 1].end(), values)
        index += length or 1


def scale_after(text: str, position: int, spoken: frozenset[int]) -> tuple[int, int]:
    """The scale word behind digits that end at `position` ("3 million"), and its end; (1, `position`) without one."""
    token = _TOKEN.match(text, position + 1) if text[position : position + 1] == " " else None
    if token is None:
        return 1, position
    word = token.group()
    read = [
        language.scales[word]
        for place, language in enumerate(LANGUAGES)
        if word in language.scales and (place in spoken or word not in language.ambiguous)
    ]
    return (read[0], token.end()) if read else (1, position)


def _run(
    tokens: Sequence[re.Match[str]], first: int, language: Language, is_spoken: bool
) -> tuple[int, tuple[float, ...]]:
    """How many tokens from `first` on are number words of the language in a row, and their values."""
    elements: list[int | str] = []
    index = end = first
    while index < len(tokens) and (index == first or _are_adjacent(tokens[index - 1], tokens[index])):
        word = tokens[index].group()
        if index == first and (word in _VAGUE_ALONE or (word in language.ambiguous and not is_spoken)):
            break
        if word in language.scales:
            elements.append(word)
            index += 1
        elif found := _phrase(tokens, index, language):
            elements.append(found[1])
            index += found[0]
        elif word in language.ones and elements and elements[-1] in language.scales:
            elements.append(1)
            index += 1
        elif word == language.joiner and index > first and index == end:
            elements.append(word)
            index += 1
            continue
        else:
            break
        end = index
    return end - first, _values(elements, language) if end > first else ()


def _are_adjacent(left: re.Match[str], right: re.Match[str]) -> bool:
    return right.start() - left.end() == 1 and left.string[left.end()] in " -"


def _phrase(tokens: Sequence[re.Match[str]], first: int, language: Language) -> tuple[int, int] | None:
    """The longest phrase at `first`: how many tokens, and its value."""
    words: list[str] = []
    best = None
    for index in range(first, min(first + _LONGEST_PHRASE, len(tokens))):
        if index > first and not _are_adjacent(tokens[index - 1], tokens[index]):
            break
        words.append(tokens[index].group())
        if (value := language.phrases.get(tuple(words))) is not None:
            best = len(words), value
    return best or _in_one_word(tokens[first].group(), language)


def _in_one_word(word: str, language: Language) -> tuple[int, int] | None:
    """A number that is written in one word with its thousands, such as "zweitausenddreihundert"."""
    if not language.thousand or language.thousand not in word:
        return None
    left, _, right = word.partition(language.thousand)
    thousands = 1 if left in ("", "ein") else language.phrases.get((left,))
    rest = language.phrases.get((right,)) if right else 0
    return None if thousands is None or rest is None else (1, 1_000 * thousands + rest)


def _values(elements: Sequence[int | str], language: Language) -> tuple[float, ...]:
    """ "three hundred and twenty one" is one value, "five and six" are two."""
    values: list[float] = []
    thousands, rest, last = 0.0, 0.0, language.joiner
    for place, element in enumerate(elements):
        if element == language.joiner:
            last = last if last in language.scales else language.joiner
        elif isinstance(element, str):
            multiplied = (rest or 1.0) * language.scales[element]
            is_small = language.scales[element] < 1_000
            thousands, rest = (thousands, multiplied) if is_small else (thousands + multiplied, 0.0)
            last = element
        else:
            continues = last in language.scales or (last == "hundreds" and element < 100)
            if place and not continues:
                values.append(thousands + rest)
                thousands, rest = 0.0, 0.0
            rest += element
            last = "hundreds" if element >= 100 and element % 100 == 0 else "phrase"
    return (*values, thousands + rest)
