"""One GRPO step with scripted rollouts, in as many processes as torchrun starts: writes figures and a weight."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.tasks import load_tasks


def main(checkpoint, folder, rows_of_a_process, group, rows_with_something_to_learn, pictures):
    rank = int(os.environ.get("RANK", "0"))
    tasks = load_tasks("sample:vstar-tiny", split="train", count=max(2, 16 // int(group)))
    if pictures == "first":  # all other questions, and so those of the second process, are texts alone
        rest = [replace(task, sources=(), evidence=()) for task in tasks.tasks[1:]]
        tasks = replace(tasks, tasks=[tasks.tasks[0], *rest])
    answers = {task.answers[0] for task in tasks.tasks[:2]}

    def script(conversation):
        row = conversation.request.request_id % int(rows_of_a_process)
        if rank * int(rows_of_a_process) + row >= int(rows_with_something_to_learn):
            return "<answer>wrong"
        place = row % 4
        if place == 0 and conversation.turn == 0 and (rank == 0 or int(group) == 4):
            return "<crop> 0 0 4 4"
        return in_turn("<answer>" + (sorted(answers)[0] if place < 2 else "wrong"))(conversation)

    class Scripted(PixelGRPOTrainer):
        def _engine(self, policy):
            return ScriptedEngine(script, self.chat)

    args = PixelGRPOConfig(
        output_dir=folder, dialect="tiny", max_turns=2, max_completion_length=32, num_generations=int(group),
        per_device_train_batch_size=int(rows_of_a_process), max_steps=1, logging_steps=1, learning_rate=1e-3,
        gradient_checkpointing=False, save_strategy="no", disable_tqdm=True, use_cpu=True, shuffle_dataset=False,
    )  # fmt: skip
    trainer = Scripted(checkpoint, tasks, args)
    trainer.train()
    if trainer.accelerator.is_main_process:
        row = next(row for row in trainer.state.log_history if "reward" in row)
        model = trainer.accelerator.unwrap_model(trainer.model)
        gradient = model.model.language_model.layers[0].self_attn.q_proj.weight.flatten()[:200].tolist()
        Path(folder, "result.json").write_text(json.dumps({"row": row, "weights": gradient}))


if __name__ == "__main__":
    main(*sys.argv[1:])
