"""Each image is read once for all rows that show it, and only what was sampled is scored: how much work is done."""

from contextlib import contextmanager

import pytest
import torch
from transformers import TrainerCallback

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.scored_rows import rows_of
from agents.grpo.tower_features import TowerFeatures, vision_half
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.tasks import load_tasks

GROUP, ROWS, QUESTIONS = 4, 8, 2
CROPS = ("<crop> 0 0 4 4", "<crop> 4 4 9 9")
IMAGES = QUESTIONS * (1 + len(CROPS))
"""Distinct ones: of each question the overview and two crops."""


class Scripted(PixelGRPOTrainer):
    """Of each question's rollouts two make the same crop, one another and one none; every other answer is right."""

    def _engine(self, policy):
        scripts = [
            [in_turn(CROPS[0], f"<answer>{task.answers[0]}"), in_turn(CROPS[0], "<answer>no"),
             in_turn(CROPS[1], "<answer>no"), in_turn(f"<answer>{task.answers[0]}")]
            for task in self._task_sets["train"].tasks
        ]  # fmt: skip

        def script(conversation):
            row = conversation.request.request_id % ROWS
            return scripts[row // GROUP][row % GROUP](conversation)

        return ScriptedEngine(script, self.chat)


@pytest.fixture
def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=QUESTIONS)


def made(folder, tasks, **options):
    defaults = {"dialect": "tiny", "group_reward": "correctness", "max_turns": 2, "max_turn_tokens": 8}
    defaults |= {"max_completion_length": 32, "num_generations": GROUP, "per_device_train_batch_size": ROWS}
    defaults |= {"max_steps": 1, "gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True}
    args = PixelGRPOConfig(output_dir=str(folder), use_cpu=True, shuffle_dataset=False, **(defaults | options))
    trainer = Scripted("tiny-warm", tasks, args)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = args.gradient_accumulation_steps
    return trainer


def generated(trainer):
    return trainer._generate_and_score_completions([{"prompt": str(row // GROUP)} for row in range(ROWS)])


@contextmanager
def read_images(trainer):
    """A list that grows by the number of images of every call of the vision tower."""
    counts = []
    tower = vision_half(trainer.model).visual
    hook = tower.register_forward_pre_hook(
        lambda _, args, options: counts.append(len(options["grid_thw"])), with_kwargs=True
    )
    yield counts
    hook.remove()


def scored(trainer, batch, batch_size=None):
    """The log-probabilities of a batch's rows, as TRL asks for them."""
    trainer._scored = trainer._rollouts["train"]
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    width = batch["completion_ids"].shape[1]
    return trainer._get_per_token_logps_and_entropies(trainer.model, ids, torch.ones_like(ids), width, batch_size)[0]


def test_an_update_reads_each_image_of_a_micro_batch_once_and_every_weight_learns(tasks, tmp_path):
    trainer = made(tmp_path, tasks)
    batch = generated(trainer)
    assert sum(len(row.views) for row in trainer._rollouts["train"]) == ROWS + 3 * QUESTIONS
    with read_images(trainer) as counts:
        trainer._compute_loss(trainer.model, batch).backward()
    assert sum(counts) == IMAGES
    assert all(weight.grad.any() for weight in vision_half(trainer.model).visual.parameters())


def test_passes_without_gradients_read_each_image_once_between_them(tasks, tmp_path):
    trainer = made(tmp_path, tasks)
    batch = generated(trainer)
    with read_images(trainer) as counts, torch.no_grad():
        by_three = scored(trainer, batch, batch_size=3)
        assert sum(counts) == IMAGES
        together = scored(trainer, batch)
        assert sum(counts) == 2 * IMAGES  # the weights may have changed since
    assert torch.allclose(by_three, together, atol=1e-5)


def test_features_that_do_not_fit_are_read_again_and_score_the_same(tasks, tmp_path, monkeypatch):
    trainer = made(tmp_path, tasks)
    batch = generated(trainer)
    with torch.no_grad():
        wanted = scored(trainer, batch)
        monkeypatch.setattr(
            trainer._features, "of", lambda _, budgets: TowerFeatures(trainer.chat, budgets, max_bytes=100_000)
        )
        with read_images(trainer) as counts:
            found = scored(trainer, batch, batch_size=1)
    assert sum(counts) > IMAGES and torch.allclose(found, wanted, atol=1e-5)


def test_a_frozen_tower_reads_each_image_once_a_generation(tasks, tmp_path):
    trainer = made(tmp_path, tasks)
    vision_half(trainer.model).visual.requires_grad_(False)
    batch = generated(trainer)
    micro_batches = [rows_of(batch, rows) for rows in torch.arange(ROWS).split(2)]
    with read_images(trainer) as counts:
        for _ in range(2):
            for one in micro_batches:
                trainer._compute_loss(trainer.model, one).backward()
        with torch.no_grad():
            scored(trainer, batch)
        assert sum(counts) == IMAGES
    batch = generated(trainer)
    with read_images(trainer) as counts:
        trainer._compute_loss(trainer.model, batch).backward()
    assert sum(counts) == IMAGES
    assert trainer.model.get_input_embeddings().weight.grad.any()


def test_only_sampled_tokens_are_scored(tasks, tmp_path, monkeypatch):
    import trl.trainer.utils

    trainer = made(tmp_path, tasks)
    batch = generated(trainer)
    sizes = []
    original = trl.trainer.utils._ChunkedLogProbFunction.apply
    monkeypatch.setattr(
        trl.trainer.utils._ChunkedLogProbFunction,
        "apply",
        lambda hidden, *others: sizes.append(len(hidden)) or original(hidden, *others),
    )
    with torch.no_grad():
        logps = scored(trainer, batch)
    rows = trainer._rollouts["train"]
    assert sum(sizes) == sum(sum(row.sampled) for row in rows)
    for row, values in zip(rows, logps, strict=True):
        assert values.ne(0).tolist()[: len(row.sampled)] == list(row.sampled)


# ------------------------------------------------------------------------------------------ the order of rows


def learned(trainer):
    """The gradients of one optimizer step of `train()`, and of each micro-batch its questions and images read."""
    steps, gradients = [], {}
    compute = trainer._compute_loss

    def watched(model, inputs):
        with read_images(trainer) as counts:
            loss = compute(model, inputs)
        rollouts = trainer._rollouts["train"]
        asked = {rollouts[index].trajectory.task.task_id for index in inputs["rollout_index"].tolist()}
        steps.append((asked, sum(counts)))
        return loss

    class Keeping(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model, **_):
            gradients.update({name: weight.grad.clone() for name, weight in model.named_parameters()})

    trainer._compute_loss = watched
    trainer.add_callback(Keeping())
    trainer.train()
    return steps, gradients


@pytest.mark.parametrize("loss_type", ["dr_grpo", "grpo", "dapo", "cispo"])
def test_the_rollouts_of_a_question_share_a_micro_batch_and_the_step_is_that_of_trls_order(tasks, tmp_path, loss_type):
    options = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "loss_type": loss_type, "seed": 1}
    options["max_grad_norm"] = 0.0
    ours = made(tmp_path / "ours", tasks, **options)
    steps, found = learned(ours)
    trls = made(tmp_path / "trl", tasks, **options)
    trls._may_rearrange = False
    mixed, wanted = learned(trls)
    assert [len(asked) for asked, _ in steps] == [1, 1] and [len(asked) for asked, _ in mixed] == [2, 2]
    assert sum(count for _, count in steps) == IMAGES < sum(count for _, count in mixed)
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, atol=1e-4 * float(gradient.abs().max())), name


@pytest.mark.parametrize("options", [{"loss_type": "bnpo"}, {"top_entropy_quantile": 0.5}, {"entropy_coef": 0.1}])
def test_a_loss_that_depends_on_the_micro_batch_keeps_trls_order(tasks, tmp_path, options):
    assert not made(tmp_path, tasks, **options)._may_rearrange


def test_passes_multiply_patches_and_convolve_nothing(tasks, tmp_path, monkeypatch):
    trainer = made(tmp_path, tasks)
    batch = generated(trainer)
    monkeypatch.delattr(torch.nn.functional, "conv3d")
    with read_images(trainer) as counts:
        trainer._compute_loss(trainer.model, batch).backward()
    assert counts
