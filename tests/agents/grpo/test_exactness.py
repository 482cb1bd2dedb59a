"""What the trainer computes, held against what it must be: the sampler's log-probabilities, each row alone, and a loss
and gradients that are written out here in plain torch."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from agents.checkpoints.names import model_folder
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.engines.transformers import TransformersEngine
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.rollout import Rollout, Sampling, rollout
from pixel_env.errors import ConfigError
from pixel_env.media.showing import show
from pixel_env.tasks import load_tasks
from pixel_env.types import Stop
from tests.agents.process_groups import launched

GROUP, ROWS = 4, 8
CROPS = ("<crop> 0 0 4 4", "<crop> 4 4 9 9", "<crop> 1 2 3 9", "<crop> 9 3 13 7")
SAMPLER_BOUND = 1e-3
"""Of the transformers sampler's log-probabilities against the trainer's, float32 on a CPU; measured: 2e-6."""
VLLM_BOUND = 1e-4
"""The same of vLLM in this process; measured: 9e-6."""
ALONE_BOUND = 1e-4
"""Of a row's log-probabilities in a batch against the row alone; measured: 4e-6."""


def config(folder, **options):
    defaults = {"dialect": "tiny", "max_turns": 6, "max_turn_tokens": 8, "max_completion_length": 48}
    defaults |= {"num_generations": GROUP, "per_device_train_batch_size": ROWS, "max_steps": 1, "learning_rate": 1e-3}
    defaults |= {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    return PixelGRPOConfig(output_dir=str(folder), group_reward="correctness", **(defaults | options))


def in_training(checkpoint, tasks, args, kind=PixelGRPOTrainer):
    """A trainer as it is inside of `train()`."""
    trainer = kind(str(checkpoint), tasks, args)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    return trainer


def mixed_tasks():
    """Questions with 0 to 5 pictures after their forced turns, in no order of length."""
    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    pictures = {task.task_id: count for task, count in zip(tasks.tasks, (3, 0, 5, 1, 4, 2, 0, 5), strict=True)}
    asked = [task if pictures[task.task_id] else replace(task, sources=(), evidence=()) for task in tasks.tasks]
    return replace(tasks, tasks=asked), pictures


def played(trainer, tasks, pictures, engine, rollouts=1):
    """Rollouts of every task: its forced turns, then whatever the policy says, looking again included."""
    return rollout(
        list(tasks.tasks) * rollouts,
        engine,
        trainer.chat,
        settings=trainer.args.settings(trainer.dialect, tasks),
        sampling=Sampling(trainer.args.temperature, 8),
        seed=3,
        forced=lambda task: CROPS[: pictures[task.task_id] - 1] if pictures[task.task_id] > 1 else ("7",),
    )


def scored(trainer, rows, batch_size=None):
    """Log-probabilities of the completions, as the loss computes them: (B, C)."""
    trainer._scored = rows
    prompt, completion = max(len(row.prompt_ids) for row in rows), max(len(row.completion_ids) for row in rows)
    ids = torch.full((len(rows), prompt + completion), trainer.chat.pad_id)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        whole = slice(prompt - len(row.prompt_ids), prompt + len(row.completion_ids))
        ids[place, whole] = torch.tensor(row.prompt_ids + row.completion_ids)
        mask[place, whole] = 1
    with torch.no_grad():
        return trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, completion, batch_size)[0]


def furthest_from_the_sampler(trainer, rows):
    """The largest difference on any token that was sampled, over all rows scored in one batch."""
    differences = []
    for row, logps in zip(rows, scored(trainer, rows), strict=True):
        said = torch.tensor(row.sampled)
        assert said.any()
        differences.append((torch.tensor(row.logprobs) - logps[: len(said)])[said].abs().max())
    return float(torch.stack(differences).max())


# -------------------------------------------------------------------------------------------- sampler and trainer


@pytest.fixture(params=["tiny-warm", "random"])
def checkpoint(request, tiny_checkpoint):
    """One that has learned to look, and one that gives every token, the banned ones too, about the same chance."""
    return tiny_checkpoint if request.param == "random" else model_folder(request.param)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_sampler_and_trainer_agree_on_every_token_of_a_batch_of_0_to_5_pictures(checkpoint, tmp_path, temperature):
    tasks, pictures = mixed_tasks()
    trainer = in_training(checkpoint, tasks, config(tmp_path, temperature=temperature))
    rows = played(trainer, tasks, pictures, TransformersEngine(trainer.model, trainer.chat), rollouts=2)
    assert {len(row.views) for row in rows} >= {0, 1, 2, 3, 4, 5}
    assert furthest_from_the_sampler(trainer, rows) < SAMPLER_BOUND


def test_the_agreement_ends_where_a_row_is_scored_with_another_rows_pictures(tmp_path):
    tasks, pictures = mixed_tasks()
    trainer = in_training(model_folder("tiny-warm"), tasks, config(tmp_path))
    rows = played(trainer, tasks, pictures, TransformersEngine(trainer.model, trainer.chat))
    most = max(len(row.views) for row in rows)
    full = [row for row in rows if len(row.views) == most]
    swapped = [changed(row, views=other.views) for row, other in zip(full, reversed(full), strict=True)]
    assert len(full) > 1 and furthest_from_the_sampler(trainer, full) < SAMPLER_BOUND
    assert furthest_from_the_sampler(trainer, swapped) > 10 * SAMPLER_BOUND


def test_the_agreement_ends_where_the_trainer_knows_of_no_banned_token(tiny_checkpoint, tmp_path):
    tasks, pictures = mixed_tasks()
    trainer = in_training(tiny_checkpoint, tasks, config(tmp_path))
    rows = played(trainer, tasks, pictures, TransformersEngine(trainer.model, trainer.chat))
    trainer.chat.banned_ids = frozenset()
    assert furthest_from_the_sampler(trainer, rows) > 10 * SAMPLER_BOUND


def changed(row, **values):
    return Rollout(**{name: getattr(row, name) for name in Rollout.__slots__} | values)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_vllm_and_trainer_agree_on_every_token_of_a_batch_of_0_to_5_pictures(vllm_of_tiny_zoom, tmp_path, temperature):
    from agents.engines.vllm import VLLMEngine

    tasks, pictures = mixed_tasks()
    trainer = in_training(model_folder("tiny-zoom"), tasks, config(tmp_path, temperature=temperature))
    engine = VLLMEngine(vllm_of_tiny_zoom, trainer.chat)
    rows = played(trainer, tasks, pictures, engine, rollouts=2)
    assert {len(row.views) for row in rows} >= {0, 1, 2, 3, 4, 5}
    assert furthest_from_the_sampler(trainer, rows) < VLLM_BOUND


# ---------------------------------------------------------------------------------------------------- row by row


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_row_in_a_batch_of_8_scores_as_it_does_alone_whatever_its_neighbours(tmp_path, batch_size):
    tasks, pictures = mixed_tasks()
    trainer = in_training(model_folder("tiny-warm"), tasks, config(tmp_path))
    rows = played(trainer, tasks, pictures, TransformersEngine(trainer.model, trainer.chat))
    lengths = {len(row.prompt_ids) + len(row.completion_ids) for row in rows}
    assert len(rows) == ROWS and len(lengths) > 4 and max(lengths) > 5 * min(lengths)
    together = scored(trainer, rows, batch_size)
    for place, row in enumerate(rows):
        alone = scored(trainer, [row])[0]
        assert torch.allclose(together[place, : len(alone)], alone, atol=ALONE_BOUND)
        assert not together[place, len(alone) :].any()


def test_a_row_whose_pictures_do_not_fit_is_refused_by_its_task_and_both_counts(tmp_path):
    tasks, pictures = mixed_tasks()
    trainer = in_training(model_folder("tiny-warm"), tasks, config(tmp_path))
    rows = played(trainer, tasks, pictures, TransformersEngine(trainer.model, trainer.chat))
    place = next(place for place, row in enumerate(rows) if len(row.views) == 5)
    row = rows[place]
    tokens = (row.prompt_ids + row.completion_ids).count(trainer.chat.image_id)
    for views, features in ((row.views[:-1], tokens - 64), (row.views + row.views[-1:], tokens + 64), ((), 0)):
        bad = [*rows[:place], changed(row, views=views), *rows[place + 1 :]]
        with pytest.raises(ConfigError) as refusal:
            scored(trainer, bad)
        said = str(refusal.value)
        assert repr(row.trajectory.task.task_id) in said
        assert f"{tokens} image tokens" in said and f"features for {features}." in said
    scored(trainer, rows)


# -------------------------------------------------------------------------------------------- loss and gradients


class ScriptedTrainer(PixelGRPOTrainer):
    """The trainer with two questions' scripts in the place of the policy's sampling."""

    def _engine(self, policy):
        right = [task.answers[0] for task in self._task_sets["train"].tasks]
        scripts = [
            in_turn(CROPS[0], f"<answer>{right[0]}"),
            in_turn("<answer>no"),
            in_turn(CROPS[1], CROPS[2], "7 7", "<answer>no"),
            in_turn(f"<answer>{right[0]}"),
            *[in_turn("<answer>no"), in_turn(CROPS[3], "<answer>no")] * 2,  # this question teaches nothing
        ]
        return ScriptedEngine(lambda said: scripts[said.request.request_id % ROWS](said), self.chat)


def test_a_rollout_with_a_placeholder_too_many_is_left_out_by_name_and_the_others_train(tmp_path):
    class StrayingTrainer(ScriptedTrainer):
        def _engine(self, policy):
            engine = super()._engine(policy)
            poll, stray = engine.poll, self.chat.image_id

            def straying():
                for one in poll():
                    first = one.request_id == 1
                    yield (
                        replace(one, token_ids=(stray, *one.token_ids), logprobs=(0.0, *one.logprobs)) if first else one
                    )

            engine.poll = lambda: list(straying())
            return engine

    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    trainer = in_training(model_folder("tiny-warm"), tasks, config(tmp_path), StrayingTrainer)
    batch = trainer._generate_and_score_completions([{"prompt": "0"}] * GROUP + [{"prompt": "1"}] * GROUP)
    stray = trainer._rollouts["train"][1].trajectory
    assert stray.stop is Stop.FAILED and "1 banned tokens" in stray.error
    assert batch["advantages"][:GROUP].tolist() == pytest.approx([1 / 3, 0, -2 / 3, 1 / 3])
    assert gradients(trainer.model, trainer._compute_loss(trainer.model, batch)).keys()


def reference_logps(model, chat, row, budgets, temperature):
    """Log-probabilities of a row's sampled tokens: the row alone, the whole vocabulary, a plain log-softmax."""
    ids = torch.tensor([row.prompt_ids + row.completion_ids])
    pictures = [show(view, budgets) for view in row.views]
    features = {**chat.features(pictures), "mm_token_type_ids": (ids == chat.image_id).int()}
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **features).logits[0, :-1] / temperature
    banned = torch.zeros(logits.shape[1], dtype=torch.bool)
    banned[sorted(chat.banned_ids)] = True
    logps = logits.masked_fill(banned, -torch.inf).log_softmax(-1).gather(1, ids[0, 1:, None]).squeeze(1)
    return logps[len(row.prompt_ids) - 1 :][torch.tensor(row.sampled)]


def reference_loss(model, trainer, rows, old, budgets):
    """GRPO's clipped loss, advantage = reward - mean of its group, summed token by token and divided once."""
    args = trainer.args
    grades = torch.tensor([row.trajectory.reward for row in rows]).view(-1, GROUP)
    advantages = (grades - grades.mean(1, keepdim=True)).flatten()
    total, ratios = torch.zeros(()), []
    for row, advantage, old_logps in zip(rows, advantages, old, strict=True):
        logps = reference_logps(model, trainer.chat, row, budgets, args.temperature)
        ratio = (logps - old_logps).exp()
        ratios.append((ratio, advantage))
        total = total - torch.minimum(ratio * advantage, ratio.clamp(1 - 0.2, 1 + 0.35) * advantage).sum()
    tokens = sum(sum(row.sampled) for row in rows)
    return total / {"dr_grpo": len(rows) * args.max_completion_length, "dapo": tokens}[args.loss_type], ratios


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("loss_type", ["dr_grpo", "dapo"])
def test_loss_and_every_gradient_are_those_of_the_loss_as_it_is_written_here(tmp_path, loss_type, filters):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    options = {"loss_type": loss_type, "filter_zero_advantage": filters, "temperature": 0.7}
    args = config(tmp_path, **options, num_iterations=2)  # so that the batch keeps its old log-probabilities
    trainer = in_training(model_folder("tiny-warm"), tasks, args, ScriptedTrainer)
    model, budgets = trainer.model, args.settings(trainer.dialect, tasks).budgets
    batch = trainer._generate_and_score_completions([{"prompt": "0"}] * GROUP + [{"prompt": "1"}] * GROUP)
    rows = trainer._rollouts["train"]
    assert {len(row.views) for row in rows} == {1, 2, 3}
    with torch.no_grad():
        old = [reference_logps(model, trainer.chat, row, budgets, args.temperature) for row in rows]
        torch.manual_seed(1)
        for weight in model.parameters():  # the policy has moved on since
            weight.add_(0.1 * weight.abs().mean() * torch.randn_like(weight))
    wanted_loss, ratios = reference_loss(model, trainer, rows, old, budgets)
    assert any((ratio > 1.35).any() for ratio, advantage in ratios if advantage > 0)  # both ends are clipped
    assert any((ratio < 0.8).any() for ratio, advantage in ratios if advantage < 0)
    wanted = gradients(model, wanted_loss)
    loss = trainer._compute_loss(model, batch)
    found = gradients(model, loss)
    assert loss.item() == pytest.approx(wanted_loss.item(), rel=1e-4)
    assert found.keys() == wanted.keys() == dict(model.named_parameters()).keys()
    for name, gradient in wanted.items():
        assert gradient.any()
        assert torch.allclose(found[name], gradient, atol=1e-4 * float(gradient.abs().max())), name


# ------------------------------------------------------------------------------------------------- two processes

SCRIPT = Path(__file__).with_name("two_process_gradients.py")


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The folders of the same steps on 8 rollouts, made by one process and by two."""
    folders = []
    for processes in (1, 2):
        folder = tmp_path_factory.mktemp(f"steps-of-{processes}")
        launched([str(SCRIPT), str(folder), str(ROWS // processes)], processes=processes)
        folders.append(folder)
    return folders


@pytest.mark.parametrize("case", ["sampled-4", "scripted-4", "scripted-8"])
def test_two_processes_get_the_rewards_and_every_gradient_of_one(steps, case):
    """In groups of 4 and 8: of 8, the rollouts of the one question are spread over both."""
    one, two = (json.loads((folder / case / "result.json").read_text(encoding="utf-8")) for folder in steps)
    assert two["rollouts"] == one["rollouts"] and len(one["rollouts"]) == ROWS
    assert two["rewards"] == pytest.approx(one["rewards"], abs=1e-7) and len(set(one["rewards"])) > 1
    found, wanted = (load_file(folder / case / "gradients.safetensors") for folder in reversed(steps))
    assert found.keys() == wanted.keys()
    largest = max(float(gradient.abs().max()) for gradient in wanted.values())
    assert largest > 1e-3
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, atol=1e-5 * largest, rtol=0), name
