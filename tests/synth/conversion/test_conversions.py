import dataclasses
import json

import pytest
from PIL import Image

from agents.rollout import EpisodeSettings
from agents.traces.folder import TRACES, check_dialect, read_trace_folder, write_trace_folder
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.samples import sample_set
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.types import Limits
from synth.conversion.conversations import conversation_of
from synth.conversion.foreign_rows import RowReading
from synth.conversion.forms.message_list import message_list_row
from synth.conversion.forms.registry import FORMS
from synth.conversion.forms.trl import trl_row
from synth.conversion.loading import Loading
from synth.conversion.loading import load_rows as load_in
from synth.conversion.writing import write_rows
from synth.plans.plan import Narration, Plan, PlanKind, PlannedOperation, traced
from synth.plans.windows import right_window
from synth.warm_starts.templates import shown_as

RESTORED = ("message_list", "trl", "trl_prompt", "sharegpt")
"""The forms that are written, and from which a trace comes back."""


def load_rows(path, dialect_name="default"):
    return load_in(path, Loading(dialect_named(dialect_name)))


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
        PlannedOperation(CropImage(0, ELSEWHERE), Mistake.UNRELATED_REGION),
        PlannedOperation(CropImage(0, WIDE), Mistake.OVERSIZED_REGION),
    )
    closer = CropImage(1, CARD.relative_to(WIDE))
    yield Plan(task, PlanKind.RECROP_ONCE, (missed, PlannedOperation(CropImage(0, CARD))))
    yield Plan(task, PlanKind.FURTHER_ZOOM, (wide, PlannedOperation(closer)))


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
        looks = (
            PlannedOperation(SelectFrames((wrong,)), Mistake.WRONG_FRAMES),
            PlannedOperation(SelectFrames(tuple(frames))),
        )
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
@pytest.mark.parametrize("name", RESTORED)
def test_a_trace_that_goes_there_and_back_is_the_same_trace(folder_of, name, dialect_name, tmp_path):
    folder = folder_of(dialect_name)
    task_set, traces = read_trace_folder(folder)
    written = write_rows(folder, tmp_path / "rows" / "rows.json", FORMS[name], dialect_name)
    assert written.traces == len(traces) > 1 and written.rows >= written.traces
    loaded = load_rows(tmp_path / "rows" / "rows.json", dialect_name)
    assert not loaded.problems and loaded.budgets == task_set.budgets
    resolved = [
        dataclasses.replace(trace.task, sources=tuple(at(source) for source in trace.task.sources)) for trace in traces
    ]
    back = [dataclasses.replace(t.task, sources=tuple(at(source) for source in t.task.sources)) for t in loaded.traces]
    assert back == resolved
    assert [(t.turns, t.kind) for t in loaded.traces] == [(t.turns, t.kind) for t in traces]


def at(source):
    return FileSource(source.path.resolve()) if isinstance(source, FileSource) else source


def test_a_released_row_has_every_text_and_image_in_the_order_of_the_episode(folder_of, tmp_path):
    folder = folder_of("released")
    write_rows(folder, tmp_path / "release.json", FORMS["message_list"], "released")
    rows = json.loads((tmp_path / "release.json").read_text())
    roles = [message["role"] for message in rows[0]["message_list"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    question, crop = rows[0]["message_list"][1]["content"], rows[0]["message_list"][3]["content"]
    assert question[0] == {"image": "seeds/one.png"}
    assert question[1]["text"].startswith("Which colour has the sign?\n(A) red")
    assert "Here is the cropped image" in crop[0]["text"] and (tmp_path / crop[1]["image"]).is_file()
    video = rows[2]["message_list"][1]["content"][0]["video"]
    assert len(video) == 16 and all((tmp_path / frame).is_file() for frame in video)
    assert [message["role"] for message in rows[3]["message_list"]] == ["system", "user", "assistant"]


def test_a_row_for_trl_has_a_place_for_each_image(folder_of, tmp_path):
    write_rows(folder_of("default"), tmp_path / "rows.jsonl", FORMS["trl"], "default")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    for row in rows:
        blocks = [block for message in row["messages"] for block in message["content"]]
        assert sum(block["type"] == "image" for block in blocks) == len(row["images"])
    assert [len(row["images"]) for row in rows][:2] == [3, 3] and len(rows[2]["images"]) > 17 and not rows[3]["images"]
    assert rows[0]["messages"][1]["content"][0] == {"type": "image"}


def test_images_stand_where_the_dialect_has_them_and_a_turn_with_two_calls_is_one_message(tmp_path):
    base = dialect_named("default")
    wording = dataclasses.replace(
        base.wording, question="Given {images}: {question}", observations={"crop_image": "Closer {images}."}
    )
    dialect = dataclasses.replace(base, several_calls="all", wording=wording)
    texts = ["".join(write(CropImage(0, box), dialect) for box in (CARD, WIDE)), "\\boxed{green}"]
    trace = Trace(file_task(tmp_path), tuple(TraceTurn(text) for text in texts))
    conversation = conversation_of(trace, EpisodeSettings(dialect, Limits(), dialect.budgets), tmp_path, "")
    _, question, call, observation, answer = message_list_row(conversation)["message_list"]
    assert question["content"] == [{"text": "Given "}, {"image": "one.png"}, {"text": f": {wording_of(trace)}"}]
    assert [item.get("text") for item in observation["content"]] == ["Closer ", None, ".\nCloser ", None, "."]
    assert (call["content"], answer["content"]) == ([{"text": texts[0]}], [{"text": texts[1]}])
    blocks = trl_row(conversation)["messages"][3]["content"]
    assert [block["type"] for block in blocks] == ["text", "image", "text", "image", "text"]


def wording_of(trace):
    request = "Answer with the letter of the option."
    return "\n".join([trace.task.question, "(A) red", "(B) green", "(C) dark red", request])


def test_what_is_no_folder_of_traces_is_refused(tmp_path, capsys):
    assert main(["convert", str(tmp_path), "--to", "trl", "--out", str(tmp_path / "rows.json")]) == 2
    assert "not a folder of traces" in capsys.readouterr().err


@pytest.fixture
def rows_of(folder_of, tmp_path):
    """The rows of a folder of traces in the default dialect, as TRL's, and a function that writes a changed file."""
    write_rows(folder_of("default"), tmp_path / "rows.jsonl", FORMS["trl"], "default")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().split("\n") if line]

    def write(*changed):
        (tmp_path / "changed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed))
        return tmp_path / "changed.jsonl"

    return rows, write


def test_traces_of_another_dialect_than_their_folder_says_become_no_rows(folder_of, tmp_path, capsys):
    folder = folder_of("default")
    flags = ["--to", "trl", "--out", str(tmp_path / "rows.jsonl"), "--dialect", "qwen3-vl"]
    with pytest.raises(TaskError, match="refused operation on a trained turn, turn 2: The crop is too small"):
        write_rows(folder, tmp_path / "rows.jsonl", FORMS["trl"], "qwen3-vl")
    (folder / "configuration.json").write_text(json.dumps({"dialect": "default:vcot"}))
    assert main(["convert", str(folder), *flags]) == 2 and "Give --dialect default" in capsys.readouterr().err
    assert not (tmp_path / "rows.jsonl").exists()
    assert main(["convert", str(folder), *flags[:-1], "default"]) == 0


def test_rows_of_ours_come_back_in_their_dialect_alone_and_their_folder_says_it(rows_of, tmp_path, capsys):
    flags = ["--to", "traces", "--out", str(tmp_path / "back")]
    assert main(["convert", str(tmp_path / "rows.jsonl"), *flags, "--dialect", "qwen3-vl"]) == 2
    assert "its dialect is 'default'" in capsys.readouterr().err and not list((tmp_path / "back").iterdir())
    assert main(["convert", str(tmp_path / "rows.jsonl"), *flags]) == 0
    check_dialect(tmp_path / "back", dialect_named("default"))
    with pytest.raises(ConfigError, match="Give --dialect default"):
        check_dialect(tmp_path / "back", dialect_named("qwen3-vl"))


def test_a_folder_and_rows_of_ours_are_converted_in_the_dialect_that_they_record(folder_of, tmp_path, capsys):
    folder, rows, back = folder_of("qwen3-vl"), tmp_path / "rows.jsonl", tmp_path / "back"
    words = ["convert", str(folder), "--to", "trl", "--out", str(rows)]
    assert main(words) == 2
    assert f"The dialect of the traces in {folder} is not recorded there. Give --dialect" in capsys.readouterr().err
    (folder / "configuration.json").write_text(json.dumps({"dialect": "qwen3-vl"}))
    assert main(words) == 0 and f"Dialect qwen3-vl: that of the traces in {folder}" in capsys.readouterr().err
    assert main(["convert", str(rows), "--to", "traces", "--out", str(back)]) == 0
    assert "Dialect qwen3-vl" in capsys.readouterr().err
    assert json.loads((back / "configuration.json").read_text())["dialect"] == "qwen3-vl"


@pytest.mark.parametrize("edited", ["Now I see it.", "Which colour has the sign?"])
def test_an_edited_row_of_ours_is_refused_as_it_would_come_back_unedited(rows_of, edited):
    rows, write = rows_of
    changed = {**rows[0], "messages": json.loads(json.dumps(rows[0]["messages"]).replace(edited, "Edited."))}
    loaded = load_rows(write(changed, *rows[1:]))
    assert len(loaded.traces) == len(rows) - 1
    [problem] = loaded.problems
    assert problem.startswith("line 1:") and "remove that column" in problem


@pytest.mark.parametrize("trace", ["{", "[" * 100_000, "[1]", '{"task": 5}'])
def test_a_note_that_is_none_of_ours_costs_its_row_only(rows_of, trace):
    rows, write = rows_of
    loaded = load_rows(write({**rows[0], "trace": trace}, rows[1]))
    assert len(loaded.traces) == 1 and "'trace' is not one of ours" in loaded.problems[0]


def test_half_a_character_in_a_note_costs_its_row_and_not_the_writing_of_all(rows_of):
    rows, write = rows_of
    note = json.loads(rows[0]["trace"])
    halved = json.dumps({**note, "task": {**note["task"], "category": "\ud800"}})
    loaded = load_rows(write({**rows[0], "trace": halved}, rows[1]))
    assert len(loaded.traces) == 1 and "surrogates not allowed" in loaded.problems[0]


def test_rows_of_ours_of_two_sets_do_not_mix(rows_of):
    """A trace folder has one set of pixel budgets, and one task under an id."""
    rows, write = rows_of
    note = json.loads(rows[0]["trace"])
    shown_otherwise = {**rows[0], "trace": json.dumps({**note, "budgets": None})}
    graded_otherwise = {**rows[0], "trace": json.dumps({**note, "task": {**note["task"], "answers": ["red"]}})}
    loaded = load_rows(write(rows[0], shown_otherwise, graded_otherwise))
    assert len(loaded.traces) == 1
    assert "pixel budgets differ" in loaded.problems[0] and "uses the id 'one' for another task" in loaded.problems[1]


def without_notes(folder, place, name):
    """The rows of a folder of traces, as traces that are read from what the rows show."""
    write_rows(folder, place / "rows.json", FORMS[name], "default")
    rows = json.loads((place / "rows.json").read_text())
    for row in rows:
        del row["trace"]
    (place / "bare.json").write_text(json.dumps(rows))
    default = dialect_named("default")
    return load_in(place / "bare.json", Loading(default, reading=RowReading(default)))


@pytest.mark.parametrize("name", RESTORED)
def test_rows_that_lost_their_note_are_read_from_what_they_show(folder_of, tmp_path, name):
    loaded = without_notes(folder_of("default"), tmp_path, name)
    assert not loaded.problems
    assert [trace.kind for trace in loaded.traces] == ["recrop_once", "further_zoom", "reselect", "text_only"]
    assert loaded.traces[2].task.media == "video"
    assert loaded.traces[0].task.question == "Which colour has the sign?"
    assert loaded.traces[3].task.question == "What is 2 + 2?"


def test_a_composed_image_is_written_whole_as_a_crop_of_what_was_shown_may_be_too_small(tmp_path):
    small = sample_set("vstar-tiny", count=1)
    [task] = small.tasks
    look = PlannedOperation(CropImage(0, right_window(task.evidence[0].box)))
    dialect = shown_as(small, dialect_named("default"))
    trace = traced(Plan(task, PlanKind.SINGLE_PASS, (look,)), Narration("A street.", ("Now I see it.",)), dialect)
    write_trace_folder(tmp_path / "traces", [trace], small, None)
    loaded = without_notes(tmp_path / "traces", tmp_path, "trl")
    assert not loaded.problems
    assert loaded.traces[0].task.sources[0].decode().size == task.sources[0].decode().size


@pytest.mark.parametrize("name", ["picture.png", "rows.csv", "folder.json", "notes.json", f"traces/{TRACES}"])
def test_rows_are_written_over_nothing_but_rows(folder_of, tmp_path, name, capsys):
    folder = folder_of("default")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    (tmp_path / "picture.png").write_bytes(b"a picture")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["convert", str(folder), "--to", "trl", "--dialect", "default", "--out", str(tmp_path / name)]) == 2
    assert "--output is a file of rows" in (told := capsys.readouterr().err) or "name of a new file" in told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    for _ in range(2):
        assert (
            main(["convert", str(folder), "--to", "trl", "--dialect", "default", "--out", str(tmp_path / "rows.json")])
            == 0
        )


def test_traces_are_not_written_into_a_file_nor_over_what_synth_made(rows_of, tmp_path, capsys):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "configuration.json").write_text('{"dialect": "default", "teacher": "template"}')
    for place, said in ((tmp_path / "rows.jsonl", "cannot be written"), (tmp_path / "made", "teacher")):
        assert main(["convert", str(tmp_path / "rows.jsonl"), "--to", "traces", "--out", str(place)]) == 2
        assert said in (told := capsys.readouterr().err) and "give another --out" in told.lower()
