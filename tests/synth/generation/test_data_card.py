"""The data card agrees with the files, counted here from the files themselves."""

import json
import re
from collections import Counter

import pytest

from pixel_env.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of the default mix."""
    out = tmp_path_factory.mktemp("card")
    assert main(["synth", "--count", "24", "--workers", "1", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def rows(folder):
    return [json.loads(line) for line in (folder / "traces.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def cells(folder):
    """The card's tables: first cell -> last cell."""
    lines = re.findall(r"^\| (.*) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    return {tuple(line.split(" | ")[:2]): line.split(" | ")[-1] for line in lines}


def size(cells, name):
    return next(int(last) for first, last in cells.items() if first[0] == name)


def test_sizes_are_those_of_the_files(folder, rows, cells):
    turns = [turn for row in rows for turn in row["turns"]]
    tasks = (folder / "tasks.jsonl").read_text().splitlines()
    assert size(cells, "traces") == len(rows) and size(cells, "tasks") == len(tasks)
    assert size(cells, "assistant turns") == len(turns)
    assert 0 < size(cells, "trained assistant turns") == sum(turn.get("train", True) for turn in turns) < len(turns)
    assert size(cells, "characters of the assistant turns") == sum(len(turn["text"]) for turn in turns)


def test_every_kind_of_mistake_is_counted_by_itself(rows, cells):
    flagged = Counter(turn["mistake"] for row in rows for turn in row["turns"] if turn.get("mistake"))
    told = {first[0].removeprefix("flagged "): int(last) for first, last in cells.items() if "flagged" in first[0]}
    assert {name: number for name, number in told.items() if number} == flagged and len(flagged) > 1


def test_the_mix_has_what_was_kept_beside_what_was_requested(rows, cells):
    kept = Counter(row["kind"] for row in rows)
    told = Counter()
    for (first, second), last in cells.items():
        if first in ("image", "video", "text") and last.isdigit():
            told[second] += int(last)
    assert told == kept


def test_fewer_traces_than_requested_are_reported_as_fewer(tmp_path):
    flags = ["--seeds", "sample:vstar-tiny", "--media", "image=1", "--image_kinds", "single_pass=1", "recrop_once=1"]
    small = ["--count", "4", "--seed_count", "6", "--max_images", "2", "--workers", "1"]
    assert main(["synth", *flags, *small, "--out", str(tmp_path)]) == 1
    card = (tmp_path / "README.md").read_text()
    assert "| image | recrop_once | 50.0% | 2 | 0 |" in card and "| image | single_pass | 50.0% | 2 | 2 |" in card


def test_the_command_under_training_can_be_given(folder):
    card = (folder / "README.md").read_text()
    assert "`pixel-env sft --config RECIPE --model_name_or_path MODEL --traces FOLDER --dialect default`" in card
