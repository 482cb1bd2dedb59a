"""A broken or hostile folder of traces gives one line that names the file, or is read; never a traceback."""

import json
import os

import pytest
from PIL import Image

from agents.traces.folder import TASK_SET, TASKS, TRACES, check_dialect, read_trace_folder, write_trace_folder
from agents.traces.trace import Trace, TraceTurn
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import PixelEnvError
from pixel_env.media.sources import FileSource
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks import media_access
from pixel_env.tasks.files.clips import clip_frames

DEEP = "[" * 100_000 + "]" * 100_000
CONFIGURATION = "configuration.json"


@pytest.fixture
def folder(tmp_path):
    """A good one: a picture, frames of a clip, and a text."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    Image.new("RGB", (60, 40), "red").save(seeds / "one.png")
    (seeds / "clip.mp4").write_bytes(b"frames")
    Image.new("RGB", (60, 40), "blue").save(tmp_path / "private.png")
    tasks = [
        Task("one", "?", ("7",), (FileSource(seeds / "one.png"),), evidence=(Evidence(0, Box(0, 0, 1, 1)),)),
        Task("two", "?", ("7",), clip_frames(seeds / "clip.mp4", 1.5, 4.0), media="video"),
        Task("three", "2 + 5?", ("7",), media="text", grader="number", needs_looking=False),
    ]
    turns = (TraceTurn("\\boxed{7}"),)
    write_trace_folder(tmp_path / "t", [Trace(task, turns) for task in tasks], TaskSet("mine", tasks, "", None), seeds)
    (tmp_path / "t" / CONFIGURATION).write_text('{"dialect": "qwen2.5-vl"}')
    return tmp_path / "t"


def changed(row, path, value):
    """The row with another value at a path of keys; a value of `...` removes the key."""
    *parents, last = path
    inner = row
    for key in parents:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return row


CLIP = {"clip": "clip.mp4", "number": 0, "count": 16, "start_s": 0, "end_s": 1}
OF_A_TASK = [
    *(((name,), value) for name in ("id", "question", "category", "grader") for value in (5, ["x"], None, ...)),
    *(((name,), value) for name in ("answers", "options") for value in ("7", [7], {"a": 1}, None, ...)),
    *((("sources",), value) for value in (5, "one.png", [5], [[]], [None], [{}], ...)),
    *((("sources", 0), value) for value in ("../private.png", "/etc/hostname", "nothing.png", "a\0b", "x" * 5000, "")),
    *((("sources", 0), {"picture": value}) for value in ("../../private.png", 5, "no.png")),
    *((("sources", 0), {**CLIP, name: value}) for name in ("start_s", "end_s") for value in ("x", [], -1)),
    *((("sources", 0), {**CLIP, "count": value}) for value in (10**12, 0, "16", 1.5)),
    (("sources", 0), {**CLIP, "clip": "../t/tasks.jsonl"}),
    *((("evidence",), value) for value in (5, "x", [5], [{}], [{"image": 0}], {"image": 0}, ...)),
    *((("evidence", 0, "image"), value) for value in (-1, 1, 10**30, "0", True, None, 0.5)),
    *((("evidence", 0, "box"), value) for value in ([], [0, 0, 1], [0, 0, 1, "1"], "0011", [1, 1, 0, 0], None)),
    *((("evidence", 0, "box", 0), value) for value in (float("nan"), float("inf"), -5, 1e308, [0])),
    *((("media",), value) for value in ("audio", 5, None, ["image"], ...)),
    *((("needs_looking",), value) for value in ("yes", 1, [], ...)),
    *((("frames_per_second",), value) for value in ("x", -1, 0, float("nan"), True)),
    *((("sample",), value) for value in (5, ["x"], "vstar/train/0/99999999999999-search", "x" * 10**6)),
]  # fmt: skip
OF_A_TRACE = [
    *((("task_id",), value) for value in (5, ["one"], None, {}, "unknown", ...)),
    *((("kind",), value) for value in (5, None, ["x"])),
    *((("turns",), value) for value in (5, "x", [], {}, None, [5], [None], [[]], ...)),
    *((("turns", 0, name), value) for name in ("text", "train") for value in (5, None, ["x"], "false", ...)),
    *((("turns", 0, "mistake"), value) for value in (5, None, "odd", ["unrelated_region"])),
]
OF_THE_SET = [
    *(((name,), value) for name in ("name", "notice") for value in (5, None, ["x"], ...)),
    *((("seeds_folder",), value) for value in (5, ["x"], "/", "../../../../../../../..", "a\0b", "nowhere", ...)),
    *((("budgets",), value) for value in (5, "x", [], {}, {"original": 5}, {"original": {"min_pixels": "x"}}, ...)),
]
FILES = {TASKS: OF_A_TASK, TRACES: OF_A_TRACE, TASK_SET: OF_THE_SET}
MUTATIONS = [(file, path, value) for file, mutations in FILES.items() for path, value in mutations]
WHOLE = ["", "{}", "[]", "5", "null", '"x"', "{", "not json", DEEP, '{"a": ' + DEEP + "}", "\ud800"]


def read(folder):
    """The folder, as a training reads it."""
    check_dialect(folder, dialect_named("qwen2.5-vl"))
    return read_trace_folder(folder)


def is_read_or_told(folder, file):
    """Whether the folder is read; else the error has to be one line that names the file."""
    try:
        read(folder)
    except PixelEnvError as error:
        assert str(folder / file) in str(error) and "\n" not in str(error) and len(str(error)) < 1500, str(error)[:2000]
        return False
    return True


@pytest.mark.parametrize(("file", "path", "value"), MUTATIONS, ids=range(len(MUTATIONS)))
def test_a_changed_value_is_told_with_its_file(folder, file, path, value):
    first, *others = (folder / file).read_text().split("\n") if file != TASK_SET else [(folder / file).read_text()]
    row = json.dumps(changed(json.loads(first), path, value))
    (folder / file).write_text("\n".join([row, *others]))
    harmless = value == "false" and path[-1] == "text"
    assert is_read_or_told(folder, file if path != ("seeds_folder",) or value != "nowhere" else TASKS) == (
        harmless or (path, value) in ((("needs_looking",), None), (("turns", 0, "text"), "false"))
    )


@pytest.mark.parametrize("file", [TASKS, TRACES, TASK_SET, CONFIGURATION])
@pytest.mark.parametrize("text", WHOLE, ids=lambda text: text[:8])
def test_a_changed_file_is_told_by_its_name(folder, file, text):
    (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    may_be_read = (file == CONFIGURATION and text == "{}") or (file == TRACES and text == "")
    told_of = TRACES if file == TASKS and text == "" else file  # traces without their tasks
    assert is_read_or_told(folder, told_of) <= may_be_read


@pytest.mark.parametrize("file", [TASKS, TRACES, TASK_SET])
def test_a_missing_file_and_a_folder_in_its_place_are_told(folder, file):
    (folder / file).unlink()
    assert not is_read_or_told(folder, file)
    (folder / file).mkdir()
    assert not is_read_or_told(folder, file)


@pytest.mark.parametrize("dialect", ["nothing", "module:nothing", 5, None, ["default"], "file.yaml"])
def test_a_dialect_that_means_nothing_is_told(folder, dialect):
    (folder / CONFIGURATION).write_text(json.dumps({"dialect": dialect}))
    with pytest.raises(PixelEnvError):
        read(folder)


def test_names_and_links_lead_out_only_where_the_user_allows_it(folder):
    row, *others = (folder / TASKS).read_text().split("\n")
    link = folder.parent / "seeds" / "link.png"
    link.symlink_to(folder.parent / "private.png")
    for name in ("../private.png", "link.png"):
        given = json.dumps(changed(json.loads(row), ("sources", 0), name))
        (folder / TASKS).write_text("\n".join([given, *others]))
        with pytest.raises(PixelEnvError, match=r"tasks.jsonl, row 1: the path .* leaves the folder .*--media_root"):
            read_trace_folder(folder)
        allowed = media_access(folder.parent)
        assert os.path.samefile(
            read_trace_folder(folder, allowed)[0].tasks[0].sources[0].path, folder.parent / "private.png"
        )
    followed = media_access(None, follow_links=True)
    assert read_trace_folder(folder, followed)[0].tasks[0].sources[0].path.name == "link.png"
