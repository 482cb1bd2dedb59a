"""`pixel-env dialect list` and `show`: what is printed is what an episode does."""

import re
import sys
from dataclasses import replace
from math import inf

import pytest

from pixel_env.actions import parse, sizes_for
from pixel_env.cli import main
from pixel_env.dialect_report.examples import calls_of, prompt_of, refused_call, shown, turn_without_effect
from pixel_env.dialect_report.words import edges_text, field_lines, summary_of
from pixel_env.dialects import DIALECTS, ImageNames, PhraseCalls, dialect_named
from pixel_env.edges import Edges
from pixel_env.env import PixelEnv
from pixel_env.episode import IMAGE_SIGN
from pixel_env.operations import OPERATIONS
from pixel_env.tasks import load_tasks

DEFAULT = DIALECTS["default"]
VSTAR = load_tasks("sample:vstar", count=1)
TEXT_ONLY = '{"id": "a", "question": "What is 1 + 1?", "answer": "2"}\n'


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """Runs `pixel-env dialect WORDS` in an empty folder: the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*words):
        code = main(["dialect", *words])
        both = capsys.readouterr()
        return code, both.out + both.err

    return run


def test_every_row_is_one_line_of_the_list_with_and_without_the_word(printed):
    code, text = printed("list")
    assert (code, text) == printed()
    head, *rows = text.split("\n\n")[0].splitlines()
    assert head.split() == ["dialect", "calls", "coordinates", "operations", "answers"]
    assert [row.split()[0] for row in rows] == list(DIALECTS)
    tiny = next(row for row in rows if row.startswith("tiny "))
    assert re.split(" {2,}", tiny) == ["tiny", "integers <crop>", "0 to 16", "crop_image", "<answer>"]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_row_is_shown_with_its_prompt_calls_and_what_comes_back(name, printed):
    code, text = printed("show", name)
    dialect = DIALECTS[name]
    env = PixelEnv(VSTAR, dialect=dialect)
    observation, _ = env.reset(seed=0)
    height, width, _ = observation["images"][0].shape
    assert code == 0 and f"[image {width}x{height}]" in text
    for line in env.trajectory.prompt.question.replace(IMAGE_SIGN, f"[image {width}x{height}]").splitlines():
        assert line in text
    assert all(f"system | {line}".rstrip() in text for line in env.trajectory.prompt.system.splitlines())
    for operation in dialect.offered:
        assert f"\n{dialect.name_of(operation)}, on " in text
    assert "\na refused call (" in text and "edge rules" in text
    turn = re.search(r"model \| (.*?)\n +back \| ", text, re.DOTALL)
    call = turn[1].replace("\n   model | ", "\n")
    sizes = sizes_for(dialect, env.trajectory.views, env.budgets)
    assert isinstance(parse(call, dialect, *sizes), dialect.offered[0])


def test_every_operation_that_ships_is_executed_in_the_examples():
    shipped = [name for name, one in OPERATIONS.items() if one.__module__.startswith("pixel_env.")]
    dialect = dialect_named("+".join(["default", *shipped]))
    examples = list(calls_of(dialect, VSTAR))
    assert [example.title for example in examples] == shipped
    assert all(example.turn and "no call of it" not in example.back for example in examples)
    assert {example.title for example in examples if "[image " not in example.back} == {"frame_at_time"}
    assert {example.task_id.split("/")[0] for example in examples} == {"vstar", "mvbench"}


@pytest.mark.parametrize("name", ["default", "default:notool", "tiny", "released", "qwen2.5-vl"])
def test_the_refused_call_is_refused_and_its_text_is_the_environments(name):
    example = refused_call(dialect_named(name), VSTAR)
    env = PixelEnv(VSTAR, dialect=name)
    env.reset(seed=0)
    observation, *_, info = env.step(example.turn)
    assert info["failure"].code == example.title and observation["text"] == example.back


def test_a_turn_that_is_the_answer_has_an_effect():
    assert turn_without_effect(DIALECTS["released"], VSTAR) is None
    assert turn_without_effect(DEFAULT, VSTAR).back == "Call a tool, or give the final answer within \\boxed{}."


def test_images_stand_in_the_text_where_the_model_gets_them():
    sign = IMAGE_SIGN
    assert shown("Look:", [(28, 56)]) == "[image 28x56]Look:"
    assert shown(f"First {sign} then {sign}.", [(1, 2), (3, 4)]) == "First [image 1x2] then [image 3x4]."
    assert shown("", [(1, 2), (1, 2), (3, 4)]) == "[image 1x2] x 2 [image 3x4]"
    assert shown("[image of a cat]", [(1, 2), (1, 2)], is_entry=True) == "[video: 2 frames of 1x2][image of a cat]"
    between = replace(DEFAULT, wording=replace(DEFAULT.wording, question="Here: {images} {question}"))
    assert prompt_of(between, VSTAR)[1][1].startswith("Here: [image 308x168] Which digit")


def test_a_video_of_a_dialect_with_video_entries_is_one_entry(printed):
    _, text = printed("show", "released", "--task", "sample:mvbench")
    assert re.search(r"user \| \[video: 16 frames of \d+x\d+\]Which", text)
    _, text = printed("show", "released:frames", "--task", "sample:mvbench")
    assert re.search(r"user \| \[image \d+x\d+\] x 16 Which", text)


def test_a_task_without_images_is_prompted_and_the_calls_are_played_on_a_sample(printed, tmp_path):
    (tmp_path / "sums.jsonl").write_text(TEXT_ONLY)
    code, text = printed("show", "default", "--task", "sums.jsonl")
    assert code == 0 and "What is 1 + 1?" in text and "crop_image, on vstar/" in text


@pytest.mark.parametrize("name", [*DIALECTS, "default+rotate", "released:vcot"])
def test_the_yaml_of_a_dialect_is_a_whole_file_that_is_read_back(name, printed, tmp_path):
    code, text = printed("show", name, "--yaml")
    (tmp_path / "my.yaml").write_text(text)
    assert code == 0 and dialect_named("my.yaml") == replace(dialect_named(name), name="my.yaml")
    assert printed("show", "my.yaml", "--yaml") == (0, text)


def test_a_module_and_a_file_are_shown_like_a_row(printed, tmp_path):
    (tmp_path / "my_shown.py").write_text(
        "from dataclasses import replace\nfrom pixel_env.dialects import DIALECTS\n"
        "ZOOM = replace(DIALECTS['default'], names={'crop_image': 'zoom'})\n"
    )
    (tmp_path / "my.yaml").write_text("base: my_shown:ZOOM\nstop: [</tool_call>]\n")
    for name in ("my_shown:ZOOM", "my.yaml", "my.yaml+rotate"):
        code, text = printed("show", name)
        assert code == 0 and "crop_image is called 'zoom'" in text and '"name": "zoom"' in text
    assert '"</tool_call>", or the model\'s end token' in text and "rotate, on vstar" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "defalt"), "No dialect named 'defalt'. Did you mean 'default'?"),
        (("check", "defalt", "--model", "nowhere"), "No dialect named 'defalt'. Did you mean 'default'?"),
        (("show", "broken.yaml"), "No key of a dialect named 'edgs'"),
        (("check", "broken.yaml", "--model", "nowhere"), "No key of a dialect named 'edgs'"),
        (("show", "default", "--task", "sample:vstr"), "Did you mean 'vstar'"),
    ],
)
def test_a_mistake_is_one_line(words, message, printed, tmp_path):
    (tmp_path / "broken.yaml").write_text("base: default\nedgs: {}\n")
    code, text = printed(*words)
    assert code == 2 and message in text and len(text.splitlines()) == 1


# --------------------------------------------------------------------------------------------------------------- words


def test_only_fields_that_differ_are_said_in_words():
    assert [name for name, _ in field_lines(replace(DEFAULT, wording=type(DEFAULT.wording)()))] == [
        "calls",
        "coordinates",
        "budgets.original",
        "budgets.crop",
        "budgets.video_frame",
        "budgets.selected_frame",
    ]
    changed = replace(
        DEFAULT,
        calls=PhraseCalls((("look", "look at {region}"),)),
        names={"crop_image": "look"},
        keys={"box": "region"},
        default_image=0,
        first_index=0,
        image_names=ImageNames("img_{number}", "original"),
        ignored_keys=("label",),
        box_keys=("x", "y", "w", "h"),
        several_calls="all",
        thought_closing="",
        last_prefill="<answer>",
    )
    said = dict(field_lines(changed))
    assert said["calls"] == "phrases <action>...</action>" and "look at {region}" in said["calls.phrases"]
    assert said["names"] == "crop_image is called 'look'" and said["keys"] == "box is written as 'region'"
    assert said["default_image"] == "a call that names no image acts on image 0"
    assert said["image_names"] == "images are called 'original', 'img_1', 'img_2', ..."
    assert said["ignored_keys"] == "a call may have label, which mean nothing"
    assert said["box_keys"] == "left, top, width and height of a box are x, y, w, h"
    assert said["several_calls"] == "of several calls in one turn all are executed, up to 8"
    assert said["thought_closing"] == "no turn has a thought"
    assert said["last_prefill"] == 'the last turn begins with "<answer>"'
    assert "edges" not in said


def test_the_summary_names_what_is_offered():
    assert summary_of(dialect_named("default:notool")).operations == "none"
    assert summary_of(dialect_named("released")).answers == "\\boxed{}, else the whole turn"
    closed = replace(DIALECTS["tiny"], answer_closing="</answer>")
    assert summary_of(closed).answers == "<answer>...</answer>"


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        (Edges(overhang=inf), "an edge outside of the image is moved onto its border; "),
        (Edges(overhang=0), "a box that leaves the image is refused; "),
        (Edges(), "by 2% of the side"),
        (Edges(), "a side below 28 pixels of the source is refused"),
        (Edges(small_box="expand"), "a side below 28 pixels of the source is expanded to that"),
        (Edges(max_aspect=inf, min_side=1), "the box is refused; edges are rounded outward."),
        (Edges(enlarge=1.5), "the box is enlarged by 1.5 about its centre"),
        (Edges(padding=0.1, pads_first=True), "10% of the image's side is added on each side, before all checks"),
        (Edges(padding=0.1, padding_pixels=600), "added on each side, at most 600 pixels"),
        (Edges(rounding="down", last_pixel=True), "edges are rounded down; the right and the bottom edge stop one"),
        (Edges(magnify=2, magnified_pixels=9), "the region is magnified by 2, to at most 9 pixels"),
        (Edges(window_pixels=64), "window_pixels is 64"),
        (Edges(whole_image_on_failure=True), "where a box would be refused, the whole image is shown."),
    ],
)
def test_edge_rules_are_a_sentence(edges, words):
    assert words in edges_text(edges)
