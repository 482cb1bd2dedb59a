import json
import re
import urllib.request
from threading import Thread

import pytest

from agents.run_log.appending import Appender
from agents.run_log.log import LOG, log_row
from benchmarks.report.command import main, writer_of
from benchmarks.report.page import page, state_of
from benchmarks.report.panels import panels_of
from benchmarks.report.run import read_training
from benchmarks.studies.charts import Line, line_chart, scale_around
from benchmarks.studies.curves import Curve
from benchmarks.view.server import PageServer
from pixel_env.errors import ConfigError
from pixel_env.locks import claimed

HOSTILE = "<img src=x onerror=window.pwned=1></script> & 'quoted'"
CONFIGURATION = {"num_generations": 8, "logging_steps": 1, "model_name_or_path": HOSTILE, "tasks": "sample:vstar-tiny"}
CONFIGURATION |= {"dialect": "tiny", "group_reward": "paper", "learning_rate": 1e-6, "seed": 1}


def step(number, **more):
    metrics = {"loss": 0.1 / number, "reward": 0.5, "rewards/correctness": 0.4, "rewards/curiosity": 0.1}
    metrics |= {"rewards/letters/mean": 0.2, "rewards/letters/std": 0.1, "accuracy": 0.5, "rapr": number / 100}
    metrics |= {"accuracy/digit-on-card": 0.25, "failures/all": 0.5, "stops/answered": 0.9, "stops/turns": 0.1}
    metrics |= {"completions/mean_length": 120.0, "time/step": 20.0, "time/generation": 15.0, "time/update": 5.0}
    return log_row(number, metrics | {"memory/resident_gb": 1.5} | more, total=240)


def evaluated(number):
    figures = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "accuracy_n": 96, "rapr": 0.7}
    return log_row(number, {f"eval_{name}": value for name, value in figures.items()}, total=240)


@pytest.fixture
def grpo(tmp_path):
    """A run of 240 steps of which 30 are logged, with two evaluations."""
    folder = tmp_path / "grpo"
    folder.mkdir()
    (folder / "configuration.json").write_text(json.dumps(CONFIGURATION))
    rows = [evaluated(0), *(step(number) for number in range(1, 31)), evaluated(30)]
    Appender(folder / LOG).append(rows)
    return folder


def titles(folder):
    return {panel.title: [curve.name for curve in panel.curves] for panel in panels_of(read_training(folder))}


def test_the_curves_are_those_of_the_metrics_that_the_run_logged(grpo):
    assert titles(grpo) == {
        "Reward and its parts": ["reward", "correctness", "curiosity", "letters"],
        "Accuracy": ["training", "held out"],
        "RaPR": ["training", "held out"],
        "Accuracy by category": ["digit-on-card"],
        "Failures by code": ["all"],
        "Stop reasons": ["answered", "turns"],
        "Lengths": ["sampled"],
        "Loss": ["training"],
        "Seconds of a step": ["generation", "update"],
        "Memory": ["resident_gb"],
    }


def test_a_failure_that_did_not_occur_at_a_step_is_zero_there(grpo):
    Appender(grpo / LOG).append([step(31, **{"failures/box_empty": 0.25})])
    (panel,) = (one for one in panels_of(read_training(grpo)) if one.title == "Failures by code")
    curve = next(curve for curve in panel.curves if curve.name == "box_empty")
    assert curve.values == (0.0,) * 30 + (0.25,)


def test_a_page_is_complete_and_inert(grpo):
    text = page(read_training(grpo))
    assert text.count("<svg") == 10 and "0.4</td>" in text and "<script" not in text
    assert HOSTILE not in text and "&lt;img src=x" in text and "refresh" not in text


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ((-2e-3, 1e-3), ("-0.002", "-0.001", "0", "0.001")),
        ((1e-3, 1.2e-3), ("0.00100", "0.00105", "0.00110", "0.00115", "0.00120")),
        ((7e-7, 1e-6), ("7e-07", "8e-07", "9e-07", "1.0e-06")),
        ((123456, 123459), ("123456", "123457", "123458", "123459")),
        ((0, 5e6), ("0", "1e+06", "2e+06", "3e+06", "4e+06", "5e+06")),
        ((5.3, 5.34), ("5.30", "5.31", "5.32", "5.33", "5.34")),
        ((0.0, 0.0), ("0", "0.2")),
    ],
)
def test_the_labels_of_an_axis_differ_and_have_room_at_its_left(values, labels):
    scale = scale_around(values)
    assert scale.labels == labels
    curve = Curve("one", (0, 1), values)
    chart = line_chart("Title", "What it is", [Line(curve, curve, "c0")], x_label="step", scale=scale)
    ends = [float(x) for x in re.findall(r'class="tick end" x="([\d.]+)"', chart)]
    assert len(ends) == len(labels) and min(ends) >= 7.6 * max(map(len, scale.labels))
    [begin] = {float(x) for x in re.findall(r'class="grid" d="M([\d.]+) ', chart)}
    [start] = {float(x) for x in re.findall(r'class="curve c0" d="M([\d.]+) ', chart)}
    assert begin == pytest.approx(start, abs=0.05) and begin > max(ends)


def test_a_page_says_how_far_the_run_is(grpo):
    assert state_of(read_training(grpo)).startswith("Not running and not finished: step 30 of 240")
    with claimed(grpo):
        running = state_of(read_training(grpo))
    assert running.startswith("Running: step 30 of 240, 70 min left")
    Appender(grpo / LOG).append([log_row(30, {"train_runtime": 9.0}, total=240)])  # a signal ended it
    assert state_of(read_training(grpo)).startswith("Not running and not finished: step 30")
    Appender(grpo / LOG).append([log_row(240, {"train_runtime": 9.0}, total=240), evaluated(240)])
    assert state_of(read_training(grpo)).startswith("Finished: 240 steps")


def test_a_loss_that_is_no_number_is_said(grpo):
    Appender(grpo / LOG).append([step(31, loss=float("nan")), step(32, loss=float("inf"))])
    assert "loss was no finite number at 2 steps, the first is 31." in page(read_training(grpo))


def test_broken_lines_and_files_are_said_on_the_page_and_the_rest_is_shown(grpo):
    with (grpo / LOG).open("a") as file:
        file.write("no json\n[]\n")
    Appender(grpo / LOG).append([step(31)])
    (grpo / "configuration.json").write_text("{")
    (grpo / "summary.json").write_text("[]")
    run = read_training(grpo)
    assert run.steps == 31 and run.is_reinforcement
    text = page(run)
    assert "and 1 further lines" in text and "configuration.json cannot be read" in text and "summary.json" in text


def test_a_run_that_has_logged_nothing_yet_has_a_page(tmp_path):
    (tmp_path / "configuration.json").write_text(json.dumps(CONFIGURATION))
    assert "No step has been logged yet" in page(read_training(tmp_path))
    (tmp_path / LOG).write_text("")
    assert "has no rows yet" in page(read_training(tmp_path))


def test_a_run_without_a_log_is_shown_by_its_last_checkpoint(tmp_path):
    for number in (2, 10):
        (tmp_path / f"checkpoint-{number}").mkdir()
        history = [{"step": at, "loss": 1.0 / at, "mean_token_accuracy": 0.5} for at in range(1, number + 1)]
        state = json.dumps({"log_history": history})
        (tmp_path / f"checkpoint-{number}" / "trainer_state.json").write_text(state)
    run = read_training(tmp_path)
    assert run.steps == 10 and not run.is_reinforcement and "last checkpoint" in page(run)
    assert titles(tmp_path) == {"Loss": ["training"], "Token accuracy": ["training"]}


def test_a_long_run_has_a_page_of_bounded_size(tmp_path):
    rows = "".join(json.dumps({"version": 1, **step(number)}) + "\n" for number in range(1, 6001))
    (tmp_path / LOG).write_text(rows)
    assert len(page(read_training(tmp_path))) < 600_000


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: None, "no such folder"),
        (lambda folder: folder.mkdir(), "neither log.jsonl nor a checkpoint"),
        (lambda folder: _evaluation(folder), "pixel-env view"),
        (lambda folder: _below(folder), "below it: .*one"),
    ],
)
def test_a_folder_that_is_no_run_is_one_line_with_the_way_out(tmp_path, make, told):
    make(tmp_path / "folder")
    with pytest.raises(ConfigError, match=told):
        main([str(tmp_path / "folder")])
    assert not list(tmp_path.glob("**/report.html"))


def _evaluation(folder):
    folder.mkdir()
    (folder / "trajectories.jsonl").write_text("")


def _below(folder):
    (folder / "one").mkdir(parents=True)
    (folder / "one" / LOG).write_text("")


def test_the_command_writes_the_page_into_the_run_or_elsewhere(grpo, tmp_path, capsys):
    assert main([str(grpo)]) == 0 and (grpo / "report.html").is_file()
    assert main([str(grpo), "--output", str(tmp_path / "elsewhere" / "run.html")]) == 0
    assert (tmp_path / "elsewhere" / "run.html").is_file()
    assert capsys.readouterr().out.count("Report: ") == 2


def test_a_served_page_follows_the_run_and_comes_again_until_it_is_finished(grpo):
    path = grpo / "report.html"
    write = writer_of(grpo, path, is_served=True)
    server = PageServer(path, 0, write)
    Thread(target=server.serve_forever, daemon=True).start()

    def shown():
        with urllib.request.urlopen(server.address) as answer:
            return answer.read().decode()

    try:
        assert "step 30 of 240" in shown() and 'http-equiv="refresh" content="10"' in shown()
        Appender(grpo / LOG).append([step(31)])
        assert "step 31 of 240" in shown()
        Appender(grpo / LOG).append([log_row(240, {"train_runtime": 9.0}, total=240)])
        assert "Finished" in shown() and "refresh" not in shown()
        for file in (grpo / LOG, grpo / "configuration.json"):
            file.unlink()
        assert "Finished" in shown()  # the page stays as it was
    finally:
        server.shutdown()
        server.server_close()
