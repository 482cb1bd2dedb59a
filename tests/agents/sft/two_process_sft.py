"""One step of the warm start, in this process and those that torchrun started with it: figures.

The last two of four traces are texts alone, so a second process has no picture.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.trace import Trace, TraceTurn
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import recrop_once
from tests.agents.deepspeed_on_cpu import deepspeed_options


def make_step(checkpoint, folder, stage, rows):
    """Makes the step with so many rows of each process, and leaves its figures in the folder."""
    tasks = load_tasks("sample:vstar-tiny", split="train", count=4)
    seen = [recrop_once(task, dialect_named("tiny"), np.random.default_rng(0)) for task in tasks.tasks[:2]]
    texts = [replace(task, sources=(), evidence=(), media="text") for task in tasks.tasks[2:]]
    traces = [*seen, *(Trace(task, (TraceTurn(f"<answer>{place}"),)) for place, task in enumerate(texts))]
    args = PixelSFTConfig(
        output_dir=folder, dialect="tiny", max_turns=3, max_steps=1, logging_steps=1, learning_rate=1e-3,
        per_device_train_batch_size=rows, train_sampling_strategy="sequential", gradient_checkpointing=False,
        save_strategy="no", disable_tqdm=True, report_to=[],
        **(deepspeed_options(stage) if stage else {"use_cpu": True}),
    )  # fmt: skip
    trainer = PixelSFTTrainer(checkpoint, traces, args, task_set=tasks)
    trainer.train()
    played = trainer.played(traces)
    if trainer.accelerator.is_main_process:
        row = next(row for row in trainer.state.log_history if "loss" in row)
        asked = sorted(one.task.task_id for one in played.free), sorted(one.turns for one in played.forced)
        Path(folder, "sft.json").write_text(json.dumps({"row": row, "played": asked}))
    trainer.accelerator.wait_for_everyone()
    return trainer
