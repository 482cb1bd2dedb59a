"""Every published form, clean and broken, from the files of its download to the page: prepare, check, eval, view."""

import json
import re
import warnings
import zipfile

import pytest

from benchmarks.evaluation.records import ROWS
from pixel_env import cli
from pixel_env.tasks import BadRowsWarning
from tests.benchmarks.evaluation.forms import FORMS, media
from tests.pixel_env.tasks.published import PUBLISHED

NAMES = {
    "rl-data": "rl-data",
    "evaluation": "vstar",
    "vstar": "vstar-original",
    "vstar-files": "vstar-original",
    "tallyqa": "tallyqa-original",
    "infographicvqa": "infographicsvqa-original",
    "mvbench": "mvbench-original",
    "mvbench-table": "mvbench",
    "vlmevalkit": "vstar",
    "vlmevalkit-paths": "tallyqa",
    "tasks": "tasks",
    "hr-bench": "hr-bench-4k",
    "hr-bench-parquet": "hr-bench-8k",
    "hr-bench-annotations": "hr-bench-4k",
    "mme-realworld-lite": "mme-realworld-lite",
    "mme-realworld-lite-parquet": "mme-realworld-lite",
    "treebench": "treebench",
    "visual-probe": "visual-probe-hard",
    "zoombench": "zoombench",
    "zoombench-parquet": "zoombench",
    "o3-bench": "o3-bench",
    "charxiv": "charxiv-reasoning",
    "charxiv-parquet": "charxiv-reasoning",
    "longvideobench": "longvideobench",
    "longvideobench-parquet": "longvideobench",
    "videomme": "video-mme",
    "lvbench": "lvbench",
    "lvbench-parquet": "lvbench",
}
"""What `data prepare` is called with, by form."""


def evaluate(tasks, folder, *flags):
    command = ["eval", "--engine", "scripted", "--model", "oracle", "--policies", "no_zoom", "--dialect", "qwen2.5-vl"]
    return cli.main([*command, "--tasks", str(tasks), "--output_dir", str(folder), *flags])


def played(folder):
    rows = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    assert all(row["reward"] == 1.0 and row["error"] is None for row in rows)
    return len(rows)


@pytest.mark.parametrize("form", PUBLISHED)
def test_every_published_form_is_prepared_checked_evaluated_and_shown(form, tmp_path, capsys):
    data, run = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    PUBLISHED[form](data)
    assert cli.main(["data", "prepare", NAMES[form], "--from", str(data)]) == 0
    tasks, rows = map(int, re.search(r": (\d+) tasks of the format .* in (\d+) rows", capsys.readouterr().out).groups())
    assert tasks == rows >= 1
    before = {file: file.stat().st_mtime_ns for file in data.rglob("*")}
    assert cli.main(["data", "prepare", NAMES[form], "--from", str(data)]) == 0
    assert f"{data} is prepared: {tasks} tasks" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in data.rglob("*")} == before, "again is a no-op"
    assert cli.main(["data", "check", str(data)]) == 0
    assert "no problem found" in capsys.readouterr().out
    assert evaluate(data, run, "--strict") == 0 and played(run) == tasks
    assert cli.main(["view", str(run)]) == 0
    assert "<!doctype html>" in (run / "view.html").read_text().lower()


@pytest.fixture(params=FORMS)
def broken(request, tmp_path):
    """A set of which two rows are good, with what is said of each of the others by its number."""
    form, data = FORMS[request.param], tmp_path / "data"
    faults = media(data / form.folder, form)
    rows = [form.row(0), form.row(1)]
    said = {}
    for name, reason in faults.items():
        rows.append(form.show(form.row(len(rows)), name))
        said[len(rows)] = reason
    column = "text" if request.param == "vstar" else "question"
    rows.append(form.row(len(rows)) | {column: "" if form.file.endswith((".tsv", ".parquet")) else 7})
    said[len(rows)] = f"'{column}'"
    if request.param == "tasks":
        rows += [form.row(0), form.row(9) | {"colour": "red"}]
        said |= {len(rows) - 1: "an earlier row has the id", len(rows): r"unknown key\(s\) colour"}
    elif form.identity:
        rows.append(form.row(0))  # a published set may hold an id twice; it gets a number behind it
    if request.param != "tasks":
        rows = [row | {"colour": "red"} for row in rows]
    form.write(data / form.file, rows)
    return form, data, said, len(rows)


def test_everything_that_is_wrong_is_named_by_row_and_the_rest_runs_or_all_stops(broken, tmp_path, capsys):
    form, data, said, rows = broken
    good = rows - len(said)
    place = "line" if form.file.endswith(".jsonl") else "row"
    assert cli.main(["data", "prepare", form.name, "--from", str(data)]) == 1
    prepared = capsys.readouterr().out
    assert cli.main(["data", "check", str(data)]) == 1
    checked = capsys.readouterr().out
    for text in (prepared, checked):
        for number, reason in said.items():
            assert re.search(f"wrong: .*{place} {number}: .*{reason}", text), (number, reason)
        assert text.count("wrong: ") == len(said) and f"{len(said)} of {rows} rows cannot be used" in text
        assert form.name == "tasks" or "colour are unknown" in text
    with pytest.warns(BadRowsWarning) as caught:
        assert evaluate(data, tmp_path / "run") == 0
    assert len(caught) == 1, "one summary"
    assert all(re.search(f"{place} {number}: ", str(caught[0].message)) for number in said)
    assert played(tmp_path / "run") == good
    assert f"{len(said)} of {rows} rows could not be used and are left out." in capsys.readouterr().out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BadRowsWarning)  # the same summary again
        assert cli.main(["view", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert evaluate(data, tmp_path / "strict", "--strict") == cli.USER_ERROR
    error = capsys.readouterr().err
    assert all(re.search(f"{place} {number}: .*{reason}", error) for number, reason in said.items())
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize("share", [0.0, 0.6], ids=["empty", "cut"])
@pytest.mark.parametrize("name", FORMS)
def test_a_task_file_that_is_empty_or_cut_is_named_by_every_command(name, share, tmp_path, capsys):
    form, data = FORMS[name], tmp_path / "data"
    media(data / form.folder, form)
    path = form.write(data / form.file, [form.row(0), form.row(1)])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    for command in (["prepare", form.name, "--from", str(data)], ["check", str(data)]):
        assert cli.main(["data", *command]) != 0
        told = capsys.readouterr()
        assert path.name in told.out + told.err
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BadRowsWarning)  # of two lines the first may be whole
        assert evaluate(data, tmp_path / "run", "--strict") == cli.USER_ERROR
    assert path.name in capsys.readouterr().err


def test_an_archive_that_is_cut_is_named_and_nothing_else_is_done(tmp_path, capsys):
    PUBLISHED["rl-data"](tmp_path)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for file in sorted((tmp_path / "images").iterdir()):
            archive.write(file, file.relative_to(tmp_path))
    content = (tmp_path / "images.zip").read_bytes()
    (tmp_path / "images.zip").write_bytes(content[: len(content) // 2])
    assert cli.main(["data", "prepare", "rl-data", "--from", str(tmp_path)]) == cli.USER_ERROR
    assert f"cannot unpack {tmp_path / 'images.zip'}" in capsys.readouterr().err


def test_a_part_of_a_video_that_lies_behind_its_end_is_found_when_the_set_is_prepared(tmp_path, capsys):
    PUBLISHED["mvbench"](tmp_path)
    path = tmp_path / "json/action_sequence.json"
    [row] = json.loads(path.read_text())
    path.write_text(json.dumps([row, row | {"start": 50.0, "end": 60.0}]))
    assert cli.main(["data", "prepare", "mvbench", "--from", str(tmp_path)]) == 1
    said = "A.mp4' cannot be used: the segment starts at 50.0 s, after the last of its 100 frames"
    assert f"{path}, row 2: the video 'video/star/Charades_v1_480/{said}" in capsys.readouterr().out
    with pytest.warns(BadRowsWarning, match="row 2"):
        assert evaluate(tmp_path, tmp_path / "run") == 0
    assert played(tmp_path / "run") == 3
