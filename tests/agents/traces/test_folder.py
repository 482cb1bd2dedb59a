import dataclasses
import json
import re

import numpy as np
import pytest
from PIL import Image

from agents.traces.folder import TASKS, TRACES, check_dialect, is_trace_folder, read_trace_folder, write_trace_folder
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.media.cache import CACHE
from pixel_env.media.sources import FileSource, ImageSource
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks.files.clips import clip_frames

TURNS = (TraceTurn("<crop> 0 0 4 4", train=False, mistake=Mistake.UNRELATED_REGION), TraceTurn("<answer> 7"))


def written(folder, *tasks, seeds=None, budgets=None):
    task_set = TaskSet("mine", tasks, "a notice", budgets)
    write_trace_folder(folder, [Trace(task, TURNS, "recrop_once") for task in tasks], task_set, seeds)
    return folder


@pytest.mark.parametrize("name", SAMPLE_SETS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_task_of_every_sample_set_comes_back_from_its_id_alone(tmp_path, name, split):
    sample = sample_set(name, split=split, count=12, kinds=list(SAMPLE_SETS[name].kinds), seed=3)
    folder = written(tmp_path / "traces", *sample.tasks, budgets=sample.budgets)
    task_set, traces = read_trace_folder(folder)
    assert list(task_set.tasks) == list(sample.tasks) and task_set.budgets == sample.budgets
    assert (task_set.name, task_set.notice) == ("mine", "a notice")
    assert all((trace.turns, trace.kind) == (TURNS, "recrop_once") for trace in traces)
    assert all(list(json.loads(line)) == ["sample"] for line in (folder / TASKS).read_text().splitlines())


def test_a_composed_task_that_was_changed_is_written_whole(tmp_path):
    task = dataclasses.replace(sample_set("vstar-tiny", count=1).tasks[0], question="And now?")
    [back] = read_trace_folder(written(tmp_path / "traces", task))[0].tasks
    assert back.question == "And now?" and back.evidence == task.evidence
    assert np.array_equal(CACHE.get(back.sources[0]), CACHE.get(task.sources[0]))


def test_files_and_clips_are_named_by_their_paths_below_the_seeds(tmp_path):
    seeds = tmp_path / "seeds"
    (seeds / "a").mkdir(parents=True)
    Image.new("RGB", (60, 40), "red").save(seeds / "a" / "one.png")
    (seeds / "clip.mp4").write_bytes(b"frames")
    picture = Task("one", "?", ("7",), (FileSource(seeds / "a" / "one.png"),), evidence=(Evidence(0, Box(0, 0, 1, 1)),))
    video = Task("two", "?", ("7",), clip_frames(seeds / "clip.mp4", 1.5, 4.0), media="video", category="STAR")
    text = Task("three", "2 + 5?", ("7",), media="text", grader="number", needs_looking=False)
    frames = Task("four", "?", ("7",), (FileSource(seeds / "a" / "one.png"),) * 2, media="video", frames_per_second=0.5)
    folder = written(tmp_path / "out" / "traces", picture, video, text, frames, seeds=seeds)
    rows = [json.loads(line) for line in (folder / TASKS).read_text().splitlines()]
    assert rows[0]["sources"] == ["a/one.png"] and rows[1]["sources"][15]["clip"] == "clip.mp4"
    back = read_trace_folder(folder)[0].tasks
    assert [dataclasses.replace(task, sources=()) for task in back] == [
        dataclasses.replace(task, sources=()) for task in (picture, video, text, frames)
    ]
    assert [source.key for task in back for source in task.sources] == [
        source.key for task in (picture, video, frames) for source in task.sources
    ]
    (tmp_path / "out").rename(tmp_path / "moved")
    (seeds / "a").rename(tmp_path / "elsewhere")
    with pytest.raises(TaskError, match="Restore the images of the seed data"):
        read_trace_folder(tmp_path / "moved" / "traces")


def test_a_picture_that_is_in_no_file_is_written_once(tmp_path):
    image = Image.effect_noise((50, 40), 90).convert("RGB")
    tasks = [Task(name, "?", ("7",), (ImageSource(image),)) for name in ("one", "two")]
    folder = written(tmp_path / "traces", *tasks)
    assert len(list((folder / "pictures").iterdir())) == 1
    for task in read_trace_folder(folder)[0].tasks:
        assert np.array_equal(np.asarray(task.sources[0].decode()), np.asarray(image))


def test_the_same_traces_give_the_same_bytes(tmp_path):
    tasks = sample_set("vstar-tiny", count=3).tasks
    one, two = (written(tmp_path / name, *tasks) for name in ("one", "two"))
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}


def test_what_is_no_such_folder_is_told_and_a_broken_row_is_named(tmp_path):
    assert not is_trace_folder(tmp_path)
    with pytest.raises(TaskError, match="pixel-env synth wrote"):
        read_trace_folder(tmp_path)
    folder = written(tmp_path / "traces", *sample_set("vstar-tiny", count=2).tasks)
    assert is_trace_folder(folder)
    lines = (folder / TASKS).read_text().splitlines()
    (folder / TASKS).write_text(f"{lines[0]}\n" + '{"sample": "vstar-tiny/train/0/000001-nothing"}\n')
    with pytest.raises(TaskError, match="no sample set has a task"):
        read_trace_folder(folder)
    (folder / TASKS).write_text(f"{lines[0]}\n" + '{"id": 5}\n')
    with pytest.raises(TaskError, match="row 2"):
        read_trace_folder(folder)
    (folder / TASKS).write_text("\n".join(lines))
    (folder / TRACES).write_text('{"task_id": "unknown", "turns": []}\n')
    with pytest.raises(TaskError, match="no task 'unknown'"):
        read_trace_folder(folder)


def test_two_tasks_under_one_id_are_refused_and_two_copies_of_one_are_not(tmp_path):
    image = Image.effect_noise((50, 40), 90).convert("RGB")
    task = Task("one", "What is here?", ("7",), (ImageSource(image),))
    copy = dataclasses.replace(task, sources=(ImageSource(image.copy()),))
    folder = written(tmp_path / "traces", task, copy)
    assert len(read_trace_folder(folder)[0].tasks) == 1 and len(read_trace_folder(folder)[1]) == 2
    for other in (
        dataclasses.replace(task, question="And there?"),
        dataclasses.replace(task, sources=(ImageSource(image.rotate(180)),)),
    ):
        with pytest.raises(TaskError, match=r"have the id 'one'.*its own id"):
            written(tmp_path / "others", task, other)
    assert not (tmp_path / "others").exists()
    row = (folder / TASKS).read_text()
    (folder / TASKS).write_text(row + row.replace("What is here?", "And there?"))
    with pytest.raises(TaskError, match=r"tasks\.jsonl: two different tasks have the id 'one'"):
        read_trace_folder(folder)


def test_a_picture_whose_name_is_too_long_is_a_missing_one(tmp_path):
    folder = written(tmp_path / "traces", Task("one", "?", ("7",), media="text"))
    row = json.loads((folder / TASKS).read_text())
    (folder / TASKS).write_text(json.dumps({**row, "sources": ["a" * 5000]}))
    with pytest.raises(TaskError, match="is missing"):
        read_trace_folder(folder)


@pytest.mark.parametrize(
    ("made", "asked", "fits"),
    [
        ("released:vcot", "released", True),
        ("default", "tiny", False),
        ("default:vcot", "default+rotate", True),
        ("default+rotate", "default", False),
    ],
)
def test_traces_are_of_the_dialect_of_their_configuration_and_of_its_variants(tmp_path, made, asked, fits):
    check_dialect(tmp_path, dialect_named(asked))
    (tmp_path / "configuration.json").write_text(json.dumps({"dialect": made}))
    if fits:
        check_dialect(tmp_path, dialect_named(asked))
    else:
        with pytest.raises(ConfigError, match=re.escape(f"Give --dialect {made}")):
            check_dialect(tmp_path, dialect_named(asked))


FACTS = {"name": "n", "notice": "", "budgets": None, "seeds_folder": None}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b"{}",
        b"\xff\xfe",
        json.dumps({**FACTS, "seeds_folder": 3}).encode(),
        json.dumps({**FACTS, "name": None}).encode(),
        json.dumps({**FACTS, "budgets": [1]}).encode(),
        json.dumps({**FACTS, "budgets": {"crop": {"min_pixels": "x"}}}).encode(),
    ],
)
def test_facts_of_a_folder_that_cannot_be_used_are_refused_naming_the_file(tmp_path, content):
    folder = written(tmp_path, *sample_set("vstar-tiny", count=1).tasks)
    (folder / "task_set.json").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_set\.json (cannot be used|is not text)"):
        read_trace_folder(folder)


def test_a_row_of_tasks_with_values_of_other_types_is_refused_naming_the_row(tmp_path):
    folder = written(tmp_path, *sample_set("vstar-tiny", count=1).tasks)
    for row in ('{"sample": 17.5}', '{"sample": null}', "[]", "3", '{"id": {}}'):
        (folder / TASKS).write_text(row)
        with pytest.raises(TaskError, match=r"tasks\.jsonl, row 1"):
            read_trace_folder(folder)
