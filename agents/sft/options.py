"""The flags of `pixel-env sft`: our additional fields, and the options of TRL's that are refused.

Depends on dataclasses; independent of torch and TRL, so that `--help` and the check of a recipe's names need neither.
"""

from dataclasses import dataclass, field
from typing import Literal

from agents.config.episode import EpisodeArguments
from agents.config.training_command import Group, Refusal, TrainingCommand
from agents.run_log.options import LogArguments
from agents.sft.training_traces import TraceArguments
from agents.training_run.arguments import RunArguments
from pixel_env.command_line.values import AtLeastOne


@dataclass
class BatchArguments:
    """How traces are batched, and which part of the model is trained."""

    max_length: AtLeastOne | None = field(
        default=None,
        metadata={"help": "the same as max_tokens; a longer trace is left out, never truncated"},
    )
    train_sampling_strategy: Literal["group_by_length", "batch_rebalance", "random", "sequential"] = field(
        default="group_by_length",
        metadata={
            "help": "order of the traces. group_by_length: similar lengths in one batch; batch_rebalance: the same "
            "within each step; sequential: in their order, and none is read before its turn"
        },
    )
    freeze_vision_tower: bool = field(
        default=False, metadata={"help": "train the language model alone; with LoRA, the tower gets no adapters"}
    )


OWN = (EpisodeArguments, BatchArguments, LogArguments)
"""Our fields of `PixelSFTConfig`."""

_FLAGS = 'The traces say for each turn whether it is trained: set "train" there, and leave this out.'
_PACKED = (
    "TRL packs texts only: the M-RoPE position ids of images are not those of a packed row. "
    "Leave it out; train_sampling_strategy: group_by_length wastes no padding."
)
_PLAYED = "Training rows are played traces, not a data set of TRL's. Leave it out."
_SHOWN = "The dialect and the model's chat format determine the tokens of a turn. Leave it out."
REFUSED = {
    "completion_only_loss": Refusal((None,), _FLAGS),
    "assistant_only_loss": Refusal((False,), _FLAGS),
    "packing": Refusal((False,), _PACKED),
    "eval_packing": Refusal((None, False), _PACKED),
    "packing_strategy": Refusal(("bfd",), _PACKED),
    "padding_free": Refusal((False,), _PACKED),
    "pad_to_multiple_of": Refusal((None, "auto"), "Rows are padded to the longest row of their batch. Leave it out."),
    "truncation_mode": Refusal(("keep_start",), "No trace is truncated: give max_tokens to leave out longer ones."),
    "shuffle_dataset": Refusal((False,), "train_sampling_strategy and seed determine the order. Leave it out."),
    "dataset_text_field": Refusal(("text",), _PLAYED),
    "dataset_num_proc": Refusal((None,), "Traces are played by the data loader's workers: set dataloader_num_workers."),
    "dataset_kwargs": Refusal((None, {}, {"skip_prepare_dataset": True}), _PLAYED),
    "hub_strategy": Refusal(
        ("every_save", "end"), "Checkpoints hold optimizer states and rollouts, and are not uploaded."
    ),
    "length_column_name": Refusal(("length",), _PLAYED),
    "chat_template_path": Refusal((None,), _SHOWN),
    "eos_token": Refusal((None,), _SHOWN),
    "pad_token": Refusal((None,), _SHOWN),
}

SFT = TrainingCommand(
    name="sft",
    description="Warm start: supervised training on demonstrations (traces), with deliberate mistakes masked.",
    groups=(
        Group(
            "what is trained",
            (TraceArguments, BatchArguments),
            {
                "model_name_or_path": "checkpoint to start from: a folder, a hub id, or an embedded one",
                "learning_rate": "learning rate (default: 2e-05)",
                "max_steps": "optimizer steps (default: as many as num_train_epochs take)",
                "num_train_epochs": "passes over the traces (default: 3.0)",
                "per_device_train_batch_size": "traces of a forward pass on each device (default: 8)",
                "gradient_accumulation_steps": "forward passes of an optimizer step (default: 1)",
                "use_peft": "train LoRA adapters (default: whether the model is one, which is then trained on)",
                "bf16": "mixed precision (default: on with a GPU)",
            },
        ),
        Group("episode", (EpisodeArguments,)),
        Group(
            "output",
            (RunArguments, LogArguments),
            {
                "output_dir": "output folder: checkpoints, configuration, final model, summary.json",
                "resume_from_checkpoint": "another checkpoint of the run than the newest one, from which it goes on",
                "save_steps": "optimizer steps between checkpoints (default: 500)",
                "seed": "seed of held-out tasks, order and initialization (default: 42)",
            },
        ),
    ),
    trl_config=("trainer/sft_config.py", "SFTConfig"),
    refused=REFUSED,
)
