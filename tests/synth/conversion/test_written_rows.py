"""What other programs get: LLaMA-Factory, TRL and verl, from JSON and from parquet; and forms of a user's own."""

import io
import json
import shutil

import pytest
from PIL import Image

from agents.traces.folder import read_trace_folder, write_trace_folder
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.samples import sample_set
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks import load_tasks
from synth.conversion.forms.registry import FORMS, WRITTEN
from synth.conversion.loading import Loading, load_rows
from synth.conversion.writing import write_rows
from tests.synth.conversion.published_rows import quarters

DIALECT = dialect_named("default")
MISSED, CARD = Box(0.0, 0.0, 0.3, 0.3), Box(0.5, 0.0, 1.0, 0.5)


@pytest.fixture
def folder(tmp_path):
    """A folder of three traces: an image with a mistake, one of options without a call, and a rendered one."""
    place = tmp_path / "made"
    place.mkdir()
    quarters().save(place / "one.png")
    source, evidence = (FileSource(place / "one.png"),), (Evidence(0, CARD),)
    colour = Task("colour", "Which colour has the sign?", ("green", "lime"), source, evidence=evidence)
    options = Task("options", "Which colour?", ("B",), source, grader="choice", options=("red", "green"))
    [rendered] = sample_set("vstar", count=1).tasks
    crops = [f"I look. {write(CropImage(0, box), DIALECT)}" for box in (MISSED, CARD)]
    answered = "It is here. \\boxed{green}"
    traces = [
        Trace(
            colour,
            (TraceTurn(crops[0], False, Mistake.UNRELATED_REGION), TraceTurn(crops[1]), TraceTurn(answered)),
            "recrop_once",
        ),
        Trace(options, (TraceTurn("\\boxed{B}"),), "single_pass"),
        Trace(rendered, (TraceTurn(f"\\boxed{{{rendered.answers[0]}}}"),), "single_pass"),
    ]
    write_trace_folder(tmp_path / "traces", traces, TaskSet("mixed", ()), place)
    return tmp_path / "traces"


def rows_in(folder, form, name):
    """The rows that the form's file holds."""
    out = folder.parent / "rows" / name
    write_rows(folder, out, FORMS[form], "default")
    if name.endswith("json"):
        return json.loads(out.read_text())
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(out).to_pylist()


def sources(trace):
    return [source.key for source in trace.task.sources]


# ---------------------------------------------------------------------------------------------------- back and forth


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize("form", [name for name in WRITTEN if FORMS[name].conversation_of is not None])
def test_traces_come_back_with_their_actions_images_and_masks(folder, form, suffix):
    pytest.importorskip("pyarrow")
    _, traces = read_trace_folder(folder)
    out = folder.parent / "rows" / f"rows.{suffix}"
    write_rows(folder, out, FORMS[form], "default")
    loaded = load_rows(out, Loading(DIALECT))
    assert not loaded.problems
    assert [(trace.turns, trace.kind) for trace in loaded.traces] == [(trace.turns, trace.kind) for trace in traces]
    assert [sources(trace) for trace in loaded.traces] == [sources(trace) for trace in traces]
    assert [trace.task.evidence for trace in loaded.traces] == [trace.task.evidence for trace in traces]


@pytest.mark.parametrize("form", ["trl", "trl_prompt", "sharegpt"])
def test_a_parquet_file_needs_nothing_beside_it(folder, form, tmp_path):
    pytest.importorskip("pyarrow")
    _, traces = read_trace_folder(folder)
    keys = [sources(trace) for trace in traces]
    write_rows(folder, tmp_path / "rows" / "rows.parquet", FORMS[form], "default")
    (tmp_path / "alone").mkdir()
    (tmp_path / "rows" / "rows.parquet").rename(tmp_path / "alone" / "rows.parquet")
    for gone in (tmp_path / "rows", tmp_path / "made", folder):
        shutil.rmtree(gone)
    loaded = load_rows(tmp_path / "alone" / "rows.parquet", Loading(DIALECT))
    assert not loaded.problems and [sources(trace) for trace in loaded.traces] == keys


# ------------------------------------------------------------------------------------------------------ LLaMA-Factory


def test_a_row_for_llama_factory_alternates_and_has_a_mark_for_each_image(folder):
    rows = rows_in(folder, "sharegpt", "rows.json")
    for row in rows:
        first, *others = row["conversations"]
        assert first["from"] == "system"
        tags = [message["from"] for message in others]
        assert tags == ["human", "gpt"] * (len(tags) // 2) and len(tags) % 2 == 0
        assert sum(message["value"].count("<image>") for message in others) == len(row["images"])
    assert len(rows[0]["images"]) == 3 and rows[0]["conversations"][1]["value"].startswith("<image>")
    for name in rows[0]["images"]:
        Image.open(folder.parent / "rows" / name).verify()


def test_a_video_is_one_mark_and_one_list_of_frames(tmp_path):
    video = sample_set("mvbench", count=1)
    trace = Trace(video.tasks[0], (TraceTurn(f"\\boxed{{{video.tasks[0].answers[0]}}}"),))
    write_trace_folder(tmp_path / "traces", [trace], video, None)
    [row] = rows_in(tmp_path / "traces", "sharegpt", "rows.json")
    assert row["images"] == [] and [len(frames) for frames in row["videos"]] == [16]
    assert row["conversations"][1]["value"].count("<video>") == 1
    [row] = rows_in(tmp_path / "traces", "verl", "rows.json")
    assert len(row["images"]) == 16 == row["prompt"][-1]["content"].count("<image>")


@pytest.mark.parametrize("form", ["sharegpt", "verl"])
def test_a_question_that_holds_a_mark_is_refused_with_its_task(tmp_path, form):
    task = Task("marked", "What does <image> mean in HTML?", ("a picture",), media="text")
    write_trace_folder(tmp_path / "traces", [Trace(task, (TraceTurn("\\boxed{a picture}"),))], TaskSet("t", ()), None)
    (tmp_path / "traces" / "configuration.json").write_text('{"dialect": "default"}')
    words = ["convert", str(tmp_path / "traces"), "--to", form, "--output", str(tmp_path / "rows.json")]
    assert main(words) == 2 and not (tmp_path / "rows.json").exists()


# --------------------------------------------------------------------------------------------------------------- TRL


def test_a_turn_that_is_not_trained_has_no_prompt_and_completion(folder):
    rows = [row for row in rows_in(folder, "trl_prompt", "rows.json") if row["id"] == "colour"]
    assert [len(row["images"]) for row in rows] == [2, 3]
    for row in rows:
        blocks = [block for message in row["prompt"] for block in message["content"]]
        assert sum(block["type"] == "image" for block in blocks) == len(row["images"])
        assert [message["role"] for message in row["completion"]] == ["assistant"]
    assert "It is here." in rows[1]["completion"][0]["content"][0]["text"]


def test_messages_say_which_turns_are_trained_and_are_read_so(folder, tmp_path):
    rows = rows_in(folder, "trl", "rows.json")
    assert [message["train"] for message in rows[0]["messages"]] == [False, False, False, False, True, False, True]
    for row in rows:
        del row["trace"]
    rows[0]["messages"][2]["train"] = True  # the row's own word goes before what is detected
    rows[0]["messages"][4]["train"] = False
    (tmp_path / "rows" / "bare.json").write_text(json.dumps(rows))
    from synth.conversion.foreign_rows import RowReading

    loaded = load_rows(tmp_path / "rows" / "bare.json", Loading(DIALECT, reading=RowReading(DIALECT)))
    assert not loaded.problems and [turn.train for turn in loaded.traces[0].turns] == [True, False, True]


def test_trl_puts_the_images_where_the_rows_have_them(folder):
    data_utils = pytest.importorskip("trl.data_utils")
    for form, column in (("trl", "messages"), ("trl_prompt", "prompt")):
        for row in rows_in(folder, form, "rows.json"):
            messages = [{key: message[key] for key in ("role", "content")} for message in row[column]]
            images = [Image.open(folder.parent / "rows" / name) for name in row["images"]]
            prepared = data_utils.prepare_multimodal_messages(messages, images=images)
            placed = [b["image"] for message in prepared for b in message["content"] if b["type"] == "image"]
            assert placed == images


def test_datasets_decodes_the_images_of_a_parquet_file(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    write_rows(folder, tmp_path / "rows" / "rows.parquet", FORMS["trl"], "default")
    loaded = datasets.Dataset.from_parquet(str(tmp_path / "rows" / "rows.parquet"), cache_dir=str(tmp_path / "cache"))
    decoded = loaded.cast_column("images", datasets.List(datasets.Image()))[0]["images"]
    assert [type(image).__name__.endswith("ImageFile") for image in decoded] == [True] * 3
    assert decoded[0].size == quarters().size


# -------------------------------------------------------------------------------------------------------------- verl


def test_verl_gets_one_row_for_each_task_with_its_images_and_its_answer(folder):
    [colour, options, _] = rows_in(folder, "verl", "rows.parquet")
    assert [message["role"] for message in colour["prompt"]] == ["system", "user"]
    assert colour["prompt"][1]["content"].count("<image>") == 1 == len(colour["images"])
    assert Image.open(io.BytesIO(colour["images"][0]["bytes"])).size == quarters().size
    assert colour["reward_model"] == {"style": "rule", "ground_truth": "green"}
    assert colour["extra_info"]["answers"] == ["green", "lime"] and colour["extra_info"]["index"] == "colour"
    assert options["reward_model"]["ground_truth"] == "B"
    assert options["extra_info"]["question"] == "Which colour?\n(A) red\n(B) green"
    assert "(B) green" in options["prompt"][1]["content"]


def test_the_rows_for_verl_come_back_as_tasks(folder, tmp_path):
    pytest.importorskip("pyarrow")
    write_rows(folder, tmp_path / "rows" / "rows.parquet", FORMS["verl"], "default")
    colour, options, rendered = load_tasks(str(tmp_path / "rows" / "rows.parquet")).tasks
    made = [trace.task for trace in read_trace_folder(folder)[1]]
    assert (colour.question, colour.answers, colour.grader) == ("Which colour has the sign?", ("green",), "exact")
    assert (options.question, options.options, options.grader) == ("Which colour?", ("red", "green"), "choice")
    assert [task.sources[0].key for task in (colour, options)] == [task.sources[0].key for task in made[:2]]
    assert rendered.answers[0] in made[2].answers


def test_several_traces_of_one_task_are_one_row_for_verl(folder, tmp_path):
    task_set, traces = read_trace_folder(folder)
    write_trace_folder(tmp_path / "twice", [*traces, *traces], task_set, tmp_path / "made")
    assert len(rows_in(tmp_path / "twice", "verl", "rows.json")) == 3


# ---------------------------------------------------------------------------------------------------------- the command


def convert(*words):
    return main(["convert", *map(str, words)])


def test_the_command_says_what_other_readers_do_not_get(folder, tmp_path, capsys):
    words = [folder, "--dialect", "default", "--output", tmp_path / "rows.json", "--to"]
    assert convert(*words, "sharegpt") == 0
    told = capsys.readouterr().out
    assert "not carried: which turns are not trained" in told and "restores it from the column 'trace'" in told
    assert "turns that are not to be trained: 1" in told
    assert convert(*words, "trl_prompt") == 0 and "not to be trained" not in capsys.readouterr().out
    assert convert(*words, "verl") == 0 and "all turns" in (told := capsys.readouterr().out) and "restores" not in told


def test_a_form_that_is_only_read_and_an_unknown_one_are_one_line(folder, tmp_path, capsys):
    words = [folder, "--dialect", "default", "--output", tmp_path / "rows.json", "--to"]
    assert convert(*words, "mini-o3") == 2 and "is only read" in capsys.readouterr().err
    assert convert(*words, "sharegtp") == 2 and "Did you mean 'sharegpt'?" in capsys.readouterr().err


OWN = """
from synth.conversion.conversations import Conversation, Message
from synth.conversion.forms.form import RowForm


def pairs(trace, conversation):
    texts = [[message.role, message.text] for message in conversation.messages]
    return [{"name": conversation.name, "pairs": texts}]


def conversation_of(row):
    return Conversation(row["name"], tuple(Message(role, (text,)) for role, text in row["pairs"]))


PAIRS = RowForm(
    name="pairs",
    about="role and text",
    source="ours",
    is_verified=True,
    recognises=lambda values, file_name: "pairs" in values,
    rows_of=pairs,
    conversation_of=conversation_of,
    dialect="default",
)
"""


def test_a_form_of_one_s_own_is_written_and_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_pair_rows.py").write_text(OWN)
    task = Task("sum", "What is 2 + 2?", ("4",), media="text", grader="number")
    write_trace_folder(tmp_path / "traces", [Trace(task, (TraceTurn("It is \\boxed{4}"),))], TaskSet("sums", ()), None)
    form = "my_pair_rows:PAIRS"
    assert convert("traces", "--to", form, "--output", "rows.jsonl", "--dialect", "default") == 0
    row = json.loads((tmp_path / "rows.jsonl").read_text())
    assert row["pairs"][-1] == ["assistant", "It is \\boxed{4}"]
    assert convert("rows.jsonl", "--from", form, "--to", "traces", "--output", "back") == 0
    [trace] = read_trace_folder(tmp_path / "back")[1]
    assert (trace.task.task_id, trace.task.answers) == ("sum", ("4",))
    assert convert("rows.jsonl", "--to", "traces", "--output", "other") == 2
    assert "wanted: one of message_list" in capsys.readouterr().err
    assert convert("rows.jsonl", "--from", "my_pair_rows:OWN", "--to", "traces", "--output", "other") == 2
    assert "has no attribute 'OWN'" in capsys.readouterr().err
    assert convert("rows.jsonl", "--from", "my_pair_rows:pairs", "--to", "traces", "--output", "other") == 2
    assert "not a form of rows" in capsys.readouterr().err
