"""Files that cannot be written: the message names the file, and what was written before is kept."""

import errno

import pytest

from agents.run_folder.configuration import write_whole
from agents.run_folder.write_errors import told_of_writing
from pixel_env.cli import COMMANDS, Command, main
from pixel_env.errors import WriteError
from pixel_env.store import TrajectoryStore
from pixel_env.writing import writing
from tests.small_disk import no_file_larger_than


def test_a_row_that_does_not_fit_is_named_and_the_rows_before_are_kept(tmp_path):
    store = TrajectoryStore(tmp_path / "rows.jsonl")
    store.append({"n": 1})
    with (
        no_file_larger_than(100),
        pytest.raises(WriteError, match=r"rows\.jsonl cannot be written: File too large\. Free"),
    ):
        store.append({"text": "x" * 1000})
    assert [row["n"] for row in store] == [1]
    store.append({"n": 2})
    assert [row["n"] for row in store] == [1, 2]


def test_a_file_that_does_not_fit_is_named_and_the_one_before_is_unchanged(tmp_path):
    write_whole(tmp_path / "page.html", "before")
    with no_file_larger_than(100), pytest.raises(WriteError, match=r"page\.html cannot be written"):
        write_whole(tmp_path / "page.html", "x" * 1000)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "before")]


def test_a_folder_that_was_removed_is_named(tmp_path):
    folder = tmp_path / "run"
    store = TrajectoryStore(folder / "rows.jsonl")
    folder.rmdir()
    with pytest.raises(WriteError, match=r"rows\.jsonl cannot be written: No such file or directory"):
        store.append({"n": 1})
    with pytest.raises(WriteError, match=r"summary\.json cannot be written: No such file or directory"):
        write_whole(folder / "summary.json", "{}")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG])
def test_a_full_or_read_only_disk_is_one_line_in_every_command(monkeypatch, capsys, number):
    def fails(argv):
        raise OSError(number, "No space left on device", "/data/file")

    monkeypatch.setitem(COMMANDS, "try", Command("tests:none", "a command of this test"))
    monkeypatch.setattr("pixel_env.cli._load", lambda target: fails)
    assert main(["try"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("pixel-env try: /data/file cannot be written: No space left on device. Free space")
    assert told.count("\n") == 1


def test_another_error_of_a_file_is_a_defect(monkeypatch):
    def fails(argv):
        raise FileNotFoundError(errno.ENOENT, "No such file", "/data/file")

    monkeypatch.setitem(COMMANDS, "try", Command("tests:none", "a command of this test"))
    monkeypatch.setattr("pixel_env.cli._load", lambda target: fails)
    with pytest.raises(FileNotFoundError):
        main(["try"])


class SafetensorError(Exception):
    """As safetensors names its own."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_training_that_cannot_write_is_one_line_that_says_what_is_kept(tmp_path, error):
    wanted = pytest.raises(WriteError, match=r"cannot be written: .*same command again; checkpoint-2 is kept\.$")
    with wanted as told, told_of_writing(tmp_path, lambda: "checkpoint-2 is kept"):
        raise error
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("error", [RuntimeError("CUDA error"), FileNotFoundError(errno.ENOENT, "gone", "/else/where")])
def test_an_error_of_something_else_is_not_taken_for_one_of_writing(tmp_path, error):
    with pytest.raises(type(error), match=str(error.args[-1])), told_of_writing(tmp_path, lambda: "all is kept"):
        raise error


def test_a_file_below_the_run_that_is_missing_while_writing_is_one_of_writing(tmp_path):
    with pytest.raises(WriteError, match="No such file"), told_of_writing(tmp_path, lambda: "nothing is kept"):
        (tmp_path / "gone" / "file").write_text("x")
    with pytest.raises(WriteError, match=r"a file cannot be written: no place"), writing(tmp_path / "a file"):
        raise OSError("no place")
