"""The words of a question by their stems, so that an answer's "no dogs" is told from "no idea".

Depends on text; independent of graders.
"""

from pixel_env.grading.answers import folded
from pixel_env.grading.patterns import Pattern

_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
}
_IRREGULAR |= {"feet": "foot", "teeth": "tooth", "knives": "knife", "shelves": "shelf", "leaves": "leaf"}
_ENDINGS = ("s", "es", "e", "n", "en", "er", "x")  # plurals of English, German, French and Spanish
_SHORTEST_STEM = 3
_COUNTED = Pattern(r"\b(?:how many|number of|wie ?viele|combien d['e]|nombre d['e]|cu[aá]nt[oa]s)\s?((?:\w+\s?){1,2})")
_PLACES = """image images picture pictures photo photos photograph scene video view frame frames screen bild bilder foto
fotos szene ansicht scène vue imagen imágenes fotografía escena vista vídeo"""
PLACES = frozenset(_PLACES.split())
"""Where a question tells to look, in a folded text."""
_WORD = Pattern(r"[^\W\d_]+")


def stems(word: str) -> frozenset[str]:
    """The forms that a folded word shares with its singular or plural."""
    word = _IRREGULAR.get(word, word)
    cut = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    return frozenset([word, *(stem for stem in cut if len(stem) >= _SHORTEST_STEM)])


def asked_about(question: str) -> frozenset[str]:
    """The stems of the words of the question, without where to look ("in the image") unless that is counted."""
    text = folded(question)
    counted = {word for match in _COUNTED.finditer(text) for word in _WORD.findall(match[1])}
    words = {word for word in _WORD.findall(text) if word in counted or word not in PLACES}
    return frozenset().union(*map(stems, words))


def is_asked(word: str, asked: frozenset[str]) -> bool:
    """Whether the folded word stands in the question, in the singular or the plural."""
    return not stems(word).isdisjoint(asked)
