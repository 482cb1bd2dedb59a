"""Options of TRL's that a warm start on traces cannot honour. They are refused: one that is ignored is a wrong run.

Knows TRL's names. Knows nothing of models or traces.
"""

from typing import Any

from pixel_env.errors import ConfigError, UnknownNameError

STRATEGIES = ("group_by_length", "batch_rebalance", "random", "sequential")

_FLAGS = 'Which turns are trained is written in the traces, turn by turn: set "train" there.'
_PACKED = (
    "TRL packs texts only: the places of pictures in time, height and width are not those of a packed row. "
    "Leave it out; train_sampling_strategy: group_by_length wastes no padding."
)
_PLAYED = "Rows are traces that are played, not a data set of TRL's. Leave it out."
REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "completion_only_loss": ((None,), _FLAGS),
    "assistant_only_loss": ((False,), _FLAGS),
    "packing": ((False,), _PACKED),
    "eval_packing": ((None, False), _PACKED),
    "packing_strategy": (("bfd",), _PACKED),
    "padding_free": ((False,), _PACKED),
    "pad_to_multiple_of": ((None, "auto"), "Rows are padded to the longest of their batch. Leave it out."),
    "truncation_mode": (("keep_start",), "No trace is cut: give max_tokens, and longer ones are left out."),
    "shuffle_dataset": ((False,), "The order is chosen by train_sampling_strategy, and drawn by seed."),
    "dataset_text_field": (("text",), _PLAYED),
    "dataset_num_proc": ((None,), "Traces are played by the workers of dataloader_num_workers."),
    "dataset_kwargs": ((None, {}, {"skip_prepare_dataset": True}), _PLAYED),
    "length_column_name": (("length",), _PLAYED),
}
"""Name -> values that ask for nothing, and why any other is refused and what to do."""
_COUNTS = ("max_turns", "max_images", "max_tokens", "max_length")


def check_sft_options(args: Any) -> None:
    """Raises ConfigError or UnknownNameError for the first option of `args` that would not be honoured."""
    for name, (plain, reason) in REFUSED.items():
        value = getattr(args, name)
        if value not in plain:
            raise ConfigError(f"{name} is {value!r}; wanted: {plain[0]!r}. {reason}")
    if args.train_sampling_strategy not in STRATEGIES:
        raise UnknownNameError.among("train_sampling_strategy", args.train_sampling_strategy, STRATEGIES)
    for name in _COUNTS:
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}; wanted: at least 1. Leave it out for its default.")
