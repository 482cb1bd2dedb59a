"""Runs of two GRPO steps whose turns come from a server, in as many processes as torchrun starts.

    served_processes.py URL uncut=FOLDER killed=FOLDER resumed=FOLDER

trains one after the other and writes what every process generated, and the log. A run that is to be killed kills its
first process once the turns of the second step are there.
"""

import json
import os
import signal
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch

from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.run_folder.checkpoints import checkpoints_in
from pixel_env.tasks import load_tasks

# Of several processes on CPUs each calls its device "cpu:0", which torch.load, when it resumes, does not know.
torch.serialization.register_package(0, lambda _: None, lambda storage, place: storage if place == "cpu:0" else None)


class Recorded(PixelGRPOTrainer):
    """The trainer; each process writes down what it generated, by step."""

    killed = False

    def _generate(self, prompts):
        generated = super()._generate(prompts)
        step, rank = self.state.global_step, self.accelerator.process_index
        rows = [[row.trajectory.task.task_id, row.completion_ids] for row in self._rollouts["train"]]
        Path(self.args.output_dir, f"generated-{step}-{rank}.json").write_text(json.dumps(rows))
        if self.killed and step == 1 and rank == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return generated


def main(url, *runs):
    for run in runs:
        train(url, *run.split("=", 1))


def train(url, kind, folder):
    args = PixelGRPOConfig(
        output_dir=folder, dialect="tiny", max_turns=2, max_turn_tokens=8, max_completion_length=16, max_tokens=512,
        num_generations=4, per_device_train_batch_size=4, max_steps=2, learning_rate=1e-3, lr_scheduler_type="constant",
        use_vllm=True, vllm_mode="server", vllm_server_base_url=url, vllm_server_timeout=120, replay_capacity=8,
        model_init_kwargs={"dtype": "float32"}, gradient_checkpointing=False, save_strategy="steps", save_steps=1,
        logging_steps=1, disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    trainer = Recorded("tiny-zoom", load_tasks("sample:vstar-tiny", split="train", count=16), args)
    trainer.killed = kind == "killed"
    checkpoint = checkpoints_in(Path(folder)).newest if kind == "resumed" else None
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    if trainer.accelerator.is_main_process:
        rows = [row for row in trainer.state.log_history if "reward" in row]
        Path(folder, "log.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
