"""What a training run writes into its folder: what it has learned so far, and what `--restart` removes.

Depends on file names; independent of what is in the files. Files with other names are a user's own and stay.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

CHECKPOINTS = "checkpoint-[0-9]*"
_CHECKPOINT = re.compile(r"checkpoint-\d+")
FINISHED = "finished.json"
"""Of a run that is over, with its model and its evaluation written: how long it was."""
_WEIGHTS = (
    *("model.safetensors", "model-*-of-*.safetensors", "adapter_model.safetensors"),
    *("pytorch_model.bin", "pytorch_model-*-of-*.bin", "adapter_model.bin"),
)
_OF_MODELS = (
    *("*.safetensors.index.json", "*.bin.index.json", "adapter_config.json", "config.json", "generation_config.json"),
    *("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json", "chat_template.jinja"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json"),
    *("merges.txt", "training_args.bin", "pixel_env.json"),
)
_OF_RUNS = (
    *("configuration.json", "dialect.yaml", "summary.json", FINISHED, "refused_traces.jsonl"),
    *("refused_held_out_traces.jsonl", "log.jsonl", "rollouts.jsonl", "report.html", "*.partial"),
    *("runs/*/events.out.tfevents.*", "completions/completions_*.parquet"),
)


def results_in(folder: Path) -> list[str]:
    """The names of checkpoints and weights in the folder, and of the note that a run is finished."""
    return _matching(folder, (CHECKPOINTS, *_WEIGHTS, FINISHED))


def remove_run(folder: Path) -> list[str]:
    """Removes what a run writes into its folder; returns the names of what was removed."""
    names = _matching(folder, (CHECKPOINTS, *_WEIGHTS, *_OF_MODELS, *_OF_RUNS))
    names = [name for name in names if not name.startswith("checkpoint-") or _is_checkpoint(folder / name)]
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            continue
        path.unlink()
        while (path := path.parent) != folder and not any(path.iterdir()):
            path.rmdir()
    return names


def _is_checkpoint(path: Path) -> bool:
    """Whether a run wrote the folder: by its name, and by a file that is in every checkpoint, a broken one too."""
    if not _CHECKPOINT.fullmatch(path.name):
        return False
    if path.is_symlink():
        return True
    return not any(path.iterdir()) or bool(_matching(path, (*_WEIGHTS, *_OF_MODELS, "trainer_state.json")))


def _matching(folder: Path, patterns: Sequence[str]) -> list[str]:
    paths = {path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)}
    return sorted(paths, key=_number_last)


def _number_last(name: str) -> tuple[str, int]:
    """Orders checkpoint-9 before checkpoint-10."""
    start, _, number = name.rpartition("-")
    return (start, int(number)) if number.isdigit() else (name, 0)
