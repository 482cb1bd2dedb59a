"""Remarks on looks: whether a text says of an operation what its flag denies, or counts looks that were not made.

Pure functions of a text. The phrases are strong ones: a mere description ("this is the sky") says nothing about a look.
Depends on mistakes and on sentences (`announcements.py`); independent of tasks and episodes.
"""

import re

from agents.traces.trace import Mistake
from pixel_env.grading.number_words import ENGLISH_SMALL
from synth.verification.announcements import sentences_and_parts

_DENIES = re.compile(
    r"\b(?:not|no|nothing|none|nor|never|cannot|without|hardly|barely|rather|instead|but|however|still|yet|too|"
    r"would|should|"
    r"could|hoped?|expected|thought|if|unless|whether|until|before|than|misses|missed|lacks?|fails?|far from|"
    r"only)\b|n['’]t\b"
)

_PRAISE = re.compile(
    r"^(?:perfect|great|excellent|wonderful|good|nice|yes|bingo|exactly|there it is|here it is)\b\s*[,!.:;–—-]|"
    r"^perfect\b|"
    r"\bthat['’]s (?:it|the one|what)\b|\b(?:crop|region|view|look|selection) is (?:ideal|perfect|excellent|"
    r"spot on|just right)\b|"
    r"\b(?:is|are) right here\b|\beasy to (?:see|read|make out)\b|\bi (?:can )?(?:clearly )?(?:see|"
    r"read) the (?:card|detail|digit|sign)\b|"
    r"\b(?:detail|answer|card|digit|sign|number) (?:that i need |in question )?(?:is|can be) (?:visible|shown|"
    r"seen|read)\b|"
    r"\bno (?:further|other|more) looks? (?:is|are) (?:needed|necessary)\b|"
    r"\b(?:exactly|just|precisely) what\b|\bhere is (?:the (?:detail|place|spot|part|moment|answer)|what|exactly)\b|"
    r"\b(?:that|this|it|which) (?:already )?(?:settles|answers) (?:it|the question|everything)\b|"
    r"\b(?:detail|answer|number|digit|text|word|part|moment)s? (?:is|are|can be) (?:now |very |quite )?"
    r"(?:clearly |plainly |easily |perfectly )+(?:visible|legible|readable|seen|read|shown)\b|"
    r"\bthis is (?:just |exactly |indeed )?(?:what|where|the (?:detail|place|spot|part|moment|"
    r"region)) (?:that )?(?:i|matters)\b|"
    r"\b(?:shows?|holds?|contains?|reveals?|has) (?:exactly |just |precisely )?(?:what (?:i|the question|was asked)|"
    r"the (?:answer|detail (?:that|in question|i)|moment in question))\b|"
    r"\bi (?:can )?(?:now |clearly )?(?:see|read|know) (?:now )?(?:what the question|the answer|the detail|"
    r"everything that)|"
    r"\bfound (?:it|what i|the detail|the answer)\b"
)
_CLOSE_ENOUGH = re.compile(
    r"\b(?:close|near|large|big|sharp) enough\b|\bfills (?:this|the|my) (?:view|crop|whole)|\bas close as\b|"
    r"\b(?:perfectly|clearly|easily|fully) (?:legible|readable|visible)\b|\beasy to (?:read|see|make out)\b|"
    r"\bi can (?:clearly |easily |already |now )*(?:read|make out)\b|\bread (?:it|everything|"
    r"the detail) (?:clearly|easily)\b|"
    r"\bno need to (?:zoom|go closer|crop|look closer)\b"
)

_BLAME = re.compile(
    r"\b(?:crop|region|look|view|selection|attempt|choice|frames?)\b[^.]{0,30}\b(?:missed|misses|(?:was|"
    r"were) (?:a mistake|wrong))\b|"
    r"\bwrong (?:place|part|region|area|frames?|moment|spot)\b|\bunrelated (?:part|region|area|frames?)\b|"
    r"\b(?:this|it|crop|region|view|part|frames?|they|these) (?:does|do|did)(?: not|n['’]t) (?:show|contain|hold|"
    r"help)\b"
    r"(?: what| the (?:detail|answer|moment|part)| me| with|\s*[.!]|$)|"
    r"\bwhat i (?:need|want|am looking for|was looking for) (?:is|are|was)(?: not|n['’]t)\b|"
    r"\bthe (?:detail|moment|part)(?: in question| that i need)? (?:is|are)(?: not|n['’]t) (?:in|among|here|shown|"
    r"on)\b|"
    r"\bnothing (?:in|of) (?:this|these|here)\b[^.]*\bhelps?\b|\bshows? something (?:else|different)\b|"
    r"\b(?:crop|look|view|selection|frames?) (?:is|are|was|were) (?:useless|pointless|unhelpful|(?:of )?no (?:use|"
    r"help))\b"
)
_ANOTHER_LOOK = re.compile(
    r"\b(?:first|earlier|before|previous(?:ly)?|other|initial(?:ly)?|had|unlike|instead|but|while|now|second|last|"
    r"though|"
    r"although|if|would|overview|until)\b"
)

_NEEDLESS = re.compile(
    r"\b(?:overview|whole (?:picture|image|video|photo))(?: alone| itself)? (?:was|is|"
    r"were) (?:already )?(?:enough|sufficient)\b|"
    r"\b(?:did|do)(?: not|n['’]t) (?:even )?need to (?:zoom|crop|look (?:any )?closer|select|look more closely)\b|"
    r"\bwithout (?:zooming|looking (?:any )?closer|cropping|selecting|(?:any|a) (?:crop|closer look|zoom|selection))\b|"
    r"\bnever (?:zoomed|cropped|looked (?:any )?closer|selected)\b|\bno need to (?:zoom|crop|look (?:any )?closer|"
    r"select)\b|"
    r"\bno (?:crop|zoom|closer look|selection)s? (?:was|is|were|are) (?:needed|necessary|required)\b|"
    r"\b(?:i (?:can |could )?(?:answer|tell|see (?:it|this)|know)(?: it| this)?|answered) from the (?:overview|"
    r"whole picture)\b"
)
_NEEDED_IT = re.compile(
    r"\b(?:not (?:want|wish|like|possible|have)|could not|cannot|rather|impossible|hard|would have|might|only guess|"
    r"risk|wrong)\b|couldn['’]t|can['’]t|wouldn['’]t"
)

_LOOKS = r"(?:crops?|looks?|selections?|zooms?|attempts?)"
_ORDINALS = {"second": 2, "third": 3, "fourth": 4, "fifth": 5}
_COUNTED = re.compile(
    rf"\b(?:my|the|this) ({'|'.join(_ORDINALS)}) {_LOOKS}\b|"
    rf"\b(both|{'|'.join(ENGLISH_SMALL[2:8])}|[2-7]) (?:\w+ )?{_LOOKS}\b"
)
_NOT_MADE = re.compile(r"\b(?:not|no|without|would|could|might|need(?:ed)?|more|further|next|if)\b|n['’]t\b")


def praise_of_mistake(text: str, mistake: Mistake) -> str:
    """The sentence that is content with the mistaken operation before it; "" if there is none."""
    praised = _CLOSE_ENOUGH if mistake is Mistake.OVERSIZED_REGION else _PRAISE
    return next((one for one in sentences_and_parts(text) if praised.search(one) and not _DENIES.search(one)), "")


def blame_of_right(text: str) -> str:
    """The sentence that calls the right operation before it a wrong one; "" if there is none."""
    return next((one for one in sentences_and_parts(text) if _BLAME.search(one) and not _ANOTHER_LOOK.search(one)), "")


def denied_look(text: str) -> str:
    """The sentence of a last text after operations that says that none was needed; "" if there is none."""
    return next((one for one in sentences_and_parts(text) if _NEEDLESS.search(one) and not _NEEDED_IT.search(one)), "")


def looks_not_made(text: str, made: int) -> str:
    """The words that speak of more operations than were made; "" if there are none."""
    for sentence in sentences_and_parts(text):
        for match in _COUNTED.finditer(sentence):
            if _number(match) > made and not _NOT_MADE.search(sentence):
                return match.group()
    return ""


def _number(match: re.Match[str]) -> int:
    if match[1]:
        return _ORDINALS[match[1]]
    word = match[2]
    return 2 if word == "both" else int(word) if word.isdigit() else ENGLISH_SMALL.index(word)
