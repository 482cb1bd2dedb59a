r"""Throws random texts at every parser: what reads a model's words, and what reads data sets.

    python examples/fuzz_parsers.py                      # a million cases
    python examples/fuzz_parsers.py --cases 20000 --seed 1
    python examples/fuzz_parsers.py --only turn          # turns, each read by every row of the dialects

A case is one text for one reader, in turn. Texts are glued from the pieces that readers look for (openings of calls,
braces, boxes, numbers, letters of options, paths), broken in random places, and from random characters. A grammar must
return an action, a grader a number from 0 to 1, and a reader of data sets, for which the text says what is broken
(`fuzzed_tasks.py`), tasks that show nothing outside of their folder, or one of the package's own errors. The reader
`turn` gets turns that follow the rows' grammars (`fuzzed_turns.py`); no row may take for plain text what another row
with the same opening mark executes. What raises or
returns something else is printed with its text, so that it can become a test; the exit code is 1 then.
"""

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from fuzzed_tasks import PIECES as TASK_PIECES
from fuzzed_tasks import task_readers
from fuzzed_turns import RandomTurns, read_by_all

from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.grading import GRADERS
from pixel_env.task import Task
from pixel_env.types import Action, Unfinished

CASES = 1_000_000
TURN = "turn"
"""The reader that gets turns instead of any texts."""
BATCH = 10_000
LONGEST = 16  # pieces of one text
SHOWN_SIZES = [(640, 480), (28, 28)]
OPTION_SETS = (
    ("red", "dark red", "(C) a dog", "12", "not moving", "E", "", "both A and B"),
    ("(A) cat", "(B) dog", "(C) cat"),
    ("left", "right", "correct", "best choice", "the answer is"),
    ("$1,000", "2 m", "50%", "four", "(", "[a-z]+", "\\", "a\nb"),
    ("红色", "蓝色", "左边", "不"),
    ("yes", "no", "1", "2"),
    (),
)
REFERENCES = ("red", "12", "B", "", "1,250", r"\boxed{7}", "hello world")

CROP = (
    '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0.1, 0.1, 0.5, 0.5], "target_image": 1}}</tool_call>'
)
PIECES = [
    *("<tool_call>", "</tool_call>", "<crop>", "<answer>", "</answer>", r"\boxed{", r"\boxed {", "{", "}", "[", "]"),
    *('{"name": "crop_image", "arguments": {"bbox_2d": [', '], "target_image": 1}}', '{"name": "select_frames", '),
    *('"arguments": {"target_frames": [', "]}}", '"crop_image_normalized"', '"', ",", ":", " ", "\n", "null", "true"),
    *("0", "1", "0.5", "-1", "1e400", "-0.0", "NaN", "Infinity", "9" * 400, "1.", ".5", "1,250", "1/2", "½", "3²", "٣"),
    *("A", "b", "(C)", "D.", "E", "I", "red", "dark red", "a dog", "option", "the answer is", "not ", "or", "and", "-"),
    *("is wrong", "is correct", "isn't", "if it were ", "rule out ", "so ", "Final answer: ", "答案是", "不是"),
    *("排除", "です", "nicht ", "pas ", "no es ", "?", "!", "best choice", "left", "$1,000", "2 m", "红色", "(A) cat"),
    *("->", "✓", "\n- "),
    *("one", "twenty", "hundred", "dozen", "no", "none", "people", "at least", "+", "**", "$", "'", r"\text{"),
    *("\x00", "\ue000", "\ud800", "\u202e", "İ", "ß", "ﬁ", "Ⓑ", "【", "\u00a0", "e\u0301", "😀", "\\", "５"),
    *(CROP, CROP.replace("0.1, 0.1, 0.5, 0.5", "9, 9, 500, 400"), CROP.replace("crop_image", "crop_image_normalized")),
    *('<tool_call>{"name": "select_frames", "arguments": {"target_frames": [1, 2]}}</tool_call>', "<crop> 1 2 8 9"),
    *TASK_PIECES,
]  # fmt: skip


def main() -> int:
    """Runs the cases. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES, help="how many texts are read")
    parser.add_argument("--seed", type=int, default=0, help="of the texts")
    parser.add_argument("--only", default="", help="beginning of the names of the readers that read (default: all)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of broken pictures
        known = all_readers(Path(folder))
        readers = {name: read for name, read in known.items() if name.startswith(arguments.only)}
        if not readers:
            parser.error(f"no reader begins with {arguments.only!r}; there are {', '.join(known)}")
        return _run(readers, arguments.cases, arguments.seed)


def _run(readers: Mapping[str, Callable[[str], str]], cases: int, seed: int) -> int:
    names = list(readers)
    start = time.perf_counter()
    failures: Counter[str] = Counter()
    results: dict[str, Counter[str]] = {name: Counter() for name in names}
    turns = iter(RandomTurns(DIALECTS, seed))
    for number, text in enumerate(random_texts(cases, np.random.default_rng(seed))):
        name = names[number % len(names)]
        text = next(turns) if name == TURN else text
        try:
            results[name][readers[name](text)] += 1
        except Exception as error:
            failures[name] += 1
            print(f"{name}, case {number}: {type(error).__name__}: {error}\n  text: {text!r}")
    seconds = time.perf_counter() - start
    for name, counts in results.items():
        print(f"{name:22}", ", ".join(f"{result} {count}" for result, count in sorted(counts.items())))
    print(f"{cases} cases, seed {seed}, {cases / seconds:.0f} cases a second")
    print(f"{failures.total()} failures")
    return 1 if failures else 0


def all_readers(folder: Path) -> dict[str, Callable[[str], str]]:
    """By name: functions that read a text and say what they read; they raise if that is no result.

    Those of data sets write into `folder`.
    """
    grammars = {f"parse:{name}": partial(read_turn, dialect=dialect_named(name)) for name in DIALECTS}
    tasks = [
        Task("fuzz", "How many people are there?", (*REFERENCES, *options), options=options) for options in OPTION_SETS
    ]
    graders = {f"grade:{name}": partial(read_answer, grader=grader, tasks=tasks) for name, grader in GRADERS.items()}
    return grammars | {TURN: partial(read_by_all, dialects=DIALECTS)} | graders | task_readers(folder)


def read_turn(text: str, dialect: Dialect) -> str:
    """The kind of action that `text` is; it is read as a turn that its token limit cut, too."""
    for turn in (Unfinished(text), text):
        action = parse(turn, dialect, SHOWN_SIZES, SHOWN_SIZES)
        if not isinstance(action, Action):
            raise AssertionError(f"read as {action!r}, wanted an action")
    return type(action).__name__


def read_answer(text: str, grader: Callable[[str, Task], float], tasks: Sequence[Task]) -> str:
    """Whether `text` is graded as right, wrong or partly right, by one of the tasks, which the text decides."""
    grade = grader(text, tasks[len(text) % len(tasks)])
    if not (isinstance(grade, float) and 0.0 <= grade <= 1.0):
        raise AssertionError(f"graded {grade!r}, wanted a float from 0 to 1")
    return {0.0: "wrong", 1.0: "right"}.get(grade, "partly")


def random_texts(count: int, rng: np.random.Generator) -> Iterator[str]:
    """`count` texts of up to `LONGEST` pieces; one piece in eight is a random character."""
    for start in range(0, count, BATCH):
        lengths = rng.integers(0, rng.integers(1, LONGEST + 1, size=min(BATCH, count - start)) + 1)
        chosen = rng.integers(0, len(PIECES) * 8 // 7, size=lengths.sum()).tolist()
        characters = rng.integers(0, 0x3000, size=lengths.sum()).tolist()
        place = 0
        for length in lengths.tolist():
            ours = range(place, place + length)
            place += length
            yield "".join(PIECES[chosen[i]] if chosen[i] < len(PIECES) else chr(characters[i]) for i in ours)


if __name__ == "__main__":
    raise SystemExit(main())
