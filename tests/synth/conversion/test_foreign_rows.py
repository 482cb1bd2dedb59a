import io
import json

import pytest
from PIL import Image

from agents.traces.folder import read_trace_folder
from agents.traces.trace import Mistake
from pixel_env.actions import parse
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.crop_image import CropImage
from synth.conversion.foreign_rows import RowReading
from synth.conversion.loading import Loading
from synth.conversion.loading import load_rows as load_in


def load_rows(path, dialect_name="default", unit="fraction"):
    return load_in(path, Loading(dialect_named(dialect_name), reading=RowReading(unit=unit)))


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


def test_a_released_row_becomes_a_trace_whose_mistake_is_detected(tmp_path):
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
        (lambda row: row.pop("message_list"), "wanted: one of message_list, messages"),
        (lambda row: row["message_list"][1]["content"][1].update(image="lost.png"), "lost.png' is missing"),
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


CROP = ([0.3, 0.3, 0.5, 0.5], 1)


def test_rows_of_one_name_that_ask_different_things_are_different_tasks(tmp_path):
    row = released_row(tmp_path, CROP)
    other = released_row(tmp_path, CROP, answer="A")
    other["message_list"][1]["content"][0]["text"] = "Which animal is it?\n(A) a fish\n(B) a cow"
    path = release(tmp_path, row, other, row, {**other, "qid": "SA1B-7:2"})
    out = tmp_path / "t"
    assert main(["convert", str(path), "--to", "traces", "--out", str(out)]) == 0
    told = [(trace.task.task_id, trace.task.question, trace.task.answers) for trace in read_trace_folder(out)[1]]
    sign, animal = ("What is on the sign?", ("B",)), ("Which animal is it?", ("A",))
    assert told == [("SA1B-7", *sign), ("SA1B-7:2", *animal), ("SA1B-7", *sign), ("SA1B-7:2", *animal)]


def test_a_row_that_shows_no_image_after_an_executed_call_is_refused(tmp_path):
    row = released_row(tmp_path, CROP)
    row["message_list"][3]["content"] = [{"text": "Error: the box is not valid."}]
    [problem] = load_rows(release(tmp_path, row)).problems
    assert "shows no image after an executed call: 'Error: the box is not valid.'" in problem


def test_a_row_that_shows_a_image_after_a_turn_without_a_call_is_refused(tmp_path):
    row = released_row(tmp_path, CROP)
    row["message_list"].append(row["message_list"][3])
    assert "an image after a turn without a call" in load_rows(release(tmp_path, row)).problems[0]


def test_a_crop_of_a_smaller_image_than_the_original_is_not_blamed_on_the_coordinates(tmp_path):
    row = released_row(tmp_path, CROP)
    Image.effect_noise((40, 40), 80).convert("RGB").save(tmp_path / "small.png")
    row["message_list"][1]["content"][1]["image"] = "small.png"
    row["message_list"][2]["content"][0]["text"] = row["message_list"][2]["content"][0]["text"].replace("0.5", "0.31")
    [problem] = load_rows(release(tmp_path, row)).problems
    assert "The original image was larger" in problem and "--coordinates" not in problem


def test_other_coordinates_are_proposed_for_boxes_only(tmp_path):
    [problem] = load_rows(release(tmp_path, released_row(tmp_path, ([0.3, 0.3, 0.5, 0.5], 2)))).problems
    assert "an image after a refused call: That image does not exist" in problem and "--coord" not in problem


@pytest.mark.parametrize("dialect_name", ["released", "default"])
def test_a_row_with_a_refused_operation_is_left_out_in_every_dialect(tmp_path, dialect_name):
    row = released_row(tmp_path, ([0.3, 0.3, 0.5, 0.5], 9), CROP)
    row["message_list"][3]["content"] = [{"text": "Error: there is no image 9."}]
    loaded = load_rows(release(tmp_path, row), dialect_name)
    assert not loaded.traces and "a refused call" in loaded.problems[0]


def test_a_row_that_calls_crops_by_two_names_is_refused_and_prose_is_no_call(tmp_path):
    new, old = (released_row(tmp_path, CROP, CROP, name=name) for name in ("crop_image_normalized", "crop_image"))
    new["message_list"][4] = old["message_list"][4]
    told = released_row(tmp_path, CROP, texts=('I do not write "name": "crop_image_normalized".',))
    loaded = load_rows(release(tmp_path, new, told), "released")
    assert (
        len(loaded.traces) == 1
        and "two names for the crop tool: crop_image, crop_image_normalized" in loaded.problems[0]
    )


def test_a_row_whose_answer_is_none_is_left_out(tmp_path):
    [problem] = load_rows(release(tmp_path, released_row(tmp_path, CROP, answer=""))).problems
    assert "its answer '' is graded as wrong against itself" in problem


def test_one_row_that_no_file_can_hold_does_not_end_the_others(tmp_path):
    good, long, lone = (released_row(tmp_path, CROP, texts=(text,)) for text in ("A street.", "A.", "A \ud800 street."))
    long["message_list"][1]["content"][1]["image"] = "a" * 5000
    lines = [*(json.dumps(row) for row in (good, long, lone)), "[1]", "{"]
    (tmp_path / "release.jsonl").write_text("\n".join(lines))
    loaded = load_rows(tmp_path / "release.jsonl")
    assert len(loaded.traces) == 1 and [problem.partition(":")[0] for problem in loaded.problems] == [
        f"line {number}" for number in (2, 3, 4, 5)
    ]
    assert "is missing" in loaded.problems[0] and "surrogate" in loaded.problems[1]


# ------------------------------------------------------------------------------------------------------ TRL's rows


def trl_row(folder, **extra):
    """A released row as TRL has it."""
    messages, images = [], []
    for message in released_row(folder, CROP)["message_list"]:
        content = []
        for item in message["content"]:
            is_text = item.get("text") is not None
            content.append({"type": "text", "text": item["text"]} if is_text else {"type": "image"})
            images += [] if is_text else [item["image"]]
        messages.append({"role": message["role"], "content": content})
    return {"messages": messages, "images": images, **extra}


@pytest.mark.parametrize("images", [["street.png"] * 3, ["street.png"]])
def test_a_row_for_trl_has_as_many_images_as_places_for_them(tmp_path, images):
    assert not load_rows(release(tmp_path, trl_row(tmp_path))).problems
    [problem] = load_rows(release(tmp_path, trl_row(tmp_path, images=images))).problems
    assert f"'images' has {len(images)} entries and 'messages' has 2 image blocks" in problem


def test_a_text_row_for_trl_needs_no_images_and_plain_text_gets_its_images_first(tmp_path):
    text = {
        "messages": [
            {"role": "user", "content": "What is 2 + 2?"},
            {"role": "assistant", "content": "It is \\boxed{4}"},
        ]
    }
    row = trl_row(tmp_path)
    row["messages"][1]["content"] = row["messages"][1]["content"][0]["text"]
    row["images"] = row["images"][:1]
    row["messages"] = [*row["messages"][:2], {"role": "assistant", "content": "A dog. \\boxed{B}"}]
    loaded = load_rows(release(tmp_path, text, row))
    assert not loaded.problems
    assert [(trace.task.media, len(trace.task.sources)) for trace in loaded.traces] == [("text", 0), ("image", 1)]


def test_images_inside_of_a_parquet_file_are_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [trl_row(tmp_path), trl_row(tmp_path)]
    encoded = (tmp_path / "street.png").read_bytes()
    rows[0]["images"] = [{"bytes": encoded, "path": None}, {"bytes": encoded, "path": "street.png"}]
    rows[1]["images"] = [{"bytes": None, "path": "street.png"}] * 2
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    out = tmp_path / "t"
    assert main(["convert", str(tmp_path / "rows.parquet"), "--to", "traces", "--out", str(out)]) == 0
    first, second = (trace.task.sources[0].decode() for trace in read_trace_folder(out)[1])
    assert first.tobytes() == second.tobytes() == Image.open(io.BytesIO(encoded)).tobytes()


def test_embedded_bytes_that_are_no_image_cost_their_row_only(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [trl_row(tmp_path), trl_row(tmp_path)]
    encoded = (tmp_path / "street.png").read_bytes()
    rows[0]["images"] = [{"bytes": b"no picture"}] * 2
    rows[1]["images"] = [{"bytes": encoded}] * 2
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    loaded = load_rows(tmp_path / "rows.parquet")
    assert len(loaded.traces) == 1 and "cannot decode" in loaded.problems[0]
