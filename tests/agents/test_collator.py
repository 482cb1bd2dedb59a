import numpy as np
import pytest
import torch
from transformers import AutoProcessor

from agents.chat import Chat
from agents.collator import IGNORED, TraceCollator, play
from agents.rollout import EpisodeSettings
from agents.traces import Trace, TraceTurn
from pixel_env.dialects import dialect_named
from pixel_env.errors import TaskError
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits
from synth.templates import recrop_once, single_pass

TINY = dialect_named("tiny")


@pytest.fixture(scope="module")
def chat(tiny_checkpoint):
    return Chat(AutoProcessor.from_pretrained(tiny_checkpoint), TINY)


@pytest.fixture(scope="module")
def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=4)


@pytest.fixture(scope="module")
def settings(tasks):
    return EpisodeSettings(TINY, Limits(max_turns=3), tasks.budgets)


def trained_texts(played, chat):
    """What the loss sees, one text per unbroken run of labels."""
    runs, current = [], []
    for label in [*played.labels, IGNORED]:
        if label == IGNORED and current:
            runs.append(chat.decode(current))
            current = []
        elif label != IGNORED:
            current.append(label)
    return runs


def test_exactly_the_unflagged_turns_are_trained_with_the_token_that_ends_them(chat, tasks, settings):
    trace = recrop_once(tasks.tasks[0], TINY, np.random.default_rng(0))
    played = play(trace, chat, settings)
    assert trained_texts(played, chat) == [turn.text for turn in trace.turns if turn.train]
    assert len(trained_texts(played, chat)) == 2
    wanted = [*chat.encode(trace.turns[1].text), *chat.encode(trace.turns[2].text)]
    assert [label for label in played.labels if label != IGNORED] == wanted and wanted.count(chat.end_id) == 2


def test_no_picture_token_and_nothing_of_the_prompt_is_trained(chat, tasks, settings):
    played = play(single_pass(tasks.tasks[1], TINY, np.random.default_rng(0)), chat, settings)
    assert chat.image_id in played.ids and chat.image_id not in played.labels
    assert set(played.labels[: len(played.rollout.prompt_ids)]) == {IGNORED}
    assert all(label in (IGNORED, id) for label, id in zip(played.labels, played.ids, strict=True))


def test_the_crop_that_a_trace_asks_for_is_in_the_batch_with_its_own_pixels(chat, tasks, settings):
    traces = [single_pass(task, TINY, np.random.default_rng(0)) for task in tasks.tasks]
    answer = Trace(tasks.tasks[0], (TraceTurn("<answer>7"),))
    batch = TraceCollator(chat, settings, [*traces, answer])([{"trace": place} for place in range(5)])
    assert batch["image_grid_thw"].tolist() == [[1, 8, 8], [1, 16, 16]] * 4 + [[1, 8, 8]]
    assert (batch["input_ids"] == chat.image_id).sum(-1).tolist() == [16 + 64] * 4 + [16]
    assert torch.equal(batch["mm_token_type_ids"], (batch["input_ids"] == chat.image_id).int())
    assert len(batch["pixel_values"]) == int(batch["image_grid_thw"].prod(-1).sum())
    # The last row's overview is the first row's.
    assert torch.equal(batch["pixel_values"][-64:], batch["pixel_values"][:64])
    assert not torch.equal(batch["pixel_values"][:64], batch["pixel_values"][320:384])


def test_shorter_rows_are_padded_where_neither_attention_nor_loss_looks(chat, tasks, settings):
    long, short = (
        single_pass(tasks.tasks[0], TINY, np.random.default_rng(0)),
        Trace(tasks.tasks[1], (TraceTurn("<answer>7"),)),
    )
    batch = TraceCollator(chat, settings, [long, short]).batch([long, short])
    padding = batch["attention_mask"][1] == 0
    assert padding.any() and set(batch["input_ids"][1][padding].tolist()) == {chat.pad_id}
    assert set(batch["labels"][1][padding].tolist()) == {IGNORED}
    assert int(batch["attention_mask"][1].sum()) == len(play(short, chat, settings).ids)


@pytest.mark.parametrize(
    ("turns", "max_turns", "reason"),
    [
        (("<answer>7", "<answer>8"), 3, "answered"),
        (("<crop> 0 0 4 4", "<crop> 0 0 4 4", "<answer>7"), 2, "turns"),
        (("<crop> 0 0 4 4",), 3, "no further turn"),
    ],
)
def test_a_trace_that_does_not_end_with_its_episode_is_refused_with_the_way_out(
    chat, tasks, settings, turns, max_turns, reason
):
    trace = Trace(tasks.tasks[0], tuple(TraceTurn(text) for text in turns))
    limited = EpisodeSettings(TINY, Limits(max_turns=max_turns), settings.budgets)
    with pytest.raises(TaskError, match=f"{reason}.*Raise max_turns"):
        play(trace, chat, limited)
