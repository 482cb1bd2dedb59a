"""What a text announces: the look that follows it, the operation that makes it, and the question that it quotes.

Pure functions of a text. Depends on words; independent of boxes, tasks and episodes.
"""

import re
from collections.abc import Iterator

from pixel_env.grading.answers import folded

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+|;\s+")
_ANNOUNCES = re.compile(
    r"\b(?:crop(?:ping)?|zoom(?:ing)?(?: in)?(?: on| into| to)?|enlarge|magnify|select(?:ing)?|pick(?:ing)?|choose|"
    r"(?:i |let me |i'll |to |and |now |will |next )?(?:look(?:ing)?|glance)(?: \w+){0,2} (?:at|into|to)|check(?:ing)?|"
    r"inspect(?:ing)?|examin(?:e|ing)|turn(?:ing)? to|mov(?:e|ing)(?: on)? to|go(?:ing|es)? (?:closer )?to|"
    r"continue with|"
    r"focus(?:ing)? on|concentrate on|try(?:ing)?|closer (?:look|view)(?: at| of)?|closer still:|narrow it down to|"
    r"the place to check is|a better candidate is|what remains is|the time to check is|crop of|next (?:crop|"
    r"selection) (?:shows|is)|"
    r"next look|look goes to|attention goes to|tak(?:e|ing)|watch(?:ing)?|jump(?:ing)? to|stud(?:y|ying)|see|"
    r"view(?:ing)?|cover(?:s|ing)?)\b|"
    r"^(?:now|next|then|first),?(?= the )"
)
_PAST = re.compile(
    r"\b(?:not|n['’]t|was|were|had|missed|showed|looked|cropped|selected|instead of|rather than|wrong)\b"
)


def sentences_and_parts(text: str) -> list[str]:
    """The sentences of a remark, folded; what stands between semicolons counts as one."""
    return [part for line in text.split("\n") for part in map(folded, _SENTENCES.split(line)) if part]


def announced(text: str) -> Iterator[str]:
    """What stands behind the first verb of each sentence that announces a look."""
    for sentence in sentences_and_parts(text):
        verb = _ANNOUNCES.search(sentence)
        if verb and not _PAST.search(sentence):
            yield sentence[verb.end() :]


_CALLED = {
    "crop_image": re.compile(r"\b(?:i|i'll|i will|let me|so i|now i)\s+(?:will\s+|now\s+)?crop\b"),
    "select_frames": re.compile(
        r"\b(?:i|i'll|i will|let me|so i|now i)\s+(?:will\s+|now\s+)?select\s+(?:\w+\s+){0,2}frames?\b"
    ),
    "rotate": re.compile(r"\b(?:i|i'll|i will|let me|so i|now i)\s+(?:will\s+|now\s+)?rotate\b"),
}


def another_operation(text: str, name: str) -> str:
    """The words that announce another operation than the one called `name`, and not that one; "" if there are none."""
    text = folded(text)
    if name not in _CALLED or _CALLED[name].search(text):
        return ""
    others = (pattern.search(text) for other, pattern in _CALLED.items() if other != name)
    return next((match.group() for match in others if match), "")


_QUOTED = re.compile(
    r"\b(?:question(?: is| reads)?|i am asked|asked|task(?: is| reads)?|to be found out|find out)\s*(?::|"
    r"is)?\s*[\"“](.+?)[\"”](?=\s|$)",
    re.DOTALL,
)
_ALIKE = 0.5  # of the words


def misquoted_question(text: str, question: str) -> str:
    """The quotation that a text gives as its question, if less than half of its words stand in `question`; else ""."""
    asked = set(re.findall(r"\w+", folded(question)))
    for match in _QUOTED.finditer(folded(text)):
        quoted = re.findall(r"\w+", match[1])
        if quoted and sum(word in asked for word in quoted) < _ALIKE * len(quoted):
            return match.group()
    return ""
