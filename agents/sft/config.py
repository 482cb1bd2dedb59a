"""`PixelSFTConfig`: TRL's configuration with our fields, checked as a whole.

Depends on TRL's configuration class and on our fields; independent of models, batches and losses.
"""

from dataclasses import dataclass, field

import torch
from trl import SFTConfig

from agents.config.episode import EpisodeArguments
from agents.config.training_command import check_fields, check_refused
from agents.config.trl_choices import CHOICES_OF_SFT, check_choices
from agents.config.trl_numbers import check_numbers
from agents.run_log.options import LogArguments
from agents.sft.options import OWN, REFUSED, BatchArguments


@dataclass
class PixelSFTConfig(EpisodeArguments, BatchArguments, LogArguments, SFTConfig):
    """TRL's SFTConfig and how the traces are played (`options.py`)."""

    bf16: bool | None = field(
        default=None, metadata={"help": "mixed precision (default: on with a GPU; on a CPU it is slow and inexact)"}
    )

    def __post_init__(self) -> None:
        check_fields(self, OWN)
        check_numbers(self)
        check_choices(self, CHOICES_OF_SFT)
        if self.bf16 is None and not torch.cuda.is_available():
            self.bf16 = False
        super().__post_init__()
        self.read_prompt()
        self.remove_unused_columns = False  # rows hold indices of traces, which no forward pass uses
        check_refused(self, REFUSED)

    def longest_trace(self, context: int) -> int:
        """Tokens that a trace may have, for a model with a context of `context` tokens."""
        return min(limit for limit in (self.max_tokens, self.max_length, context) if limit is not None)
