"""Replay inside the trainer: rows come back as they were, with the log-probabilities of their own time."""

import numpy as np
import pytest
import torch

from agents.grpo.replay_rows import rows_to_keep, with_rows
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer

ROWS, GROUP = 8, 4


def config(folder, **options):
    defaults = {"dialect": "tiny", "max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 32}
    defaults |= {"num_generations": GROUP, "per_device_train_batch_size": ROWS, "max_steps": 1, "logging_steps": 1}
    defaults |= {"learning_rate": 1e-3, "gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True}
    return PixelGRPOConfig(output_dir=str(folder), use_cpu=True, group_reward=None, **(defaults | options))


class Judge:
    """Pays the first `steps` batches by the completion's vowels, later ones nothing."""

    __name__ = "judge"

    def __init__(self, steps):
        self.left = steps

    def __call__(self, completions, **_):
        self.left -= 1
        return [float(sum(c in "aeiou 13579" for c in m[0]["content"])) if self.left >= 0 else 0.0 for m in completions]


def trained(checkpoint, tasks, folder, judge, **options):
    steps = judge.left
    trainer = PixelGRPOTrainer(str(checkpoint), tasks, config(folder, **options), reward_funcs=judge)
    judge.left = steps  # it was tried on made-up rollouts
    trainer.model.train()
    return trainer


def test_rows_are_put_into_a_batch_as_they_were_taken_out(tiny_checkpoint, tasks, tmp_path):
    trainer = trained(tiny_checkpoint, tasks, tmp_path, Judge(9))
    first = trainer._generate_and_score_completions([{"prompt": "0"}] * ROWS)
    kept = rows_to_keep(first, trainer._rollouts["train"])
    second = trainer._generate_and_score_completions([{"prompt": "1"}] * ROWS)
    merged = with_rows(second, [1, 6], [kept[3], kept[0]], trainer.chat.pad_id)
    again = [merged["prompt_ids"][1][merged["prompt_mask"][1] == 1], merged["completion_ids"][6]]
    assert again[0].tolist() == list(kept[3].rollout.prompt_ids)
    length = len(kept[0].rollout.completion_ids)
    assert again[1][:length].tolist() == list(kept[0].rollout.completion_ids)
    assert set(again[1][length:].tolist()) <= {trainer.chat.pad_id}
    assert merged["completion_mask"][6].sum() == length
    assert torch.equal(merged["sampling_per_token_logps"][1][: len(kept[3].columns["completion_ids"])],
                       kept[3].columns["sampling_per_token_logps"])  # fmt: skip
    # The others are the second batch's.
    width = second["completion_ids"].shape[1]
    assert torch.equal(merged["completion_ids"][0, :width], second["completion_ids"][0])
    with pytest.raises(KeyError, match="pixel_values"):
        with_rows({**second, "pixel_values": torch.zeros(1)}, [], [], 0)


def test_a_batch_that_teaches_nothing_is_filled_and_its_loss_is_the_clipped_surrogate(tiny_checkpoint, tasks, tmp_path):
    trainer = trained(tiny_checkpoint, tasks, tmp_path, Judge(1), replay_capacity=64)
    first = trainer._generate_and_score_completions([{"prompt": "0"}] * ROWS)
    paid = first["advantages"].abs() > 1e-6
    assert 2 <= paid.sum() < ROWS or paid.all()
    with torch.no_grad():
        for parameter in trainer.model.model.language_model.layers[0].parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    trainer.state.global_step = 3
    batch = trainer._generate_and_score_completions([{"prompt": "1"}] * ROWS)
    replayed = int((batch["advantages"].abs() > 1e-6).sum())
    assert replayed == int(paid.sum())
    figures = trainer._metrics["train"]
    assert figures["replay/share"][-1] == replayed / ROWS and figures["replay/age"][-1] == 3.0
    assert figures["filtered"][-1] == 1.0 and figures["replay/share"][0] == 0.0
    trainer.current_gradient_accumulation_steps = 1
    loss = trainer._compute_loss(trainer.model, batch)
    # The same by hand, row by row: ratio to the policy that sampled the row, clipped, on sampled tokens only.
    expected = 0.0
    for place in range(ROWS):
        advantage = float(batch["advantages"][place])
        if abs(advantage) < 1e-6:
            continue
        rollout = trainer._rollouts["train"][int(batch["rollout_index"][place])]
        trainer._scored = [rollout]
        ids = torch.tensor([[*rollout.prompt_ids, *rollout.completion_ids]])
        keep = len(rollout.completion_ids)
        new, _, _ = trainer._get_per_token_logps_and_entropies(trainer.model, ids, torch.ones_like(ids), keep)
        ratio = torch.exp(new[0] - torch.tensor(rollout.logprobs))
        clipped = ratio.clamp(1 - trainer.args.epsilon, 1 + trainer.args.epsilon_high)
        surrogate = torch.minimum(ratio * advantage, clipped * advantage)
        expected -= (surrogate * torch.tensor(rollout.sampled)).sum() / (ROWS * trainer.args.max_completion_length)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    loss.backward()


def test_the_number_of_items_is_that_of_the_filled_batch(tiny_checkpoint, tasks, tmp_path):
    trainer = trained(tiny_checkpoint, tasks, tmp_path, Judge(1), replay_capacity=64)
    trainer._generate_and_score_completions([{"prompt": "0"}] * ROWS)
    trainer.state.global_step = 1
    batch = trainer._generate_and_score_completions([{"prompt": "1"}] * ROWS)
    assert batch["num_items_in_batch"] == (batch["completion_mask"] * batch["tool_mask"]).sum()


def test_a_run_with_replay_cut_in_half_logs_what_the_uncut_run_logs(tiny_checkpoint, tasks, tmp_path):
    def run(folder, steps, resume=False):
        options = {"max_steps": steps, "save_strategy": "steps", "save_steps": 2, "lr_scheduler_type": "constant"}
        args = config(folder, replay_capacity=64, **options)
        trainer = PixelGRPOTrainer(str(tiny_checkpoint), tasks, args, reward_funcs=Judge(3 - 2 * resume))
        trainer.train(resume_from_checkpoint=resume or None)
        rows = [row for row in trainer.state.log_history if "reward" in row]
        return [{name: value for name, value in row.items() if "time" not in name} for row in rows]

    uncut = run(tmp_path / "uncut", 4)
    run(tmp_path / "cut", 2)
    resumed = run(tmp_path / "cut", 4, resume=True)
    assert len(uncut) == len(resumed) == 4
    for left, right in zip(uncut, resumed, strict=True):
        assert left == pytest.approx(right, abs=1e-6, nan_ok=True)
    assert uncut[3]["replay/share"] > 0 and uncut[3]["replay/age"] >= 1


def test_what_is_kept_of_a_rollout_does_not_grow_with_its_pictures(tiny_checkpoint, tasks, tmp_path):
    trainer = trained(tiny_checkpoint, tasks, tmp_path, Judge(1), replay_capacity=64)
    trainer._generate_and_score_completions([{"prompt": "0"}] * ROWS)
    trainer._replay.save(tmp_path / "replay_0.safetensors")
    rows = len(trainer._replay._buffer)
    source = tasks.tasks[0].sources[0].decode()
    assert (tmp_path / "replay_0.safetensors").stat().st_size / rows < 0.02 * np.prod(source.size) * 3
