"""An audit of a folder of ours: crops, answers, refused boxes, misread texts, and rows that cannot be audited."""

import json

import pytest

from benchmarks.audit.command import main
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.interventions import blank, unchanged, withheld
from pixel_env.types import Unfinished
from tests.benchmarks.audit.runs import EVIDENCE, answer, call, figures_in, write_run, write_tasks

AT_EVIDENCE = EVIDENCE.corners
ELSEWHERE = (0.0, 0.5, 0.25, 0.75)


@pytest.fixture
def audited(tmp_path):
    """Audits an episode of one question with these texts; returns the figures."""

    def audit(*texts, dialect="default", **flags):
        run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks"), [[texts]], dialect)
        words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
        assert main([str(run), "--output", str(tmp_path / "audit.json"), *words]) == 0
        return figures_in(tmp_path / "audit.json")

    return audit


def test_an_honest_dialect_delivers_what_is_asked_for_also_of_a_crop(audited):
    inside = call((0.25, 0.25, 0.75, 0.75), image=2)
    overlaps = audited(call(AT_EVIDENCE), inside, answer("7"))["overlaps"]
    assert overlaps["crops"] == overlaps["delivered"]["n"] == 2
    assert overlaps["delivered"]["quartiles"] == pytest.approx([1.0] * 5)
    assert overlaps["delivered"]["covered"] == pytest.approx(1.0) and overlaps["delivered"]["apart"] == 0.0
    # The first crop is the evidence, the second one a quarter of it.
    assert overlaps["delivered_evidence"]["mean_iou"] == pytest.approx((1 + 0.25) / 2)


def test_padding_covers_what_is_asked_for_and_is_no_error(audited, capsys):
    texts = (call(AT_EVIDENCE, name="crop_image_normalized"), answer("7"))
    delivered = audited(*texts, dialect="released")["overlaps"]["delivered"]
    assert delivered["covered"] == pytest.approx(1.0) and delivered["mean_iou"] < 0.5
    assert "Worst crops" not in capsys.readouterr().out


def test_the_window_around_a_point_is_what_is_asked_for(audited, capsys):
    arguments = {"point_2d": [0.6, 0.4], "target_image": 1}
    text = f"<tool_call>{json.dumps({'name': 'point_zoom', 'arguments': arguments})}</tool_call>"
    overlaps = audited(text, answer("7"), dialect="tests.benchmarks.audit.published:POINTS")["overlaps"]
    assert overlaps["crops"] == 1 and overlaps["delivered"]["mean_iou"] == 1.0


def test_a_unit_that_the_model_did_not_mean_shows_as_another_region(audited, capsys):
    overlaps = audited(call(AT_EVIDENCE), answer("7"), asked="shown")["overlaps"]
    assert overlaps["delivered"]["apart"] == 1.0
    assert "Worst crops" in (text := capsys.readouterr().out) and "asked [0.001 0.001 " in text


def test_numbers_that_are_no_box_in_the_unit_asked_in_are_counted(audited):
    overlaps = audited(call((1, 1, 120, 400)), answer("7"), dialect="qwen3-vl", asked="fraction")["overlaps"]
    assert overlaps["unread"] == 1 and overlaps["delivered"]["n"] == 0 and overlaps["delivered"]["mean_iou"] is None


def test_repeated_and_whole_image_crops_are_counted(audited):
    whole, nearly_the_same = call((0, 0, 1, 0.95)), call((0.5, 0.25, 0.76, 0.5))
    overlaps = audited(call(AT_EVIDENCE), whole, nearly_the_same, call(ELSEWHERE), answer("7"))["overlaps"]
    assert (overlaps["crops"], overlaps["whole"], overlaps["repeated"]) == (4, 1, 1)


def test_answers_without_an_operation_are_counted_apart_right_and_wrong(tmp_path):
    refused = call((0.5, 0.5, 0.501, 0.501))
    plays = [[answer("7")], [answer("8")], [refused, answer("7")], [call(AT_EVIDENCE), answer("7")], ["I think"]]
    run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks"), [plays])
    assert main([str(run), "--output", str(tmp_path / "audit.json")]) == 0
    sampled = figures_in(tmp_path / "audit.json", "sampled")["answers"]
    assert sampled["with_operation"] == {"n": 1, "graded": 1, "right": 1}
    assert sampled["without_operation"] == {"n": 2, "graded": 2, "right": 1}
    assert sampled["unanswered"] == 1
    assert figures_in(tmp_path / "audit.json")["answers"]["without_operation"]["right"] == 1


def test_a_text_that_another_dialect_reads_as_a_call_is_shown_with_the_dialect(audited, capsys):
    pixels = call((100, 100, 400, 400))
    readings = audited("Look closer. <crop> 4 4 12 12", pixels, answer("7"))["readings"]
    assert readings["turns"] == {"text": 1, "box_outside": 1, "answer": 1}
    assert readings["by_dialect"]["tiny"]["calls"] == {"text": 1}
    assert readings["by_dialect"]["tiny"]["example"] == {
        "task_id": "q0",
        "turn": 0,
        "text": "Look closer. <crop> 4 4 12 12",
    }
    assert {"qwen2.5-vl", "qwen3-vl"} <= set(readings["by_dialect"]) and "default" not in readings["by_dialect"]
    assert "qwen2.5-vl: task q0, turn 2: '<tool_call>" in capsys.readouterr().out


def test_an_executed_call_is_never_counted_as_read_elsewhere(audited):
    readings = audited(call(AT_EVIDENCE), answer("7"))["readings"]
    assert readings == {"turns": {"answer": 1}, "by_dialect": {}}


@pytest.mark.parametrize(("intervention", "covered"), [(blank, 0.0), (withheld, 0.0), (unchanged, 1.0)])
def test_control_crops_deliver_nothing_of_what_is_asked_for(tmp_path, intervention, covered):
    texts = [call(AT_EVIDENCE), answer("7")]
    run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks"), [[texts]], intervention=intervention)
    assert main([str(run), "--output", str(tmp_path / "audit.json")]) == 0
    overlaps = figures_in(tmp_path / "audit.json")["overlaps"]
    assert overlaps["delivered"]["covered"] == overlaps["delivered_evidence"]["covered"] == covered
    assert overlaps["asked_evidence"]["covered"] == 1.0


def test_each_call_of_a_message_is_compared_with_its_own_numbers(audited):
    named = "tests.benchmarks.audit.published:SEVERAL"
    both = call(AT_EVIDENCE) + "and" + call(ELSEWHERE)
    figures = audited(both, both + call((0.9, 0.9, 0.1, 0.1)), answer("7"), dialect=named)
    assert figures["overlaps"]["crops"] == 4 and figures["overlaps"]["repeated"] == 2
    assert figures["overlaps"]["delivered"]["quartiles"] == pytest.approx([1.0] * 5)
    assert figures["refused"]["boxes"] == 5 and figures["refused"]["by_code"]["box_inverted"]["n"] == 1
    assert figures["readings"]["turns"] == {"answer": 1}


def test_a_call_in_a_message_that_the_token_limit_interrupted_is_read_whole(audited):
    text = "I look. " + call(AT_EVIDENCE)
    overlaps = audited(Unfinished(text[:10]), text[10:], answer("7"))["overlaps"]
    assert overlaps["crops"] == 1 and overlaps["unread"] == 0 and overlaps["delivered"]["mean_iou"] == 1.0


# --------------------------------------------------------------------------------------- what cannot be audited


def test_broken_rows_and_questions_that_are_gone_are_named_and_counted_and_the_others_audited(tmp_path, capsys):
    tasks = write_tasks(tmp_path / "tasks", [(640, 480), (320, 320)])
    run = write_run(tmp_path / "run", tasks, [[[answer("7")]], [[answer("7")]]])
    rows = run / "trajectories.jsonl"
    rows.write_text('{"version": 1, "task_id"\n{"version": 1, "policy": "x"}\n' + rows.read_text())
    (tmp_path / "tasks" / "1.png").unlink()
    with pytest.warns(UserWarning, match="1 bad row"):
        assert main([str(run), "--output", str(tmp_path / "audit.json")]) == 0
    error = capsys.readouterr().err
    assert "3 rows or episodes are not audited" in error
    assert "line 1 is not a JSON row" in error and "line 2 is not a row of an evaluation" in error
    assert "line 4: the task set no longer has the question 'q1', or its image is gone" in error
    whole = json.loads((tmp_path / "audit.json").read_text())
    assert (whole["rows"], whole["audited"], len(whole["faults"])) == (4, 1, 3)


def test_an_image_that_is_broken_by_now_is_named(tmp_path, capsys):
    tasks = write_tasks(tmp_path / "tasks", [(641, 481), (322, 322)])
    run = write_run(tmp_path / "run", tasks, [[[answer("7")]], [[answer("7")]]])
    (tmp_path / "tasks" / "0.png").write_bytes((tmp_path / "tasks" / "0.png").read_bytes()[:60] + b"?" * 900)
    with pytest.warns(UserWarning, match="1 bad row"):
        assert main([str(run)]) == 0
    assert "1 rows or episodes are not audited" in capsys.readouterr().err


def test_a_run_of_which_nothing_can_be_audited_ends_with_exit_code_1(tmp_path, capsys):
    run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks"), [[[answer("7")]]])
    (run / "trajectories.jsonl").write_text("{}\n")
    assert main([str(run)]) == 1
    assert "Nothing could be audited" in capsys.readouterr().err
    (run / "trajectories.jsonl").write_text("")
    assert main([str(run)]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "there is no file or folder nowhere. Wanted: a folder of pixel-env eval"),
        (["."], "holds nothing to audit"),
        ([".", "--asked", "inches"], "No unit of coordinates named 'inches'"),
        ([".", "--asked", "grid"], "Did you mean 'grid:1000'?"),
        ([".", "--asked", "grid:x"], "give the number of its cells"),
        ([".", "--output", "audit.txt"], "Give an --output that ends in .json"),
        ([".", "--page", "audit.txt"], "ends in .html or .htm"),
    ],
)
def test_a_mistake_in_the_command_line_gets_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, UnknownNameError)) as error:
        main(words)
    assert message in str(error.value)


def test_a_folder_above_runs_names_them(tmp_path):
    write_run(tmp_path / "runs" / "one", write_tasks(tmp_path / "tasks"), [[[answer("7")]]])
    with pytest.raises(ConfigError, match=r"Evaluations below it: .*one"):
        main([str(tmp_path / "runs")])
