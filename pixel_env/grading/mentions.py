r"""Where an answer mentions options: marked letters and whole texts, each list of them with the words around it.

A letter is a mention only where it is marked as an option's: in brackets or quotes, in bold, as a label, alone in its
clause, behind words such as "option" or "the answer is", before a verdict such as "is wrong". "Vitamin D", "30 C" and
"N/A" mention nothing, and the letter "A" is read by the same rules as every other one. Depends on option texts and
phrases; independent of what is said about the option (`pixel_env.grading.stances`).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixel_env.grading.option_texts import PLACEHOLDER, letter_index, with_placeholders
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import (
    CONCLUDES,
    FILLERS,
    FOLLOWS,
    JOINS_CLAUSES,
    JOINS_OPTIONS,
    LEAD_INS,
    LETTERED,
    NAMES,
    REPORTS,
    one_of,
    opening,
)
from pixel_env.grading.verdict_phrases import DENIES_WHAT_FOLLOWS, IS_DENIED_AFTER, IS_RIGHT, IS_SAID_OF, ONLY

LONGEST_LEAD = 100
"""Characters before and behind a mention that can belong to it."""

_CANDIDATE = Pattern(
    rf"{PLACEHOLDER}|(?<![a-z0-9])\(\s?([a-z])(?:\s?\)|$)|(?<![\w'.°-])(?<!\w\()([a-z])(?![\w'-]|\.[a-z0-9])(?!\s?[=+*^]\s?\d)"
)
_JOINED = Pattern(rf"[ ,;/&+|=)、]*(?:{one_of(JOINS_OPTIONS)}[ ,;)]*){{0,3}}")
_JOINED_TO_ITS_TEXT = Pattern(r"[ .,:)(–—=-]*")
_NO_THAT = r"(?!\s+(?:dass|ob|que)(?!\w))"  # "ich glaube nicht, dass B richtig ist": the denial reaches B
_LINE_END = r"(?<!is:)(?<!be:)(?<!st:)(?<!es:)(?<!er:)(?<!是:)(?<!为:)(?<!は:)\n"  # "the answer is:\nB" is one clause
_BOUNDARY = Pattern(
    rf"[;!?\"–—|]|{_LINE_END}|(?<!\d)[.,]{_NO_THAT}|[.,](?!\d){_NO_THAT}|[()]|(?<=\s)-(?=\s)|(?={one_of(JOINS_CLAUSES)})"
)
_SENTENCE_END = Pattern(r"[!?\n]|(?<![\d.])\.|\.(?![\d.])")
_FILLERS = rf"(?:(?:{one_of(FILLERS)}|[\s,:→(✓✔✅☑])\s*)*"
_AND = Pattern(rf"(?:(?<!\w)(?:and|und|et|y)(?!\w)|和)(?={_FILLERS}\Z)")
_DENIAL_AT_ONCE = Pattern(rf"(?:(?:,|{one_of(FILLERS)})\s*){{0,4}}{one_of(DENIES_WHAT_FOLLOWS)}(?={_FILLERS}\Z)")
_AFTER_NOT_BUT = Pattern(r"(?:では|じゃ)な(?:く|い)(?:て)?|でなく")  # "A ではなく B": another clause follows
_ONLY_FILLERS = Pattern(rf"{_FILLERS}\Z")
_MARKED_BEFORE = Pattern(
    rf"(?:{one_of(NAMES, CONCLUDES, DENIES_WHAT_FOLLOWS)}|{opening(LEAD_INS)}|[:=→])\s*{_FILLERS}\Z"
)
_OPTION_BEFORE = Pattern(
    r"(?:(?<!\w)(?:option|choice|answer|alternative|antwort|r[ée]ponse|opci[óo]n|respuesta)s?|选项|選択肢)\s*\(?\Z"
)
_LETTERED_BEFORE = Pattern(rf"{one_of(LETTERED, REPORTS)}[\s:]*(?:(?:the|a|la|el|le|den|das)\s+)?\(?\Z")
_CORRECT_LETTER = Pattern(
    r"(?:correct|right|best|corresponding|final|answer|option|choice)\s+letter\s*(?:is|:)?\s*\(?\Z|"
    r"(?:answer|option|choice|r[ée]ponse|antwort|respuesta|opci[óo]n)(?:\s+(?:correcte?|exacte|finale?|correcta))?\s*"
    r"(?:is|est|ist|lautet|es|:)\s*(?:(?:the|la|der|den|die|el)\s+)?(?:letter|lettre|buchstabe|letra)\s*\(?\Z|"
    r"(?:答案|选项)(?:应该)?(?:是|为|：|:)?\s*字母\s*\Z"
)
_UNSPACED_LETTERED = one_of({language: LETTERED[language] for language in ("zh", "ja")})
_LETTERED_AFTER = Pattern(rf"\s*(?:{_UNSPACED_LETTERED}|という|と書|と印|と表示|超)")
_LETTERED_CHINESE = Pattern(_UNSPACED_LETTERED)
_LETTERED_SUBJECT = Pattern(rf"\A\W*(?:\w+\W+){{0,3}}?{one_of(LETTERED)}")
_REPORT = Pattern(rf"{one_of(REPORTS)}[^:]*:\s*{_FILLERS}\Z")
_ANNOUNCED = Pattern(opening(LEAD_INS))
_ANNOUNCED_AT_ONCE = Pattern(rf"{opening(LEAD_INS)}\s*{_FILLERS}\Z")
_FOLLOWED = Pattern(rf"\s*(?:\Z|[^\w\s(]|{one_of(FOLLOWS)})")
VERB_FIRST = Pattern(
    r"(?<!\w)(?:(?:ist|sind|passt|stimmt|bleibt)\s+(?:also\s+|damit\s+)?|mak(?:es|ing)\s+(?:option\s+)?)\Z"
)
"""The verb stands before the option: "daher ist B richtig", "which makes B correct"."""
ONLY_BEFORE = Pattern(rf"{one_of(ONLY)}\s*{_FILLERS}\Z")
_VERB_AFTER = Pattern(r"\s*(?:[a-z]+ly\s+)?[a-z]{3,}[st]\b")
_OPTION_AFTER = Pattern(r"\A\s*(?:选项|项)\s*")
_SAID = Pattern(rf"\s*(?:{one_of(IS_SAID_OF)})")
_DENIED_AFTER = Pattern(one_of(IS_DENIED_AFTER))
_RIGHT = Pattern(rf"\s*(?:{one_of(IS_RIGHT)})")
_UNSPACED_AFTER = Pattern(r"\s*(?:项|选项)?[\u3040-\u9fff]")
_POLITE_AFTER = Pattern(r"\s*(?:です|で(?=\s*[,、]|\s*\Z|あ(?:り|る))|だ(?!っ)|でし(?:た|ょう)|となり|になり|を選)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A list of options ("A", "(B) red", "A or B") and the words of its clause.

    `start` and `end` are places in `whole`, the answer with placeholders for option texts. `before` and `after`: the
    rest of the clause. `lead`: the sentence up to the list. `beyond`: what follows the list, across the clause's end.
    """

    indices: frozenset[int]
    start: int
    end: int
    is_text: bool
    has_letter: bool
    is_bracketed: bool
    is_asked: bool
    lead: str
    before: str
    after: str
    beyond: str


@dataclass(frozen=True, slots=True)
class _Found:
    index: int
    start: int
    end: int
    is_text: bool
    is_bracketed: bool


def mentions_in(text: str, texts: tuple[str, ...]) -> tuple[str, list[Mention]]:
    """`text` with placeholders for option texts, and what it mentions of the options, in order."""
    whole, by_text = with_placeholders(text, texts)
    lists = list(_split(whole, _lists(whole, list(_found(whole, by_text, texts)), texts)))
    bounds = _Bounds(whole)
    mentions = []
    for place, found in enumerate(lists):
        before_next = lists[place + 1][0].start if place + 1 < len(lists) else len(whole)
        mention = _mention(whole, found, bounds, before_next, texts)
        if mention.is_text or _is_marked(mention):
            mentions.append(mention)
    return whole, mentions


def _found(whole: str, by_text: Sequence[int], texts: tuple[str, ...]) -> Iterator[_Found]:
    """Every option's text, and every letter that could be an option's."""
    replaced = iter(by_text)
    for match in _CANDIDATE.finditer(whole):
        if match.group() == PLACEHOLDER:
            named = next(replaced)
            if not (texts[named].isdigit() and _is_calculated(whole, match)):
                yield _Found(named, match.start(), match.end(), is_text=True, is_bracketed=False)
            continue
        index = letter_index(match[1] or match[2])
        if index is None or _is_glued(whole, match, len(texts)):
            continue
        is_article = match[2] == "a" and re.match(rf"\s+{PLACEHOLDER}", whole[match.end() : match.end() + 3])
        if index < len(texts) and not is_article:
            yield _Found(index, match.start(), match.end(), is_text=False, is_bracketed=match[1] is not None)


def _is_calculated(whole: str, match: re.Match[str]) -> bool:
    head, tail = whole[max(0, match.start() - 20) : match.start()], whole[match.end() : match.end() + 2]
    return bool(re.match(r"\s?[+*^×]", tail) or re.search(r"(?:[+*^×]\s?|(?:\\[a-z]+|\))\()\Z", head))


def _is_glued(whole: str, match: re.Match[str], count: int) -> bool:
    """Whether the letter is a part of "N/A", "b/w" or of a formula: a sign joins it to what is no option's letter."""
    tail = re.match(rf"\s?[/&+|=*^]\s?([a-z0-9{PLACEHOLDER}]+)", whole[match.end() : match.end() + LONGEST_LEAD])
    head = re.search(r"([a-z0-9]+)\s?[/&+|=*^]\s?\Z", whole[max(0, match.start() - LONGEST_LEAD) : match.start()])
    for other in (tail, head):
        if other:
            index = letter_index(other[1])
            is_name = len(other[1]) > 1 and other is head  # "answer = b"
            if not is_name and (index is None or index >= count):
                return True
    return False


def _lists(whole: str, found: list[_Found], texts: tuple[str, ...]) -> Iterator[list[_Found]]:
    """Neighbours that are joined: "A or B", "A, B and C", "(B) red"."""
    current: list[_Found] = []
    for one in found:
        is_its_text = bool(current) and (one.is_text or current[-1].is_text)  # "A and B, B is better": two
        is_new = all(one.index != known.index for known in (current[:-1] if is_its_text else current))
        if current and not (is_new and _are_joined(whole, current[-1], one, texts)):
            yield current
            current = []
        current.append(one)
    if current:
        yield current


def _split(whole: str, lists: Iterator[list[_Found]]) -> Iterator[list[_Found]]:
    """The lists, without the answer that stands before a list of others: "The answer is B, C and D are wrong"."""
    for found in lists:
        lead = whole[max(0, found[0].start - LONGEST_LEAD) : found[0].start]
        is_cut = len(found) > 1 and re.search("[,;]", whole[found[0].end : found[1].start]) and not found[1].is_text
        tail = whole[found[-1].end : found[-1].end + LONGEST_LEAD]
        if is_cut and _ANNOUNCED_AT_ONCE.search(lead) and _SAID.match(tail):
            yield found[:1]
            yield found[1:]
        else:
            yield found


def _are_joined(whole: str, first: _Found, second: _Found, texts: tuple[str, ...]) -> bool:
    if second.start - first.end > LONGEST_LEAD:
        return False
    between = whole[first.end : second.start]
    is_its_text = second.is_text and not first.is_text and texts[first.index] == texts[second.index]
    return bool(_JOINED.fullmatch(between) or (is_its_text and _JOINED_TO_ITS_TEXT.fullmatch(between)))


class _Bounds:
    """Where clauses and sentences of a text end."""

    def __init__(self, whole: str) -> None:
        clauses = list(_BOUNDARY.finditer(whole))
        self.ends = sorted([*(match.start() for match in clauses), *(m.start() for m in re.finditer(":", whole))])
        self.starts = sorted({match.end() for match in clauses} | {m.end() for m in _AFTER_NOT_BUT.finditer(whole)})
        self.sentence_ends = [match.start() for match in _SENTENCE_END.finditer(whole)]

    def clause_start(self, place: int) -> int:
        at = bisect_right(self.starts, place)
        return self.starts[at - 1] if at else 0

    def clause_end(self, place: int, length: int) -> int:
        at = bisect_left(self.ends, place)
        return self.ends[at] if at < len(self.ends) else length

    def sentence_start(self, place: int) -> int:
        at = bisect_left(self.sentence_ends, place)
        return self.sentence_ends[at - 1] + 1 if at else 0

    def sentence_end(self, place: int, length: int) -> int:
        at = bisect_left(self.sentence_ends, place)
        return self.sentence_ends[at] if at < len(self.sentence_ends) else length


def _mention(whole: str, found: Sequence[_Found], bounds: _Bounds, before_next: int, texts: tuple[str, ...]) -> Mention:
    start, end = found[0].start, found[-1].end
    left = max(bounds.clause_start(start), start - LONGEST_LEAD)
    before = whole[left:start]
    if match := _AND.search(before):
        before = before[match.end() :]
    after_end = min(bounds.clause_end(_behind_brackets(whole, end), len(whole)), end + LONGEST_LEAD)
    after = whole[end:after_end]
    if before_next < after_end:
        between = whole[end:before_next]
        cut = _DENIAL_AT_ONCE.search(between) or _AND.search(between) or _AFTER_NOT_BUT.search(between)
        after = between[: _cut(cut)] + ("" if cut else whole[before_next:after_end])
    stop = bounds.sentence_end(end, len(whole))
    is_asked = whole[stop : stop + 1] == "?" or whole[max(end, stop - 1) : stop] in ("吗", "か", "呢")
    return Mention(
        indices=frozenset(texts.index(texts[one.index]) for one in found),
        start=start,
        end=end,
        is_text=any(one.is_text for one in found),
        has_letter=any(not one.is_text for one in found),
        is_bracketed=any(one.is_bracketed for one in found),
        is_asked=is_asked,
        lead=whole[max(bounds.sentence_start(start), start - 2 * LONGEST_LEAD) : start],
        before=_behind_colon(before),
        after=_OPTION_AFTER.sub("", after.lstrip(") \"'")),
        beyond=whole[end : end + LONGEST_LEAD],
    )


def _cut(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    return match.end() if match.re is _AFTER_NOT_BUT else match.start()


def _behind_brackets(whole: str, place: int) -> int:
    while place < len(whole) and whole[place] in ') "':
        place += 1
    return place


def _behind_colon(before: str) -> str:
    """The words behind the last colon, unless the colon introduces the option itself."""
    head, _, tail = before.rpartition(":")
    if not head or (_ONLY_FILLERS.match(tail) and not _ANNOUNCED.search(tail)):
        return before
    return tail


def _is_marked(mention: Mention) -> bool:
    """Whether a list of letters stands for options."""
    before, after = mention.before, mention.after
    if _CORRECT_LETTER.search(before) or (before.strip() == "letter" and not after.strip()):
        return True
    if _LETTERED_BEFORE.search(before):
        return False
    if mention.is_bracketed:
        return True
    if _LETTERED_AFTER.match(after):
        return False
    is_alone = _ONLY_FILLERS.match(before) is not None
    if is_alone and not after.strip(" ✓✔✅☑"):
        return True
    judges = _SAID.match(after) or "dass" in before or VERB_FIRST.search(before)
    is_verdict = bool(judges and (_RIGHT.match(after) or _DENIED_AFTER.search(after)))
    if is_verdict and (
        is_alone or VERB_FIRST.search(before) or _MARKED_BEFORE.search(before) or _UNSPACED_AFTER.match(after)
    ):
        return True
    if ONLY_BEFORE.search(before) and _SAID.match(after):
        return True
    if _POLITE_AFTER.match(after):
        return not _LETTERED_SUBJECT.search(before) and not _LETTERED_CHINESE.search(before)
    if not (_FOLLOWED.match(mention.beyond) or (_OPTION_BEFORE.search(before) and _VERB_AFTER.match(after))):
        return False
    if _OPTION_BEFORE.search(before) or _ANNOUNCED.search(before):
        return _MARKED_BEFORE.search(before) is not None
    if _REPORT.search(before) or _LETTERED_SUBJECT.search(before) or _LETTERED_CHINESE.search(before):
        return False
    return _MARKED_BEFORE.search(before) is not None
