"""TIGER-Lab/PixelReasoner-RL-Data as a task file of ours: rows of parquet or JSON -> `release_tasks.jsonl` beside them.

    hf download TIGER-Lab/PixelReasoner-RL-Data --repo-type dataset --local-dir rl-data
    (cd rl-data && unzip -q images.zip && unzip -q videos.zip)
    python examples/convert_rl_data.py rl-data/release.parquet
    pixel-env grpo ... --tasks rl-data/release_tasks.jsonl

A row of that schema (its evaluation sets have the same) has `question`, `answer` (or `gt_answer`; a text or a list,
usually boxed), `image` (a path or a list, relative to the file's folder), `is_video` (true: the list holds a video's
frames, of which 16 at even distances are kept; null counts as false) and `qid`. Lettered options are taken out of the
question, where the environment writes them again in the dialect's words; such rows are graded by choice, numbers as
numbers, everything else exactly. A row that cannot be used is left out and reported.
"""

import argparse
import ast
import itertools
import json
import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.actions import last_boxed
from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.grading import GRADERS
from pixel_env.tasks import load_tasks
from pixel_env.types import VIDEO_FRAMES, Task, TaskSet

_REPORTED = 20
_OPTION = re.compile(r"(?<!\S)\(?([A-Z])[.):]\s+")
_MEDIA_MARK = re.compile(r"<(?:image|video)>\s*")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


def main(argv: Sequence[str] | None = None) -> TaskSet:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, help="release.parquet, or a .json or .jsonl file with the same columns")
    source: Path = parser.parse_args(argv).rows
    tasks, left_out = converted(read_rows(source), source.parent)
    written = source.with_name(f"{source.stem}_tasks.jsonl")
    written.write_text("".join(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks), encoding="utf-8")
    for reason in left_out[:_REPORTED]:
        print(reason, file=sys.stderr)
    task_set = load_tasks(written)  # the reader of task files has the last word
    media = Counter(task.media for task in task_set.tasks)
    graders = Counter(task.grader for task in task_set.tasks)
    print(f"{written}: {len(task_set)} tasks, {len(left_out)} rows left out; {dict(media)}; graded by {dict(graders)}")
    return task_set


def read_rows(source: Path) -> list[dict[str, Any]]:
    """The rows of the file, in its order. Raises TaskError or MissingExtraError."""
    try:
        if source.suffix == ".parquet":
            return _parquet_rows(source)
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise TaskError(f"cannot read {source}: {error}. Give a .parquet, .json or .jsonl file.") from error


def _parquet_rows(source: Path) -> list[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.needs("a parquet file", "data") from error
    return parquet.read_table(source).to_pylist()


def converted(rows: Iterable[Mapping[str, Any]], folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of our task files, and why the others were left out. A `qid` that comes again gets a number behind it."""
    tasks: list[dict[str, Any]] = []
    left_out: list[str] = []
    seen: Counter[str] = Counter()
    for number, row in enumerate(rows, start=1):
        try:
            task = task_row(row, folder)
        except TaskError as error:
            left_out.append(f"row {number} left out: {error}")
            continue
        task_id = str(row.get("qid") or f"row-{number}")
        seen[task_id] += 1
        tasks.append({"id": task_id if seen[task_id] == 1 else f"{task_id}#{seen[task_id]}", **task})
    return tasks, left_out


def task_row(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One row of ours, without its id. Raises TaskError."""
    question = _MEDIA_MARK.sub("", row.get("question") or "").strip()
    answers = reference_answers(row.get("answer") or row.get("gt_answer") or [])
    if not question or not answers:
        raise TaskError("it has no question or no answer")
    task: dict[str, Any] = {"question": question, "answer": answers}
    if all(_NUMBER.fullmatch(answer) for answer in answers):
        task["grader"] = "number"
    stem, options = without_options(question)
    if options and all(_is_among(answer, options) for answer in answers):
        task |= {"question": stem, "options": options, "grader": "choice"}
    if row.get("qid"):
        task["category"] = str(row["qid"]).partition("-")[0]  # the schema's convention: benchmark, hyphen, number
    return task | _pictures(row, folder)


def reference_answers(given: str | Sequence[str]) -> list[str]:
    r"""What counts as right: the content of each `\boxed{}`, each entry of a list that stands in it, and 12 for 12%."""
    answers = [entry.strip() for text in ([given] if isinstance(given, str) else given) for entry in _entries(text)]
    answers += [answer.removesuffix("%").strip() for answer in answers if answer.endswith("%")]
    return [answer for answer in dict.fromkeys(answers) if answer]


def _entries(answer: str) -> list[str]:
    boxed = last_boxed(answer)
    text = answer if boxed is None else boxed
    if not text.lstrip().startswith("["):
        return [text]
    try:
        listed = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return [text]
    return [str(entry) for entry in listed]


def without_options(question: str) -> tuple[str, list[str]]:
    """The question without its options, and the options: the last A, B, ... in a row; none: as it was, and []."""
    marks = list(_OPTION.finditer(question))
    first = max((place for place, mark in enumerate(marks) if mark[1] == "A"), default=len(marks))
    lettered = zip(marks[first:], string.ascii_uppercase, strict=False)
    run = [mark for mark, _ in itertools.takewhile(lambda pair: pair[0][1] == pair[1], lettered)]
    if len(run) < 2 or not question[: run[0].start()].strip():
        return question, []
    ends = [mark.start() for mark in run[1:]] + [len(question)]
    options = [question[mark.end() : end].strip().rstrip(",;") for mark, end in zip(run, ends, strict=True)]
    options[-1], _, rest = options[-1].partition("\n")
    stem = re.sub(r"\s*\b(?:options|choices)\s*:?\s*$", "", question[: run[0].start()], flags=re.IGNORECASE).strip()
    return ("\n".join(part for part in (stem, rest.strip()) if part), options) if all(options) else (question, [])


def _is_among(answer: str, options: Sequence[str]) -> bool:
    return GRADERS["choice"](answer, Task("", "", (answer,), options=tuple(options))) == 1.0


def _pictures(row: Mapping[str, Any], folder: Path) -> dict[str, list[str]]:
    given = row.get("image") or []
    names = [name for name in ([given] if isinstance(given, str) else given) if name]
    is_video = row.get("is_video") is True
    if is_video and len(names) > VIDEO_FRAMES:
        names = [names[place * (len(names) - 1) // (VIDEO_FRAMES - 1)] for place in range(VIDEO_FRAMES)]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise TaskError(f"{len(missing)} of its pictures are not there, the first is {folder / missing[0]}")
    if not names:
        return {}
    return {"frames" if is_video else "image": names}


if __name__ == "__main__":
    main()
