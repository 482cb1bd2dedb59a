"""Names of flags: one convention for every command, and the other names that a command accepts.

`-` and `_` mean the same in the name of a flag. In every command

| flag | meaning |
|---|---|
| `--output_dir` | the folder that the command writes |
| `--output` | the file that the command writes |
| `--limit` | use only this many tasks (questions, seed data) of the input; `--eval_limit` of the held-out input |
| `--seed` | seed of every random choice |
| `--model` | the checkpoint that the command loads (`--model_name_or_path` where the flag is TRL's) |

A configuration file uses the same names without the dashes. Depends on nothing; independent of what a command does.
"""

import difflib
from collections.abc import Iterable, Mapping

OTHER_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "play": {"output_dir": ("out",)},
    "ask": {"images": ("pictures",)},
    "demo": {"output_dir": ("run",), "model": ("base",)},
    "trap": {"output_dir": ("run",), "model": ("base",)},
    "replay-study": {"output_dir": ("run",)},
    "sft-study": {"output_dir": ("run",), "model": ("base",)},
    "eval": {"limit": ("task_count",)},
    "eval-demo": {"output_dir": ("run",), "limit": ("questions",)},
    "audit": {"output": ("out",)},
    "synth": {"output_dir": ("out",), "limit": ("seed_count",), "seed_data": ("seeds",)},
    "convert": {"output": ("out", "output_dir")},
    "sft": {"model_name_or_path": ("model",), "limit": ("task_count",)},
    "grpo": {
        "model_name_or_path": ("model",),
        "limit": ("task_count",),
        "eval_limit": ("eval_task_count",),
    },
}
"""Command -> name of a flag -> names that are accepted for it too, and that no help shows."""


def flag_name(word: str) -> str | None:
    """The name in a word of the command line ("max_turns" of "--max-turns=4"); None for a word that is no flag."""
    if not word.startswith("--") or not word[2:3].isalpha():
        return None
    return word[2:].partition("=")[0].replace("-", "_")


def shown_name(name: str, command: str) -> str:
    """The name by which the help of `command` shows the flag or key `name`; one without another name is unchanged."""
    for shown, others in OTHER_NAMES.get(command, {}).items():
        if name in others:
            return shown
    return name


def field_name(name: str, fields: Iterable[str], command: str) -> str:
    """The one of `fields` that the flag or key `name` sets; `name` itself where none does.

    A field may keep an older name than its flag, because the folders of earlier runs record it.
    """
    names, shown = set(fields), shown_name(name, command)
    return next((other for other in (shown, *OTHER_NAMES.get(command, {}).get(shown, ())) if other in names), name)


def suggestion(name: str, known: Iterable[str], command: str) -> str:
    """ "Did you mean --limit?" for the known name that is closest to `name`; empty if none is close."""
    others = (other for names in OTHER_NAMES.get(command, {}).values() for other in names)
    close = difflib.get_close_matches(name, [*known, *others], n=1)
    return f"Did you mean {shown_name(close[0], command)}?" if close else ""
