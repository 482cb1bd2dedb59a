"""GRPO steps with scripted rollouts, in this process and those that torchrun started with it: figures and a weight."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.policy_weights import policy_weights
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.tasks import load_tasks
from tests.agents.deepspeed_on_cpu import deepspeed_options


@dataclass(frozen=True)
class Case:
    """A step: `rows` of each process, in groups of `group`; from row `learn` on every answer is wrong; and which
    questions have pictures: "all", or the "first" alone.
    """

    rows: int
    group: int
    learn: int = 8
    pictures: str = "all"


def make_step(checkpoint, folder, stage, name, case):
    """Makes the step of a case, and leaves its figures in the folder under the case's name."""
    rank = int(os.environ.get("RANK", "0"))
    tasks = load_tasks("sample:vstar-tiny", split="train", count=max(2, 16 // case.group))
    if case.pictures == "first":  # all other questions, and so those of the second process, are texts alone
        rest = [replace(task, sources=(), evidence=()) for task in tasks.tasks[1:]]
        tasks = replace(tasks, tasks=[tasks.tasks[0], *rest])
    answers = {task.answers[0] for task in tasks.tasks[:2]}

    def script(conversation):
        row = conversation.request.request_id % case.rows
        if rank * case.rows + row >= case.learn:
            return "<answer>wrong"
        place = row % 4
        if place == 0 and conversation.turn == 0 and (rank == 0 or case.group == 4):
            return "<crop> 0 0 4 4"
        return in_turn("<answer>" + (sorted(answers)[0] if place < 2 else "wrong"))(conversation)

    class Scripted(PixelGRPOTrainer):
        def _engine(self, policy):
            return ScriptedEngine(script, self.chat)

    args = PixelGRPOConfig(
        output_dir=folder, dialect="tiny", max_turns=2, max_completion_length=32, num_generations=case.group,
        per_device_train_batch_size=case.rows, max_steps=1, logging_steps=1, learning_rate=1e-3,
        gradient_checkpointing=False, save_strategy="no", disable_tqdm=True, shuffle_dataset=False,
        **(deepspeed_options(stage) if stage else {"use_cpu": True}),
    )  # fmt: skip
    trainer = Scripted(checkpoint, tasks, args)
    trainer.train()
    policy = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    as_served = {name: float(weight.double().square().sum()) for name, weight in policy_weights(policy)}
    if trainer.accelerator.is_main_process:
        row = next(row for row in trainer.state.log_history if "reward" in row)
        model = trainer.accelerator.unwrap_model(trainer.model)
        gradient = model.model.language_model.layers[0].self_attn.q_proj.weight.flatten()[:200].tolist()
        result = {"row": row, "weights": gradient, "as_served": as_served}
        Path(folder, f"{name}.json").write_text(json.dumps(result))
    trainer.accelerator.wait_for_everyone()
    return trainer
