"""GRPO in Python: your tasks, your reward beside the curiosity bonus.

    python examples/train_grpo.py --tasks mine.jsonl --model path-or-hub-id

Without arguments it trains the embedded model on the embedded sample set. The format of a task file stands in
`pixel_env/tasks/formats/jsonl.py`; `pixel-env grpo` does the same from a YAML file.
"""

import argparse

from agents.config.model_dialect import dialect_of_model
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer


def short_answers(completions, trajectory, **_):
    """An own reward, as TRL takes them: one number per rollout. `trajectory` tells what each rollout looked at."""
    return [-0.001 * sum(len(turn.text) for turn in episode.turns) for episode in trajectory]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny-warm", help="a folder, a hub id, or the name of an embedded model")
    parser.add_argument("--tasks", default="sample:vstar-tiny", help="a sample set, a path or a hub id (docs/tasks.md)")
    parser.add_argument("--dialect", help="how the model writes calls and answers (default: as it was taught)")
    parser.add_argument("--output_dir", default="runs/example_grpo")
    parser.add_argument("--max_steps", type=int, default=20)
    options = parser.parse_args(arguments)

    dialect = dialect_of_model(options.dialect, options.model).name
    is_tiny = dialect == "tiny"
    trainer = PixelGRPOTrainer(
        model=options.model,
        tasks=options.tasks,
        reward_funcs=short_answers,
        args=PixelGRPOConfig(
            output_dir=options.output_dir,
            dialect=dialect,
            group_reward="paper",
            max_turns=2,
            max_completion_length=16 if is_tiny else 2048,
            per_device_train_batch_size=8,
            num_generations=4,
            learning_rate=1e-4 if is_tiny else 1e-6,
            gradient_checkpointing=not is_tiny,
            max_steps=options.max_steps,
            logging_steps=1,
        ),
    )
    trainer.train()
    trainer.save_model()
    return trainer


if __name__ == "__main__":
    main()
