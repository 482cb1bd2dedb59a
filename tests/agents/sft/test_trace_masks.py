"""What the loss sees of every kind of trace, in every format: decoded, it is the unflagged turns and nothing else."""

from dataclasses import replace

import pytest
import torch

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.sft.collator import IGNORED, TraceCollator, play
from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.crop_image import CropImage
from pixel_env.types import Answer, Limits
from synth.plans.plan import PlanKind
from tests.agents.planned_traces import SMALL, image_task, planned_traces, shown_small
from tests.agents.random_qwen import make_processor

DIALECTS = ("default", "qwen2.5-vl", "qwen3-vl", "released", "tiny")


@pytest.fixture(scope="module")
def chats(tiny_processor):
    """Chat formats by dialect, the released one with its video entry."""
    qwen25 = make_processor()
    processors = dict.fromkeys(DIALECTS, tiny_processor) | {"released": qwen25, "qwen2.5-vl": qwen25}
    return {name: Chat(processor, shown_small(dialect_named(name))) for name, processor in processors.items()}


def settings_of(chat):
    return EpisodeSettings(chat.dialect, Limits(max_turns=8, max_images=40), SMALL)


def trained_texts(played, chat):
    """One text per unbroken run of labels, split where a turn ends."""
    runs, current = [], []
    for label in played.labels:
        if label != IGNORED:
            current.append(label)
        if current and (label == IGNORED or label == chat.end_id):
            assert current[-1] == chat.end_id
            runs.append(chat.decode(current))
            current = []
    assert not current
    return runs


def test_the_kinds_of_traces_that_are_tried_are_all_there_are(chats):
    assert {trace.kind for trace in planned_traces(chats["released"].dialect)} == {kind.value for kind in PlanKind}


@pytest.mark.parametrize("name", DIALECTS)
def test_of_every_kind_of_trace_the_unflagged_turns_are_trained_with_their_ends_and_nothing_else(chats, name):
    chat = chats[name]
    for trace in planned_traces(chat.dialect):
        played = play(trace, chat, settings_of(chat))
        wanted = [turn.text for turn in trace.turns if turn.train]
        assert trained_texts(played, chat) == wanted, trace.kind
        assert any(not turn.train for turn in trace.turns) == (trace.kind not in ("single_pass", "text_only"))
        assert all(label in (IGNORED, id) for label, id in zip(played.labels, played.ids, strict=True))
        assert played.rollout.video_frames == (16 if name == "released" and trace.task.media == "video" else 0)


@pytest.mark.parametrize("turns", range(1, 9))
@pytest.mark.parametrize("name", ["default", "released"])
def test_traces_of_one_to_eight_turns_are_trained_turn_by_turn(chats, name, turns):
    chat = chats[name]
    calls = [write(CropImage(0, Box(0.1 * place, 0.0, 0.1 * place + 0.2, 0.3)), chat.dialect) for place in range(turns)]
    said = [f"Look {place}.\n{call}" for place, call in enumerate(calls[1:])]
    answer = write(Answer("7"), chat.dialect)
    for trains in (
        [True] * turns,
        [place % 2 == 0 for place in range(turns)],
        [place % 3 == 1 for place in range(turns)],
    ):
        told = tuple(TraceTurn(text, train) for text, train in zip((*said, answer), trains, strict=True))
        trace = Trace(image_task("many"), told)
        assert trained_texts(play(trace, chat, settings_of(chat)), chat) == [one.text for one in told if one.train]


@pytest.mark.parametrize("name", DIALECTS)
def test_the_rows_of_a_batch_of_all_kinds_keep_their_labels_and_their_pictures(chats, name):
    chat = chats[name]
    traces = planned_traces(chat.dialect)
    batch = TraceCollator(chat, settings_of(chat), traces)([{"trace": place} for place in range(len(traces))])
    for row, trace in zip(batch["labels"].tolist(), traces, strict=True):
        assert tuple(label for label in row if label != IGNORED) == tuple(
            label for label in play(trace, chat, settings_of(chat)).labels if label != IGNORED
        )
    merged = chat.processor.image_processor.merge_size**2
    assert int((batch["input_ids"] == chat.image_id).sum()) * merged == len(batch["pixel_values"])
    if name == "released":
        assert int((batch["input_ids"] == chat.video_id).sum()) * merged == len(batch["pixel_values_videos"])


def test_a_batch_without_pictures_gets_a_row_that_has_one_and_teaches_nothing_where_the_tower_must_run(chats):
    chat = chats["default"]
    text = planned_traces(chat.dialect)[-1]
    plain = TraceCollator(chat, settings_of(chat), [text]).batch([text])
    sees = replace(TraceCollator(chat, settings_of(chat), [text]), add_blank_row=True).batch([text])
    assert "pixel_values" not in plain and len(sees["input_ids"]) == 2
    assert torch.equal(sees["input_ids"][:1, : plain["input_ids"].shape[1]], plain["input_ids"])
    assert set(sees["labels"][1].tolist()) == {IGNORED} and len(sees["pixel_values"]) == 4
    both = TraceCollator(chats["released"], settings_of(chats["released"]), [text], add_blank_row=True).batch([text])
    assert len(both["pixel_values"]) == 4 and len(both["pixel_values_videos"]) == 4
