"""A warm start in Python: traces with a deliberate mistake, which the model sees and does not learn.

    python examples/warm_start.py --model tiny-base --output_dir runs/example_warm_start

Each task becomes a trace that looks at the wrong place first (not trained), then at the right one, then answers.
"""

import argparse
from pathlib import Path

import numpy as np

from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.trace import write_traces
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import recrop_once


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny-base", help="a folder, a hub id, or the name of an embedded model")
    parser.add_argument("--output_dir", default="runs/example_warm_start")
    parser.add_argument("--count", type=int, default=256, help="traces to make")
    parser.add_argument("--max_steps", type=int, default=50)
    options = parser.parse_args(arguments)

    task_set = load_tasks("sample:vstar-tiny", split="train", count=options.count)
    rng = np.random.default_rng(0)
    traces = [recrop_once(task, dialect_named("tiny"), rng) for task in task_set.tasks]
    write_traces(traces, Path(options.output_dir) / "traces.jsonl")  # what `pixel-env sft --traces` reads

    trainer = PixelSFTTrainer(
        model=options.model,
        traces=traces,
        task_set=task_set,
        args=PixelSFTConfig(
            output_dir=options.output_dir,
            dialect="tiny",
            per_device_train_batch_size=8,
            learning_rate=3e-4,
            gradient_checkpointing=False,
            max_steps=options.max_steps,
            logging_steps=1,
        ),
    )
    trainer.train()
    trainer.save_model()
    return trainer


if __name__ == "__main__":
    main()
