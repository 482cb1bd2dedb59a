"""Questions, options and answers of a row, whatever its publisher calls the columns.

Depends on rows and on markup within texts; independent of files and images. What looks like options and cannot be read
raises TaskError: a question that is asked without its options would be graded as another one.
"""

import json
import re
import string
from collections.abc import Mapping, Sequence

from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.errors import TaskError
from pixel_env.grading.choices import option_meant
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.row import Row, check_writable, is_finite, shortened
from pixel_env.tasks.formats.options import listed, reference_answers

QUESTION_COLUMNS = ("question", "problem", "query", "text", "prompt", "instruction")
"""Columns that hold the question, the first that is given."""

OPTION_COLUMNS = ("options", "choices", "candidates", "multi-choice options", "multi_choice_options", "answer_options")
"""Columns that hold all options of a question, the first that is given."""

ANSWER_COLUMNS = (
    *("answer", "answers", "gt_answer", "label", "solution", "ground_truth", "correct_answer", "response", "target"),
)
"""Columns that hold the reference answers, the first that is given."""

CATEGORY_COLUMNS = ("category", "l2-category", "type", "task_type", "question_type", "task", "subset", "topic")
ID_COLUMNS = ("id", "question_id", "questionId", "qid", "index", "uid", "key", "__key__")

OPTION_CELLS = frozenset(
    f"{word}{sign}{label}"
    for word in ("", "option", "choice", "Option", "Choice")
    for sign in (("", "_", "-", " ") if word else ("",))
    for label in (*string.ascii_letters, *(map(str, range(26)) if word else ()))
)
"""Columns that hold one option each: "A", "option_a", "Choice 1"."""

_LETTER = re.compile(r"(?:(?:option|choice)[ _-]?)?([A-Z])", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:option|choice)[ _-]?(\d{1,2})", re.IGNORECASE)
_LIKE_OPTIONS = re.compile(r"option|choice|candidate|distractor|wrong_?answer|incorrect_?answer", re.IGNORECASE)
_ABOUT_OPTIONS = re.compile(r"(?:num|number|count|n|has|is|use|shuffle|type|seed)_|_(?:num|count|type|seed|id)s?\Z")
_LABEL = re.compile(r"\s*[(\[]?([A-Z])(?:[)\].:]|\s-)\s*(?=\S)")
_LABEL_IN_TEXT = re.compile(r"(?:\A|\s)(?:\(([A-Z])\)|\[([A-Z])\]|([A-Z])[.:)])\s+")
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_TEXT_KEYS = ("text", "choice", "option", "content", "value")


def looks_like_options(column: str) -> bool:
    """Whether the column's name says that it holds options: one that no reader reads must not be dropped."""
    is_one = column not in OPTION_COLUMNS and _LIKE_OPTIONS.search(column) and not _ABOUT_OPTIONS.search(column)
    return bool(is_one) or (len(column) == 1 and column in string.ascii_uppercase)


def is_option_column(column: str) -> bool:
    """Whether `options_of` reads the column."""
    return column in OPTION_COLUMNS or column in OPTION_CELLS


def options_of(row: Row) -> tuple[str, ...]:
    """The options, without their letters; () if the row has none.

    One column holds all of them (a list, the text of a list, lettered text, an object by letter), or each has a column
    of its own: A, B, ..., option_a, ..., option_1, .... Raises TaskError for options that cannot be read.
    """
    given = [name for name in OPTION_COLUMNS if row.optional(name) is not None]
    options = _parsed(row.optional(given[0]), given[0]) if given else _of_own_columns(row)
    unread = [name for name in row.values if looks_like_options(name)]
    if not options and (name := next((name for name in unread if row.optional(name) is not None), None)):
        raise TaskError(
            f"the column {name!r} looks like options and is not read, got {shortened(row.optional(name))}; rename it "
            "to 'options' and make it a list of texts, or read the file by a format of your own (module:FORMAT:PATH)"
        )
    for option in options:
        check_writable("options", option)
    return options


def answer_of(row: Row, options: Sequence[str]) -> tuple[str, ...]:
    r"""The reference answers; with options one letter or an option's text, that is checked to be one of them.

    A whole number is an index into the options, counted from 0. The content of `\boxed{}` or `<answer></answer>` is
    taken. Raises TaskError.
    """
    value = row.value(*ANSWER_COLUMNS)
    if options:
        return (_chosen(value, options),)
    if isinstance(value, bool) or not _is_text_or_number(value):
        texts = row.texts(*ANSWER_COLUMNS)
    else:
        texts = (_plain(value),)
    for text in texts:
        check_writable("answer", text)
    answers = reference_answers([_untagged(text) for text in texts])
    if not answers:
        raise TaskError("its answer is empty")
    return answers


def index_of_answer(row: Row, options: Sequence[str]) -> int | None:
    """The answer as a whole number that cannot be an option's text, None if it is anything else."""
    value = row.optional(*ANSWER_COLUMNS)
    index = _whole_number(value)
    return None if index is None or not options or str(index) in options else index


# -------------------------------------------------------------------------------------------------------- options


def _of_own_columns(row: Row) -> tuple[str, ...]:
    """Options in columns of their own; a set pads the rest of a row with null or empty cells."""
    lettered: dict[str, str] = {}
    numbered: dict[int, str] = {}
    for name in row.values:
        if letter := _LETTER.fullmatch(name):
            lettered.setdefault(letter[1].upper(), name)
        elif number := _NUMBERED.fullmatch(name):
            numbered.setdefault(int(number[1]), name)
    if "A" in lettered and "B" in lettered:
        return _filled(row, [lettered[letter] for letter in string.ascii_uppercase if letter in lettered])
    if len(numbered) > 1:
        return _filled(row, [numbered[number] for number in sorted(numbered)])
    return ()


def _filled(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    values = [row.optional(name) for name in names]
    last = max((number for number, value in enumerate(values) if _has_text(value)), default=-1)
    options = []
    for name, value in zip(names[: last + 1], values, strict=False):
        if not _has_text(value):
            raise TaskError(f"its option {name!r} is empty, but a later one is not; fill it, or close the gap")
        options.append(_option(value, name))
    if len(options) == 1:
        raise TaskError(f"it has the single option {names[0]!r}; give at least two, or leave it empty")
    return tuple(options)


def _has_text(value: object) -> bool:
    return value is not None and str(value).strip() != ""


def _parsed(value: object, column: str) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        options = _by_letter(value, column)
    elif isinstance(value, list | tuple):
        options = [_option(item, column) for item in value]
    elif isinstance(value, str):
        options = _in_text(value, column)
    else:
        raise TaskError(f"{column!r} must hold a list of options, got {shortened(value)}")
    if not options:  # a set with questions of two kinds leaves it empty
        return ()
    if len(options) < 2:
        raise TaskError(f"{column!r} must hold at least two options, got {shortened(value)}")
    return tuple(_unlabelled(options))


def _by_letter(value: Mapping[object, object], column: str) -> list[str]:
    """Of {"A": ..., "B": ...}, or of {"label": [...], "text": [...]}."""
    texts = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), list)), None)
    if isinstance(texts, list):
        return [_option(text, column) for text in texts]
    given = {str(key).strip().strip("().").upper(): text for key, text in value.items() if _has_text(text)}
    letters = string.ascii_uppercase[: len(given)]
    if set(given) != set(letters):
        raise TaskError(f"{column!r} must hold options by letter, A, B, ..., got {shortened(dict(value))}")
    return [_option(given[letter], column) for letter in letters]


def _in_text(value: str, column: str) -> list[str]:
    """Of the text of a list, JSON's or Python's, of lettered text, or of lines."""
    text = value.strip()
    if not text:
        return []
    if text[0] in "[{":
        parsed = _literal(text)
        if isinstance(parsed, Mapping):
            return _by_letter(parsed, column)
        if isinstance(parsed, list):
            return [_option(item, column) for item in parsed]
    labels = list(_LABEL_IN_TEXT.finditer(text))
    found = [next(filter(None, label.groups())) for label in labels]
    if (
        len(labels) > 1
        and not text[: labels[0].start()].strip()
        and found == list(string.ascii_uppercase[: len(found)])
    ):
        ends = [label.start() for label in labels[1:]] + [len(text)]
        return [text[label.end() : end].strip().rstrip(",;") for label, end in zip(labels, ends, strict=True)]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and not labels:
        return lines
    raise TaskError(
        f"the options in {column!r} cannot be read, got {shortened(value)}; give a list of texts, or '(A) one (B) two'"
    )


def _literal(text: str) -> object:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        entries = listed(text)
        return entries if entries != [text] else None
    return content


def _option(item: object, column: str) -> str:
    if isinstance(item, Mapping):
        texts = [item[key] for key in _TEXT_KEYS if isinstance(item.get(key), str)]
        item = texts[0] if texts else item
    if isinstance(item, EmbeddedImage):
        raise TaskError(f"{column!r} holds images: only options that are texts are read")
    if not _is_text_or_number(item) or not str(item).strip():
        raise TaskError(f"each option in {column!r} must be a text that is not empty, got {shortened(item)}")
    return _plain(item)


def _unlabelled(options: Sequence[str]) -> list[str]:
    """The options without "A. ", "(B) " where every option has its own letter."""
    labels = [_LABEL.match(option) for option in options]
    letters = [label[1] if label else "" for label in labels]
    if letters != list(string.ascii_uppercase[: len(options)]):
        return list(options)
    return [option[label.end() :].strip() if label else option for option, label in zip(options, labels, strict=True)]


# -------------------------------------------------------------------------------------------------------- answers


def _chosen(value: object, options: Sequence[str]) -> str:
    """The letter or text of the one right option. Raises TaskError for none, or for several."""
    index = _whole_number(value)
    if index is not None:
        return _at_index(index, options)
    texts = [_plain(item) for item in (value if isinstance(value, list | tuple) else [value]) if _has_text(item)]
    answers = reference_answers([_untagged(text) for text in texts])
    meant = {option_meant(answer, options) for answer in answers}
    if not answers or frozenset() in meant:
        raise TaskError(f"its answer {shortened(value)} is not one of its {len(options)} options")
    if len(meant) > 1:
        raise TaskError(f"its answer {shortened(value)} names several options; only questions with one are read")
    _refuse_two_meanings(answers[0], options)
    return answers[0]


def _refuse_two_meanings(answer: str, options: Sequence[str]) -> None:
    """Raises TaskError for a letter that is the text of another option than the one it labels."""
    if answer in options and answer in OPTION_LETTERS[: len(options)]:
        labelled = options[OPTION_LETTERS.index(answer)]
        if labelled != answer:
            raise TaskError(
                f"its answer {answer!r} is the text of one option and the letter of another, {shortened(labelled)}; "
                "write the whole text of an option that is no single letter"
            )


def _at_index(index: int, options: Sequence[str]) -> str:
    """The text of the option. A number may be its index or, where options are numbers, its text; never a guess."""
    is_index = 0 <= index < len(options)
    if str(index) in options:
        if is_index and options[index] != str(index):
            raise TaskError(
                f"its answer {index} is the text of one option and the index of another; write the option's letter"
            )
        return str(index)
    if not is_index:
        raise TaskError(
            f"its answer {index} is no index of its {len(options)} options, counted from 0; write the option's letter"
        )
    return options[index]


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite(value):
        return None
    return int(value) if value == int(value) else None


def _is_text_or_number(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _plain(value: object) -> str:
    number = _whole_number(value)
    return str(number) if number is not None else str(value).strip()


def _untagged(text: str) -> str:
    tagged = _TAGGED.findall(text)
    return tagged[-1].strip() if tagged else text
