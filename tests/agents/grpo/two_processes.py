"""GRPO steps with scripted rollouts, in as many processes as torchrun starts: writes figures and a weight of each.

Starting a process takes far longer than a step, so each set of processes makes the steps of several cases, each with
a model of its own.
"""

import importlib
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "DS_ACCELERATOR": "cpu"}

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.policy_weights import policy_weights
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.tasks import load_tasks


@dataclass(frozen=True)
class Case:
    """A step: `rows` of each process, in groups of `group`; from row `learn` on every answer is wrong; and which
    questions have pictures: "all", or the "first" alone.
    """

    rows: int
    group: int
    learn: int = 8
    pictures: str = "all"


def on_deepspeed():
    """DeepSpeed on CPUs: left to itself, accelerate takes every process for the only one."""
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    import deepspeed
    import torch.distributed
    from accelerate import PartialState

    # Else every new machine compiles DeepSpeed's sums over shared memory for minutes, and no training calls them.
    importlib.import_module("deepspeed.comm.torch").build_shm_op = lambda: None
    deepspeed.init_distributed(dist_backend="gloo")
    PartialState()
    rank = torch.distributed.get_rank()
    places = {"process_index": rank, "local_process_index": rank, "num_processes": torch.distributed.get_world_size()}
    PartialState._shared_state.update(places)


def deepspeed_options(stage):
    sizes = dict.fromkeys(["train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"], "auto")
    settings = {"zero_optimization": {"stage": stage}, "gradient_clipping": "auto", **sizes}
    return {"deepspeed": settings, "accelerator_config": {"use_configured_state": True}}


def main(checkpoint, folder, stage, cases):
    if int(stage):
        on_deepspeed()
    for name, case in json.loads(cases).items():
        trainer = make_step(checkpoint, folder, int(stage), name, Case(**case))
    # Left to the interpreter's exit, gloo's threads now and then abort a process that has done all its work.
    trainer.accelerator.end_training()


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


if __name__ == "__main__":
    main(*sys.argv[1:])
