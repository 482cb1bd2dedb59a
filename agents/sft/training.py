"""The run of `pixel-env sft`: traces, trainer, evaluation and summary.

Depends on TRL and the trainer; independent of how flags and recipes are written.
"""

from trl import ModelConfig, get_quantization_config

from agents.checkpoints.model_arguments import ModelArguments, model_and_adapter
from agents.checkpoints.model_options import model_options
from agents.config.model_dialect import dialect_of_model
from agents.run_log.console import next_commands
from agents.sft.config import PixelSFTConfig
from agents.sft.evaluation import table, write_sft_summary
from agents.sft.trainer import PixelSFTTrainer
from agents.sft.training_traces import TraceArguments, TrainingTraces, folder_of_traces, load_training_traces
from agents.training_run.announcement import Material
from agents.training_run.arguments import RunArguments
from agents.training_run.before import checked_model
from agents.training_run.run import TrainingRun, training_run
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError

CLASSES = (TraceArguments, PixelSFTConfig, ModelArguments, RunArguments)
"""The dataclasses that flags and recipe fill."""


def train(arguments: TraceArguments, args: PixelSFTConfig, model_config: ModelConfig, how: RunArguments) -> int:
    """Trains; model, configuration and `summary.json` go into `output_dir`. Returns the exit code."""
    model_config = checked_model(args, model_config)
    arguments.settle(model_config.model_name_or_path)
    assert arguments.traces is not None, "settled"
    known = dialect_of_model(args.dialect, model_config.model_name_or_path, traces=folder_of_traces(arguments.traces))
    dialect = args.take(known)
    traces = load_training_traces(arguments, dialect, args.seed)
    inputs = [model_config.model_name_or_path, arguments.traces, arguments.held_out_traces]
    with training_run(args, [arguments, args, model_config], how, inputs) as run:
        if not run.is_finished:
            args.model_init_kwargs = model_options(args.model_init_kwargs, model_config)
            _train(traces, arguments, args, model_config, dialect, run)
    return 0


def _train(
    traces: TrainingTraces,
    arguments: TraceArguments,
    args: PixelSFTConfig,
    model_config: ModelConfig,
    dialect: Dialect,
    run: TrainingRun,
) -> None:
    model, peft_config = model_and_adapter(model_config)
    trainer = PixelSFTTrainer(
        model=model,
        traces=traces.train,
        args=args,
        eval_traces=traces.held_out,
        dialect=dialect,
        task_set=traces.task_set,
        peft_config=peft_config,
        quantization_config=get_quantization_config(model_config),
        eval_task_set=traces.held_out_set,
    )
    trainer.traces_name = str(arguments.traces)
    if trainer.is_fsdp_enabled and traces.held_out:
        raise ConfigError("A model that is sharded with FSDP cannot play held-out tasks. Set held_out to 0.")
    if traces.overlap and trainer.accelerator.is_main_process:
        print(f"held-out: {traces.overlap} tasks of {arguments.held_out_traces} are also trained and are left out")
    batch = args.per_device_train_batch_size * args.world_size * args.gradient_accumulation_steps
    material = Material(len(trainer.train_dataset), "traces", trainer.traces_name, dialect.name, batch, "traces")
    run.train(trainer, model_config.model_name_or_path, material)
    trainer.save_model(_internal_call=True)  # uploaded below, with its figures
    played = trainer.played() if traces.held_out else None
    if trainer.accelerator.is_main_process:
        refused = [{} if one is None else one.refused for one in (trainer.survey, trainer.eval_survey)]
        write_sft_summary(run.folder, trainer.state.global_step, refused[0], played, refused[1])
        trainer.create_model_card()
        if played is not None:
            print(f"\n{table(played)}")
    if args.push_to_hub:
        trainer.push_to_hub()
    run.finish(trainer)
    if trainer.accelerator.is_main_process:
        print(next_commands(run.folder, tasks=None), flush=True)
