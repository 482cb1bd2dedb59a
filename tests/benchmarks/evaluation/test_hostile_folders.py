"""Folders of evaluations that are broken, or made by somebody who means harm: each command that reads one says in one
line which file is wrong. Nothing is imported, nothing outside is opened, and neither time nor memory is spent."""

import json
import os
import resource
import shutil
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.records import ROWS, SECONDS
from pixel_env.cli import USER_ERROR, main
from pixel_env.dialects.table import dialect_named

CHAT = PlainChat(dialect_named("tiny"))
CONFIGURATION = "configuration.json"
MOST_MEMORY = 300 * 2**20
MOST_SECONDS = 60
DEEP = "[" * 100_000 + "]" * 100_000
HUGE = 10**400


def commands(folder):
    """Every command that reads the folder of an evaluation, by name."""
    played = ["--model", "none", "--dialect", "tiny", "--tasks", str(folder.parent / "tasks.jsonl"), "--max_turns", "2"]
    return {
        "view": ["view", str(folder)],
        "compare": ["compare", str(folder), str(folder)],
        "audit": ["audit", str(folder)],
        "eval": ["eval", *played, "--policies", "learned_zoom", "--output_dir", str(folder)],
    }


READERS = frozenset(("view", "compare", "audit", "eval"))


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    """`eval` with a script for a model."""

    def say(conversation):
        return "<crop> 0 0 4 4" if conversation.turn == 0 else "<answer>A"

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(say, CHAT), CHAT))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A task file, and an evaluation of it."""
    home = tmp_path_factory.mktemp("made")
    Image.new("RGB", (448, 448), "red").save(home / "red.png")
    rows = [
        {"question": f"Which is it, {name}?", "image": "red.png", "options": ["red", "blue"], "answer": "red"}
        for name in "abc"
    ]
    (home / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(_crop_and_answer, CHAT), CHAT))
        assert main(commands(home / "run")["eval"]) == 0
    return home


def _crop_and_answer(conversation):
    return "<crop> 0 0 4 4" if conversation.turn == 0 else "<answer>A"


@pytest.fixture
def run(made, tmp_path):
    """A copy of the evaluation that may be broken."""
    shutil.copytree(made, tmp_path / "home")
    folder = tmp_path / "home" / "run"
    config = json.loads((folder / CONFIGURATION).read_text())
    write_config(folder, config | {"tasks": str(tmp_path / "home" / "tasks.jsonl"), "output_dir": str(folder)})
    return folder


def write_config(folder, config):
    (folder / CONFIGURATION).write_text(json.dumps(config))


def config(**changes):
    """Other values of fields of the configuration; None of a field: without it."""

    def change(folder):
        recorded = json.loads((folder / CONFIGURATION).read_text())
        write_config(folder, {name: value for name, value in (recorded | changes).items() if value != "gone"})

    return change


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def row(*path, to):
    """The first row with the value at `path` replaced by `to`; a function: of the value; "gone": without the key."""

    def change(folder):
        first, *others = (folder / ROWS).read_text().splitlines()
        whole = json.loads(first)
        inner = whole
        for key in path[:-1]:
            inner = inner[key]
        value = to(inner[path[-1]]) if callable(to) else to
        if value == "gone":
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        (folder / ROWS).write_text("\n".join([json.dumps(whole), *others, ""]))

    return change


def nested_view(depth):
    def change(view):
        for _ in range(depth):
            view = {**view, "via": view}
        return view

    return change


def instead(name, make):
    def change(folder):
        (folder / name).unlink()
        make(folder / name)

    return change


def truncated(name):
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    )


def doubled_key(folder):
    lines = (folder / ROWS).read_text().splitlines()
    (folder / ROWS).write_text("\n".join([lines[0][:-1] + ', "task_id": ["x"]}', *lines[1:], ""]))


CONFIG_READERS = READERS - {"compare"}  # which needs the rows alone, but reads the file to tell differences
BROKEN_CONFIGURATIONS = {
    "a list": (text(CONFIGURATION, "[]"), READERS),
    "a number": (text(CONFIGURATION, "7"), READERS),
    "null": (text(CONFIGURATION, "null"), READERS),
    "empty": (text(CONFIGURATION, ""), READERS),
    "truncated": (truncated(CONFIGURATION), READERS),
    "binary": (text(CONFIGURATION, bytes(range(256)) * 20), READERS),
    "deeply nested": (text(CONFIGURATION, DEEP), READERS),
    "deeply nested values": (text(CONFIGURATION, '{"tasks": ' + DEEP + "}"), READERS),
    "an integer of a million digits": (text(CONFIGURATION, '{"task_count": ' + "9" * 10**6 + "}"), READERS),
    "a folder": (instead(CONFIGURATION, Path.mkdir), READERS),
    "a pipe": (instead(CONFIGURATION, os.mkfifo), READERS),
    "a device": (instead(CONFIGURATION, lambda path: path.symlink_to("/dev/zero")), READERS),
    "a link to itself": (instead(CONFIGURATION, lambda path: path.symlink_to(path.name)), {"view", "audit"}),
    "an empty object": (text(CONFIGURATION, "{}"), CONFIG_READERS),
    "a task count of a billion": (config(task_count=10**9), {"view", "audit"}),
    "a task count of a text": (config(task_count="3"), {"view", "audit"}),
    "a task count below one": (config(task_count=-1), {"view", "audit"}),
    "a task count that is NaN": (config(task_count=float("nan")), {"view", "audit"}),
    "a huge seed": (config(seed=-HUGE), CONFIG_READERS),
    "tasks of a list": (config(tasks=["a"]), CONFIG_READERS),
    "tasks that are a device": (config(tasks="/dev/zero"), CONFIG_READERS),
    "tasks that are gone": (config(tasks="/nowhere/tasks.jsonl"), CONFIG_READERS),
    "a billion tasks of a sample": (config(tasks="sample:vstar-tiny", task_count=10**9), CONFIG_READERS),
    "another split": (config(split={"a": 1}), CONFIG_READERS),
    "policies of a text": (config(policies="learned_zoom"), CONFIG_READERS),
    "policies of lists": (config(policies=[["learned_zoom"]]), CONFIG_READERS),
    "a dialect of a number": (config(dialect=7), CONFIG_READERS),
    "no dialect": (config(dialect="gone"), CONFIG_READERS),
    "budgets of a text": (config(pixel_budgets="large"), {"view"}),
    "budgets without bounds": (config(pixel_budgets={"original": {}}), {"view"}),
    "budgets below nothing": (config(pixel_budgets={"original": {"min_pixels": -1, "max_pixels": 1}}), {"view"}),
    "a grader of a list": (config(grader=["exact"]), CONFIG_READERS),
    "a media root of a number": (config(media_root=1), CONFIG_READERS),
    "links that are a text": (config(follow_links="yes"), CONFIG_READERS),
}
BROKEN_ROWS = {
    "no turns": (row("turns", to="gone"), READERS - {"compare"}),
    "turns of a text": (row("turns", to="abc"), READERS),
    "turns of numbers": (row("turns", to=[1, 2]), {"view"}),
    "a turn without text": (row("turns", 0, "text", to="gone"), {"view"}),
    "a turn of a number": (row("turns", 0, "text", to=3), {"view"}),
    "an observation of a list": (row("turns", 0, "observation", to=[]), {"view"}),
    "an action of a list": (row("turns", 0, "action", to=[]), {"view"}),
    "an unknown action": (row("turns", 0, "action", "kind", to="os.system"), {"view"}),
    "an action of an unhashable kind": (row("turns", 0, "action", "kind", to=["crop"]), {"view"}),
    "an action on image a billion": (row("turns", 0, "action", "image", to=10**9), {"view"}),
    "a box of NaN": (row("turns", 0, "views", 0, "box", to=[float("nan")] * 4), {"view"}),
    "a box of texts": (row("turns", 0, "views", 0, "box", to=["a"] * 4), {"view"}),
    "a box of huge numbers": (row("turns", 0, "views", 0, "box", to=[0, 0, HUGE, HUGE]), {"view"}),
    "a view of an unknown kind": (row("turns", 0, "views", 0, "kind", to="secret"), {"view"}),
    "a view magnified by a billion": (
        row("turns", 0, "views", 0, "steps", to=[{"step": "magnified", "factor": 1e9, "max_pixels": None}]),
        set(),
    ),
    "a view magnified by a text": (
        row("turns", 0, "views", 0, "steps", to=[{"step": "magnified", "factor": "1", "max_pixels": None}]),
        {"view"},
    ),
    "a source that is a file of the machine": (row("turns", 0, "views", 0, "source", to="/etc/passwd"), {"view"}),
    "a source above the folder": (row("prompt_views", 0, "source", to="../../../etc/passwd"), {"view"}),
    "a blank source of blank sources": (
        row("turns", 0, "views", 0, "source", to=lambda key: "blank:" * 50_000 + key),
        {"view"},
    ),
    "a view of 900 views": (row("turns", 0, "views", 0, to=nested_view(7)), set()),
    "a failure of an unknown code": (row("turns", 0, "failure", to={"code": "x", "message": ""}), {"view"}),
    "a list for a task id": (row("task_id", to=["a"]), READERS),
    "an object for a task id": (row("task_id", to={}), READERS),
    "a task id of another set": (row("task_id", to="nobody"), {"view", "eval"}),
    "a list for a policy": (row("policy", to=["learned_zoom"]), READERS),
    "a list for a sample": (row("sample", to=[0]), READERS),
    "an unknown stop": (row("stop", to="crashed"), READERS),
    "a stop of a list": (row("stop", to=[]), READERS),
    "a reward of NaN": (row("reward", to=float("nan")), READERS),
    "a reward of a text": (row("reward", to="1"), READERS),
    "a huge reward": (row("reward", to=HUGE), READERS),
    "answers of a number": (row("answers", to=3), READERS),
    "answers of lists": (row("answers", to=[["red"]]), READERS),
    "a question of a list": (row("question", to=[]), READERS),
    "a question that was not asked": (row("question", to="?"), {"view", "eval"}),
    "a category of a list": (row("category", to=["a"]), READERS),
    "a cluster of a list": (row("cluster", to=["a"]), READERS),
    "a prompt of a list": (row("prompt", to=[]), {"view"}),
    "a prompt of more": (row("prompt", to={"system": "", "question": "", "x": 1}), {"view"}),
    "an error of a list": (row("error", to=[1]), READERS),
    "another version": (row("version", to=99), READERS),
    "a version of a list": (row("version", to=[1]), READERS),
    "a key twice": (doubled_key, READERS),
    "no JSON": (text(ROWS, "{'a': 1}\n"), READERS),
    "a list instead of a row": (text(ROWS, "[]\n"), READERS),
    "a deeply nested row": (text(ROWS, DEEP + "\n"), READERS),
    "binary rows": (text(ROWS, bytes(range(256)) + b"\n"), READERS),
    "no rows": (text(ROWS, ""), {"compare"}),
    "rows in a folder": (instead(ROWS, Path.mkdir), READERS),
    "rows in a pipe": (instead(ROWS, os.mkfifo), READERS),
    "rows in a device": (instead(ROWS, lambda path: path.symlink_to("/dev/zero")), READERS),
    "rows in a file of the machine": (instead(ROWS, lambda path: path.symlink_to("/etc/passwd")), READERS),
    "seconds of a text": (text(SECONDS, '{"name": "a", "answers": 1, "seconds": "x"}\n'), {"eval"}),
    "seconds of no answers": (text(SECONDS, '{"name": "a", "answers": 0, "seconds": 1}\n'), {"eval"}),
    "seconds that are nested": (text(SECONDS, DEEP + "}\n"), {"eval"}),
    "seconds in a folder": (instead(SECONDS, Path.mkdir), {"eval"}),
}
MUTATIONS = {**{f"configuration: {name}": one for name, one in BROKEN_CONFIGURATIONS.items()},
             **{f"rows: {name}": one for name, one in BROKEN_ROWS.items()}}  # fmt: skip


@contextmanager
def bounded():
    """Fails where the block takes very long or much memory."""

    def too_long(*_):
        raise AssertionError(f"more than {MOST_SECONDS} seconds")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY


def test_there_are_many_mutations():
    assert len(MUTATIONS) >= 80


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_folder_is_one_line_that_names_it_in_every_command(run, capsys, name):
    change, refusing = MUTATIONS[name]
    change(run)
    for command_name, words in commands(run).items():
        with bounded():
            code = main(words)
        error = capsys.readouterr().err
        assert "Traceback" not in error, command_name
        if command_name in refusing and command_name == "audit" and name.startswith("rows"):
            assert str(run) in error, (command_name, error)  # it audits the other rows, and lists these
        elif command_name in refusing:
            assert code == USER_ERROR, (command_name, code, error)
            lines = [line for line in error.splitlines() if line and not line.startswith("evaluation: ")]  # the bar
            assert len(lines) == 1 and str(run) in lines[0] and len(lines[0]) < 2000, (command_name, error)
        else:
            assert code in (0, 1, USER_ERROR), (command_name, code, error)


# --------------------------------------------------------------------------------------------- code and pictures


MODULE = """
from pathlib import Path
Path(__file__).with_name("marker").write_text("ran")
"""


@pytest.fixture
def planted(run, monkeypatch):
    """A module in the working folder that writes a file when it is imported."""
    (run / "planted_module.py").write_text(MODULE)
    monkeypatch.chdir(run)
    yield run / "marker"
    sys.modules.pop("planted_module", None)


NAMED = {
    "dialect": config(dialect="planted_module:DIALECT", pixel_budgets=None),
    "grader": config(grader="planted_module:grade"),
    "tasks": config(tasks="planted_module:tasks"),
    "format": config(tasks="planted_module:FORMAT:tasks.jsonl"),
    "operation": config(dialect="tiny+planted_module:Operation", pixel_budgets=None),
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("reader", ["view", "audit"])
def test_a_name_of_code_in_a_folder_imports_nothing(run, planted, capsys, name, reader):
    NAMED[name](run)
    assert main(commands(run)[reader]) == USER_ERROR
    error = capsys.readouterr().err
    assert not planted.exists()
    assert error.count("\n") == 1 and str(run / CONFIGURATION) in error and "PIXEL_ENV_TRUST=planted_module" in error


@pytest.mark.parametrize("reader", ["view", "audit"])
def test_a_grader_that_a_task_of_the_folder_names_imports_nothing(run, planted, capsys, reader):
    tasks = run.parent / "tasks.jsonl"
    rows = [{**json.loads(line), "grader": "planted_module:grade"} for line in tasks.read_text().splitlines()]
    tasks.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    assert main(commands(run)[reader]) == USER_ERROR
    assert "PIXEL_ENV_TRUST=planted_module" in capsys.readouterr().err and not planted.exists()


def test_a_module_that_the_user_trusts_is_imported(run, planted, monkeypatch, capsys):
    NAMED["grader"](run)
    monkeypatch.setenv("PIXEL_ENV_TRUST", "other,planted_module")
    assert main(commands(run)["view"]) == USER_ERROR
    assert planted.exists() and "grade" in capsys.readouterr().err  # the module has no such function


def outside_of(run):
    """A picture that a task of the run names, outside of the folder of its task set."""
    elsewhere = run.parents[1] / "elsewhere"
    elsewhere.mkdir()
    shutil.move(run.parent / "red.png", elsewhere / "red.png")
    return elsewhere


@pytest.mark.parametrize("reader", ["view", "audit"])
def test_pictures_outside_of_the_task_set_are_opened_only_where_the_user_says_so(run, capsys, reader):
    elsewhere = outside_of(run)
    config(media_root=str(elsewhere))(run)
    assert main(commands(run)[reader]) == USER_ERROR
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(run / CONFIGURATION) in error and f"--media_root {elsewhere}" in error
    assert main([*commands(run)[reader], "--media_root", str(elsewhere)]) == 0


@pytest.mark.parametrize("reader", ["view", "audit"])
def test_links_out_of_the_task_set_are_followed_only_where_the_user_says_so(run, capsys, reader):
    elsewhere = outside_of(run)
    (run.parent / "red.png").symlink_to(elsewhere / "red.png")
    config(follow_links=True)(run)
    assert main(commands(run)[reader]) == USER_ERROR
    assert "--follow_links" in capsys.readouterr().err
    assert main([*commands(run)[reader], "--follow_links"]) == 0


def test_a_page_is_not_written_through_links_that_the_folder_holds(run, monkeypatch, capsys):
    from benchmarks.view import page

    monkeypatch.setattr(page, "EMBEDDED_IMAGES", 0)
    assert main(["view", str(run)]) == 0
    [picture, *_] = (run / "view_pictures").iterdir()
    target = run.parent / "precious"
    target.write_text("mine")
    for planted in (picture, run / "view.html"):
        planted.unlink()
        planted.symlink_to(target)
    assert main(["view", str(run)]) == 0
    assert target.read_text() == "mine" and not picture.is_symlink()
    shutil.rmtree(run / "view_pictures")
    (run / "view_pictures").symlink_to(run.parent)
    capsys.readouterr()
    assert main(["view", str(run)]) == USER_ERROR
    assert str(run / "view_pictures") in capsys.readouterr().err
