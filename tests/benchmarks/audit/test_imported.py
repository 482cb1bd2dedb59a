"""An audit of other programs' files: lmms-eval samples and message lists."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.audit.command import main
from benchmarks.audit.samples import turns_in
from benchmarks.evaluation.records import read_evaluation
from benchmarks.evaluation.result_files import write_samples
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from tests.benchmarks.audit.runs import EVIDENCE, answer, call, figures_in, write_run, write_tasks
from tests.cpu_time import NOT_QUADRATIC, growth

AT_EVIDENCE = EVIDENCE.corners


def audit(tmp_path, path, *words, policy, code=0):
    """The figures of an audit of the file."""
    assert main([str(path), "--output", str(tmp_path / "audit.json"), *words]) == code
    return figures_in(tmp_path / "audit.json", policy) if code == 0 else None


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return path


def data_uri(size=(640, 480)):
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


# ------------------------------------------------------------------------------------------------------------ samples


def sample(response, **further):
    """A row as lmms-eval writes it: one request's responses, without their list where filters changed nothing."""
    return {"doc_id": 0, "target": "7", "filtered_resps": response, "doc_hash": "0", "input": "Which digit?", **further}


def test_samples_without_images_tell_answers_and_texts_but_no_regions(tmp_path, capsys):
    path = write_rows(
        tmp_path / "20260101_samples_vstar.jsonl",
        sample(f"I look. {call(AT_EVIDENCE)}\n{answer(7)}", vstar_score=1.0),
        sample(answer(8), vstar_score=0.0),
        sample([answer(7)], resps=[f"<crop> 4 4 12 12\n{answer(7)}"], vstar_score=1.0),
    )
    figures = audit(tmp_path, path, "--dialect", "default", policy="vstar")
    assert figures["episodes"] == 3 and figures["accuracy"]["value"] == pytest.approx(2 / 3)
    assert figures["answers"]["with_operation"] == {"n": 1, "graded": 1, "right": 1}
    assert figures["answers"]["without_operation"] == {"n": 2, "graded": 2, "right": 1}
    assert figures["overlaps"]["crops"] == 0
    assert "1 rows with calls hold no image" in capsys.readouterr().out
    # An image in the row is used: the call is executed.
    path = write_rows(path, sample(f"{call(AT_EVIDENCE)}\n{answer(7)}", input_media=[data_uri()]))
    assert audit(tmp_path, path, "--dialect", "default", policy="vstar")["overlaps"]["delivered"]["mean_iou"] == 1.0


@pytest.mark.parametrize("metrics", [{"score": 37.5}, {"a": 1.0, "b": 0.0}, {"score": float("nan")}, {"score": True}])
def test_a_metric_that_is_no_grade_from_0_to_1_grades_nothing(tmp_path, metrics):
    path = write_rows(tmp_path / "s_samples_t.jsonl", sample(answer(7), **metrics))
    figures = audit(tmp_path, path, "--dialect", "default", policy="t")
    assert figures["answers"]["without_operation"] == {"n": 1, "graded": 0, "right": 0}
    assert figures["accuracy"]["value"] is None


def test_a_native_call_as_lmms_eval_logs_it_is_a_call_and_its_result_is_no_text_of_the_model(tmp_path):
    arguments = json.dumps({"bbox_2d": list(AT_EVIDENCE), "target_image": 1})
    logged = (
        f"I look.<tool_call>crop_image {arguments}</tool_call></tool_response><image_url>{answer(1)}</tool_response>"
    )
    path = write_rows(tmp_path / "x_samples_t.jsonl", sample(f"{logged}So {answer(7)}", input_media=[data_uri()]))
    figures = audit(tmp_path, path, "--dialect", "default", policy="t")
    assert figures["overlaps"]["crops"] == 1 and figures["answers"]["with_operation"]["n"] == 1


def test_our_own_samples_give_the_same_crops_as_the_run_that_they_were_written_from(tmp_path):
    tasks = write_tasks(tmp_path / "tasks", [(640, 480), (480, 640)])
    plays = [[[call(AT_EVIDENCE), call((0.0, 0.0, 0.5, 0.5), image=2), answer(7)]], [[answer(8)]]]
    run = write_run(tmp_path / "run", tasks, plays)
    (tmp_path / "out").mkdir()
    write_samples(tmp_path / "out", read_evaluation(run))
    own = audit(tmp_path, run, policy="learned_zoom")
    words = ("--dialect", "default", "--tasks", str(tasks))
    read = audit(tmp_path, tmp_path / "out", *words, policy="learned_zoom")
    assert read == own and own["overlaps"]["crops"] == 2


def test_several_responses_are_sampled_rollouts_and_the_tasks_own_grader_grades_them(tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    row = sample([], resps=[[answer(7), answer(8)]], input="Which digit is on card 0? Think.", doc_id=0, score=0.5)
    path = write_rows(tmp_path / "s_samples_t.jsonl", row)
    figures = audit(tmp_path, path, "--dialect", "default", policy="sampled")
    assert figures["answers"]["without_operation"] == {"n": 2, "graded": 0, "right": 0}
    figures = audit(tmp_path, path, "--dialect", "default", "--tasks", str(tasks), policy="sampled")
    assert figures["answers"]["without_operation"] == {"n": 2, "graded": 2, "right": 1}


def test_a_question_that_the_task_set_does_not_have_at_that_number_is_no_match(tmp_path, capsys):
    tasks = write_tasks(tmp_path / "tasks")
    path = write_rows(tmp_path / "s_samples_t.jsonl", sample(answer(7), input="Another question?"))
    audit(tmp_path, path, "--dialect", "default", "--tasks", str(tasks), policy="t", code=1)
    assert "tasks has no question '0'" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ message lists


def conversation(*texts, image="images/1.png", **further):
    """A row of the released form: the observations hold an image each."""
    messages = [{"role": "user", "content": [{"text": "Which digit?"}, {"image": image}]}]
    for text in texts:
        messages += [{"role": "assistant", "content": [{"text": text}]}]
        messages += [{"role": "user", "content": [{"text": "Here it is."}, {"image": image}]}]
    return {"qid": "q0", "message_list": messages[:-1], **further}


def test_the_released_message_list_is_played_once_more(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (1280, 960)).save(tmp_path / "images" / "1.png")
    crop = call(AT_EVIDENCE, name="crop_image_normalized")
    rows = [conversation(crop, f"So {answer(7)}", reward=1.0), conversation(answer(8), reward=0)]
    path = write_rows(tmp_path / "rows.jsonl", *rows)
    figures = audit(tmp_path, path, "--dialect", "released", policy="messages")
    assert figures["overlaps"]["crops"] == 1 and figures["overlaps"]["delivered"]["covered"] == pytest.approx(1.0)
    assert figures["answers"]["with_operation"]["right"] == 1 and figures["accuracy"]["value"] == 0.5
    # With the task set there is evidence, too.
    words = ("--dialect", "released", "--tasks", str(write_tasks(tmp_path / "tasks")))
    figures = audit(tmp_path, path, *words, policy="messages")
    assert figures["overlaps"]["delivered_evidence"]["covered"] == pytest.approx(1.0)


def test_openai_messages_with_images_as_data_and_native_calls(tmp_path):
    arguments = json.dumps({"bbox_2d": list(AT_EVIDENCE), "target_image": 1})
    function = {"name": "crop_image", "arguments": arguments}
    image = {"type": "image_url", "image_url": {"url": data_uri()}}
    messages = [
        {"role": "system", "content": "You can zoom."},
        {"role": "user", "content": [{"type": "text", "text": "Which digit?"}, image]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "1", "content": [image]},
        {"role": "assistant", "content": answer(7)},
    ]
    path = write_rows(tmp_path / "rows.json", {"id": "q0", "messages": messages})
    figures = audit(tmp_path, path, "--dialect", "default", policy="messages")
    assert figures["overlaps"]["crops"] == 1 and figures["overlaps"]["delivered"]["mean_iou"] == 1.0
    assert figures["answers"]["with_operation"] == {"n": 1, "graded": 0, "right": 0}


@pytest.mark.parametrize("arguments", ["{", "[1]", 5, None])
def test_a_native_call_whose_arguments_are_no_object_is_a_broken_call_of_the_model(tmp_path, arguments):
    called = [{"function": {"name": "crop_image", "arguments": arguments}}]
    messages = [
        {"role": "user", "content": "Which digit?"},
        {"role": "assistant", "content": None, "tool_calls": called},
        {"role": "tool", "content": "Error"},
        {"role": "assistant", "content": answer(7)},
    ]
    path = write_rows(tmp_path / "rows.jsonl", {"id": "q0", "messages": messages})
    figures = audit(tmp_path, path, "--dialect", "default", policy="messages")
    assert figures["episodes"] == 1 and figures["answers"]["with_operation"]["n"] == 1
    assert figures["overlaps"]["crops"] == 0


def test_rows_that_cannot_be_audited_are_named_and_counted(tmp_path, capsys):
    remote = {"type": "image_url", "image_url": {"url": "https://me:secret@example.org/1.png?key=secret"}}
    nowhere = {"type": "image_url", "image_url": {"url": "http://["}}
    path = write_rows(
        tmp_path / "rows.jsonl",
        {
            "id": "fine",
            "messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": answer(4)}],
        },
        conversation(answer(7), image="gone.png"),
        "{broken\n",
        {"messages": [{"role": "user", "content": [remote]}, {"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": "No reply"}]},
        {"messages": [{"role": "user", "content": "Two"}] + 2 * [{"role": "assistant", "content": answer(4)}]},
        {"messages": [{"role": "user", "content": "\ud800"}, {"role": "assistant", "content": answer(4)}]},
        {"messages": [{"role": "user", "content": [nowhere]}, {"role": "assistant", "content": "x"}]},
    )
    assert audit(tmp_path, path, "--dialect", "default", policy="messages")["episodes"] == 1
    error = capsys.readouterr().err
    assert "7 rows or episodes are not audited" in error
    assert "secret" not in error
    for part in (
        "line 2: the image 'gone.png' is missing",
        "line 3: not valid JSON",
        "line 4: its image is at the address 'https://example.org/1.png'; download it",
        "line 5: the conversation has no message with the role 'assistant'",
        "line 8: the address of its image is none (Invalid IPv6 URL)",
        "line 7: its id or its question holds a lone surrogate",
        "line 6: its turn 1 of 2 ends the episode in the dialect 'default' (answered)",
    ):
        assert part in error


def test_a_file_needs_the_name_of_its_dialect_and_rows_of_a_known_kind(tmp_path):
    path = write_rows(tmp_path / "x_samples_t.jsonl", sample(answer(7)))
    with pytest.raises(ConfigError, match="does not say in which dialect its calls are; give --dialect"):
        main([str(path)])
    with pytest.raises(ConfigError, match=r"has the columns question\. Wanted: a folder of pixel-env eval"):
        main([str(write_rows(tmp_path / "y.jsonl", {"question": "?"})), "--dialect", "default"])
    with pytest.raises(ConfigError, match="has no row that can be read"):
        main([str(write_rows(tmp_path / "z.jsonl")), "--dialect", "default"])


# ------------------------------------------------------------------------------------------- images that came back


def patterned(size):
    """An image in which every region looks different."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    waves = [np.sin(rows / a + columns / b) * 60 for a, b in ((37, 91), (83, 29), (211, 53))]
    return Image.fromarray(np.clip(128 + sum(waves), 0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(
    ("came_back", "place"),
    [
        ((0.5, 0.25, 0.75, 0.5), "delivered"),
        ((0.0, 0.0, 1.0, 1.0), "whole image"),
        ((0.1, 0.6, 0.3, 0.9), "elsewhere"),
        (None, "unclear"),
    ],
)
def test_an_image_that_came_back_tells_which_region_the_tool_of_the_run_cut(came_back, place, tmp_path):
    image = patterned((1280, 960))
    image.save(tmp_path / "1.png")
    corners = [round(corner * side) for corner, side in zip(came_back or (), (1280, 960) * 2, strict=False)]
    shown = image.crop(corners) if came_back else Image.new("RGB", (300, 300), "grey")
    shown.resize((364, 280)).save(tmp_path / "2.jpg")
    row = conversation(call(AT_EVIDENCE), answer(7), image="1.png")
    row["message_list"][2]["content"][1]["image"] = "2.jpg"
    path = write_rows(tmp_path / "rows.jsonl", row)
    assert audit(tmp_path, path, "--dialect", "default", policy="messages")["places"] == {place: 1}


def test_the_corner_that_a_tool_with_a_guessed_unit_cut_is_recognised_in_released_rows(tmp_path):
    image = patterned((2246, 1582))
    image.save(tmp_path / "1.png")
    image.crop((0, 0, 225, 159)).save(tmp_path / "2.png")
    row = conversation(call((0.5, 0.5, 1, 1), name="crop_image_normalized"), answer(7), image="1.png")
    row["message_list"][2]["content"][1]["image"] = "2.png"
    path = write_rows(tmp_path / "rows.jsonl", row)
    figures = audit(tmp_path, path, "--dialect", "released", policy="messages")
    assert figures["places"] == {"guessed": 1} and figures["overlaps"]["guessed"]["apart"] == 1.0


def test_a_response_with_many_openings_is_read_in_linear_time():
    calls, opening = dialect_named("default").calls, "<tool_call>a {"
    assert turns_in(opening * 100_000, calls) == [opening * 100_000]
    assert growth(lambda times: turns_in(opening * times, calls), 2_000) < NOT_QUADRATIC
