import dataclasses
import json

import pytest
from PIL import Image

from agents.trace_folder import read_trace_folder, write_trace_folder
from agents.traces import Mistake
from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.cli import main
from pixel_env.dialects import dialect_named
from pixel_env.media import FileSource
from pixel_env.samples import sample_set
from pixel_env.types import CropImage, Evidence, SelectFrames, Task, TaskSet
from synth.conversion.command import load_rows, write_rows
from synth.conversion.conversions import ROW_FORMATS
from synth.plans import Look, Narration, Plan, PlanKind, traced
from synth.templates import shown_as

ELSEWHERE, WIDE, CARD = Box(0.0, 0.0, 0.2, 0.2), Box(0.4, 0.4, 0.9, 0.9), Box(0.5, 0.5, 0.7, 0.7)


def file_task(folder):
    Image.effect_noise((600, 500), 80).convert("RGB").save(folder / "one.png")
    options = ("red", "green", "dark red")
    return Task(
        "one",
        "Which colour has the sign?",
        ("green",),
        (FileSource(folder / "one.png"),),
        grader="choice",
        options=options,
        evidence=(Evidence(0, CARD),),
    )


def plans_on(task):
    """A plan of each kind."""
    missed, wide = (
        Look(CropImage(0, ELSEWHERE), Mistake.UNRELATED_REGION),
        Look(CropImage(0, WIDE), Mistake.OVERSIZED_REGION),
    )
    closer = CropImage(1, CARD.relative_to(WIDE))
    yield Plan(task, PlanKind.RECROP_ONCE, (missed, Look(CropImage(0, CARD))))
    yield Plan(task, PlanKind.FURTHER_ZOOM, (wide, Look(closer)))


WORDS = {
    PlanKind.RECROP_ONCE: ("A street.", "It is not here; I try elsewhere.", "Now I see it."),
    PlanKind.FURTHER_ZOOM: ("A street.", "This is too wide, so I go closer.", "Now I see it."),
    PlanKind.RESELECT: ("A video.", "Nothing of it is here, so I try other frames.", "Now I see it."),
    PlanKind.TEXT_ONLY: ("Two and two are four.",),
}


@pytest.fixture
def folder_of(tmp_path):
    """Writes a folder of traces of every kind in a dialect: a file, a text, and unless told otherwise a video."""

    def write(dialect_name):
        seeds = tmp_path / "seeds"
        seeds.mkdir()
        video = sample_set("mvbench", split="train", count=1).tasks[0]
        frames = sorted({one.image for one in video.evidence})
        wrong = next(number for number in range(16) if abs(number - frames[0]) > 3)
        looks = (Look(SelectFrames((wrong,)), Mistake.WRONG_FRAMES), Look(SelectFrames(tuple(frames))))
        text = Task("sum", "What is 2 + 2?", ("4",), media="text", grader="number")
        once, zoom = plans_on(file_task(seeds))
        plans = [once, zoom, Plan(video, PlanKind.RESELECT, looks), Plan(text, PlanKind.TEXT_ONLY)]
        if dialect_name == "tiny":  # it can crop the first image and nothing else
            plans = [once, Plan(text, PlanKind.TEXT_ONLY)]
        budgets = sample_set("mvbench").budgets
        task_set = TaskSet("mixed", (), budgets=budgets)
        dialect = shown_as(task_set, dialect_named(dialect_name))
        traces = [traced(plan, Narration(WORDS[plan.kind][0], WORDS[plan.kind][1:]), dialect) for plan in plans]
        # Two traces of one task: a trace is told by its row, not by its task's id.
        write_trace_folder(tmp_path / "traces", traces, task_set, seeds)
        return tmp_path / "traces"

    return write


@pytest.mark.parametrize("dialect_name", ["default", "qwen2.5-vl", "qwen3-vl", "released", "tiny"])
@pytest.mark.parametrize("name", ROW_FORMATS)
def test_a_trace_that_goes_there_and_back_is_the_same_trace(folder_of, name, dialect_name, tmp_path):
    folder = folder_of(dialect_name)
    task_set, traces = read_trace_folder(folder)
    assert write_rows(folder, tmp_path / "rows" / "rows.json", ROW_FORMATS[name], dialect_name) == len(traces) > 1
    loaded = load_rows(tmp_path / "rows" / "rows.json")
    assert not loaded.problems and loaded.budgets == task_set.budgets
    resolved = [
        dataclasses.replace(trace.task, sources=tuple(at(source) for source in trace.task.sources)) for trace in traces
    ]
    back = [dataclasses.replace(t.task, sources=tuple(at(source) for source in t.task.sources)) for t in loaded.traces]
    assert back == resolved
    assert [(t.turns, t.kind) for t in loaded.traces] == [(t.turns, t.kind) for t in traces]


def at(source):
    return FileSource(source.path.resolve()) if isinstance(source, FileSource) else source


def test_a_released_row_has_every_text_and_picture_in_the_order_of_the_episode(folder_of, tmp_path):
    folder = folder_of("released")
    write_rows(folder, tmp_path / "release.json", ROW_FORMATS["message_list"], "released")
    rows = json.loads((tmp_path / "release.json").read_text())
    roles = [message["role"] for message in rows[0]["message_list"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    question, crop = rows[0]["message_list"][1]["content"], rows[0]["message_list"][3]["content"]
    assert question[0]["text"].startswith("Which colour has the sign?\n(A) red") and question[1] == {
        "image": "seeds/one.png"
    }
    assert "Here is the cropped image" in crop[0]["text"] and (tmp_path / crop[1]["image"]).is_file()
    video = rows[2]["message_list"][1]["content"][1]["video"]
    assert len(video) == 16 and all((tmp_path / frame).is_file() for frame in video)
    assert [message["role"] for message in rows[3]["message_list"]] == ["system", "user", "assistant"]


def test_a_row_for_trl_has_a_place_for_each_picture(folder_of, tmp_path):
    write_rows(folder_of("default"), tmp_path / "rows.jsonl", ROW_FORMATS["trl"], "default")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    for row in rows:
        blocks = [block for message in row["messages"] for block in message["content"]]
        assert sum(block["type"] == "image" for block in blocks) == len(row["images"])
    assert [len(row["images"]) for row in rows][:2] == [3, 3] and len(rows[2]["images"]) > 17 and not rows[3]["images"]
    assert rows[0]["messages"][1]["content"][0] == {"type": "image"}


# --------------------------------------------------------------------------------------------------- foreign rows


def released_row(folder, *calls, answer="B", texts=(), name="crop_image", **extra):
    """A row as the released data are told to have them, without any flag; null keys as the hub's loader gives them."""
    Image.effect_noise((600, 500), 80).convert("RGB").save(folder / "street.png")
    guideline = "\n\nGuidelines: look closer if it helps.\n\nReason step by step, final answer in \\boxed{}."
    question = f"What is on the sign?\n(A) a cat\n(B) a dog{guideline}"
    messages = [
        {"role": "system", "content": [{"text": "You are a helpful assistant.", "image": None, "video": None}]},
        {"role": "user", "content": [{"text": question, "image": None}, {"image": "street.png", "text": None}]},
    ]
    for place, (box, target) in enumerate(calls):
        call = json.dumps({"name": name, "arguments": {"bbox_2d": box, "target_image": target}})
        said = texts[place] if place < len(texts) else "Let me look."
        messages.append({"role": "assistant", "content": [{"text": f"{said}\n<tool_call>{call}</tool_call>"}]})
        crop = [{"text": "\nHere is the cropped image (Image Size: 200x200):"}, {"image": "street.png"}]
        messages.append({"role": "user", "content": crop})
    last = texts[len(calls)] if len(texts) > len(calls) else "I see it."
    messages.append({"role": "assistant", "content": [{"text": f"{last} \\boxed{{{answer}}}"}]})
    return {"qid": "SA1B-7", "message_list": messages, **extra}


def release(folder, *rows):
    (folder / "release.json").write_text(json.dumps(rows))
    return folder / "release.json"


def test_a_released_row_becomes_a_trace_whose_mistake_is_found(tmp_path):
    texts = ("A street.", "The sign is not here, let me try again.", "It shows a dog.")
    row = released_row(tmp_path, ([0.0, 0.0, 0.2, 0.2], 1), ([0.6, 0.6, 0.8, 0.8], 1), texts=texts)
    loaded = load_rows(release(tmp_path, row), "released")
    assert not loaded.problems
    [trace] = loaded.traces
    assert (trace.task.question, trace.task.options) == ("What is on the sign?", ("a cat", "a dog"))
    assert (trace.task.answers, trace.task.grader, trace.kind) == (("B",), "choice", "recrop_once")
    assert [(turn.train, turn.mistake) for turn in trace.turns] == [
        (False, Mistake.UNRELATED_REGION),
        (True, None),
        (True, None),
    ]


def test_in_a_dialect_without_padding_the_box_is_the_one_that_was_shown(tmp_path):
    """The released code shows a tenth of the picture more on each side than the call names."""
    loaded = load_rows(release(tmp_path, released_row(tmp_path, ([0.3, 0.3, 0.5, 0.5], 1))), "default")
    action = parse(loaded.traces[0].turns[0].text, dialect_named("default"))
    assert isinstance(action, CropImage) and action.box.corners == pytest.approx((0.2, 0.2, 0.6, 0.6), abs=1e-3)


@pytest.mark.parametrize("name", ["crop_image", "crop_image_normalized"])
def test_either_name_of_the_crop_is_read_and_the_new_dialects_name_is_written(tmp_path, name):
    loaded = load_rows(release(tmp_path, released_row(tmp_path, ([0.3, 0.3, 0.5, 0.5], 1), name=name)), "released")
    assert '"crop_image_normalized"' in loaded.traces[0].turns[0].text


def test_pixels_are_declared_and_never_guessed(tmp_path):
    path = release(tmp_path, released_row(tmp_path, ([180, 150, 300, 250], 1)))
    assert "give the other --coordinates" in load_rows(path).problems[0]
    assert not load_rows(path, unit="pixel").problems


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.pop("message_list"), "wanted is one of message_list, messages"),
        (lambda row: row["message_list"][1]["content"][1].update(image="lost.png"), "lost.png is missing"),
        (lambda row: row["message_list"].pop(), "no further turn|its episode ends"),
        (lambda row: row["message_list"][0].update(content=[{}]), "text, image or video"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_by_name(tmp_path, change, said, capsys):
    broken, good = (released_row(tmp_path, ([0.3, 0.3, 0.5, 0.5], 1)) for _ in range(2))
    change(broken)
    assert main(["convert", str(release(tmp_path, broken, good)), "--to", "traces", "--out", str(tmp_path / "t")]) == 1
    output = capsys.readouterr().out
    assert "1 of 2 rows are traces" in output and "row 1" in output
    assert any(part in output for part in said.split("|"))
    assert len(read_trace_folder(tmp_path / "t")[1]) == 1


def test_what_is_no_folder_of_traces_is_refused(tmp_path, capsys):
    assert main(["convert", str(tmp_path), "--to", "trl", "--out", str(tmp_path / "rows.json")]) == 2
    assert "no folder of traces" in capsys.readouterr().err
