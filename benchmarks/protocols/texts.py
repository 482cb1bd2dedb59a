"""A project's own texts from files of the user's: checked by their SHA-256, and put where the project puts them.

Depends on dialects and prompt files; independent of how an evaluation is played.
"""

from dataclasses import replace
from pathlib import Path

from benchmarks.protocols.protocol import PromptText, Protocol
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import (
    doubled_braces,
    prompt_hash,
    read_prompt_file,
    with_prompt,
    with_template,
)
from pixel_env.errors import ConfigError

FLAGS = {"system": "--system_file", "question": "--prompt_file"}
"""The texts that a user can give, and the flag of each."""


def read_text(path: str | Path, kind: str, protocol: Protocol | None) -> str:
    """The text of a file, which is the text `kind` of `protocol` if that one knows its SHA-256.

    A line break at the end of the file is left out where the hash wants it. Raises ConfigError for a wrong text.
    """
    text = read_prompt_file(path)
    known = None if protocol is None else protocol.texts.get(kind)
    if protocol is None or known is None:
        return text
    for one in (text, text.removesuffix("\n")):
        if prompt_hash(one) == known.sha256:
            return one
    raise ConfigError(
        f"{protocol.name}'s {kind} text has sha256 {known.sha256}, that of {path} is {prompt_hash(text)}. Take it from "
        f"{known.file} of {protocol.repository} at {protocol.commit[:7]}: {known.extract}."
    )


def with_system(dialect: Dialect, text: str) -> Dialect:
    """`dialect` with `text`, verbatim, as the system message; the tools' description stands in it, if anywhere."""
    return replace(dialect, system=text, shows_tools=False)


def with_question(dialect: Dialect, text: str, known: PromptText | None) -> Dialect:
    """`dialect` with `text` where the project puts it; a text of the user's own as `with_prompt` puts it."""
    if known is None:
        return with_prompt(dialect, text)
    filled = doubled_braces(text)
    for slot, field in known.slots.items():
        filled = filled.replace(doubled_braces(slot), field)
    return with_template(dialect, known.placed.replace("{text}", filled))
