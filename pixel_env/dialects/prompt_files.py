"""A prompt text of the user's own: what follows the question, or stands around it, in place of the dialect's words.

Knows files and the template of a question. Knows nothing of tools: what a model is told of them is the dialect's.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError

QUESTION = "{question}"


def read_prompt_file(path: str | Path) -> str:
    """The file's text, every character of it. Raises ConfigError if it is missing, empty or not UTF-8."""
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"the prompt file {path} cannot be read: {error.strerror}. Give a text file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the prompt file {path} is not UTF-8: {error}. Save it as UTF-8.") from error
    if not text.strip():
        raise ConfigError(f"the prompt file {path} is empty. Give one with a text, or leave it out.")
    return text


def with_prompt(dialect: Dialect, text: str) -> Dialect:
    """`dialect` whose questions are followed by `text`, verbatim; where it holds `{question}`, they stand there.

    No other brace means anything: `\\boxed{}` stays text.
    """
    around = text if QUESTION in text else QUESTION + text
    template = QUESTION.join(part.replace("{", "{{").replace("}", "}}") for part in around.split(QUESTION))
    return replace(dialect, wording=replace(dialect.wording, question=template))


def prompt_hash(text: str) -> str:
    """What names `text` in a run's configuration: SHA-256 of its UTF-8 bytes, as `sha256sum` prints it."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
