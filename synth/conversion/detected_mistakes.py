"""Detection of mistakes in a trace without flags, from its operations and its reasoning.

Depends on trajectories; independent of evidence, teachers and files. An operation is a mistake if it is *corrected*:
the next operation is of the same kind, shows something else, and is not a refinement of it. Where the operations alone
do not decide, the text of the next turn does.

| next operation | next turn complains | is content | neither |
|---|---|---|---|
| crop of another region, or of another image | unrelated region | right | unrelated region |
| crop that overlaps the first and is not a refinement | unrelated region | right | unrelated region |
| frames, some of them new | wrong frames | right | wrong frames |
| frames among the first | wrong frames | right | right |
| of the other kind, or none | right | right | right |

A crop inside the first one, with at most `REFINED` of its area, is a refinement: the first one is over-large if the
next turn contains a phrase for that anywhere ("too wide", "still cannot be read"), and right otherwise.

*Complains*: the text states that the operation did not show what is wanted ("not here", "let me try elsewhere"). *Is
content*: it states that the operation did, or that there is more to see ("clear now", "also", "the other one"). The
first sentence that does either decides, because it is about what has just been shown. A mere description ("it shows a
bus") counts as content only where no sentence complains: teachers are instructed to describe what a wrong crop shows
instead. An operation that the environment refused is not a mistake of this kind, because it showed nothing.
"""

import re
from enum import StrEnum
from itertools import pairwise

from agents.traces.trace import Mistake
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Trajectory, Turn
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from synth.verification.reasoning import reasoning_in

REFINED = 0.7
"""A crop of at most this share of the first one's area, inside it, is a closer view of the same thing."""
_INSIDE = 0.85  # share of the second crop that lies in the first


class Tone(StrEnum):
    """What the text of a turn states about the operation before it."""

    COMPLAINS = "complains"
    IS_CONTENT = "is_content"
    SAYS_NEITHER = "says_neither"


_CONTENT = re.compile(
    r"\b(?:clear(?:ly)?|plain(?:ly)?|settled?|large enough|well enough|good|fine|legible|readable|sharp|"
    r"can (?:now |already |also )?(?:see|read|make out|tell|be seen|be read)|(?:take |make a )?note[ds]?|keep in mind|"
    r"also|next|the (?:other|second|third|remaining|rest)|as well|both|compare|add(?:ing)?|so far|left to|"
    r"one more|remains)\b|"
    # "The first car" is one of several things to see; "the first crop" may have been wrong.
    r"\bthe first (?!(?:place|part|region|area|spot|crop|look|try|attempt|choice|selection|frames?)\b)|"
    r"\b(?:shows?|contains?|holds?|reveals?) (?:its|what (?:i|the question)|the \w+ (?:that )?i)\b"
)
_DESCRIPTION = re.compile(
    r"\b(?:shows?|showing|contains?|holds?|reads?|says|displays?|reveals?) (?:an?|the|what|one|two|three|\d+)\b"
)
_COMPLAINT = re.compile(
    r"\b(?:not(?! (?:only|just|all|everything)\b)|no|nothing|none|neither|never|cannot|wrong|incorrect|mistaken?|"
    r"miss(?:es|ed|ing)?|unrelated|irrelevant|elsewhere|instead|unfortunately|oops|adjust|correct(?:ion)?|again|actually|"
    r"wait|empty|fails?|failed|lacks?|outside|without|useless|unhelpful|retry|hardly|barely|another\b.*\bthan)\b|n['’]t\b"
)
_TOO_COARSE = re.compile(
    r"\btoo (?:\w+ ){0,2}?(?:large|big|wide|much|broad|generous|coarse|small|tiny|far|loose|roomy)\b|n['’]t\b|"
    r"\b(?:still|cannot|not (?:yet|enough)|unclear|unreadable|illegible|indistinct|blurr(?:y|ed)|tiny|coarse|hardly|"
    r"barely|only a small (?:part|fraction)|much else)\b"
)
_SENTENCES = re.compile(r"[.!?:;\n]+\s*")


def tone_of(remark: str) -> Tone:
    """The tone of the text that follows an operation; a sentence with a negation counts as a complaint."""
    sentences = _SENTENCES.split(remark.casefold())
    for sentence in sentences:
        if _COMPLAINT.search(sentence):
            return Tone.COMPLAINS
        if _CONTENT.search(sentence):
            return Tone.IS_CONTENT
    is_described = any(_DESCRIPTION.search(sentence) for sentence in sentences)
    return Tone.IS_CONTENT if is_described else Tone.SAYS_NEITHER


def detected_mistakes(trajectory: Trajectory, dialect: Dialect) -> tuple[Mistake | None, ...]:
    """For each message: the mistake of its last operation if a later message corrects it, else None."""
    messages = trajectory.messages
    # A step has views only if its operation was executed.
    last = {index: step for index, steps in enumerate(messages) for step in steps if step.views}
    mistakes: list[Mistake | None] = [None] * len(messages)
    for index, following in pairwise(last):
        remark = reasoning_in(messages[index + 1][0].text, dialect)
        mistakes[index] = _corrected(last[index], last[following], remark)
    return tuple(mistakes)


def _corrected(turn: Turn, following: Turn, remark: str) -> Mistake | None:
    tone = tone_of(remark)
    match turn.action, following.action:
        case (Operation() as first, Operation() as second) if first.region() and second.region():
            if _is_refinement(turn, following):
                return Mistake.OVERSIZED_REGION if _TOO_COARSE.search(remark.casefold()) else None
            return None if tone is Tone.IS_CONTENT else Mistake.UNRELATED_REGION
        case SelectFrames(frames), SelectFrames(others):
            is_new = not set(others) <= set(frames)
            is_wrong = tone is Tone.COMPLAINS or (is_new and tone is Tone.SAYS_NEITHER)
            return Mistake.WRONG_FRAMES if is_wrong else None
        case _:
            return None


def _is_refinement(turn: Turn, following: Turn) -> bool:
    [first], [second] = turn.views, following.views
    if first.source.key != second.source.key:
        return False
    return second.box.covered_by(first.box) >= _INSIDE and second.box.area <= REFINED * first.box.area
