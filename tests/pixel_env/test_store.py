"""Trajectories on disk."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, TaskError
from pixel_env.interventions import blank
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.store import TrajectoryStore, read, row_of, save_image, trajectory_of, write_rollout
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Prompt, Trajectory, Unfinished

DEFAULT = DIALECTS["default"]
CROP = write(CropImage(0, Box(0.5, 0.5, 1.0, 1.0)), DEFAULT)


def played(task, *texts, **options):
    env = PixelEnv([task], **options)
    env.reset(seed=0)
    for text in texts:
        env.step(text)
    return env


@pytest.mark.parametrize(
    "env",
    [
        played(tiny_task(), CROP, "<tool_call>{", "\\boxed{7}"),
        played(tiny_task(), Unfinished("thinking, "), "still", CROP, CROP),
        played(tiny_task(), CROP, dialect="released"),
        played(tiny_task(), CROP.replace("crop_image", "crop_image_normalized"), "7", dialect="released"),
        played(tiny_video_task(), write(SelectFrames((1, 3)), DEFAULT), "\\boxed{你好 \ud800}"),
        played(tiny_task()),
    ],
)
def test_a_trajectory_survives_the_disk(tmp_path, env):
    store = TrajectoryStore(tmp_path / "runs" / "rollouts.jsonl")
    write_rollout(env.trajectory, store, policy="learned")
    (row,) = store
    assert row["policy"] == "learned" and row["task_id"] == env.trajectory.task.task_id
    again = trajectory_of(row, env.trajectory.task)
    assert again == env.trajectory
    kinds = [isinstance(turn.text, Unfinished) for turn in again.turns]
    assert kinds == [isinstance(turn.text, Unfinished) for turn in env.trajectory.turns]


def test_rows_are_appended_across_openings(tmp_path):
    path = tmp_path / "rows.jsonl"
    TrajectoryStore(path).append({"n": 1})
    TrajectoryStore(path).append({"n": 2})
    assert [row["n"] for row in read(path)] == [1, 2]


def test_no_file_is_no_rows(tmp_path):
    assert list(read(tmp_path / "none.jsonl")) == []


@pytest.mark.parametrize("kept", range(1, 30))
def test_a_line_that_a_kill_truncated_is_dropped_and_nothing_else(tmp_path, kept):
    path = tmp_path / "rows.jsonl"
    store = TrajectoryStore(path)
    store.append({"n": 1})
    first = path.stat().st_size
    store.append({"n": 2, "text": "ü" * 20})
    with path.open("rb+") as file:
        file.truncate(first + kept)
    assert [row["n"] for row in read(path)] == [1]
    again = TrajectoryStore(path)
    again.append({"n": 3})
    assert [row["n"] for row in again] == [1, 3]


@pytest.mark.parametrize("line", ["not json", "[1]", '{"n": 1}', '{"version": 99}', "[" * 100_000])
def test_a_broken_or_foreign_row_is_named_by_its_line(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    TrajectoryStore(path).append({"n": 1})
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ConfigError, match=r"rows\.jsonl, line 2"):
        list(read(path))


def test_images_are_written_once_under_the_name_of_their_content(tmp_path):
    env = played(tiny_task(), CROP, CROP)
    store = TrajectoryStore(tmp_path / "rows.jsonl")
    write_rollout(env.trajectory, store, images=tmp_path / "pictures", budgets=env.budgets)
    (row,) = store
    whole, first, second = row["pictures"]
    assert first == second != whole
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {whole, first}


def test_a_saved_image_is_the_one_that_was_shown(tmp_path):
    from PIL import Image

    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    name = save_image(picture, tmp_path)
    assert np.array_equal(np.asarray(Image.open(tmp_path / name)), picture)


def test_images_need_the_budgets(tmp_path):
    with pytest.raises(ConfigError, match="budgets="):
        write_rollout(played(tiny_task()).trajectory, TrajectoryStore(tmp_path / "r.jsonl"), images=tmp_path)


def test_a_row_of_another_task_or_image_is_refused():
    row = row_of(played(tiny_task(), CROP).trajectory)
    with pytest.raises(TaskError, match="'tiny-0', not of 'other'"):
        trajectory_of(row, tiny_task("other"))
    blanked = row_of(played(tiny_task(), CROP, intervention=blank).trajectory)
    for other in (row, blanked):
        with pytest.raises(TaskError, match="has no image"):
            trajectory_of(other, tiny_task(sources=(PixelSource(5, 5),)))


@pytest.mark.parametrize(("field", "other"), [("question", "Since \udc00when?"), ("answers", ("8",))])
def test_a_row_of_another_question_under_the_same_id_is_refused_naming_both(field, other):
    played_one = tiny_task()
    row = row_of(played(played_one).trajectory)
    with pytest.raises(
        TaskError, match=r"'tiny-0'.*has changed since.*Restore the task set, or give another output_dir"
    ) as caught:
        trajectory_of(row, replace(played_one, **{field: other}))
    assert ascii(played_one.question) in str(caught.value) and str(caught.value).isprintable()
    assert ("Since" if field == "question" else "['8']") in str(caught.value)


def test_texts_that_no_encoding_has_are_the_same_question_after_the_disk(tmp_path):
    task = replace(tiny_task(), question="\ud83d\ude00 \udc00\u2028\x00?", answers=("\ud800", "7\r\n"))
    store = TrajectoryStore(tmp_path / "rows.jsonl")
    write_rollout(Trajectory(task, Prompt("", ""), ()), store)
    assert [trajectory_of(row, task).task for row in store] == [task]


def test_the_order_of_the_right_answers_does_not_matter():
    task = tiny_task()
    two = replace(task, answers=(*task.answers, "8"))
    row = row_of(played(two).trajectory)
    assert trajectory_of(row, replace(two, answers=two.answers[::-1])).reward == 0.0


def test_no_pixels_are_in_a_row():
    assert len(json.dumps(row_of(played(tiny_task(), CROP).trajectory))) < 4000


# --------------------------------------------------------------------------------------------- several processes

APPENDS = """
import sys
from pathlib import Path
from pixel_env.store import TrajectoryStore
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    TrajectoryStore(path).append({"name": name, "number": number, "text": "x" * (number * 997 % 300_000)})
    print(number, flush=True)
"""


def appending(path, name, count):
    command = [sys.executable, "-c", APPENDS, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_no_row_is_lost_while_others_open_read_and_append(tmp_path):
    """Rows of up to 300 kB, which no system writes at once: a reader meets unfinished lines."""
    path = tmp_path / "rows.jsonl"
    with appending(path, "first", 150) as first, appending(path, "second", 150) as second:
        mine, lines = 0, -1
        while None in (first.poll(), second.poll()):
            rows = list(read(path))
            assert len(rows) >= max(lines, mine)
            lines = len(rows)
            TrajectoryStore(path).append({"name": "mine", "number": mine})
            mine += 1
    assert (first.returncode, second.returncode) == (0, 0) and mine > 1
    rows = list(read(path))
    for name, count in (("first", 150), ("second", 150), ("mine", mine)):
        assert [row["number"] for row in rows if row["name"] == name] == list(range(count))


def test_a_writer_that_is_killed_amid_a_row_costs_that_row_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    for attempt in range(8):
        with appending(path, f"killed-{attempt}", 10_000) as process:
            for _ in range(attempt * 3 + 1):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            finished = attempt * 3 + len(process.stdout.readlines()) + 1
        numbers = [row["number"] for row in read(path) if row["name"] == f"killed-{attempt}"]
        assert numbers == list(range(len(numbers))) and len(numbers) >= finished
    TrajectoryStore(path).append({"name": "last"})
    assert [row["name"] for row in read(path)][-1] == "last"
    assert path.read_bytes().endswith(b"\n")


def test_whoever_opens_or_reads_a_file_leaves_the_row_that_is_being_written_in_it(tmp_path):
    path = tmp_path / "rows.jsonl"
    TrajectoryStore(path).append({"n": 1})
    with path.open("ab", buffering=0) as writer:  # amid a row
        writer.write(b'{"version": 1, "n"')
        assert [row["n"] for row in TrajectoryStore(path)] == [row["n"] for row in read(path)] == [1]
        writer.write(b": 2}\n")
    assert [row["n"] for row in read(path)] == [1, 2]


HALF = """
import sys
from pathlib import Path
from pixel_env.locks import locked
with Path(sys.argv[1]).open("ab", buffering=0) as file, locked(file):
    file.write(b'{"version": 1, "name"')
    print("half", flush=True)
    sys.stdin.readline()
    file.write(b': "slow"}\\n')
"""


def test_a_row_is_appended_behind_the_one_that_another_process_is_amid_and_not_in_its_stead(tmp_path):
    path = tmp_path / "rows.jsonl"
    command = [sys.executable, "-c", HALF, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as slow:
        assert slow.stdout.readline() == "half\n"
        with appending(path, "quick", 1) as quick:
            with pytest.raises(subprocess.TimeoutExpired):
                quick.wait(timeout=0.5)
            slow.communicate("\n")
    assert [row["name"] for row in read(path)] == ["slow", "quick"]


BREAKS = {
    "turns": lambda row: row.pop("turns"),
    "no turns": lambda row: row.update(turns=None),
    "prompt": lambda row: row.update(prompt={}),
    "stop": lambda row: row.update(stop="tired"),
    "reward": lambda row: row.update(reward="much"),
    "answers": lambda row: row.update(answers=None),
    "action": lambda row: row["turns"][0].update(action={}),
    "arguments": lambda row: row["turns"][0].update(action={"kind": "crop_image"}),
    "box": lambda row: row["turns"][0]["action"].update(box=[1, 0, 0, 1]),
    "image that is not there": lambda row: row["turns"][0]["action"].update(image=7),
    "no prompt views": lambda row: row.update(prompt_views=[]),
    "text": lambda row: row["turns"][0].update(text=5),
    "message": lambda row: row["turns"][0].update(same_message=True),
    "failure": lambda row: row["turns"][0].update(failure={"code": "tired", "message": ""}),
    "source": lambda row: row["turns"][0]["views"][0].update(source=5),
    "rounding": lambda row: row["turns"][0]["views"][0].update(
        steps=[{"step": "cut", "box": [0, 0, 1, 1], "rounding": "sideways"}]
    ),
}


@pytest.mark.parametrize("part", BREAKS)
def test_a_row_that_was_broken_by_hand_is_named_by_its_task(part):
    env = played(tiny_task(), CROP, "\\boxed{7}")
    row = json.loads(json.dumps(row_of(env.trajectory)))
    BREAKS[part](row)
    with pytest.raises(TaskError, match=r"the stored row of the task .* is broken \(\w+: .*\)\. Remove its line\."):
        trajectory_of(row, env.trajectory.task)
