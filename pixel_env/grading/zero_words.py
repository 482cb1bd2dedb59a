"""Zero in words: "none", "there aren't any dogs", "keine Hunde", "aucun", "no hay", "没有", "犬はいません".

Depends on text and the words of the question: "no dogs" is zero where the question asks about dogs, "no idea" never is.
All texts are folded, with straight apostrophes.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pixel_env.grading.patterns import Pattern
from pixel_env.grading.question_words import PLACES, is_asked

_MOST_WORDS = 24
_WORD = Pattern(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NONE = Pattern(r"(?:there (?:is|are|was|were) )?(?:none|nobody|no[- ]one|nothing)(?: of (?:them|these|those))?")
_NOBODY_HERE = Pattern(
    r"(?:nobody|no[- ]one|niemand|personne|nadie) (?:is|was|ist|n'est|est|está|hay) "
    r"(?:there|here|visible|present|shown|da|hier|zu sehen|là|(?:visible |shown )?(?:in|on|auf|sur|dans|en) "
    r"(?:the|this|dem|la|cette|l'?) ?(?:image|picture|photo|scene|video|bild|foto|imagen))"
)
_PEOPLE_WORDS = "person man woman child kid boy girl adult personen leute personne personas gente"
_PEOPLE = frozenset(_PEOPLE_WORDS.split())


@dataclass(frozen=True)
class _Denials:
    """How a language says that there is none of something.

    `sure`: words that say so alone; `pairs`: words that say so together; `fillers`: what else such a sentence holds
    beside the things that are not there; `pronouns`: words that stand for these things.
    """

    sure: AbstractSet[str]
    pairs: tuple[tuple[AbstractSet[str], AbstractSet[str]], ...]
    pronouns: AbstractSet[str]
    fillers: AbstractSet[str]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LANGUAGES = (
    _Denials(
        _set("no none"),
        ((_set("not cannot"), _set("any single")),),
        _set("none any"),
        _set("""there here is are was were be been being can could does do did have has had i we you one it that the a
        an at all in on of this these those them seem seems appear appears to see seen saw find found spot detect
        observe identify notice
        visible present shown displayed depicted pictured whatsoever even think believe contain contains
        show shows my your s"""),
    ),
    _Denials(
        _set("kein keine keinen keinem keiner keines"),
        (),
        _set("keine keiner keines"),
        _set("""es gibt sind ist wird werden zu sehen sichtbar erkennbar vorhanden ich sehe kann können erkennen finden
        auf in im dem der das den diesem hier da man sieht einzige einzigen einziger davon von ihnen"""),
    ),
    _Denials(
        _set("aucun aucune"),
        ((_set("pas"), _set("de d")),),
        _set("aucun aucune"),
        _set("""il n y a ne je vois voit on peut voir est sont visible visibles présent présents dans sur l la le
        cette ici"""),
    ),
    _Denials(
        _set("ningún ninguno ninguna ningun"),
        ((_set("no"), _set("hay aparece aparecen veo ve ven")),),
        _set("ninguno ninguna hay"),
        _set("""hay aparece aparecen veo ve ven se puede pueden ver en la el esta este visible visibles aquí de ellos
        ellas no"""),
    ),
)

_PLACE_CJK = (
    "(?:(?:这张?|在|この)?(?:图片|图像|照片|画面|图|画像|写真|絵)(?:中|里|裡|の中)?(?:には|に|では|で|，|,)?)?"
    "(?:这里|里面)?"
)
_ZERO_CHINESE = Pattern(
    rf"{_PLACE_CJK}(?P<before>[^\W\d_]{{1,8}}?)??(?:一[个個只隻条匹人辆張张名](?:[^\W\d_]{{0,6}}?))?(?:都|也|并|完全)?"
    r"(?:没有|沒有|没|不存在|看不到|看不见|无|無)(?:看到|看见|发现|出现|找到|见到)?(?:任何|一[个個只隻条匹人])?"
    r"(?P<noun>[^\W\d_]{1,8}?)?(?:可见|出现|存在|了)?"
)
_SEES = Pattern("看不|看到|看见|发现|见到|找到")
_ZERO_JAPANESE = Pattern(
    rf"{_PLACE_CJK}(?P<noun>[^\W\d_]{{1,10}}?)??[はがも]?(?:一[匹人つ個頭羽台枚本]も|1[匹人つ個頭羽台枚本]も|全く|誰も)?"
    r"(?P<verb>いません|いない|ありません|ない|なし|存在しません|見えません|見当たりません|写っていません)(?:です)?"
)


def says_zero(clause: str, asked: frozenset[str], question: str) -> bool:
    """Whether the clause says that there is none of what the question asks about.

    `asked`: the stems of the folded `question`. A clause without a thing ("none", "没有") says so of anything.
    """
    clause = clause.strip(" .!。！,，\"'()")
    if not clause or (re.search(r"\d", clause) and "も" not in clause):
        return False
    if _NONE.fullmatch(clause) or clause in ("niemand", "personne", "nadie"):
        return True
    if _NOBODY_HERE.fullmatch(clause):
        return not asked.isdisjoint(_PEOPLE)
    words = _WORD.findall(clause)
    if len(words) <= _MOST_WORDS and _denies(_split_words(words), asked):
        return True
    return len(clause) <= 40 and (_is_zero_chinese(clause, question) or _is_zero_japanese(clause, question))


def _split_words(words: list[str]) -> list[str]:
    """Contractions as two words: "aren't" as "are not", "n'y" as "n y"."""
    split: list[str] = []
    for word in words:
        split += [word[:-3], "not"] if word.endswith("n't") else word.split("'")
    return ["can" if word == "ca" else word for word in split]


def _denies(words: list[str], asked: frozenset[str]) -> bool:
    given = set(words)
    for language in _LANGUAGES:
        sure = [word for word in words if word in language.sure]
        pair = next((first | second for first, second in language.pairs if given & first and given & second), None)
        denial = set(sure) if len(sure) == 1 else pair if pair and not sure else None
        if denial is None:
            continue
        things = [word for word in words if word not in denial and not _is_filler(word, language, asked)]
        if all(is_asked(word, asked) for word in things) and (things or given & language.pronouns):
            return True
    return False


def _is_filler(word: str, language: _Denials, asked: frozenset[str]) -> bool:
    return word in language.fillers or (word in PLACES and not is_asked(word, asked))


def _is_zero_chinese(clause: str, question: str) -> bool:
    match = _ZERO_CHINESE.fullmatch(clause)
    if match is None:
        return False
    things = [thing for thing in (match["before"], match["noun"]) if thing]
    if not things:
        return not _SEES.search(clause)  # "看不到" alone says that nothing can be seen
    return all(thing.removesuffix("的") in question for thing in things)


def _is_zero_japanese(clause: str, question: str) -> bool:
    match = _ZERO_JAPANESE.fullmatch(clause)
    if match is None:
        return False
    if not match["noun"]:
        return match["verb"] != "見えません" and match["verb"] != "見当たりません"
    return match["noun"] not in ("何", "なに", "誰") and match["noun"] in question
