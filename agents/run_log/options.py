"""The flags of what a training run logs.

Depends on dataclasses; independent of training libraries.
"""

from dataclasses import dataclass, field

from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NotNegative


@dataclass
class LogArguments:
    """What a training run logs."""

    logging_steps: NotNegative = field(
        default=1, metadata={"help": "optimizer steps between logged metrics, each row the mean of its steps"}
    )
    eval_steps: NotNegative | None = field(
        default=10, metadata={"help": "optimizer steps between evaluations, with --eval_strategy steps"}
    )


@dataclass
class RolloutLogArguments(LogArguments):
    """What a run that plays episodes logs."""

    log_rollouts_steps: AtLeastZero = field(
        default=10, metadata={"help": "optimizer steps between rollouts that are kept in rollouts.jsonl; 0: none"}
    )
    log_rollouts_groups: AtLeastOne = field(
        default=2, metadata={"help": "questions whose rollouts are kept then, the first ones of the batch"}
    )
