import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader
from transformers import AutoProcessor

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.sft.collator import IGNORED, Fault, TraceCollator, UnusableTrace, play
from agents.sft.trace_survey import survey
from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import TaskError
from pixel_env.import_callable import imported_callable
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task
from pixel_env.types import Limits
from synth.warm_starts.templates import recrop_once, single_pass
from tests.agents.planned_traces import SMALL, image_task, shown_small

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


# ----------------------------------------------------------------------------------------------- calls that are refused


@pytest.mark.parametrize("name", ["qwen2.5-vl", "qwen3-vl", "default:notool"])
def test_a_trace_of_another_dialect_is_refused_because_it_would_teach_calls_that_fail(tiny_processor, name):
    call = write(CropImage(0, Box(0.5, 0.25, 0.75, 0.5)), dialect_named("default"))
    trace = Trace(image_task("fractions"), (TraceTurn(f"Look.\n{call}"), TraceTurn("\\boxed{7}")))
    own, other = (shown_small(dialect_named(one)) for one in ("default", name))
    settings = EpisodeSettings(other, Limits(8, 40), SMALL)
    told = rf"turn 1 \((crop_too_small|unknown_operation): .*--dialect .*{name}"
    with pytest.raises(UnusableTrace, match=told) as refused:
        play(trace, Chat(tiny_processor, other), settings)
    assert refused.value.fault is Fault.REFUSED_CALL
    assert survey([trace], Chat(tiny_processor, other), settings).refused == {"refused_call": 1}
    assert survey([trace], Chat(tiny_processor, own), replace(settings, dialect=own)).refused == {}


def test_a_refused_call_that_is_shown_and_not_trained_teaches_how_to_go_on(chat, tasks, settings):
    for train, kept in ((False, True), (True, False)):
        turns = (TraceTurn("<crop> 0 0 4 4"), TraceTurn("<crop> 3 3 3 3", train), TraceTurn("<answer>7"))
        assert bool(survey([Trace(tasks.tasks[0], turns)], chat, settings).indices) == kept


@pytest.mark.parametrize(
    "made_by",
    [
        *(f"generator:{name}_warm_start" for name in ("clumsy", "competent", "self_correction", "mistakes_trained")),
        *("generator:single_pass_warm_start", "templates:single_pass_traces", "templates:recrop_traces"),
    ],
)
def test_no_trace_that_the_library_makes_teaches_a_refused_call(chat, settings, made_by):
    made = imported_callable(f"synth.warm_starts.{made_by}", "traces function")(
        load_tasks("sample:vstar-tiny", count=42), TINY, 0
    )
    found = survey([made[place] for place in range(42)], chat, settings)
    assert (len(found.indices), found.refusals) == (42, ())


# ------------------------------------------------------------------------------------------------- pictures and workers


def look_twice(source, task_id="seen"):
    turns = (TraceTurn("<crop> 0 0 4 4"), TraceTurn("<crop> 8 8 12 12"), TraceTurn("<answer>7"))
    return Trace(tiny_task(task_id, sources=(source,), evidence=()), turns)


def test_a_picture_that_is_cut_in_its_middle_is_named_and_not_blamed_on_the_limits(chat, settings, tmp_path):
    path = tmp_path / "cut.jpg"
    Image.effect_noise((400, 300), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    trace = look_twice(FileSource(path))
    with pytest.raises(UnusableTrace, match=r"'seen'.*cannot be shown: cannot decode .*cut\.jpg.*truncated") as told:
        play(trace, chat, settings)
    assert told.value.fault is Fault.UNREADABLE_PICTURE and "max_turns" not in str(told.value)
    assert survey([trace], chat, settings).refusals == ()  # the header is whole
    Image.new("RGB", (1300, 5)).save(path.with_name("long.png"))
    [refusal] = survey([look_twice(FileSource(path.with_name("long.png")))], chat, settings).refusals
    assert refusal.fault is Fault.UNREADABLE_PICTURE and "longer than 200 to 1" in refusal.message


def test_what_a_worker_finds_unusable_arrives_as_the_same_message():
    error = UnusableTrace("The trace has 9 tokens.", Fault.TOO_LONG)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.fault) == (UnusableTrace, str(error), Fault.TOO_LONG)
    try:
        raise error
    except UnusableTrace:
        sent = pickle.dumps(ExceptionWrapper(where="in DataLoader worker process 0"))
    with pytest.raises(UnusableTrace) as told:
        pickle.loads(sent).reraise()
    assert str(told.value) == "The trace has 9 tokens."


@dataclass(frozen=True)
class LoggedSource:
    """A picture that writes a line whenever it is decoded, in whatever process."""

    key: str
    log: Path

    def decode(self):
        with self.log.open("a") as file:
            file.write(f"{self.key}\n")
        return Image.new("RGB", (1600, 1200))


def test_workers_decode_a_picture_once_for_a_trace_and_an_epoch_and_once_for_a_batch(chat, settings, tmp_path):
    keys = [f"{tmp_path}/{place}" for place in range(4)]
    traces = [look_twice(LoggedSource(key, tmp_path / "log"), key) for key in keys]
    collator = TraceCollator(chat, settings, traces)
    loader = DataLoader([{"trace": place} for place in range(4)], 2, collate_fn=collator, num_workers=2)
    for epoch in (1, 2):
        assert sum(len(batch["image_grid_thw"]) for batch in loader) == 4 * 3
        assert sorted((tmp_path / "log").read_text().split()) == sorted(keys * epoch)
    collator.batch([traces[0]] * 4)
    assert len((tmp_path / "log").read_text().split()) == 2 * 4 + 1


ALL = replace(TINY, name="all", several_calls="all")


def crops(task, *boxes):
    return "".join(write(CropImage(0, box), ALL) for box in boxes)


def test_a_turn_with_two_calls_is_one_turn_of_the_trace(chat, tasks, settings):
    task, chat = tasks.tasks[0], Chat(chat.processor, ALL)
    texts = [crops(task, Box(0, 0, 0.5, 0.5), Box(0.5, 0.5, 1, 1)), "<answer>7"]
    played = play(Trace(task, tuple(map(TraceTurn, texts))), chat, replace(settings, dialect=ALL))
    assert trained_texts(played, chat) == texts and len(played.images) == 3
    assert [len(steps) for steps in played.rollout.trajectory.messages] == [2, 1]


def test_a_refused_call_among_several_of_a_trained_turn_is_refused_with_its_turn(chat, tasks, settings):
    task, chat = tasks.tasks[0], Chat(chat.processor, ALL)
    text = crops(task, Box(0, 0, 0.5, 0.5)) + "<crop> 9 9 2 2"
    turns = (TraceTurn(crops(task, Box(0, 0, 0.5, 0.5))), TraceTurn(text), TraceTurn("<answer>7"))
    with pytest.raises(UnusableTrace, match="in turn 2"):
        play(Trace(task, turns), chat, replace(settings, dialect=ALL))


def test_what_the_dialect_begins_a_turn_with_is_not_trained(chat, tasks, settings):
    dialect = replace(TINY, name="begun", prefill="I ")
    task, chat = tasks.tasks[0], Chat(chat.processor, dialect)
    texts = ["I see <crop> 1 1 9 9", "so <answer>7"]  # with it and without it
    played = play(Trace(task, tuple(map(TraceTurn, texts))), chat, replace(settings, dialect=dialect))
    assert trained_texts(played, chat) == ["see <crop> 1 1 9 9", "so <answer>7"]
    assert [turn.text for turn in played.rollout.trajectory.turns] == ["I see <crop> 1 1 9 9", "I so <answer>7"]
