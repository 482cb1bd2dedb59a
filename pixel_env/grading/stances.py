"""What an answer says about an option that it mentions: that it is the answer, that it is not, or neither.

Pure functions of a mention and the words around it. Depends on mentions and phrases; independent of which option is
right.
"""

from enum import IntEnum

from pixel_env.grading.first_looks import is_first_look
from pixel_env.grading.mentions import ONLY_BEFORE, VERB_FIRST, Mention
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import CONCLUDES, FILLERS, FINAL, LEAD_INS, NAMES, one_of, opening
from pixel_env.grading.verdict_phrases import (
    AGREES_WITH,
    ASSUMES,
    CONTRASTS,
    DENIES_WHAT_FOLLOWS,
    DISCUSSES,
    IS_DENIED_AFTER,
    IS_RIGHT,
    IS_SAID_OF,
    NOT_SHOWN,
    SUPPOSES,
    SUPPOSES_WHAT_PRECEDES,
    SURE,
    WOULD,
)


class Stance(IntEnum):
    """From nothing to the last word: of two that name an option, the higher one decides."""

    SPOKEN_OF = 0
    """Supposed, asked, compared, described: "If it were A", "Is it A?", "A is bright"."""
    DENIED = 1
    NAMED = 2
    """ "(B)", "It is red"."""
    CONCLUDED = 3
    """ "so B", "which leaves B", "I choose B"."""
    ANSWERED = 4
    """ "The answer is B", "B is correct"."""
    FINAL = 5
    """ "Final answer: B"."""


_FILLED = rf"(?:(?:{one_of(FILLERS)}|[\s,:→(])\s*)*\Z"
_NOT_SHOWN = Pattern(one_of(NOT_SHOWN))
_SURE = Pattern(one_of(SURE))
_DENIED_BEFORE = Pattern(one_of(DENIES_WHAT_FOLLOWS))
_DENIED_AFTER = Pattern(one_of(IS_DENIED_AFTER))
_SUPPOSED_BEFORE = Pattern(one_of(SUPPOSES))
_SUPPOSED_AFTER = Pattern(one_of(SUPPOSES_WHAT_PRECEDES))
_DISCUSSED = Pattern(
    rf"{one_of(DISCUSSES)}\s*(?:(?:the|both|die|das|der|la|le|el|l'option|option|choice|answer|opci[óo]n|respuesta|r[ée]ponse|"
    r"antwort|选项|選択肢)\s*|[\s,(])*\Z"
)
_CHOSEN = Pattern(rf"{one_of(CONCLUDES)}\s*{_FILLED}")
_OPTION = Pattern(r"(?:\b(?:option|choice|alternative|opci[óo]n)|选项|選択肢)\s*\(?\Z")
_LEADS_TO = Pattern(rf"\A\W*{_FILLED}|{one_of(NAMES, CONCLUDES, AGREES_WITH)}\s*{_FILLED}")
"""Before the word "option": any other verb may deny what it leads to, as in "the picture speaks against option B"."""
_CONCLUDED = Pattern(one_of(CONCLUDES))
_ANNOUNCED = Pattern(opening(LEAD_INS))
_ANNOUNCED_AT_ONCE = Pattern(rf"{opening(LEAD_INS)}\s*{_FILLED}")
_ASSUMED = Pattern(one_of(ASSUMES))
_WOULD = Pattern(one_of(WOULD))
_CONTRASTED = Pattern(rf"\s*{one_of(CONTRASTS)}")
_FINAL = Pattern(one_of(FINAL))
_SAID = Pattern(rf"\s*{one_of(IS_SAID_OF)}")
_RIGHT = Pattern(rf"\s*{one_of(IS_RIGHT)}")
_CLEFT = Pattern(r"(?:\bit's|\bit\s+is|\bc'est|\bes\s+ist)\s+(?:option\s+)?\(?\Z")  # "it is B that fits"
_ALL_BUT = Pattern(
    r"(?:(?<!\w)(?:every|all|any|each|alle|jede|toutes?|tous|todas?|todos|cualquier)\b[^.!?]*?(?<!\w)(?:except(?:\s+for)?|"
    r"but|other\s+than|apart\s+from|besides|ausser|bis\s+auf|sauf|excepto|salvo|menos))\s*"
    r"(?:(?:the|option|choice|answer|la|l'option|opci[óo]n)\s*)*\(?\Z"
)
"""Before an option, of which then the contrary is said."""
_VERB_LAST = Pattern(r"\s*(?:ist|sind)\s*\Z")  # "dass es B ist"
_JUDGED_WRONG = Pattern(
    rf"[\s)]*(?:[\s:(–—→=|-]*[✗✘❌✖✕☒×]|(?:[:(–—→,-]|,\s*(?:which|that)\s+{one_of(IS_SAID_OF)})\s*"
    rf"(?:{one_of(IS_DENIED_AFTER)}|not(?:\s+\w\w+){{1,2}})\s*(?=[.,;)!\n]|\Z)"
    rf"|\.\s*{one_of(IS_DENIED_AFTER)}\s*(?=[.!\n]|\Z))"
)
_TAKEN_BACK = Pattern(
    rf"[^.!?\n]{{0,60}}?(?:(?<!\w)(?:but|aber|mais|pero)(?!\w)|但是?)\s*(?:(?:it|this|that|es|actually|also)\s+)?"
    rf"(?:{one_of(IS_SAID_OF)}\s*)?{one_of(IS_DENIED_AFTER)}"
)
_JUDGED_RIGHT = Pattern(rf"[\s):–—-]*[✓✔✅☑]|[\s)]*[:(–—,-]\s*{one_of(IS_RIGHT)}\s*(?=[.,;)!\n]|\Z)")


def stance_of(mention: Mention) -> Stance:
    """What is said about the options of `mention`."""
    before, after = _NOT_SHOWN.sub(" ", _SURE.sub(" ", mention.before)), _SURE.sub(" ", mention.after)
    if mention.is_asked or _is_supposed(mention.lead, before, after):
        return Stance.SPOKEN_OF
    if is_first_look(mention.lead, mention.beyond):
        return Stance.SPOKEN_OF
    is_said = bool(_SAID.match(after) or VERB_FIRST.search(before) or "dass" in before)
    if not mention.is_text and _CONTRASTED.match(before) and not _ANNOUNCED.search(before):
        return Stance.SPOKEN_OF
    if _ALL_BUT.search(before):
        is_all_denied = _DENIED_AFTER.search(after) is not None and not _RIGHT.match(after)
        return Stance.ANSWERED if is_all_denied else Stance.DENIED
    if _DENIED_BEFORE.search(before) or _JUDGED_WRONG.match(mention.beyond):
        return Stance.DENIED
    is_right = bool(_RIGHT.match(after) and (is_said or mention.is_bracketed))
    is_denied = is_said and _DENIED_AFTER.search(after) is not None
    if is_right and _TAKEN_BACK.match(mention.beyond):
        return Stance.DENIED
    if is_right:
        return Stance.SPOKEN_OF if is_denied else _answered(before)
    if is_denied:
        return Stance.DENIED
    if _JUDGED_RIGHT.match(mention.beyond):
        return Stance.ANSWERED
    return _named(mention, before, after, is_said=is_said)


def _is_supposed(lead: str, before: str, after: str) -> bool:
    if _SUPPOSED_BEFORE.search(before) or _SUPPOSED_AFTER.search(after) or _ASSUMED.search(lead):
        return True
    return bool(_SUPPOSED_BEFORE.search(lead) and (_WOULD.search(before) or _WOULD.search(after)))


def _named(mention: Mention, before: str, after: str, *, is_said: bool) -> Stance:
    if not mention.is_text and is_said and ONLY_BEFORE.search(before):
        return Stance.CONCLUDED
    if not mention.is_text:
        is_turned = VERB_FIRST.search(before) or _CLEFT.search(before) or ("dass" in before and _VERB_LAST.match(after))
        if is_said and not is_turned:
            return Stance.SPOKEN_OF
        if _ANNOUNCED_AT_ONCE.search(before):
            return _answered(before)
        if _OPTION.search(before) and not _LEADS_TO.search(_OPTION.sub("", before)):
            return Stance.SPOKEN_OF
        if _DISCUSSED.search(before) and not _CHOSEN.search(before):
            return Stance.SPOKEN_OF
    elif _ANNOUNCED.search(before):
        return _answered(before)
    return Stance.CONCLUDED if _CONCLUDED.search(before) else Stance.NAMED


def _answered(before: str) -> Stance:
    return Stance.FINAL if _FINAL.search(before) else Stance.ANSWERED
