"""Locks on files and folders, between real processes."""

import json
import os
import signal
import subprocess
import sys

import pytest

from pixel_env.errors import ConfigError
from pixel_env.locks import LOCK_NAME, alone_in, claimed, refuse_claimed

HOLDS = """
import sys, time
from pathlib import Path
from pixel_env.locks import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has claimed `tmp_path`."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "claimed\n"
        yield process
        process.kill()


def test_a_folder_that_another_process_has_claimed_is_refused_by_folder_process_host_and_time(tmp_path, holder):
    with pytest.raises(ConfigError) as told, claimed(tmp_path, "another --output_dir"):
        pytest.fail("two processes are in one folder")
    held = json.loads((tmp_path / LOCK_NAME).read_text())
    for text in (
        str(tmp_path),
        f"process {holder.pid} on {held['host']}",
        held["since"],
        "Wait until",
        "or give another --output_dir",
    ):
        assert text in str(told.value)
    with pytest.raises(ConfigError, match=rf"process {holder.pid} .* Merge later"):
        refuse_claimed(tmp_path, "Merge later.")


def test_the_folder_is_free_when_its_process_ends_and_nothing_is_left_in_it(tmp_path, holder):
    holder.communicate("\n", timeout=300)
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_process_left_is_not_in_the_way(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_NAME).exists()
    refuse_claimed(tmp_path, "")
    with claimed(tmp_path):
        assert json.loads((tmp_path / LOCK_NAME).read_text())["process"] == os.getpid()


def test_a_second_claim_of_the_same_process_is_refused_too(tmp_path):
    with claimed(tmp_path), pytest.raises(ConfigError, match=f"process {os.getpid()} "), claimed(tmp_path):
        pytest.fail("claimed twice")


def test_a_child_that_outlives_its_parent_does_not_keep_the_lock(tmp_path):
    """As workers of a data loader do, which are forked."""
    forks = HOLDS.replace("    sys.stdin.readline()", "    import os\n    os.fork() or time.sleep(60)\n    os._exit(0)")
    with subprocess.Popen([sys.executable, "-c", forks, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.wait(timeout=300)
        with claimed(tmp_path):
            pass


def test_a_child_that_leaves_the_block_takes_nothing_from_its_parent(tmp_path):
    leaves = """
import os, sys
from pathlib import Path
from pixel_env.locks import claimed
with claimed(Path(sys.argv[1])):
    is_child = (child := os.fork()) == 0
    if not is_child:
        os.waitpid(child, 0)
        print("claimed", flush=True)
        sys.stdin.readline()
"""
    command = [sys.executable, "-c", leaves, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "claimed\n"
        with pytest.raises(ConfigError, match=f"process {process.pid} "), claimed(tmp_path):
            pytest.fail("claimed twice")
        process.communicate("\n", timeout=300)


def test_whoever_only_looks_does_not_take_the_claim_from_who_asks_for_it(tmp_path):
    looks = """
import sys
from pathlib import Path
from pixel_env.locks import refuse_claimed
from pixel_env.errors import ConfigError
print("looks", flush=True)
while True:
    try:
        refuse_claimed(Path(sys.argv[1]), "")
    except ConfigError:
        pass
"""
    (tmp_path / LOCK_NAME).touch()
    with subprocess.Popen([sys.executable, "-c", looks, str(tmp_path)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        for _ in range(50):
            with claimed(tmp_path):
                pass
            (tmp_path / LOCK_NAME).touch()
        process.kill()


def test_a_file_where_the_folder_should_be_is_said(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match=r"cannot be written.*Give another folder"), claimed(folder):
            pass


def test_who_waits_comes_next_although_the_lock_file_goes_with_the_lock(tmp_path):
    waits = """
import sys
from pathlib import Path
from pixel_env.locks import alone_in
folder = Path(sys.argv[1])
for _ in range(100):
    with alone_in(folder, lambda: None):
        number = int((folder / "count").read_text())
        (folder / "count").write_text(str(number + 1))
"""
    (tmp_path / "count").write_text("0")
    both = [subprocess.Popen([sys.executable, "-c", waits, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert (tmp_path / "count").read_text() == "200"
    with alone_in(tmp_path, lambda: pytest.fail("nobody is there")):
        pass
