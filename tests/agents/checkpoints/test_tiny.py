"""The embedded checkpoints: ordinary folders, short calls, and eyes that see what their facts say."""

import json
import sys

import pytest
import torch
from safetensors import safe_open

from agents.chat.chat import Chat
from agents.checkpoints.names import CHECKPOINTS, checkpoint_path
from agents.checkpoints.tiny import load
from agents.engines.transformers import TransformersEngine
from agents.metrics.trajectories import accuracy
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.actions import system_text, write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import UnknownNameError
from pixel_env.operations.crop_image import CropImage
from pixel_env.samples import DIGIT_ON_CARD, sample_set
from pixel_env.task import TaskSet
from pixel_env.types import Answer, Limits, Trajectory
from tests.paths import EXAMPLES

TINY = dialect_named("tiny")


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat.from_pretrained(checkpoint_path("tiny-base"), TINY)


def test_three_checkpoints_of_bfloat16_ship_under_15_megabytes_with_one_tokenizer_and_processor() -> None:
    folders = [checkpoint_path(name) for name in CHECKPOINTS]
    assert sum(file.stat().st_size for folder in folders for file in folder.iterdir()) < 15_000_000
    for folder in folders:
        with safe_open(folder / "model.safetensors", "pt") as weights:
            assert {weights.get_tensor(name).dtype for name in weights.keys()} == {torch.bfloat16}  # noqa: SIM118
        for shared in ("tokenizer.json", "tokenizer_config.json", "processor_config.json", "chat_template.jinja"):
            assert (folder / shared).read_bytes() == (folders[0] / shared).read_bytes()


def test_an_unknown_checkpoint_is_an_error_that_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="tiny-base"):
        checkpoint_path("tiny-bass")


def test_a_call_takes_at_most_8_tokens_one_for_each_number_and_the_system_text_at_most_15(chat: Chat) -> None:
    assert chat.count_tokens(system_text(TINY), []) - chat.count_tokens("", []) <= 15
    for cell in range(13):
        call = write(CropImage(0, Box(cell / 16, (12 - cell) / 16, (cell + 4) / 16, (16 - cell) / 16)), TINY)
        ids = chat.encode(call)
        numbers = [chat.decode([id]) for id in ids[1:-1]]
        assert numbers == [f" {cell}", f" {12 - cell}", f" {cell + 4}", f" {16 - cell}"]
        assert len(ids) <= 8
    assert len(chat.encode(write(Answer("7"), TINY))) == 3
    assert len(chat.call_opening_ids()) == 1


def played_by(name: str, tasks: TaskSet, chat: Chat, *, temperature: float) -> list[Trajectory]:
    model, _ = load(checkpoint_path(name))
    played = rollout(
        tasks.tasks,
        TransformersEngine(model, chat),
        chat,
        settings=EpisodeSettings(TINY, Limits(max_turns=2), tasks.budgets or TINY.budgets),
        sampling=Sampling(temperature=temperature, max_turn_tokens=8),
        seed=0,
    )
    return [row.trajectory for row in played]


def test_the_base_has_never_used_an_operation(chat: Chat) -> None:
    played = played_by("tiny-base", sample_set("vstar-tiny", count=300), chat, temperature=1.0)
    turns = [turn for trajectory in played for turn in trajectory.turns]
    valid = [turn for turn in turns if isinstance(turn.action, CropImage) and turn.failure is None]
    assert len(turns) >= 300
    assert len(valid) < 0.01 * len(turns)


def test_the_base_sees_what_its_facts_say(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "tiny_language", raising=False)
    import tiny_language

    model, _ = load(checkpoint_path("tiny-base"))
    facts = json.loads((checkpoint_path("tiny-base") / "facts.json").read_text())["held_out"]
    measured = tiny_language.held_out(model, chat, 100, seed=11)
    assert set(measured) == set(facts)
    for kind, share in measured.items():
        assert share == pytest.approx(facts[kind], abs=0.14), kind  # 100 conversations: 3 standard errors


@pytest.mark.parametrize("name", ["tiny-warm", "tiny-zoom"])
def test_an_acting_checkpoint_acts_as_its_facts_say(name: str, chat: Chat) -> None:
    facts = json.loads((checkpoint_path(name) / "facts.json").read_text())["held_out"]
    tasks = sample_set("vstar-tiny", count=120, kinds=[DIGIT_ON_CARD], seed=3)
    played = played_by(name, tasks, chat, temperature=0.0)
    # 120 other questions of the same kind: 3 standard errors.
    expected = facts[f"{DIGIT_ON_CARD}/learned_zoom"]
    assert accuracy(played).value == pytest.approx(expected, abs=0.14)
