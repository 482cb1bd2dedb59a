"""`pixel-env dialect check`: what fits a model, what does not, and what one sampled turn is read as."""

import copy
import subprocess
import sys
from dataclasses import replace
from importlib import resources

import pytest
from tokenizers import normalizers
from transformers import AutoConfig

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.dialect_check.check import findings as all_findings
from agents.dialect_check.processor import mark_findings, template_findings
from agents.dialect_check.turn import turn_findings
from agents.engines.protocol import Response
from agents.engines.queued import QueuedEngine
from pixel_env.cli import main
from pixel_env.dialects import DIALECTS, dialect_text
from pixel_env.tasks import load_tasks
from tests.agents.random_qwen import RELEASED, make_model, make_processor
from tests.paths import ROOT

TINY, DEFAULT = DIALECTS["tiny"], DIALECTS["default"]
TASKS = load_tasks("sample:vstar-tiny", count=1)
IMAGE_FIRST = "{%- for part in message.content -%}"
MOVES_IMAGES = (
    "{%- for part in message.content if part.type == 'image' -%}"
    "<|vision_start|><|image_pad|><|vision_end|>{%- endfor -%}"
    "{%- for part in message.content if part.type == 'text' -%}"
)


@pytest.fixture
def checked(capsys):
    """Runs `pixel-env dialect check WORDS`: the exit code and what was printed."""

    def run(*words):
        code = main(["dialect", "check", *words])
        both = capsys.readouterr()
        return code, both.out

    return run


def problems(findings):
    return [finding.text for finding in findings if finding.kind == "problem"]


def with_template(processor, change):
    changed = copy.copy(processor)
    changed.chat_template = change(processor.chat_template)
    return changed


# -------------------------------------------------------------------------------------------------------- whole models


def test_the_embedded_model_fits_its_own_dialect_and_calls(checked):
    code, text = checked("tiny", "--model", "tiny-zoom", "--task", "sample:vstar-tiny")
    assert code == 0 and text.splitlines()[-1] == "tiny fits tiny-zoom"
    for line in (
        "ok: the chat template is rendered turn by turn",
        "ok: images are shown in multiples of 16 pixels",
        "ok: '<crop>', which opens a call, is one token: calls can be forbidden",
        "ok: calls are the same text after encoding and decoding",
        "note: the model has 2048 positions; the prompt of vstar-tiny/test/0/000000-digit-on-card is 34 tokens, an "
        "image of the task up to 16, a crop up to 64; give commands --max_tokens 2048 or less",
        "ok: the turn is read as a call, and executed: crop image 1 at ",
    ):
        assert f"\n{line}" in f"\n{text}"


def test_another_dialect_does_not_fit_and_the_way_out_leads_out(checked, tmp_path):
    code, text = checked("default", "--model", "tiny-zoom")
    way = (
        "budgets: {original: {factor: 16}, crop: {factor: 16}, video_frame: {factor: 16}, selected_frame: {factor: 16}}"
    )
    assert code == 1 and text.splitlines()[-1] == "default does not fit tiny-zoom"
    assert "problem: images are shown in multiples of 28 pixels, but Qwen3VLProcessor reads multiples of 16" in text
    assert "(tiny), or a file with `base: default`" in text and way in text
    assert "note: '<tool_call>', which opens a call, is 10 tokens: calls cannot be forbidden" in text
    assert "note: no turn is sampled before these problems are solved" in text
    (tmp_path / "my.yaml").write_text(f"base: default\n{way}\n")
    code, text = checked(
        str(tmp_path / "my.yaml"), "--model", "tiny-zoom", "--no_sample", "--task", "sample:vstar-tiny"
    )
    assert code == 0 and "problem" not in text and "the turn" not in text


def test_a_model_of_another_dialect_is_named_as_such(checked, tmp_path):
    (tmp_path / "zoom.yaml").write_text("base: qwen3-vl\ncalls: {syntax: json, opening: <zoom>, closing: </zoom>}\n")
    (tmp_path / "tiny.yaml").write_text(dialect_text(TINY))
    words = ("--model", "tiny-zoom", "--no_sample")
    _, text = checked(str(tmp_path / "zoom.yaml"), *words)
    assert "note: the model was taught 'tiny' (" in text and "differs in calls, coordinates, " in text
    _, text = checked(str(tmp_path / "tiny.yaml"), *words)
    assert "was taught" not in text


def test_a_random_qwen_fits_the_released_dialect_in_its_pixels(checked, tmp_path):
    processor = make_processor()
    make_model(processor).save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    (tmp_path / "my.yaml").write_text(dialect_text(RELEASED))
    words = (str(tmp_path / "my.yaml"), "--model", str(tmp_path / "model"), "--max_new_tokens", "8")
    code, text = checked(*words, "--task", "sample:vstar-tiny")
    assert code == 0, text
    assert "ok: images stand between the texts where the dialect puts them" in text
    assert "ok: a video is one entry of the prompt, 2 frames a step" in text
    assert "cut after 8 tokens" in text and "note: the turn is read as" in text
    code, text = checked(*words, "--task", "sample:mvbench")
    assert code == 0 and "the model writes to mvbench/" in text


def test_a_video_entry_that_the_processor_cannot_write_is_a_problem(checked):
    code, text = checked("released:train-pixels", "--model", "tiny-zoom", "--no_sample")
    assert code == 1 and "problem: Qwen3VLProcessor cannot show a video as one plain entry" in text


@pytest.mark.parametrize(
    "words", [("tiny", "--model", "/nowhere"), ("tiny",), ("tiny", "--model", "m", "--max_new", "0")]
)
def test_what_cannot_be_checked_is_a_mistake_of_the_command_line(words, capsys):
    assert main(["dialect", "check", *words]) == 2
    assert "pixel-env" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("broken.yaml", "--model", "tiny-zoom"), ("tiny", "--model", "./missing")])
def test_a_mistake_in_a_name_is_answered_before_torch_is_loaded(words, tmp_path):
    (tmp_path / "broken.yaml").write_text("base: default\nedgs: {}\n")
    code = (
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom pixel_env.cli import main\n"
        f"code = main(['dialect', 'check', *{words!r}])\nprint(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]


# ----------------------------------------------------------------------------------------------------------- templates


def test_a_template_that_moves_images_fits_only_dialects_with_images_before_the_text(tiny_processor):
    moving = with_template(tiny_processor, lambda text: text.replace(IMAGE_FIRST, MOVES_IMAGES))
    assert problems(template_findings(moving, TINY)) == []
    between = replace(TINY, wording=replace(TINY.wording, question="{question} {images}"))
    assert problems(template_findings(tiny_processor, between)) == []
    [text] = problems(template_findings(moving, between))
    assert "the chat template moves them" in text and "take {images} out of the dialect's wording" in text


def test_a_template_that_refuses_or_drops_a_message_is_a_problem(tiny_processor):
    refuses = with_template(tiny_processor, lambda text: "{{ raise_exception('no system text') }}" + text)
    [text] = problems(template_findings(refuses, TINY))
    assert "refuses a conversation" in text and "no system text" in text
    drops = with_template(
        tiny_processor, lambda text: text.replace("for message in messages", "for message in messages[1:]")
    )
    [text] = problems(template_findings(drops, TINY))
    assert "cannot be rendered turn by turn" in text


def test_a_template_that_opens_a_thought_needs_a_dialect_that_reads_thoughts(tiny_processor):
    opens = with_template(tiny_processor, lambda text: text.replace("assistant\\n'", "assistant\\n<think>\\n'"))
    assert problems(template_findings(opens, TINY)) == []
    [text] = problems(template_findings(opens, replace(TINY, thought_closing="")))
    assert "the template opens every turn with '<think>\\n'" in text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("qwen2_5_vl", None),
        ("qwen3_vl", None),
        ("qwen3_5_think", None),
        ("qwen3", "takes texts alone, no images"),
        ("llama3", "refuses a conversation"),
        ("llava_next", "it drops or repeats a text"),
        ("smolvlm", "depends on later turns"),
    ],
)
def test_templates_that_trl_ships_fit_or_are_told_why_not(name, message, tiny_processor):
    template = (resources.files("trl") / "chat_templates" / f"{name}.jinja").read_text()
    found = problems(template_findings(with_template(tiny_processor, lambda text: template), RELEASED))
    assert [message in text for text in found] == ([] if message is None else [True]), found


def test_a_processor_without_a_template_is_a_problem(tiny_processor):
    [text] = problems(template_findings(with_template(tiny_processor, lambda text: None), TINY))
    assert "has no chat template" in text


def test_a_tokenizer_alone_reads_no_images(tiny_processor):
    [text] = problems(template_findings(tiny_processor.tokenizer, TINY))
    assert "it reads no images" in text


# --------------------------------------------------------------------------------------------------------------- marks


@pytest.mark.parametrize(
    "dialect",
    [
        replace(TINY, calls=replace(TINY.calls, opening="<|vision_start|>crop")),
        replace(TINY, answer_closing="<|vision_start|>"),
        replace(TINY, stop=("<|vision_start|>",)),
        replace(TINY, thought_closing="<|vision_start|>"),
    ],
)
def test_a_mark_that_holds_a_special_token_is_a_problem(dialect, tiny_processor):
    [text] = problems(mark_findings(Chat(tiny_processor, dialect), dialect, TASKS))
    assert "holds '<|vision_start|>', a special token of this tokenizer, which is never sampled" in text


def test_a_tokenizer_that_changes_calls_is_a_problem(tiny_processor):
    changed = copy.deepcopy(tiny_processor)
    changed.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("_", "-")
    [text] = problems(mark_findings(Chat(changed, DEFAULT), DEFAULT, TASKS))[:1]
    assert "the tokenizer changes a call" in text and "crop-image" in text


def test_a_prompt_that_fills_all_positions_is_a_problem(tiny_processor, tmp_path):
    config = AutoConfig.from_pretrained(model_folder("tiny-zoom"))
    config.text_config.max_position_embeddings = 20
    config.save_pretrained(tmp_path)
    tiny_processor.save_pretrained(tmp_path)
    [text] = problems(all_findings(TINY, str(tmp_path), TASKS))
    assert "the model has 20 positions" in text and "nothing is left for a turn" in text


# ---------------------------------------------------------------------------------------------------------- the turn


class Says(QueuedEngine):
    """Answers every request with one text."""

    def __init__(self, chat, text, *, ended=True):
        super().__init__()
        self.ids = chat.encode(text) if ended else chat.fragment(text)
        self.ended = ended

    def answers(self, requests):
        return [Response(one.request_id, self.ids, (0.0,) * len(self.ids), ended=self.ended) for one in requests]


OTHER_ROW = (
    '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5], "target_image": 1}}</tool_call>'
)


@pytest.mark.parametrize(
    ("text", "ended", "kind", "read"),
    [
        ("I look. <crop> 4 4 12 12", True, "ok", "a call, and executed: crop image 1 at 0.250 0.250 0.750 0.750"),
        ("<crop> 4 4 4 12", True, "problem", "a call that cannot be read (box_empty): "),
        ("<crop> 0 0 1 1", True, "ok", "a call, and executed"),
        ("It is <answer>7", True, "ok", "an answer: '7'"),
        ("<crop> 4 4", False, "note", "a call that cannot be read (cut_off). Give more --max_new_tokens."),
        ("Let me see", False, "note", "text that is not finished. Give more --max_new_tokens."),
        ("Let me see.", True, "note", "text, and no row of the table reads a call in it."),
        (OTHER_ROW, True, "problem", "text. These rows read a call in it: default, "),
    ],
)
def test_the_turn_is_read_as_the_dialect_reads_it(text, ended, kind, read, tiny_chat):
    written, reading = turn_findings(Says(tiny_chat, text, ended=ended), tiny_chat, TINY, TASKS, 8)
    assert text[:50] in written.text and ("cut after 8 tokens" in written.text) is not ended
    assert reading.kind == kind and reading.text.startswith(f"the turn is read as {read}"), reading


def test_a_row_that_reads_the_turn_is_named_as_the_way_out(tiny_chat):
    *_, reading = turn_findings(Says(tiny_chat, OTHER_ROW), tiny_chat, TINY, TASKS, 8)
    assert reading.text.endswith("Give --dialect default.")
    assert "qwen2.5-vl, qwen3-vl" in reading.text and "released" not in reading.text  # its call has another name


def test_a_refused_call_is_told_with_the_environments_text(tiny_processor):
    dialect = replace(TINY, edges=replace(TINY.edges, min_side=400))
    chat = Chat(tiny_processor, dialect)
    *_, reading = turn_findings(Says(chat, "<crop> 4 4 12 12"), chat, dialect, TASKS, 8)
    assert reading.kind == "note" and "and refused: The crop is too small" in reading.text


def test_an_engine_that_fails_is_a_problem(tiny_chat):
    class Fails(QueuedEngine):
        def answers(self, requests):
            return [Response(one.request_id, (), (), ended=False, error="out of memory") for one in requests]

    [finding] = turn_findings(Fails(), tiny_chat, TINY, TASKS, 8)
    assert finding.kind == "problem" and "out of memory" in finding.text


def test_what_the_dialect_writes_at_the_beginning_of_a_turn_is_part_of_it(tiny_processor):
    dialect = replace(TINY, prefill="<crop>")
    chat = Chat(tiny_processor, dialect)
    written, reading = turn_findings(Says(chat, " 4 4 12 12"), chat, dialect, TASKS, 8)
    assert "'<crop> 4 4 12 12'" in written.text and reading.kind == "ok"
