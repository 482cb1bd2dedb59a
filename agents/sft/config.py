"""The fields that `pixel-env sft` adds to TRL's.

Knows TRL's configuration class. Knows nothing of models, batches or losses.
"""

from dataclasses import dataclass, field

import torch
from trl import SFTConfig

from agents.config.episode import EpisodeArguments
from agents.sft.options import check_sft_options


@dataclass
class PixelSFTConfig(EpisodeArguments, SFTConfig):
    """TRL's SFTConfig and how the traces are played."""

    max_length: int | None = field(
        default=None,
        metadata={"help": "The same as max_tokens. A longer trace is refused, never cut, least of all in a picture."},
    )
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={
            "help": "group_by_length: traces of similar length together; batch_rebalance: the same within each step; "
            "random; sequential: as they come, and none is looked at before its turn."
        },
    )
    freeze_vision_tower: bool = field(
        default=False, metadata={"help": "Train the language model alone; with LoRA, the tower gets no adapters."}
    )
    bf16: bool | None = field(
        default=None, metadata={"help": "Mixed precision (default: on with a GPU; on a CPU it is slow and inexact)."}
    )

    def __post_init__(self) -> None:
        if self.bf16 is None and not torch.cuda.is_available():
            self.bf16 = False
        super().__post_init__()
        self.read_prompt()
        self.remove_unused_columns = False  # the rows point at traces, which no forward pass knows
        check_sft_options(self)

    def longest_trace(self, context: int) -> int:
        """Tokens that a trace may have, of a model that reads `context`."""
        return min(limit for limit in (self.max_tokens, self.max_length, context) if limit is not None)
