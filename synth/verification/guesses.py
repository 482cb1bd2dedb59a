"""Guesses: whether a last text says that its answer is a guess, or that the detail cannot be read.

Pure functions of a text and its task. Depends on sentences; independent of what the answer is.
"""

from pixel_env.grading.answers import folded, unwrapped
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import one_of
from pixel_env.task import Task
from synth.verification.conclusions import sentences_of

_GUESSES = {
    "en": r"guessing|speculation|speculat\w+|"
    r"(?:a |wild |best |educated |i |i'll |i will |i must |have to |must |only |to )guess(?:ed|ing|work)?|"
    r"at random|randomly|by chance|toss a coin|flip a coin|no idea",
    "de": r"rate (?:ich|einfach|mal)|ich rate|geraten|auf gut glück|keine ahnung",
    "fr": r"je devine|au hasard|aucune idée",
    "es": r"adivino|al azar|ni idea",
    "zh": r"猜|蒙一个|随便选",
    "ja": r"当てずっぽう|勘で|推測(?:する|します)",
}
_GUESS = Pattern(one_of(_GUESSES))
_NO_GUESS = Pattern(
    r"\b(?:not|never|no (?:need|longer)|without|rather than|instead of|than|nothing|no)\b|n't\b|nicht|pas\b|不用|不必"
)
_CANNOT = (
    r"\b(?:(?:i |one |we )?(?:cannot|can't|can not|could not|couldn't|am unable to|unable to|am not able to)|"
    r"(?:it is |it's )?(?:impossible|too hard|hard) to)\s+(?:really |quite |clearly |even |actually )?"
    r"(?:read|make out|decipher|recogni[sz]e|identify|tell|determine|say|verify|see (?:it|the (?:detail|digit|"
    r"number)|what|"
    r"which|whether|clearly|anything|any (?:digit|number|detail)))\b"
)
_ILLEGIBLE = (
    r"\b(?:illegible|unreadable|indecipherable|(?:not|nothing (?:here )?is|nothing) (?:legible|readable)|"
    r"too (?:small|blurr(?:y|ed)|dark|faint|coarse|far)(?: for me)? to (?:read|make out|tell|see|recogni[sz]e))\b"
)
_ABROAD = r"kann (?:es|das|ich|sie|ihn)? ?(?:\w+ )?nicht (?:lesen|erkennen)|"
_ABROAD += r"看不清|无法(?:看清|辨认|判断)|読め(?:ない|ません)|"
_ABROAD += r"ne (?:peux|puis) pas (?:lire|distinguer)|no (?:puedo|se puede) (?:leer|distinguir)"
_UNSEEN = Pattern(rf"{_CANNOT}|{_ILLEGIBLE}|{_ABROAD}")
_ELSEWHERE = Pattern(
    r"\b(?:overview|whole|before|earlier|first|initially|was|were|had|other|another|more|else|without|otherwise|alone|"
    r"from (?:afar|there|a distance)|no longer|why|although|though|rest)\b"
)
_NOTHING = frozenset({"0", "no", "none", "nothing", "nobody", "zero"})


def guess_in(text: str, task: Task) -> str:
    """The sentence that guesses, or cannot read what the task asks about; "" if there is none.

    That nothing can be seen is an answer where the answer is none.
    """
    is_nothing = any(folded(unwrapped(answer)) in _NOTHING for answer in task.answers)
    is_nothing = is_nothing and (task.grader != "exact" or not task.answers[0].isdigit())
    for sentence in sentences_of(text):
        guess = _GUESS.search(sentence)
        if guess and not _NO_GUESS.search(sentence, 0, guess.start()):
            return sentence
        unseen = _UNSEEN.search(sentence)
        if unseen and not is_nothing and not _ELSEWHERE.search(sentence):
            return sentence
        if guess and unseen:
            return sentence
    return ""
