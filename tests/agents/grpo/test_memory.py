"""What a training holds does not grow with its steps."""

import gc
from collections import Counter

import torch
from transformers import TrainerCallback

from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer

ROWS, KEPT, STEPS = 8, 4, 4
HELD = ("Rollout", "Trajectory", "Row", "PixelEnv", "_Episode", "Request", "Response", "TransformersEngine", "RowState")


class Counts(TrainerCallback):
    """How many objects of each type there are after every step, and how many tensors outside of caches."""

    def __init__(self):
        self.after = []

    def on_step_end(self, args, state, control, **_):
        gc.collect()
        objects = gc.get_objects()
        self.after.append(Counter(type(one).__name__ for one in objects if type(one).__name__ in HELD))
        self.after[-1]["Tensor"] = sum(isinstance(one, torch.Tensor) for one in objects)


def test_rollouts_environments_and_tensors_of_earlier_steps_are_let_go(tiny_checkpoint, tasks, tmp_path):
    options = {"dialect": "tiny", "max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 32, "max_steps": STEPS}
    options |= {"num_generations": 4, "per_device_train_batch_size": ROWS, "save_strategy": "no", "use_cpu": True}
    options |= {"gradient_checkpointing": False, "disable_tqdm": True, "logging_steps": 1, "replay_capacity": KEPT}
    args = PixelGRPOConfig(output_dir=str(tmp_path), group_reward=None, **options)

    def vowels(completions, **_):
        return [float(sum(letter in "aeiou13579" for letter in one[0]["content"])) for one in completions]

    counts = Counts()
    trainer = PixelGRPOTrainer(str(tiny_checkpoint), tasks, args, reward_funcs=vowels, callbacks=[counts])
    trainer.chat._features._kept = type(trainer.chat._features._kept)(0, getsizeof=lambda one: one.patches.nbytes)
    trainer.train()
    second, last = counts.after[1], counts.after[-1]
    assert trainer.state.global_step == len(counts.after) == STEPS
    assert ROWS <= last["Rollout"] <= 2 * ROWS + KEPT
    assert last["Row"] <= KEPT and len(trainer._replay._buffer) == KEPT
    for name in HELD:
        assert last[name] <= max(second[name], 2 * ROWS + KEPT), name
    # One more row of the log a step, and rows of other lengths.
    assert last["Tensor"] <= second["Tensor"] + 2 * ROWS
