"""Warm start and GRPO in the dialects of other people's models, on Qwen2.5-VL and Qwen3-VL with random weights.

Traces are made, trained on and left by the commands; what the policy says in rollouts is led, so that it calls.
"""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

import numpy as np
import pytest

from agents.chat.chat import Chat
from agents.checkpoints.conventions import convention_in
from agents.engines import batch as batch_module
from agents.grpo import trainer as trainer_module
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.rollout import EpisodeSettings, rollout
from agents.sft.collator import TraceCollator, play
from agents.traces.folder import read_trace_folder
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.media.sizes import shown_size
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.crop_image import CropImage
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer, Limits, Stop
from tests.agents.grpo.test_exactness import furthest_from_the_sampler
from tests.agents.random_qwen import make_model, make_processor, make_qwen3_model, make_qwen3_processor
from tests.agents.sft.test_trace_masks import trained_texts

BOUND = 1e-4
"""Of log-probabilities in float32 on a CPU."""
ROWS = ("mini-o3", "vt-visualreasoner", "qwen3-vl-zoom", "qwen3.5")
FAMILY = {"mini-o3": "qwen2.5", "vt-visualreasoner": "qwen2.5", "qwen3-vl-zoom": "qwen3", "qwen3.5": "qwen3"}
WORDS = (
    '<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [125, 250, 375, 500], "img_idx": 0}}\n',
    '</tool_call>\n<grounding>{"bbox_2d": [0.125, 0.25, 0.375, 0.5], "source": "original_image"}</grounding>',
    "<function=crop_image>\n<parameter=bbox_2d>\n<parameter=target_image>\n</parameter>\n</function>\n</tool_call>",
    '{"type": "function", "function": {"name": "crop_image", "description": "Which digit is on the red card?"}}',
) * 4  # fmt: skip
TOKENS = 4096
CPU = ["--use_cpu", "true", "--gradient_checkpointing", "false", "--disable_tqdm", "true", "--max_steps", "2"]
CPU += ["--save_strategy", "steps", "--save_steps", "2", "--save_only_model", "true", "--report_to", "none"]
CPU += ["--logging_steps", "1", "--learning_rate", "1e-3"]


def letters(trajectories_G):
    """A reward that two texts rarely share: random weights never answer."""
    return {"letters": np.array([sum(map(ord, one.turns[-1].text)) % 11 / 10 for one in trajectories_G])}


# ------------------------------------------------------------------------------------------- models and traces


def save_base(row, folder):
    """A checkpoint of which nothing is known but its type."""
    if FAMILY[row] == "qwen2.5":
        processor = make_processor(WORDS, vocabulary=480, patch=14)
        model = make_model(processor, positions=TOKENS)
    else:
        template = "qwen3_5_nothink" if row == "qwen3.5" else "qwen3_vl"
        processor = make_qwen3_processor(WORDS, vocabulary=480, chat_template=template)
        model = make_qwen3_model(processor, positions=TOKENS)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return {row: save_base(row, tmp_path_factory.mktemp("base")) for row in ROWS}


@pytest.fixture(scope="module", params=ROWS)
def row(request):
    return request.param


@pytest.fixture(scope="module")
def traces(row, tmp_path_factory):
    """`pixel-env synth` on embedded seed data."""
    folder = tmp_path_factory.mktemp("made") / "traces"
    flags = ["--dialect", row, "--count", "4", "--media", "image=3", "text=1", "--workers", "1", "--seed_count", "40"]
    assert main(["synth", *flags, "--output_dir", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def warm(row, bases, traces, tmp_path_factory):
    """`pixel-env sft` on them, without --dialect."""
    folder = tmp_path_factory.mktemp("warm") / "warm"
    flags = ["--model_name_or_path", str(bases[row]), "--traces", str(traces), "--held_out", "0"]
    assert main(["sft", *flags, "--per_device_train_batch_size", "2", "--output_dir", str(folder), *CPU]) == 0
    return folder


def history(folder):
    state = json.loads((folder / "checkpoint-2" / "trainer_state.json").read_text(encoding="utf-8"))
    return state["log_history"]


def logged(folder, name):
    return [entry[name] for entry in history(folder) if name in entry]


# ------------------------------------------------------------------------------------------------- warm start


def test_a_warm_start_moves_the_model_and_keeps_the_dialect(row, bases, warm):
    assert len(logged(warm, "loss")) == 2 and min(logged(warm, "grad_norm")) > 0
    assert convention_in(warm / "checkpoint-2").dialect == row


def test_of_every_trace_the_unflagged_turns_are_trained_and_no_observation_is(row, warm, traces):
    dialect = dialect_named(row)
    chat = Chat.from_pretrained(warm, dialect)
    task_set, made = read_trace_folder(traces)
    settings = EpisodeSettings(dialect, Limits(), budgets_for(None, task_set, dialect))
    assert any(not turn.train for trace in made for turn in trace.turns)
    for trace in made:
        played = play(trace, chat, settings)
        assert trained_texts(played, chat) == [turn.text for turn in trace.turns if turn.train]
        tokens = [chat.image_tokens(image.shape[1], image.shape[0]) for image in played.images]
        assert played.ids.count(chat.image_id) == sum(tokens)
    batch = TraceCollator(chat, settings, made)([{"trace": index} for index in range(len(made))])
    assert int((batch["input_ids"] == chat.image_id).sum()) * 4 == len(batch["pixel_values"])


# ------------------------------------------------------------------------------------------------------- GRPO


@dataclass
class Seen:
    """The rollouts of all steps; the largest difference between the sampler's log-probabilities and the trainer's.

    `swapped`: the same with the images of the first message's two calls exchanged, where the dialect executes both.
    """

    rollouts: list = field(default_factory=list)
    differences: list = field(default_factory=list)
    swapped: list = field(default_factory=list)
    chat: Chat | None = None

    @contextmanager
    def of_training(self, patch):
        """Records the rollouts of every trainer."""
        compute_loss = PixelGRPOTrainer._compute_loss

        def recorded(trainer, model, inputs):
            self.take(trainer)
            return compute_loss(trainer, model, inputs)

        with patch.context() as inner:
            inner.setattr(PixelGRPOTrainer, "_compute_loss", recorded)
            yield

    def take(self, trainer):
        rows = trainer._rollouts["train"]
        self.chat = trainer.chat
        self.rollouts += rows
        self.differences.append(furthest_from_the_sampler(trainer, rows))
        if trainer.chat.dialect.several_calls == "all":
            crossed = [replace(row, views=(row.views[0], row.views[2], row.views[1], *row.views[3:])) for row in rows]
            self.swapped.append(furthest_from_the_sampler(trainer, crossed))


def crop(row, image, *box):
    return write(CropImage(image, Box(*box)), dialect_named(row))


def turns_of(row, answer):
    """Two turns that call, the first one twice where the dialect executes all calls, and one that answers."""
    dialect = dialect_named(row)
    calls = [crop(row, 0, 0.1, 0.1, 0.4, 0.7), crop(row, 0, 0.3, 0.2, 0.9, 0.5)]
    calls = calls if dialect.several_calls == "all" else calls[:1]
    again = crop(row, 1, 0.2, 0.2, 0.7, 0.8)
    return "\n".join(["I look.", *calls]), f"Closer.\n{again}", f"I see.\n{write(Answer(answer), dialect)}"


def lead(patch, row):
    """The policy's engine samples these turns, at the policy's own log-probabilities; every second row another answer.

    Random weights never call: the draw is led, and all that the engine does with what was drawn is its own.
    """
    batch, sample, choose = [], batch_module.Batch.sample, batch_module.choose
    scripts = turns_of(row, "7"), turns_of(row, "8")

    def sampled(self, requests, turns, uniforms):
        batch[:] = [(self._chat, *row) for row in zip(requests, turns, strict=True)]
        return sample(self, requests, turns, uniforms)

    def chosen(logprobs_BV, uniforms, temperatures):
        ids_B = choose(logprobs_BV, uniforms, temperatures)
        for place, (chat, request, so_far) in enumerate(batch):
            number = (request.prompt_ids.count(chat.end_id) - 1) // 2
            ids_B[place] = chat.encode(scripts[request.request_id % 2][number])[len(so_far)]
        return ids_B

    patch.setattr(batch_module.Batch, "sample", sampled)
    patch.setattr(batch_module, "choose", chosen)


def grpo(warm, folder, patch, *more):
    """`pixel-env grpo` from the warm start, without --dialect; returns what was seen of it."""
    seen = Seen()
    flags = ["--model_name_or_path", str(warm), "--tasks", "sample:vstar-tiny", "--limit", "4", "--max_turns", "3"]
    flags += ["--max_turn_tokens", "180", "--max_completion_length", "540", "--num_generations", "2"]
    flags += ["--per_device_train_batch_size", "4", "--max_images", "5", "--max_tokens", str(TOKENS)]
    flags += ["--group_reward", f"{__name__}:letters"]
    with seen.of_training(patch):
        assert main(["grpo", *flags, "--output_dir", str(folder), *CPU, *more]) == 0
    return seen


@pytest.fixture(scope="module")
def learned(row, warm, tmp_path_factory):
    """The run folder, and what was seen of it."""
    folder = tmp_path_factory.mktemp("learned") / "run"
    with pytest.MonkeyPatch.context() as patch:
        lead(patch, row)
        return folder, grpo(warm, folder, patch)


def runs(flags, values):
    """The values in runs of equal flags: [(flag, values)]."""
    pairs = groupby(zip(flags, values, strict=True), key=lambda pair: pair[0])
    return [(flag, [value for _, value in run]) for flag, run in pairs]


def test_the_policy_trains_in_the_dialect_of_its_warm_start_on_calls_that_it_sampled(row, learned):
    folder, seen = learned
    assert len(seen.rollouts) == 8 and len(seen.differences) == 2 and max(seen.differences) < BOUND
    assert min(logged(folder, "grad_norm")) > 0 and logged(folder, "stops/failed") == [0.0, 0.0]
    assert convention_in(folder / "checkpoint-2").dialect == row
    crops = 3 if dialect_named(row).several_calls == "all" else 2
    for played in seen.rollouts:
        trajectory = played.trajectory
        assert (trajectory.stop, trajectory.valid_operations, trajectory.answer) in (
            (Stop.ANSWERED, crops, "7"),
            (Stop.ANSWERED, crops, "8"),
        )


def test_what_was_sampled_is_trained_and_the_end_that_a_stop_text_leaves_out_is_not(row, learned):
    _, seen = learned
    chat, dialect = seen.chat, dialect_named(row)
    for index, played in enumerate(seen.rollouts):
        parts = runs(played.sampled, played.completion_ids)
        said = [ids for is_sampled, ids in parts if is_sampled]
        assert [chat.decode(ids) for ids in said] == list(turns_of(row, "78"[index % 2]))
        # A stop text ends the turns that call; the answer ends with the token that was sampled.
        assert [ids[-1] == chat.end_id for ids in said] == [not dialect.stop, not dialect.stop, True]
        read = [ids for is_sampled, ids in parts if not is_sampled]
        assert [ids[0] == chat.end_id for ids in read] == [bool(dialect.stop)] * 2
        assert not any(chat.image_id in ids for ids in said) and all(chat.image_id in ids for ids in read)


def test_images_stand_in_the_middle_of_an_observation_and_belong_to_their_placeholders(row, learned):
    _, seen = learned
    chat = seen.chat
    budgets = budgets_for(None, load_tasks("sample:vstar-tiny", split="train", count=1), dialect_named(row))
    for played in seen.rollouts:
        ids = played.prompt_ids + played.completion_ids
        placeholders = [len(run) for is_image, run in runs([id == chat.image_id for id in ids], ids) if is_image]
        assert placeholders == [chat.image_tokens(*shown_size(view, budgets)) for view in played.views]
        assert len(set(placeholders)) > 1
    assert all(difference > 10 * BOUND for difference in seen.swapped)
    assert len(seen.swapped) == (2 if chat.dialect.several_calls == "all" else 0)


OTHERS = {
    "vigorl": "sample:vstar-tiny",
    "visionthink": "sample:vstar-tiny",
    "videozoomer": "sample:mvbench",
    "framethinker": "sample:mvbench",
    "longvt": "sample:mvbench",
}
"""Rows without crops, and task sets on which their operations can be called."""


@pytest.mark.parametrize("name", OTHERS)
def test_the_policy_trains_after_points_larger_images_and_segments(name, tmp_path, monkeypatch):
    dialect, tasks = dialect_named(name), load_tasks(OTHERS[name], split="train", count=2)
    budgets = budgets_for(None, tasks, dialect)

    def call(task):
        frames = len(task.sources) if task.media == "video" else 0
        drawn = dialect.offered[0].draw(Drawing(np.random.default_rng(3), len(task.sources), frames, 8.0))
        return [write(drawn, dialect, *sizes_for(dialect, task.opening_views, budgets))]

    monkeypatch.setattr(trainer_module, "rollout", partial(rollout, forced=call))
    seen = Seen()
    with seen.of_training(monkeypatch):
        processor = make_processor(WORDS, vocabulary=480, patch=14)
        args = PixelGRPOConfig(
            str(tmp_path), dialect=name, max_turns=2, max_turn_tokens=8, max_completion_length=16, max_images=24,
            num_generations=2, per_device_train_batch_size=4, max_steps=1, learning_rate=1e-3, save_strategy="no",
            gradient_checkpointing=False, disable_tqdm=True, use_cpu=True, report_to="none",
        )  # fmt: skip
        model = make_model(processor, positions=TOKENS)
        PixelGRPOTrainer(model, tasks, args, processing_class=processor, group_reward=letters).train()
    assert len(seen.rollouts) == 4 and seen.differences[0] < BOUND
    for played in seen.rollouts:
        assert played.trajectory.valid_operations == 1 and len(played.views) > len(played.trajectory.prompt_views)


# ------------------------------------------------------------------------------------------------------- vLLM


# Of the session: an engine that ends takes the process groups of every other one in this process with it.
@pytest.fixture(scope="session")
def vllm_of_family():
    """One engine for each family, made from the first checkpoint that asks."""
    pytest.importorskip("vllm")
    from agents.engines.vllm import load_vllm

    made = {}

    def engine(row, folder):
        sizes = {"max_model_len": TOKENS, "max_images": 6, "max_num_seqs": 8}
        if FAMILY[row] not in made:
            made[FAMILY[row]] = load_vllm(folder, dtype="float32", **sizes)
        return made[FAMILY[row]]

    return engine


def test_through_vllm_the_policy_goes_on_from_calls_that_were_made_for_it(
    row, bases, warm, vllm_of_family, tmp_path, monkeypatch
):
    llm = vllm_of_family(row, bases[row])
    monkeypatch.setattr("agents.grpo.engine.load_vllm", lambda *_, **__: llm)
    first = turns_of(row, "7")[0]
    monkeypatch.setattr(trainer_module, "rollout", partial(rollout, forced=lambda task: [first]))
    more = ["--use_vllm", "true", "--vllm_mode", "colocate", "--max_turn_tokens", "12"]
    seen = grpo(warm, tmp_path / "run", monkeypatch, *more)
    assert len(seen.differences) == 2 and max(seen.differences) < BOUND
    assert max(logged(tmp_path / "run", "sampling/sampling_logp_difference/max")) < BOUND
    assert min(logged(tmp_path / "run", "grad_norm")) > 0 and logged(tmp_path / "run", "stops/failed") == [0.0, 0.0]
    for played in seen.rollouts:
        assert played.trajectory.messages[0][0].text.endswith(first) and played.trajectory.valid_operations > 0
        assert any(played.sampled) and not played.sampled[0]
