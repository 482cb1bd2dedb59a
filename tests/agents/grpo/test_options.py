"""TRL's own options through the trainer: each does what it does in TRL, or is refused by name."""

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.options import REFUSED
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks

GROUP = 4


@pytest.fixture(scope="module")
def one_task():
    tasks = load_tasks("sample:vstar-tiny", split="train", count=1)
    return TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)


def config(folder, **options):
    sizes = {"max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 16, "num_generations": GROUP}
    training = {"per_device_train_batch_size": GROUP, "max_steps": 1, "logging_steps": 1, "learning_rate": 1e-3}
    places = {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    return PixelGRPOConfig(output_dir=str(folder), dialect="tiny", **(sizes | training | places | options))


def trained(checkpoint, task_set, args, **options):
    """A trainer after its steps: half of a group looks and is right, the other half guesses wrong."""
    right = in_turn("<crop> 0 0 4 4", f"<answer>{task_set.tasks[0].answers[0]}")
    wrong = in_turn("<answer>wrong")

    class Scripted(PixelGRPOTrainer):
        def _engine(self, policy):
            return ScriptedEngine(lambda c: (right if c.request.request_id % 2 else wrong)(c), self.chat)

    torch.manual_seed(0)
    trainer = Scripted(str(checkpoint), task_set, args, **options)
    trainer.train()
    return trainer, [row for row in trainer.state.log_history if "reward" in row]


def test_recomputed_activations_make_the_same_step(tiny_checkpoint, one_task, tmp_path):
    plain, [expected] = trained(tiny_checkpoint, one_task, config(tmp_path / "plain"))
    again, [found] = trained(tiny_checkpoint, one_task, config(tmp_path / "again", gradient_checkpointing=True))
    assert again.model.is_gradient_checkpointing and not plain.model.is_gradient_checkpointing
    assert found["grad_norm"] == pytest.approx(expected["grad_norm"], rel=1e-5) and found["grad_norm"] > 0
    assert found["loss"] == pytest.approx(expected["loss"], abs=1e-7)


@pytest.mark.parametrize("scale", ["none", "group", "batch"])
def test_rewards_are_scaled_as_trl_scales_them(tiny_checkpoint, one_task, tmp_path, scale):
    advantages = []

    class Watching(PixelGRPOTrainer):
        def _compute_loss(self, model, inputs):
            advantages.extend(inputs["advantages"].tolist())
            return super()._compute_loss(model, inputs)

        def _engine(self, policy):
            answers = [one_task.tasks[0].answers[0], "wrong", "wrong", "wrong"]
            return ScriptedEngine(lambda c: f"<answer>{answers[c.request.request_id % 4]}", self.chat)

    args = config(tmp_path, scale_rewards=scale, group_reward="correctness", shuffle_dataset=False)
    Watching(str(tiny_checkpoint), one_task, args).train()
    rewards = np.array([1.0, 0.0, 0.0, 0.0])
    centred = rewards - rewards.mean()
    expected = centred if scale == "none" else centred / (rewards.std(ddof=1) + 1e-4)
    assert sorted(advantages) == pytest.approx(sorted(expected.tolist()), rel=1e-4)


@pytest.mark.parametrize("loss_type", ["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo"])
def test_every_loss_type_moves_the_policy(tiny_checkpoint, one_task, tmp_path, loss_type):
    level = {"importance_sampling_level": "sequence"} if loss_type == "luspo" else {}
    _, [row] = trained(tiny_checkpoint, one_task, config(tmp_path, loss_type=loss_type, **level))
    assert np.isfinite(row["loss"]) and row["grad_norm"] > 0


def test_whoever_is_reported_to_gets_every_figure(tiny_checkpoint, one_task, tmp_path):
    reported = {}

    class Report(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            reported.update(logs)

    trained(tiny_checkpoint, one_task, config(tmp_path), callbacks=[Report()])
    assert {"reward", "rapr", "rewards/curiosity", "stops/answered", "filtered", "loss"} <= reported.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_that_would_be_ignored_is_refused_with_the_way_out(tmp_path, name):
    mappings = ("generation_kwargs", "chat_template_kwargs", "transformers_continuous_batching_config")
    others = {
        "top_p": 0.5,
        "min_p": 0.5,
        "label_smoothing_factor": 0.1,
        "train_sampling_strategy": "group_by_length",
        "hub_strategy": "checkpoint",
    }
    value = {"x": 1} if name in mappings else others.get(name, 3)
    with pytest.raises(ConfigError, match=f"{name} is .*wanted: .*\\. [A-Z]"):
        config(tmp_path, **{name: value})


def test_a_replay_that_could_never_draw_is_refused(tmp_path):
    lasting = {"steps_per_generation": 4, "replay_capacity": 8}
    with pytest.raises(ConfigError, match=r"replay_max_age is 3, .* lasts 4 optimizer steps"):
        config(tmp_path, replay_max_age=3, **lasting)
    assert config(tmp_path, replay_max_age=4, **lasting).replay_max_age == 4


def test_gradients_are_accumulated_to_the_step_of_one_batch(tiny_checkpoint, one_task, tmp_path):
    # Adam's first step is as large for a gradient of rounding noise as for any other.
    plain = {"optim": "sgd", "learning_rate": 0.1}
    one, [whole] = trained(tiny_checkpoint, one_task, config(tmp_path / "one", **plain))
    size = {"per_device_train_batch_size": GROUP // 2, "gradient_accumulation_steps": 2}
    two, [parts] = trained(tiny_checkpoint, one_task, config(tmp_path / "two", **plain, **size))
    assert parts["grad_norm"] == pytest.approx(whole["grad_norm"], rel=1e-4)
    for before, after in zip(one.model.parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(before, after, atol=1e-5, rtol=0)
