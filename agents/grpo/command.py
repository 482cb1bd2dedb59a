"""`pixel-env grpo`: reinforcement learning from a YAML file and flags, all of TRL's among them."""

from dataclasses import dataclass, field
from pathlib import Path

from trl import ModelConfig, get_peft_config, get_quantization_config

from agents.checkpoints.loading import loading
from agents.checkpoints.model_options import model_options
from agents.config.training_parser import parsed
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.trainer import PixelGRPOTrainer
from agents.run_folder.configuration import checkpoint_to_resume, keep_configuration
from agents.run_folder.summary import write_summary
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks


@dataclass
class TaskArguments:
    """What is played."""

    tasks: str = field(
        default="sample:vstar-tiny",
        metadata={"help": "Task set to train on: a sample set, a path or a hub id (docs/tasks.md)."},
    )
    task_count: int | None = field(default=None, metadata={"help": "Use so many of its tasks (default: all)."})
    eval_tasks: str | None = field(
        default=None, metadata={"help": "Held-out task set: played before, after and, with --eval_strategy, between."}
    )
    eval_task_count: int | None = field(default=None, metadata={"help": "Use so many of the held-out tasks."})


def main(argv: list[str]) -> int:
    """Trains; checkpoints, configuration and the final model go into `output_dir`. Returns the exit code.

    With held-out tasks, so does `summary.json`: accuracy before the first step and after the last.
    """
    arguments, args, model_config = parsed((TaskArguments, PixelGRPOConfig, ModelConfig), argv, "grpo")
    if model_config.model_name_or_path is None:
        raise ConfigError("No model was given. Give --model_name_or_path, a folder or the name of an embedded one.")
    args.eval_on_start = args.eval_on_start or arguments.eval_tasks is not None
    folder = Path(args.output_dir)
    keep_configuration(folder, [arguments, args, model_config], resumes=bool(args.resume_from_checkpoint))
    args.model_init_kwargs = model_options(args.model_init_kwargs, model_config)
    eval_tasks = arguments.eval_tasks and load_tasks(
        arguments.eval_tasks, split="test", count=arguments.eval_task_count
    )
    tasks = load_tasks(arguments.tasks, split="train", count=arguments.task_count)
    with loading(model_config.model_name_or_path):
        trainer = PixelGRPOTrainer(
            model=model_config.model_name_or_path,
            tasks=tasks,
            args=args,
            eval_tasks=eval_tasks or None,
            peft_config=get_peft_config(model_config),
            quantization_config=get_quantization_config(model_config),
        )
    trainer.train(resume_from_checkpoint=checkpoint_to_resume(folder, args.resume_from_checkpoint))
    trainer.save_model()
    if eval_tasks:
        after = trainer.evaluate()
        if trainer.accelerator.is_main_process:
            write_summary(folder, trainer.state.log_history, after, trainer.state)
    return 0
