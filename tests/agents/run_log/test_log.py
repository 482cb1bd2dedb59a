import json
import math
from datetime import UTC, datetime

import pytest

from agents.run_log.appending import Appender
from agents.run_log.log import LOG, log_row, read_log, resume_log
from agents.run_log.rollouts import ROLLOUTS, RolloutLog, resume_rollouts, token_runs, use_of
from pixel_env.episode import Prompt, Stop, Trajectory
from pixel_env.tasks import load_tasks

NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def write(folder, rows):
    Appender(folder / LOG).append([log_row(step, metrics, time=NOW) for step, metrics in rows])


def steps_in(folder):
    return [(row.step, row.kind) for row in read_log(folder)[0]]


def test_a_row_has_its_step_its_time_its_kind_and_every_metric(tmp_path):
    write(tmp_path, [(3, {"loss": 0.25, "epoch": 1}), (3, {"eval_accuracy": 0.5}), (3, {"train_runtime": 9.0})])
    rows, errors = read_log(tmp_path)
    assert [(row.step, row.kind, dict(row.metrics)) for row in rows] == [
        (3, "train", {"loss": 0.25, "epoch": 1.0}),
        (3, "eval", {"eval_accuracy": 0.5}),
        (3, "end", {"train_runtime": 9.0}),
    ]
    assert rows[0].time == "2026-05-01T12:30:00.000+00:00" and not errors


def test_a_number_that_is_not_finite_is_null_in_the_file_and_named(tmp_path):
    write(tmp_path, [(1, {"loss": math.nan, "grad_norm": math.inf, "reward": None, "lr": 1.0})])
    stored = json.loads((tmp_path / LOG).read_text())
    assert stored["loss"] is None and stored["grad_norm"] is None
    (row,), _ = read_log(tmp_path)
    assert row.metrics == {"lr": 1.0} and row.without_value == ("loss", "grad_norm", "reward")


def test_a_broken_line_is_named_and_the_others_are_read(tmp_path):
    write(tmp_path, [(1, {"loss": 1.0})])
    with (tmp_path / LOG).open("a") as file:
        file.write('{"version": 1, "step": "many"}\nno json\n[]\n{"version": 9, "step": 2}\n')
    write(tmp_path, [(2, {"loss": 0.5})])
    rows, errors = read_log(tmp_path)
    assert [row.step for row in rows] == [1, 2]
    assert len(errors) == 4 and all(f"line {number}" in error for number, error in enumerate(errors, start=2))


HISTORY = [{"loss": 1.0, "step": 1}, {"loss": 0.9, "step": 2}, {"eval_loss": 0.8, "step": 2}]


@pytest.mark.parametrize(
    "logged_since",
    [
        [],
        [(3, {"loss": 0.7})],
        # The end of a run that is lengthened: none of these rows would be there in the whole run.
        [(2, {"train_runtime": 5.0}), (2, {"eval_loss": 0.6})],
        [(2, {"eval_loss": 0.6}), (3, {"loss": 0.7}), (4, {"loss": 0.6})],
    ],
)
def test_what_was_logged_since_the_checkpoint_is_cut_when_the_run_resumes(tmp_path, logged_since):
    known = [(row["step"], {name: value for name, value in row.items() if name != "step"}) for row in HISTORY]
    write(tmp_path, known + logged_since)
    with (tmp_path / LOG).open("a") as file:
        file.write('{"version": 1, "st')  # the process was killed while it wrote
    resume_log(tmp_path, 2, HISTORY)
    write(tmp_path, [(3, {"loss": 0.5})])
    assert steps_in(tmp_path) == [(1, "train"), (2, "train"), (2, "eval"), (3, "train")]


def test_a_run_that_begins_anew_leaves_nothing_of_the_old_log(tmp_path):
    write(tmp_path, [(0, {"eval_loss": 1.0}), (1, {"loss": 1.0})])
    resume_log(tmp_path, 0, [])
    assert steps_in(tmp_path) == []


def test_a_log_that_is_missing_is_written_from_what_the_checkpoint_holds(tmp_path):
    resume_log(tmp_path, 2, HISTORY)
    assert steps_in(tmp_path) == [(1, "train"), (2, "train"), (2, "eval")]


def test_a_file_that_cannot_be_written_is_said_once_and_nothing_else_happens(tmp_path, capsys):
    (tmp_path / "a file").write_text("")
    file = Appender(tmp_path / "a file" / LOG)
    file.append([{"step": 1}])
    file.append([{"step": 2}])
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "cannot be written" in told and "goes on" in told


def test_a_file_that_is_full_takes_no_further_rows_and_says_so_once(tmp_path, capsys):
    file = Appender(tmp_path / LOG, max_bytes=100)
    for step in range(20):
        file.append([{"step": step, "text": "x" * 40}])
    assert 100 <= (tmp_path / LOG).stat().st_size < 250
    assert capsys.readouterr().err.count("no further rows") == 1


# -------------------------------------------------------------------------------------------------------- rollouts


def test_rollouts_are_kept_of_the_first_step_and_of_every_nth_whatever_a_generation_lasts(tmp_path):
    def kept(every, lasts):
        log = RolloutLog(tmp_path, every, 1)
        return [step for step in range(1, 22, lasts) if log.is_due("train", step, step + lasts - 1)]

    assert kept(every=10, lasts=1) == [1, 10, 20]
    assert kept(every=10, lasts=4) == [1, 9, 17]  # steps 9 to 12 and 17 to 20
    assert kept(every=0, lasts=1) == []
    log = RolloutLog(tmp_path, 10, 1)
    assert [log.is_due("eval", 7, 7) for _ in range(3)] == [True, False, False]  # the batches of one evaluation


def test_rollouts_since_the_checkpoint_are_cut_when_the_run_resumes(tmp_path):
    rows = [("eval", 0), ("train", 1), ("train", 2), ("eval", 2), ("train", 3)]

    def left(step, *, is_evaluated):
        (tmp_path / ROLLOUTS).unlink(missing_ok=True)
        Appender(tmp_path / ROLLOUTS).append([{"kind": kind, "step": at} for kind, at in rows])
        resume_rollouts(tmp_path, step, is_evaluated=is_evaluated)
        return [json.loads(line)["step"] for line in (tmp_path / ROLLOUTS).read_text().splitlines()]

    assert left(2, is_evaluated=True) == [0, 1, 2, 2]
    assert left(2, is_evaluated=False) == [0, 1, 2]
    assert left(1, is_evaluated=False) == [0, 1]
    assert left(0, is_evaluated=False) == []


def test_the_marks_of_the_tokens_are_their_runs():
    assert token_runs([True, True, False, True]) == (2, 1, 1)
    assert token_runs([False, True]) == (0, 1, 1)
    assert token_runs([]) == ()


def test_what_the_update_does_with_a_rollout_is_said():
    task = load_tasks("sample:vstar-tiny", split="train", count=1).tasks[0]
    fine, broken = (Trajectory(task, Prompt("", ""), (), stop=stop) for stop in (Stop.ANSWERED, Stop.FAILED))
    assert use_of(fine, is_training=True, moves=True, loss_tokens=3) == "trained"
    assert use_of(fine, is_training=True, moves=False, loss_tokens=3) == "filtered"
    assert use_of(fine, is_training=True, moves=True, loss_tokens=0) == "masked"
    assert use_of(fine, is_training=False, moves=True, loss_tokens=3) == "played"
    assert use_of(broken, is_training=True, moves=True, loss_tokens=3) == "failed"
