r"""Statements of a last text that the task proves false: about the answer, about an option, about what was read.

Pure functions of a text and its task; the trace's answer is known to be right. The rules, beside `conclusions.py`:

* an earlier `\boxed{}` holds another answer;
* a wrong option is called right or is chosen, or a letter stands beside the text of another option;
* what is read or counted is another number, option or quotation, and the answer is not read as well;
* the answer is guessed, or its detail is said to be illegible (`guesses.py`);
* the answer is denied and not named again;
* a sum in digits or words is wrong (`sums.py`).

Depends on how graders read answers; independent of teachers and of what is shown.
"""

import itertools
import math
import re
from collections.abc import Callable

from pixel_env.grading import grade, stance_words
from pixel_env.grading.answers import folded, says_something, unwrapped, without_markup
from pixel_env.grading.choices import option_meant
from pixel_env.grading.count_stances import Reading, reading
from pixel_env.grading.count_stances import Stance as NumberStance
from pixel_env.grading.first_looks import FIRST_LOOKS, SEEMS
from pixel_env.grading.mentions import mentions_in
from pixel_env.grading.numerals import Mention
from pixel_env.grading.numerals import mentions_in as numbers_in
from pixel_env.grading.option_texts import comparable, texts_of
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import REPORTS, one_of
from pixel_env.grading.question_words import asked_about, is_asked
from pixel_env.grading.stances import Stance, stance_of
from pixel_env.task import Task
from synth.verification.conclusions import contradiction_in, holds, is_announcement, sentences_of, wanted_numbers
from synth.verification.guesses import guess_in
from synth.verification.leaks import HOW_MANY
from synth.verification.sums import false_sum_in


def false_statement_in(text: str, task: Task) -> str:
    """The first words of a last text that the task proves false; "" if there are none."""
    return next((words for rule in _RULES if (words := rule(text, task))), "")


# ------------------------------------------------------------------------------------------------- boxes and options

_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}|<answer>(.*?)</answer>", re.DOTALL)


def _earlier_box(text: str, task: Task) -> str:
    for match in _BOXED.finditer(text):
        content = match[1] if match[1] is not None else match[2]
        if says_something(content) and grade(task, content) < 1.0:
            return match.group()
    return ""


def _wrong_option(text: str, task: Task) -> str:
    if not task.options:
        return ""
    right = _right_options(task)
    whole, mentions = mentions_in(comparable(without_markup(_BOXED.sub(" ", text))), texts_of(tuple(task.options)))
    said = [(mention, stance_of(mention)) for mention in mentions]
    chosen = [mention for mention, stance in said if stance is Stance.CONCLUDED and mention.has_letter][-1:]
    for mention in [*(mention for mention, stance in said if stance >= Stance.ANSWERED), *chosen]:
        if len(mention.indices) == 1 and not mention.indices & right:
            letter = chr(ord("A") + next(iter(mention.indices)))
            return f"option {letter} is right: {whole[max(0, mention.start - 20) : mention.end + 20].strip()}"
    if any(stance is Stance.DENIED and mention.indices == right for mention, stance in said) and not any(
        stance >= Stance.NAMED and mention.indices & right for mention, stance in said
    ):
        return "the right option is denied"
    return ""


def _wrong_letter(text: str, task: Task) -> str:
    text, texts = folded(text), [folded(option).rstrip(". ") for option in task.options]
    for option in dict.fromkeys(texts):
        letters = {chr(ord("a") + place) for place, other in enumerate(texts) if other == option}
        for match in re.finditer(rf"\(([a-z])\)[:.]?\s*{re.escape(option)}(?![\w.,]*\w)", text):
            if match[1] not in letters:
                return match.group()
    return ""


def _right_options(task: Task) -> frozenset[int]:
    return frozenset().union(*(option_meant(answer, task.options) for answer in task.answers))


# --------------------------------------------------------------------------------------------- what is read, counted

_ARTICLES = r"(?:(?:an?|the|only|exactly|clearly|just|now|digit|number|of|that|it is|in total|there)\s+|[:\"'“(]\s*)*"
_READ = (
    rf"(?:{one_of({'en': REPORTS['en']})}|\b(?:there (?:is|are|seems? to be)|it is|it's|this is|count|find|found|get|"
)
_READ += rf"makes?|made of|digit (?:\w+ ){{0,4}}is|number (?:\w+ ){{0,4}}is))\s+{_ARTICLES}"
_READ_BEFORE = Pattern(rf"{_READ}\Z")
_QUOTED_BEHIND = Pattern(
    rf"{one_of({'en': REPORTS['en']})}\s+(?:the (?:words?|text|name)\s+)?[\"“'‘]([^\"”’]{{2,60}}?)[\"”'’]"
)
_QUOTED = Pattern(r"[\"“]([^\"”]{2,60}?)[\"”]")
_IN_CAPITALS = Pattern(r"\b(?:spells?|reads?|says|shows?|is) ([A-Z]{3,}(?: [A-Z]{2,})*)\b")
_NOUN_BEHIND = Pattern(
    r"\s+(?:(?!(?:and|or|of|is|are|in|on|at|the|that|which|here|there|now)\b)[a-z-]+\s+){0,2}?([a-z]+s|people)\b"
)
_UNIT_BEHIND = Pattern(r"\s?(?:%|percent|per cent|times|seconds?|minutes?)")
_BARE = Pattern(r"\b(?:in front|behind|at the|on the)\b")
_EARLIER = Pattern(r"\b(?:more|so far|earlier|before|previous(?:ly)?|already|add(?:ing|ed)?|together)\b")
_PART = Pattern(
    r"\b(?:more|here|so far|other|first|second|earlier|before|previous(?:ly)?|already|add(?:ing|ed)?|together|"
    r"left|right|"
    r"group|crop|region|part|side|row|column|each)\b"
)
_WHOLE_COUNT = Pattern(r"\b(?:in (?:all|total)|altogether|of them|that fit|count|find|found)\b")
_ONE_OF_THEM = Pattern(r"\b(?:an?|the|digit|number)\s+\Z")
_OPEN = Pattern(rf"\?|{one_of(FIRST_LOOKS, SEEMS)}|\b(?:if|whether|would|might|may|could|or)\b|n't\b|\bnot\b")
_OPTION_BEFORE = Pattern(rf"(?:{_READ}|\A(?:\w+ly,? )?|\b(?:is|looks?|like|be)\s+)\Z")
_CLAUSE_END = Pattern(r"\s*(?:[.,;:!]|\Z|\s(?:here|there|now|in|on)\b)")
_MOST_PARTS = 6


def _another_reading(text: str, task: Task) -> str:
    observed = [sentence for sentence in sentences_of(_BOXED.sub(" ", text)) if not is_announcement(sentence)]
    if task.options:
        return _another_option_read(observed, _BOXED.sub(" ", text), task)
    if wanted := wanted_numbers(task):
        return _another_number_read(observed, wanted, folded(_BOXED.sub(" ", text)), task)
    return _another_text_read(observed, text, task)


def _another_text_read(observed: list[str], text: str, task: Task) -> str:
    """What is quoted or stands in capitals, where the answer is not read."""
    answers, question = [folded(unwrapped(answer)) for answer in task.answers], folded(task.question)
    if any(holds(sentence, answer) for sentence in observed for answer in answers):
        return ""
    reports = [match for sentence in observed for match in _QUOTED_BEHIND.finditer(sentence)]
    if not any(holds(folded(text), answer) for answer in answers):
        reports += [*_QUOTED.finditer(folded(text)), *_IN_CAPITALS.finditer(text)]
    for match in reports:
        read = folded(match[1])
        is_near = any(read in answer or answer in read for answer in answers) or grade(task, read) > 0.0
        if not is_near and read not in question:
            return match.group()
    return ""


def _another_option_read(observed: list[str], text: str, task: Task) -> str:
    texts, right = [folded(option).rstrip(". ") for option in task.options], _right_options(task)
    if any(holds(sentence, texts[place]) for sentence in observed for place in right):
        return ""
    wrong = [text for place, text in enumerate(texts) if place not in right and text not in {texts[i] for i in right}]
    for sentence in observed:
        if not _OPEN.search(sentence):
            for option in wrong:
                if words := _option_read(sentence, option):
                    return words
    _, mentions = mentions_in(comparable(without_markup(text)), texts_of(tuple(task.options)))
    if any(mention.indices & right for mention in mentions):
        return ""
    lettered = [mention for mention in mentions if mention.has_letter and stance_of(mention) >= Stance.NAMED]
    return f"option {chr(ord('A') + min(lettered[0].indices))}" if lettered else ""


def _option_read(sentence: str, option: str) -> str:
    """What reads the option in the sentence, "it is red"; "" if nothing does."""
    start = sentence.find(option)
    while start >= 0:
        end = start + len(option)
        before = _OPTION_BEFORE.search(sentence, 0, start)
        if before and _CLAUSE_END.match(sentence, end):
            return sentence[before.start() : end]
        start = sentence.find(option, end)
    return ""


def _another_number_read(observed: list[str], wanted: list[float], text: str, task: Task) -> str:
    """What is said to be read or counted, where the answer is not; or any other number, where the answer is nowhere."""
    question, asked = folded(task.question), asked_about(task.question)
    is_count = HOW_MANY.search(question) is not None
    in_question = {number.value for number in numbers_in(question, question, asked)}
    part = _PART if len(task.evidence) > 1 else _EARLIER
    named: list[float] = []
    reports: list[str] = []
    others: list[str] = []
    for sentence in observed:
        read = reading(sentence, question)
        for number in numbers_in(read.text, question, asked):
            if read.stance(number.start, number.end) is not NumberStance.NAMED:
                continue
            named.append(number.value)
            is_asked_for = number.value in in_question and not (is_count and _WHOLE_COUNT.search(sentence))
            is_open = _OPEN.search(sentence) or (is_count and part.search(sentence))
            if not is_asked_for and not is_open and _may_be_the_answer(read, number, asked, is_count=is_count):
                words = read.text[max(0, number.start - 20) : number.end]
                is_reported = _READ_BEFORE.search(read.text, max(0, number.start - 60), number.start)
                if read.text[number.start : number.end] == "one" and not is_reported:
                    continue  # "one of them", "the red one"
                (reports if is_reported else others).append(words)
    if set(named) & set(wanted) or (is_count and _adds_up(named, wanted)):
        return ""
    everywhere = {number.value for number in numbers_in(text, question, asked)}
    return next(iter(reports if everywhere & set(wanted) else [*reports, *others]), "")


def _may_be_the_answer(read: Reading, number: Mention, asked: frozenset[str], *, is_count: bool) -> bool:
    """Whether the number may be the digit that is read, or the count that is asked for, from the words around it."""
    if _UNIT_BEHIND.match(read.text, number.end):
        return False
    if is_count and _ONE_OF_THEM.search(read.text, max(0, number.start - 20), number.start):
        return False  # "I find a 5" is no count
    noun = _NOUN_BEHIND.match(read.text, number.end)
    if noun is not None:
        return is_count and is_asked(noun[1], asked)
    return not is_count or _WHOLE_COUNT.search(read.text) is not None or _BARE.search(read.text) is None


def _adds_up(named: list[float], wanted: list[float]) -> bool:
    parts = named[:_MOST_PARTS]
    sums = (sum(some) for size in range(2, len(parts) + 1) for some in itertools.combinations(parts, size))
    return any(math.isclose(total, number) for total in sums for number in wanted)


# ----------------------------------------------------------------------------------------------------------- denials

_ADVERBS = Pattern(r"\b(?:definitely|certainly|clearly|surely|really|actually|probably|absolutely) ")


def _denial(text: str, task: Task) -> str:
    if task.options:
        return ""
    read = reading(_ADVERBS.sub("", folded(text)), folded(task.question))
    if wanted := wanted_numbers(task):
        numbers = numbers_in(read.text, read.question, asked_about(task.question))
        places = [(one.start, one.end) for one in numbers if any(math.isclose(one.value, value) for value in wanted)]
    else:
        answers = {folded(unwrapped(answer)) for answer in task.answers}
        places = [match.span() for answer in answers for match in re.finditer(_whole(answer), read.text) if answer]
    denied = [place for place in places if _is_denied(read, *place)]
    return read.text[max(0, denied[0][0] - 20) : denied[0][1] + 20] if denied and len(denied) == len(places) else ""


def _is_denied(read: Reading, start: int, end: int) -> bool:
    if read.stance(start, end) is NumberStance.DENIED:
        return True
    return stance_words.DENIED_BEFORE.search(re.sub(r"[\"'“‘]\Z", "", read.text[:start])) is not None


def _whole(phrase: str) -> str:
    return rf"(?<![\w-]){re.escape(phrase)}(?![\w-])"


_RULES: tuple[Callable[[str, Task], str], ...] = (
    contradiction_in,
    _earlier_box,
    _wrong_option,
    _wrong_letter,
    _another_reading,
    guess_in,
    _denial,
    false_sum_in,
)
