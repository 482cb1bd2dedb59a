"""`pixel-env merge`: an adapter and its base as one whole checkpoint, for tools that take no adapters.

Depends on folders; PEFT and transformers are loaded only after the flags are checked.
"""

import sys
from pathlib import Path

from agents.checkpoints.adapters import adapter_of
from agents.checkpoints.checked import checked_model_folder
from agents.run_folder.configuration import make_folder
from pixel_env.command_line.parser import CommandParser
from pixel_env.errors import ConfigError


def main(argv: list[str]) -> int:
    """`pixel-env merge ADAPTER --output_dir FOLDER`. Returns the exit code."""
    options = _parser().parse_args(argv)
    target = Path(options.output_dir)
    adapter = adapter_of(checked_model_folder(options.adapter))
    if adapter is None:
        raise ConfigError(
            f"{options.adapter} is no adapter: it has no adapter_config.json. A whole checkpoint needs no merging: "
            "give it as it is."
        )
    _check_empty(target)
    make_folder(target.parent)

    from agents.checkpoints.merged_folder import write_merged  # seconds, which a mistyped folder should not cost

    print(f"Merging {adapter.folder} into {adapter.base}", file=sys.stderr, flush=True)
    try:
        write_merged(adapter, target, options.dtype)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror or error}. Give another --output_dir."
        ) from error
    print(f"The whole model is in {target}. Evaluate it: pixel-env eval --model {target} --output_dir RUN")
    return 0


def _check_empty(target: Path) -> None:
    """Raises ConfigError for a folder that holds something, and for a file."""
    if target.exists() and not target.is_dir():
        raise ConfigError(f"--output_dir {target} is a file. Give a folder that does not exist yet.")
    if target.is_dir() and any(target.iterdir()):
        raise ConfigError(f"--output_dir {target} is not empty. Give a folder that does not exist yet, or remove it.")


def _parser() -> CommandParser:
    parser = CommandParser(
        "merge",
        usage="ADAPTER --output_dir FOLDER [--dtype TEXT]",
        description="Write an adapter and the model that it adapts as one whole checkpoint.",
    )
    parser.add_argument("adapter", metavar="ADAPTER", help="folder of an adapter, with adapter_config.json")
    parser.add_argument(
        "--output_dir", metavar="FOLDER", required=True, help="folder of the whole checkpoint, a new one"
    )
    parser.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="precision of the weights; auto: the base's (default: %(default)s)",
    )
    return parser
