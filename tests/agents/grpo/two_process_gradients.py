"""GRPO steps in as many processes as torchrun starts: each writes rollouts, rewards and every parameter's gradient."""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from accelerate.utils import gather_object
from safetensors.torch import save_file
from transformers import TrainerCallback

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.tasks import load_tasks

SCRIPTS = (
    ("<crop> 0 0 4 4", "<answer>no"),
    ("<answer>no",),
    ("<crop> 4 4 9 9", "<crop> 1 2 3 9", "<answer>no"),
    ("<answer>left",),
)


class Scripted(PixelGRPOTrainer):
    """Row `n` of all processes together plays script `n`."""

    def _engine(self, policy):
        first = self.accelerator.process_index * self.args.per_device_train_batch_size

        def script(conversation):
            row = first + conversation.request.request_id % self.args.per_device_train_batch_size
            return in_turn(*SCRIPTS[row % len(SCRIPTS)])(conversation)

        return ScriptedEngine(script, self.chat)


class Gradients(TrainerCallback):
    """Keeps the gradients of the step, as the optimizer gets them."""

    def on_pre_optimizer_step(self, args, state, control, model, **_):
        self.kept = {name: weight.grad.clone() for name, weight in model.named_parameters()}


def step(folder, kind, rows_of_a_process, group):
    """One step; the main process writes what came of it into `folder`."""
    tasks = load_tasks("sample:vstar-tiny", split="train", count=8 // group)
    args = PixelGRPOConfig(
        output_dir=str(folder), dialect="tiny", max_turns=3, max_turn_tokens=8, max_completion_length=24,
        num_generations=group, per_device_train_batch_size=rows_of_a_process, max_steps=1, max_grad_norm=0.0,
        gradient_checkpointing=False, save_strategy="no", disable_tqdm=True, shuffle_dataset=False, use_cpu=True,
        seed=2,  # both questions' sampled rollouts are rewarded differently
    )  # fmt: skip
    gradients = Gradients()
    trainer = (Scripted if kind == "scripted" else PixelGRPOTrainer)("tiny-warm", tasks, args, callbacks=[gradients])
    rewards = []
    calculate = trainer._calculate_rewards
    trainer._calculate_rewards = lambda *given: rewards.append(calculate(*given)) or rewards[-1]
    trainer.train()
    rollouts = gather_object([list(row.completion_ids) for row in trainer._rollouts["train"]])
    if trainer.accelerator.is_main_process:
        names = {name.removeprefix("module."): gradient for name, gradient in gradients.kept.items()}
        save_file(names, folder / "gradients.safetensors")
        result = {"rollouts": rollouts, "rewards": rewards[0][:, -1].tolist()}
        (folder / "result.json").write_text(json.dumps(result))
    trainer.accelerator.wait_for_everyone()
    return trainer


def main(folder, rows_of_a_process):
    for kind, group in (("sampled", 4), ("scripted", 4), ("scripted", 8)):
        own = Path(folder, f"{kind}-{group}")
        own.mkdir(exist_ok=True)
        trainer = step(own, kind, int(rows_of_a_process), group)
    # Left to the interpreter's exit, gloo's threads now and then abort a process that has done all its work.
    trainer.accelerator.end_training()


if __name__ == "__main__":
    main(*sys.argv[1:])
