"""The released cold-start sets: told by their columns, replayed in their dialect, mismatches counted by reason."""

import json
import random

import pytest
from PIL import Image

from agents.traces.folder import TRACES, read_trace_folder
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from synth.conversion.foreign_rows import RowReading
from synth.conversion.forms.registry import FORMS, form_of
from synth.conversion.journal import JOURNAL
from synth.conversion.loading import Loading, load_rows
from synth.conversion.mismatch import Reason
from tests.synth.conversion.published_rows import (
    QUARTERS,
    cof_row,
    cof_set,
    cut,
    encoded,
    grounding,
    mini_o3_row,
    parquet_file,
    quarters,
)

pytest.importorskip("pyarrow")

GREEN, RED = QUARTERS["green"], QUARTERS["red"]
GREEN_PIXELS = (300, 20, 540, 200)


def loaded(path, dialect="default", **reading):
    return load_rows(path, Loading(dialect_named(dialect), reading=RowReading(**reading)))


def reasons(result):
    return {reason.value: number for reason, number in result.reasons.items()}


# ----------------------------------------------------------------------------------------------------------- Mini-o3


def test_a_row_of_mini_o3_becomes_a_trace_in_its_own_dialect_word_for_word(tmp_path):
    path = parquet_file(tmp_path / "data" / "train-00000-of-00001.parquet", mini_o3_row(GREEN))
    result = loaded(path, "mini-o3")
    assert not result.problems
    [trace] = result.traces
    assert [turn.text for turn in trace.turns] == [grounding(GREEN), "<think>I see it.</think><answer>green</answer>"]
    assert (trace.task.question, trace.task.answers) == ("Which colour has the sign?", ("green",))
    assert trace.task.task_id == "visual_probe-0-0" and trace.kind == "single_pass"


def test_a_row_of_mini_o3_is_rewritten_in_another_dialect_with_the_same_region(tmp_path):
    path = parquet_file(tmp_path / "train.parquet", mini_o3_row(GREEN))
    [trace] = loaded(path, "qwen3-vl").traces
    assert trace.turns[0].text.startswith("<think>I look closer.</think>")
    assert '"bbox_2d": [500, 0, 1000, 500]' in trace.turns[0].text and trace.turns[1].text.endswith("\\boxed{green}")


def test_rows_that_end_with_an_earlier_turn_are_parts_of_the_longest(tmp_path):
    """An episode of Mini-o3 stands in one row for each of its turns."""
    whole = mini_o3_row(RED, GREEN)
    parts = [mini_o3_row(RED, ends_with_answer=False), mini_o3_row(RED, GREEN, ends_with_answer=False)]
    alone = mini_o3_row(RED, GREEN, ends_with_answer=False, sample=7)
    files = [
        parquet_file(tmp_path / "data" / "train-00000-of-00002.parquet", parts[0], whole),
        parquet_file(tmp_path / "data" / "train-00001-of-00002.parquet", alone, parts[1]),
    ]
    result = loaded(tmp_path, "mini-o3")
    assert len(files) == 2 and (result.rows, len(result.traces), result.parts) == (4, 1, 2)
    assert reasons(result) == {"not_answered": 1}
    assert "train-00001-of-00002.parquet, row 1: its episode ends without an answer" in result.problems[0]


def test_conversations_in_python_s_own_writing_are_read_as_the_published_script_does(tmp_path):
    row = mini_o3_row(GREEN)
    row["conversations"] = repr(json.loads(row["conversations"]))
    assert len(loaded(parquet_file(tmp_path / "train.parquet", row), "mini-o3").traces) == 1


def changed(row, **columns):
    return {**row, **columns}


def with_messages(row, change):
    messages = json.loads(row["conversations"])
    change(messages)
    return changed(row, conversations=json.dumps(messages))


MISMATCHES = {
    Reason.UNREADABLE_CALL: lambda row: with_messages(
        row, lambda messages: messages[2].update(value="<grounding>{bbox_2d: 1}</grounding>")
    ),
    Reason.REFUSED_CALL: lambda row: with_messages(
        row, lambda messages: messages[2].update(value=grounding(GREEN, "observation_4"))
    ),
    Reason.OTHER_NUMBER_OF_IMAGES: lambda row: with_messages(
        changed(row, images=row["images"][:1]), lambda messages: messages[3].update(value="Nothing to see.")
    ),
    Reason.OTHER_IMAGE_SIZE: lambda row: changed(
        row, images=[row["images"][0], encoded(cut(quarters(), (0.5, 0, 0.7, 0.5)))]
    ),
    Reason.OTHER_REGION: lambda row: changed(row, images=[row["images"][0], encoded(cut(quarters(), RED))]),
    Reason.NOT_ANSWERED: lambda row: with_messages(row, lambda messages: messages[-1].update(value="I do not know.")),
    Reason.OTHER_ANSWER: lambda row: changed(row, solution="red"),
    Reason.BROKEN_IMAGE: lambda row: changed(row, images=[{"bytes": b"no image", "path": None}, row["images"][1]]),
    Reason.UNUSABLE_ROW: lambda row: changed(row, conversations="[{"),
    Reason.MISSING_IMAGE: lambda row: changed(
        row, images=[{"bytes": None, "path": "lost.jpg"}, {"bytes": row["images"][1]["bytes"], "path": None}]
    ),
}


@pytest.mark.parametrize("reason", MISMATCHES)
def test_a_mismatch_is_counted_under_its_reason_and_costs_its_row_only(tmp_path, reason):
    good = [changed(mini_o3_row(GREEN, sample=number), solution="green") for number in (0, 2)]
    bad = MISMATCHES[reason](changed(mini_o3_row(GREEN, sample=1), solution="green"))
    result = loaded(parquet_file(tmp_path / "train.parquet", good[0], bad, good[1]), "mini-o3")
    assert reasons(result) == {reason.value: 1} and len(result.traces) == 2
    assert result.problems[0].startswith("row 2: ") and len(result.problems[0]) < 500


def test_the_rows_that_another_dialect_cannot_write_are_counted(tmp_path):
    path = parquet_file(tmp_path / "train.parquet", mini_o3_row(GREEN))
    assert reasons(loaded(path, "visionthink")) == {"other_dialect": 1}


# --------------------------------------------------------------------------------------------------- Chain-of-Focus


def test_a_row_of_chain_of_focus_is_told_by_the_name_of_its_file_and_played_in_its_dialect(tmp_path):
    path = cof_set(tmp_path, cof_row(tmp_path, 1, GREEN_PIXELS), cof_row(tmp_path, 2))
    result = loaded(path, "adaptive-cof")
    assert not result.problems
    zoomed, alone = result.traces
    assert (zoomed.task.question, zoomed.task.answers) == ("Which colour has the sign?", ("green",))
    assert len(zoomed.turns) == 2 and "image_zoom_in_tool" in zoomed.turns[0].text and len(alone.turns) == 1
    # The rows mark their answers, the dialect's prompt asks for a box.
    assert zoomed.turns[1].text == "<think> I see it. </think>\n\\boxed{green}"


def test_a_dialect_that_does_not_enlarge_boxes_gets_the_one_that_was_shown(tmp_path):
    path = cof_set(tmp_path, cof_row(tmp_path, 1, GREEN_PIXELS))
    [trace] = loaded(path, "qwen3-vl").traces
    call = json.loads(trace.turns[0].text.split("<tool_call>")[1].split("</tool_call>")[0])
    assert call["arguments"]["bbox_2d"] == pytest.approx([429, 0, 1000, 547], abs=3)


def test_crops_that_the_dialect_would_cut_otherwise_are_other_regions(tmp_path):
    """Were the crops of the set not enlarged, its row of the table would be wrong, and this tells."""
    crop = quarters().crop(GREEN_PIXELS)
    result = loaded(cof_set(tmp_path, cof_row(tmp_path, 1, GREEN_PIXELS, shown=crop)), "adaptive-cof")
    assert reasons(result) == {"other_region": 1} and "--row_dialect" in result.problems[0]


def test_the_same_rows_under_another_name_need_their_dialect_and_the_message_names_it(tmp_path):
    path = cof_set(tmp_path, cof_row(tmp_path, 1, GREEN_PIXELS)).rename(tmp_path / "images" / "mine.json")
    result = loaded(path)
    assert reasons(result) == {"unreadable_call": 1}
    assert "can be read in" in result.problems[0] and "adaptive-cof" in result.problems[0]
    assert not load_rows(
        path, Loading(dialect_named("default"), reading=RowReading(dialect_named("adaptive-cof")))
    ).problems


# ------------------------------------------------------------------------------------------------------- the command


def convert(*words):
    return main(["convert", *map(str, words)])


def test_the_command_prints_the_reasons_and_a_set_of_broken_rows_leaves_no_folder_to_trip_over(tmp_path, capsys):
    broken = MISMATCHES[Reason.OTHER_REGION](mini_o3_row(GREEN))
    parquet_file(tmp_path / "broken" / "data" / "train.parquet", broken)
    out = tmp_path / "traces"
    assert convert(tmp_path / "broken", "--to", "traces", "--output", out) == 2
    assert "None of 1 rows became a trace. 1 rows were skipped: other_region 1" in capsys.readouterr().err
    parquet_file(tmp_path / "mended" / "data" / "train.parquet", mini_o3_row(GREEN))
    assert convert(tmp_path / "mended", "--to", "traces", "--output", out, "--dialect", "mini-o3") == 0
    assert "1 of 1 rows are traces" in capsys.readouterr().out
    assert len(read_trace_folder(out)[1]) == 1


def test_embedded_images_are_kept_byte_for_byte(tmp_path):
    row = mini_o3_row(GREEN)
    path = parquet_file(tmp_path / "train.parquet", row)
    assert convert(path, "--to", "traces", "--output", tmp_path / "t", "--dialect", "mini-o3") == 0
    path.unlink()
    [source] = read_trace_folder(tmp_path / "t")[1][0].task.sources
    key = source.key
    assert source.path.read_bytes() == row["images"][0]["bytes"] and source.path.suffix == ".jpeg"
    (tmp_path / "t").rename(tmp_path / "moved")
    assert read_trace_folder(tmp_path / "moved")[1][0].task.sources[0].key == key


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.parquet"])
def test_an_empty_source_is_one_line(tmp_path, name, capsys):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    if name.endswith("parquet"):
        parquet.write_table(pyarrow.table({"messages": pyarrow.array([], pyarrow.string())}), tmp_path / name)
    else:
        (tmp_path / name).write_text("[]" if name.endswith("json") else "")
    assert convert(tmp_path / name, "--to", "traces", "--output", tmp_path / "t") == 2
    assert "None of 0 rows became a trace. The source holds no rows." in capsys.readouterr().err
    assert convert(tmp_path / "nothing", "--to", "traces", "--output", tmp_path / "t") == 2
    (tmp_path / "empty").mkdir()
    assert convert(tmp_path / "empty", "--to", "traces", "--output", tmp_path / "t") == 2
    assert "holds no file of rows" in capsys.readouterr().err


class Killed(BaseException):
    """As if the process ended here."""


def test_a_killed_conversion_resumes_where_it_was_and_gives_the_same_files(tmp_path, monkeypatch):
    rows = [mini_o3_row(GREEN, sample=number) for number in range(4)]
    rows[1] = MISMATCHES[Reason.OTHER_REGION](rows[1])
    path = parquet_file(tmp_path / "train.parquet", *rows)
    words = [path, "--to", "traces", "--dialect", "mini-o3", "--output"]
    assert convert(*words, tmp_path / "whole") == 1
    from synth.conversion import loading

    played, original = [], loading.foreign_trace

    def counted(conversation, *rest):
        if len(played) == 3:
            raise Killed
        played.append(conversation.name)
        return original(conversation, *rest)

    monkeypatch.setattr(loading, "foreign_trace", counted)
    with pytest.raises(Killed):
        convert(*words, tmp_path / "resumed")
    assert len((tmp_path / "resumed" / JOURNAL).read_text().splitlines()) == 3
    with (tmp_path / "resumed" / JOURNAL).open("a") as file:
        file.write('{"row": 4, "ma')  # the line that the kill interrupted
    played[:] = played[:2]
    assert convert(*words, tmp_path / "resumed") == 1
    assert played[2:] == ["visual_probe-3-0"]
    for name in (TRACES, "tasks.jsonl", "task_set.json", JOURNAL):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_row_that_was_edited_since_is_converted_again(tmp_path):
    path = parquet_file(tmp_path / "train.parquet", mini_o3_row(GREEN))
    words = [path, "--to", "traces", "--output", tmp_path / "t", "--dialect", "mini-o3"]
    assert convert(*words) == 0
    parquet_file(path, mini_o3_row(GREEN, answer="lime"))
    assert convert(*words) == 0
    assert read_trace_folder(tmp_path / "t")[1][0].task.answers == ("lime",)


def test_every_published_form_is_told_from_the_others():
    rows = {
        "message_list": {"message_list": []},
        "trl": {"messages": [{"role": "user", "content": [{"type": "image"}]}], "images": []},
        "trl_prompt": {"prompt": [], "completion": []},
        "verl": {"prompt": [], "reward_model": {"ground_truth": "A"}, "images": []},
        "sharegpt": {"conversations": [{"from": "human", "value": "?"}]},
        "mini-o3": {"conversations": "[]", "image_names": []},
    }
    assert {name: form_of(row).name for name, row in rows.items()} == {name: name for name in rows}
    assert form_of({"messages": [{"role": "user", "content": "<image>?"}]}).name == "sharegpt"
    assert form_of({"messages": [{"role": "user", "content": "?"}]}).name == "trl"
    assert form_of({"messages": []}, "cof_sft_data.json").name == "cof-sft"
    assert set(rows) | {"cof-sft"} == set(FORMS)


def test_a_row_of_tasks_is_refused_with_the_way_to_use_it(tmp_path, capsys):
    row = {"prompt": [{"role": "user", "content": "?"}], "reward_model": {"ground_truth": "A"}}
    (tmp_path / "rl.jsonl").write_text(json.dumps(row))
    assert convert(tmp_path / "rl.jsonl", "--to", "traces", "--output", tmp_path / "t") == 2
    assert "give the file as --tasks" in capsys.readouterr().err


def test_a_crop_of_another_size_and_quality_is_the_same_region():
    from pixel_env.boxes import Box
    from pixel_env.media.sources import ImageSource
    from pixel_env.views import View, ViewKind
    from synth.conversion.mismatch import RowMismatch
    from synth.conversion.shown_regions import check_region

    whole, budgets = quarters(), dialect_named("default").budgets
    view = View(ImageSource(whole), ViewKind.CROP, Box(0.5, 0.0, 1.0, 0.5))
    crop = cut(whole, GREEN)
    check_region(crop, view, budgets)
    check_region(crop.resize((crop.width // 3, crop.height // 3)), view, budgets)
    check_region(crop.resize((crop.width * 3, crop.height * 3), Image.Resampling.NEAREST), view, budgets)
    for other in (RED, QUARTERS["blue"], QUARTERS["white"], (0.3, 0.0, 0.8, 0.5), (0, 0, 1, 1)):
        with pytest.raises(RowMismatch) as caught:
            check_region(cut(whole, other), view, budgets)
        assert caught.value.reason is Reason.OTHER_REGION


def test_the_page_names_every_form_and_every_reason():
    from tests.paths import ROOT

    page = (ROOT / "docs" / "synthesis.md").read_text(encoding="utf-8")
    table = page.split("| form | for |")[1].split("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    assert {row[1].strip(" `") for row in rows} == set(FORMS)
    for _, name, _, written, read, source, _ in rows:
        form = FORMS[name.strip(" `")]
        assert (written.strip() == "yes") == (form.rows_of is not None)
        assert (read.strip() == "yes") == (form.conversation_of is not None)
        assert ("unverified" in source) != form.is_verified
    reasons = page.split("| reason | the row |")[1].split("\n\n")[0]
    assert all(f"`{reason}`" in reasons for reason in Reason)


# -------------------------------------------------------------------------------------------- broken rows, odd folders


def test_files_about_a_data_set_are_no_rows_of_it(tmp_path, capsys):
    cof_set(tmp_path, cof_row(tmp_path, 1, GREEN_PIXELS))
    (tmp_path / "dataset_info.json").write_text(json.dumps({"cof": {"file_name": "cof_sft_data.json"}}))
    assert convert(tmp_path, "--to", "traces", "--output", tmp_path / "out") == 0
    assert "1 of 1 rows are traces" in capsys.readouterr().out
    assert convert(tmp_path / "out", "--to", "traces", "--output", tmp_path / "again") == 2
    assert "is a folder of traces already" in capsys.readouterr().err


def test_rows_in_the_dialect_of_another_family_are_read_in_the_one_that_is_named(tmp_path):
    """DeepEyes counts in pixels of the unscaled original; the layout is LLaMA-Factory's."""
    row = cof_row(tmp_path, 1, GREEN_PIXELS, shown=quarters().crop(GREEN_PIXELS))
    (tmp_path / "images" / "rows.json").write_text(json.dumps([row]))
    reading = RowReading(dialect_named("deepeyes"))
    result = load_rows(tmp_path / "images" / "rows.json", Loading(dialect_named("default"), reading=reading))
    assert not result.problems
    box = json.loads(result.traces[0].turns[0].text.split("<tool_call>")[1].split("</tool_call>")[0])["arguments"]
    assert box["bbox_2d"] == pytest.approx([300 / 560, 20 / 448, 540 / 560, 200 / 448], abs=0.002)


WRONG = (None, 7, "", "text", [], [None], {}, {"role": 5}, [[]], True, 1.5, "<image><image>", ["lost.png"], "\ud800")


def broken(value, rng):
    """The value with one place in it, at any depth, taken out or replaced by something of another kind."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        if rng.random() < 0.2:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: broken(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value[:place] + value[place + 1 :]
        return [*value[:place], broken(value[place], rng), *value[place + 1 :]]
    return rng.choice(WRONG)


def rows_of_every_form(folder):
    """A good row of each form that is read."""
    row = cof_row(folder, 1, GREEN_PIXELS)
    messages, images = row["messages"], [f"images/{name}" for name in row["images"]]
    marks = iter(images)
    blocks, listed = [], []
    for message in messages:
        mark, _, text = message["content"].rpartition("<image>")
        has_image = "<image>" in message["content"]
        said = [{"type": "text", "text": text if has_image else message["content"]}]
        blocks.append({"role": message["role"], "content": [{"type": "image"}] * has_image + said})
        item = [{"image": next(marks)}] if has_image else []
        listed.append({"role": message["role"], "content": [*item, {"text": said[0]["text"]}]})
    tags = {"system": "system", "user": "human", "assistant": "gpt"}
    return {
        "message_list": {"qid": "1", "message_list": listed},
        "trl": {"messages": blocks, "images": images},
        "trl_prompt": {"id": "1", "prompt": blocks[:-1], "completion": blocks[-1:], "images": images},
        "sharegpt": {
            "conversations": [{"from": tags[one["role"]], "value": one["content"]} for one in messages],
            "images": images,
        },
        "cof-sft": row,
        "mini-o3": {**mini_o3_row(), "images": images[:1]},
    }


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"verl"}))
def test_rows_that_are_broken_in_any_place_cost_themselves_only(tmp_path, form):
    rng = random.Random(form)
    good = rows_of_every_form(tmp_path)[form]
    rows = [good, *(broken(good, rng) for _ in range(60)), good]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dialect = dialect_named("mini-o3" if form == "mini-o3" else "adaptive-cof")
    loading = Loading(dialect_named("default"), FORMS[form], RowReading(dialect))
    result = load_rows(tmp_path / "rows.jsonl", loading)
    assert result.rows == 62 and len(result.traces) + len(result.problems) + result.parts == 62
    assert len(result.problems) > 20 and all(len(problem) < 600 for problem in result.problems)
    whole = [trace for trace in result.traces if trace.task.question == "Which colour has the sign?"]
    assert len(whole) >= 2, result.problems[:3]
