"""The run of `pixel-env grpo`: tasks, trainer, evaluation and summary.

Depends on TRL and the trainer; independent of how flags and recipes are written.
"""

from functools import partial

from trl import ModelConfig, get_quantization_config

from agents.checkpoints.loading import loading
from agents.checkpoints.model_arguments import ModelArguments, model_and_adapter
from agents.checkpoints.model_options import model_options
from agents.config.default_tasks import given_or_sample
from agents.config.model_dialect import dialect_of_model
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.held_out import made_at, write_summary
from agents.grpo.options import TaskArguments
from agents.grpo.trainer import PixelGRPOTrainer
from agents.run_folder.folder import rank_of_process
from agents.run_log.console import next_commands
from agents.training_run.announcement import Material
from agents.training_run.arguments import RunArguments
from agents.training_run.before import checked_model
from agents.training_run.run import TrainingRun, training_run
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks

CLASSES = (TaskArguments, PixelGRPOConfig, ModelArguments, RunArguments)
"""The dataclasses that flags and recipe fill."""


def train(arguments: TaskArguments, args: PixelGRPOConfig, model_config: ModelConfig, how: RunArguments) -> int:
    """Trains; checkpoints, configuration and the final model go into `output_dir`. Returns the exit code.

    With held-out tasks, so does `summary.json`: accuracy before the first step and after the last.
    """
    if args.group_reward is None:
        raise ConfigError(
            "group_reward is null, and the command has no other reward: reward_funcs are given in Python. Name one."
        )
    model_config = checked_model(args, model_config)
    arguments.tasks = given_or_sample(arguments.tasks, "tasks", model_config.model_name_or_path)
    dialect = args.take(dialect_of_model(args.dialect, model_config.model_name_or_path))
    args.eval_on_start = args.eval_on_start or arguments.eval_tasks is not None
    with training_run(args, [arguments, args, model_config], how, [model_config.model_name_or_path]) as run:
        if not run.is_finished:
            _train(arguments, args, model_config, dialect, run)
    return 0


def _train(
    arguments: TaskArguments, args: PixelGRPOConfig, model_config: ModelConfig, dialect: Dialect, run: TrainingRun
) -> None:
    args.model_init_kwargs = model_options(args.model_init_kwargs, model_config)
    load = partial(
        load_tasks,
        grader=arguments.grader,
        follow_links=arguments.follow_links,
        media_root=arguments.media_root,
    )
    eval_tasks = arguments.eval_tasks and load(arguments.eval_tasks, split="test", count=arguments.eval_task_count)
    assert arguments.tasks is not None, "the caller settled it"
    tasks = load(arguments.tasks, split="train", count=arguments.task_count)
    also_trained = tasks_of_both(tasks, eval_tasks) if eval_tasks else 0
    if also_trained and rank_of_process() == 0:
        print(f"{also_trained} tasks of {arguments.eval_tasks} are also trained on: their figures are no test")
    model, peft_config = model_and_adapter(model_config)
    with loading(model_config.model_name_or_path):
        trainer = PixelGRPOTrainer(
            model=model,
            tasks=tasks,
            args=args,
            eval_tasks=eval_tasks or None,
            dialect=dialect,
            peft_config=peft_config,
            quantization_config=get_quantization_config(model_config),
        )
    run.train(trainer, model_config.model_name_or_path, _material(arguments, len(tasks), trainer))
    trainer.save_model(_internal_call=True)  # uploaded below, with its figures
    if eval_tasks:
        history, step = trainer.state.log_history, trainer.state.global_step
        # The best checkpoint may be of another step; else the last step is not evaluated twice.
        made = None if args.load_best_model_at_end else made_at(step, history)
        after = trainer.evaluate() if made is None else made
        if trainer.accelerator.is_main_process:
            write_summary(run.folder, history, after, trainer.state, also_trained)
    trainer.create_model_card()
    if args.push_to_hub:
        trainer.push_to_hub()
    run.finish(trainer)
    if trainer.accelerator.is_main_process:
        print(next_commands(run.folder, tasks=arguments.eval_tasks), flush=True)


def tasks_of_both(tasks: TaskSet, held_out: TaskSet) -> int:
    """The number of held-out tasks that are also trained on, by id and question."""
    trained = {(task.task_id, task.question) for task in tasks.tasks}
    return sum((task.task_id, task.question) in trained for task in held_out.tasks)


def _material(arguments: TaskArguments, count: int, trainer: PixelGRPOTrainer) -> Material:
    args = trainer.args
    rollouts = args.per_device_train_batch_size * args.world_size * args.gradient_accumulation_steps
    return Material(
        count=count,
        kind="tasks",
        name=str(arguments.tasks),
        dialect=trainer.dialect.name,
        a_step=rollouts / trainer.num_iterations,
        taken="rollouts",
        group=trainer.num_generations,
    )
