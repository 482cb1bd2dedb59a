"""Templates: images anywhere in a message, templates that open a thought, and what cannot be glued."""

import copy
from dataclasses import replace
from pathlib import Path

import jinja2
import numpy as np
import pytest
import trl

from agents.chat.chat import Chat
from agents.chat.template import read_frame
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.actions import parse
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import IMAGE_SIGN, message_parts
from pixel_env.errors import ConfigError
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.types import Answer, Limits, Prompt, Stop
from tests.agents.random_qwen import RELEASED
from tests.agents.random_qwen import make_processor as make_qwen2_5

S = IMAGE_SIGN
TEMPLATES = Path(trl.__file__).parent / "chat_templates"
TINY = dialect_named("tiny")
WORDING = replace(TINY.wording, question="{images}{question}", observations={"crop_image": "Closer:{images}"})
INTERLEAVED = replace(TINY, wording=WORDING)
OPENS = {
    "qwen2_5_vl": "",
    "qwen3_vl": "",
    "qwen3_5_think": "<think>\n",
    "qwen3_5_nothink": "<think>\n\n</think>\n\n",
    "qwen3_6": "<think>\n",
}

OPENING_THOUGHTS = """{%- for message in messages -%}
[{{ message.role }}]{%- for part in message.content -%}
{%- if part.type == 'image' -%}<image>{%- else -%}{{ part.text.split('</think>')[-1] }}{%- endif -%}
{%- endfor -%}[end]{%- endfor -%}[assistant]<think>"""


def with_template(processor, name):
    processor = copy.deepcopy(processor)
    processor.chat_template = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
    return processor


def picture(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def user(text, count):
    parts = message_parts(text, count)
    return {"role": "user", "content": [{"type": "image"} if p is None else {"type": "text", "text": p} for p in parts]}


def rendered(processor, messages, images):
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return tuple(processor(text=[text], images=images, do_resize=False)["input_ids"][0])


@pytest.mark.parametrize("name", OPENS)
@pytest.mark.parametrize("question", ["Which?", f"Which?{S}{S}", f"{S}Is it here or{S}here?", f"A{S}B{S}C"])
def test_images_stand_where_the_text_has_them_in_the_models_own_templates(tiny_processor, name, question):
    processor = with_template(tiny_processor, name)
    chat, images = Chat(processor, INTERLEAVED), [picture(64, 64), picture(32, 48, 1)]
    assert chat.opens == OPENS[name]
    opened = chat.open(Prompt("Be brief.", question), images)
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert opened == rendered(processor, [system, user(question, 2)], images)
    said = {"role": "assistant", "content": [{"type": "text", "text": "It is small."}]}
    third = picture(128, 16, 2)
    messages = [system, user(question, 2), said, user(f"Closer:{S}Now?", 1)]
    turn = (*chat.fragment("It is small."), chat.end_id)
    ours = opened + turn + chat.reply(f"Closer:{S}Now?", [third], ended=True)
    # The template writes the opening of a thought before the turn to generate alone; ours keeps what was there.
    opening = chat.fragment(chat.opens) if chat.opens else ()
    theirs = rendered(processor, messages, [*images, third])
    before = len(opened) - len(opening)
    assert ours == opened + theirs[before:]


def test_a_turn_is_encoded_without_what_the_template_opens_it_with(tiny_processor):
    chat = Chat(with_template(tiny_processor, "qwen3_5_think"), TINY)
    ids = chat.encode("<think>\nsmall</think>")
    assert ids == chat.encode("small</think>") == (*chat.fragment("small</think>"), chat.end_id)


def test_a_turn_without_a_thought_closes_the_one_that_the_template_opens(tiny_processor):
    chat = Chat(with_template(tiny_processor, "qwen3_5_think"), TINY)
    assert chat.decode(chat.encode("<answer>7")) == "\n</think>\n\n<answer>7"
    assert isinstance(parse(chat.opens + chat.decode(chat.encode("<answer>7")), TINY), Answer)
    plain = Chat(with_template(tiny_processor, "qwen3_5_nothink"), TINY)
    assert plain.decode(plain.encode("<answer>7")) == "<answer>7"


@pytest.mark.parametrize("name", ["qwen3_5_think", "qwen3_5_nothink", "qwen3_vl"])
def test_a_conversation_only_grows_and_a_thought_that_the_template_opens_belongs_to_the_turn(tiny_processor, name):
    chat = Chat(with_template(tiny_processor, name), INTERLEAVED)
    is_open = OPENS[name] == "<think>\n"
    thoughts = ("I may <crop> 1 1 2 2</think>", "a <answer>3</think>", "hm</think>") if is_open else ("", "", "")
    calls = ("<crop> 1 1 9 9", "<crop> 2 2 8 8", "<answer>7")
    texts = tuple(thought + call for thought, call in zip(thoughts, calls, strict=True))
    engine, requests = ScriptedEngine(in_turn(*texts), chat), []
    submit = engine.submit
    engine.submit = lambda request: (requests.append(request), submit(request))
    settings = EpisodeSettings(INTERLEAVED, Limits(max_turns=4), TINY.budgets)
    [played] = rollout([tiny_task()], engine, chat, settings=settings, sampling=Sampling(), seed=0)
    trajectory = played.trajectory
    assert (trajectory.stop, trajectory.answer, trajectory.valid_operations) == (Stop.ANSWERED, "7", 2)
    assert [turn.text for turn in trajectory.turns] == [OPENS[name] + text for text in texts]
    whole = played.prompt_ids + played.completion_ids
    assert all(request.prompt_ids == whole[: len(request.prompt_ids)] for request in requests) and len(requests) == 3
    assert [request.opening for request in requests] == [OPENS[name]] * 3
    sampled = [id for id, is_sampled in zip(played.completion_ids, played.sampled, strict=True) if is_sampled]
    assert chat.decode(sampled) == "<|im_end|>".join(texts)


# ----------------------------------------------------------------------------------------------- templates by hand


def read(template, **options):
    compiled = jinja2.Template(template)
    return read_frame(lambda messages: compiled.render(messages=messages), **options)


def test_a_template_that_opens_thoughts_and_drops_earlier_ones_is_read():
    frame = read(OPENING_THOUGHTS, interleaves=True)
    assert (frame.opens, frame.image, frame.assistant_to_user) == ("<think>", "<image>", "[end][user]")
    turn = frame.user_turn(["Here", None, "or here?", None])
    assert "".join(turn) == "Here<image>or here?<image>[end][assistant]<think>"


def test_a_template_that_moves_images_is_refused_for_messages_with_images_between_texts_alone():
    moving = (
        "{%- for m in messages -%}[{{ m.role }}]{%- for p in m.content if p.type == 'image' -%}<image>{%- endfor -%}"
        "{%- for p in m.content if p.type == 'text' -%}{{ p.text }}{%- endfor -%}[end]{%- endfor -%}[assistant]"
    )
    assert read(moving).image == "<image>"
    with pytest.raises(ConfigError, match="cannot be rendered turn by turn"):
        read(moving, interleaves=True)


def test_a_turn_without_texts_and_images_is_empty():
    frame = read(OPENING_THOUGHTS)
    assert "".join(frame.user_turn([])) == "[end][assistant]<think>"
    assert len(frame.user_turn([])) % 2 == 1 and len(frame.user_turn([None])) % 2 == 1


@pytest.mark.parametrize("question", ["{images}{question}", "{question}{images}", "Watch {images}: {question}"])
def test_a_video_entry_stands_where_the_images_do(question):
    dialect = replace(RELEASED, wording=replace(RELEASED.wording, question=question))
    processor = make_qwen2_5()
    chat = Chat(processor, dialect)
    settings = EpisodeSettings(dialect, Limits(max_turns=2), dialect.budgets)
    engine = ScriptedEngine(in_turn("\\boxed{7}"), chat)
    [played] = rollout([tiny_video_task()], engine, chat, settings=settings, sampling=Sampling(), seed=0)
    text = played.trajectory.prompt.question
    assert text.count(S) == 16
    before, after = text.split(S * 16)
    shown = chat.decode(played.prompt_ids)
    start = shown.index("<|video_pad|>")
    assert shown[:start].endswith(f"{before}<|vision_start|>")
    assert shown[start:].replace("<|video_pad|>", "").startswith(f"<|vision_end|>{after}<|im_end|>")
    content = [{"type": "text", "text": before}, {"type": "video"}, {"type": "text", "text": after}]
    messages = [{"role": "user", "content": [part for part in content if part.get("text") != ""]}]
    theirs = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    # The template adds a system turn of its own to a conversation without one.
    assert theirs == shown.replace("<|video_pad|>" * shown.count("<|video_pad|>"), "<|video_pad|>")
