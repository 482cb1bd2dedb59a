"""Options that an answer judges one by one: "A: ✗  B: ✓", lines that end in a verdict, a column of verdicts.

Depends on text; independent of what the rest of the answer says. A word is a verdict only where it stands as one, first
or last in what is said of an option; a sign such as "✓" is one wherever it stands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.grading.patterns import Pattern

_BOLD = r"(?:\*\*|__)?"
_OPTION = r"(?:(?:option|choice|opci[óo]n|antwort|选项|選択肢)[ \t]?)?"
_START = r"(?:(?<=\n)|\A|(?<=[|.;,；。，✓✔✅☑○◯✗✘❌✕✖☒×]))[ \t]{0,4}(?:[-*•>|][ \t]?){0,3}"
_SIGN = rf"(?:\)[.:：]?|[.:：]|[ \t]?{_BOLD}[ \t]?(?:[|→:：–—=]|[-=]>|-(?=\s))){_BOLD}(?=\s|[^\w\s]|[^\x00-\x7f]|\Z)"
_LABEL = Pattern(rf"{_START}{_BOLD}{_OPTION}\(?(?P<letter>[A-Z]){_SIGN}", re.IGNORECASE)
_RIGHT_SIGN = Pattern("[✓✔✅☑○◯⭕〇]")
_WRONG_SIGN = Pattern("[✗✘❌✕✖☒×]")
_RIGHT = Pattern(
    r"(?:(?:this|that|it|das|c'est|es)\s+)?(?:(?:is|ist|est|son)\s+)?(?:the\s+)?"
    r"(?:yes|correct|right|true|match(?:es|ed)?|fits|supported|present|visible|ja|richtig|korrekt|wahr|stimmt|vrai|oui|"
    r"correcte?|exacte?|juste|bonne|s[íi]|correct[ao]|verdader[ao]|ciert[ao])(?:\s+(?:answer|option|choice|one|match))?|"
    r"正确|对|是|符合|正しい|正解|はい|合致"
)
_WRONG = Pattern(
    r"(?:(?:this|that|it|das|c'est|es)\s+)?(?:(?:is|ist|est|son)\s+)?(?:the\s+)?"
    r"(?:no|not|incorrect\w*|wrong|false|mismatch|doesn't|isn't|unsupported|absent|excluded|nein|falsch|inkorrekt|nicht|"
    r"faux|fausse|non|inexacte?|pas|fals[ao]|tampoco)(?:\s+[\w']+){0,4}|"
    r"错误?|不[^\s，,]{0,8}|否|没有[^\s，,]{0,8}|誤り|間違い|不正解|いいえ"
)
_BETWEEN = Pattern(r"[|→:：–—=;,，；(（]|\s-+\s|[-=]>|[.。]\s")
_MOST_LABELS = 100
_AROUND = " \t\r*_`.。!！)）]~"


@dataclass(frozen=True, slots=True)
class JudgedList:
    """The options (from 0) that are called right, and the text without the list."""

    right: frozenset[int]
    rest: str


def judged_list(answer: str, options: Sequence[str]) -> JudgedList | None:
    """The list in which `answer` judges options one by one; None if there is none, or if it judges only some."""
    labels = list(_LABEL.finditer(answer))
    if not 2 <= len(labels) <= _MOST_LABELS:
        return None
    verdicts: dict[int, bool] = {}
    kept, place = [], 0
    for label, end in zip(labels, _ends(answer, labels), strict=True):
        index = ord(label["letter"].upper()) - ord("A")
        if index >= len(options):
            return None
        is_right = _verdict(answer[label.end() : end], options[index])
        if is_right is None or index in verdicts:
            if index not in verdicts:
                return None  # the text of an option that is only shown
            continue
        verdicts[index] = is_right
        kept.append(answer[place : label.start()])
        place = end
    if len(verdicts) < 2:
        return None
    right = frozenset(index for index, is_right in verdicts.items() if is_right)
    return JudgedList(right, "\n".join([*kept, answer[place:]]))


def _ends(answer: str, labels: Sequence[re.Match[str]]) -> list[int]:
    """Where what is said of each label ends: at the next one, or with its line."""
    starts = [*(label.start() for label in labels[1:]), len(answer)]
    breaks = [answer.find("\n", label.end()) for label in labels]
    return [start if found < 0 else min(start, found) for start, found in zip(starts, breaks, strict=True)]


def _verdict(said: str, option: str) -> bool | None:
    """Whether `said` calls the option right, or wrong; None if neither."""
    is_right, is_wrong = _RIGHT_SIGN.search(said) is not None, _WRONG_SIGN.search(said) is not None
    if is_right or is_wrong:
        return is_right if is_right != is_wrong else None
    text = said.strip(f"{_AROUND}|:：–—-").casefold().replace("’", "'")
    text = text.removeprefix(option.strip(_AROUND).casefold())
    pieces = [piece for part in _BETWEEN.split(text) if part and (piece := part.strip(_AROUND))]
    for piece in [pieces[0], pieces[-1]] if pieces else []:
        if _WRONG.fullmatch(piece):
            return False
        if _RIGHT.fullmatch(piece):
            return True
    return None
