"""Native calls of Qwen3-VL, Qwen3.5 and GLM-4.5: ours are what their chat templates render, and TRL reads both.

The templates and their readers are those that TRL ships.
"""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trl
from trl.chat_template_utils import add_response_schema, parse_response

from pixel_env.actions import parse, parse_all, tool_schemas, write
from pixel_env.boxes import Box
from pixel_env.dialects import DIALECTS, ArgumentCalls, Call, Coordinates, JsonCalls, XmlCalls
from pixel_env.dialects.call_syntax import CallSyntax
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.enhance import Enhance
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.rotate import Rotate
from pixel_env.operations.select_frames import SelectFrames

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
NATIVE: dict[str, CallSyntax] = {
    "qwen3_vl": JsonCalls(break_lines=True),
    "qwen3_5_think": XmlCalls(),
    "qwen3_5_nothink": XmlCalls(),
    "qwen3_6": XmlCalls(),
    "glm4moe": ArgumentCalls(),
}
OPERATIONS = [
    CropImage(0, Box(0.125, 0.25, 0.5, 0.75)),
    CropImage(11, Box(0.0, 0.0, 1.0, 1.0)),
    SelectFrames((0, 3, 15)),
    PointZoom(1, (0.5, 0.25)),
    Rotate.draw,
    Enhance.draw,
]


def dialect(template, **fields):
    operations = ("crop_image", "select_frames", "point_zoom", "rotate", "enhance")
    grid = Coordinates("grid", 1000)
    return replace(
        DIALECTS["qwen3-vl"], name="native", calls=NATIVE[template], coordinates=grid, operations=operations, **fields
    )


@pytest.fixture(scope="module", params=NATIVE)
def native(request, tiny_processor):
    """The name of a template, and a tokenizer that renders with it."""
    tokenizer = copy.deepcopy(tiny_processor.tokenizer)
    tokenizer.chat_template = (TEMPLATES / f"{request.param}.jinja").read_text(encoding="utf-8")
    return request.param, tokenizer


def drawn(operation):
    return operation(Drawing(np.random.default_rng(3), images=2)) if callable(operation) else operation


def assistant_turn(tokenizer, content, calls):
    """What the template writes for an assistant's message, between its header and its end."""
    question = {"role": "user", "content": "Which digit is on the card?"}
    tool_calls = [{"type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls]
    message = {"role": "assistant", "content": content, "reasoning_content": "", "tool_calls": tool_calls}
    rendered = tokenizer.apply_chat_template([question, message], tokenize=False)
    turn = rendered.rpartition("assistant")[2].rpartition("</think>")[2]
    return turn.removesuffix("<|im_end|>\n").lstrip("|>\n ").rstrip()


def call_of(written, calls):
    read = calls.parse(written, [], is_unfinished=False)
    assert isinstance(read, Call)
    return read


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: getattr(one, "name", "drawn"))
def test_the_template_renders_our_call_and_we_read_what_it_renders(native, operation):
    template, tokenizer = native
    ours, operation = dialect(template), drawn(operation)
    written = write(operation, ours)
    rendered = assistant_turn(tokenizer, "It is small.", [call_of(written, ours.calls)])
    assert rendered[rendered.index("<tool_call>") :] == written
    assert parse(rendered, ours) == parse(written, ours) == operation


def test_several_calls_of_one_message_come_back_in_order(native):
    template, tokenizer = native
    ours = dialect(template, several_calls="all")
    crops = [CropImage(image, Box(0.0, 0.0, 0.5, 0.25 + image / 8)) for image in range(3)]
    calls = [call_of(write(crop, ours), ours.calls) for crop in crops]
    assert list(parse_all(assistant_turn(tokenizer, "", calls), ours)) == crops


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: getattr(one, "name", "drawn"))
def test_the_reader_of_trl_finds_the_same_call_in_our_text(native, operation):
    template, tokenizer = native
    if template == "qwen3_vl":
        tokenizer.chat_template = (TEMPLATES / "qwen3.jinja").read_text(encoding="utf-8")  # the same calls
    ours, operation = dialect(template), drawn(operation)
    reader, schemas = add_response_schema(copy.deepcopy(tokenizer)), tool_schemas(ours)
    written = write(operation, ours)
    prefix = reader.apply_chat_template(
        [{"role": "user", "content": "Which?"}], tools=schemas, add_generation_prompt=True, tokenize=False
    )
    opened = prefix.endswith("<think>\n")
    text = ("so\n</think>\n\n" if opened else "") + "It is small.\n" + written
    if "<|im_end|>" in reader.chat_template:
        text += "<|im_end|>"
    ids, prefix_ids = (reader.encode(one, add_special_tokens=False) for one in (text, prefix))
    read = parse_response(reader, ids, prefix=prefix_ids, tools=schemas)
    [found] = read["tool_calls"]
    assert Call(found["function"]["name"], found["function"]["arguments"]) == call_of(written, ours.calls)
    assert parse(text.removesuffix("<|im_end|>"), ours) == operation
