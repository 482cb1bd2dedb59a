"""A prompt text of the user's own, from a file: it follows or surrounds the question, instead of the dialect's wording.

Depends on files and on the template of a question; independent of tools, whose description stays the dialect's.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.templates import check_text, fields_of
from pixel_env.errors import ConfigError

QUESTION = "{question}"
REQUEST = "{request}"


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
    check_text(text, f"the prompt file {path}")
    return text


def with_prompt(dialect: Dialect, text: str) -> Dialect:
    """`dialect` with `text`, verbatim, after each question; if `text` holds `{question}`, the question replaces it.

    The dialect's request for a letter, a number or a phrase (`Wording.requests`) stands where `text` holds `{request}`,
    and nowhere without it. Other braces have no meaning: `\\boxed{}` stays as it is.
    """
    around = text if QUESTION in text else QUESTION + text
    parts = re.split(f"({re.escape(QUESTION)}|{re.escape(REQUEST)})", around)
    template = "".join(part if part in (QUESTION, REQUEST) else doubled_braces(part) for part in parts)
    return with_template(dialect, template)


def with_template(dialect: Dialect, template: str) -> Dialect:
    """`dialect` with a template of the question that is complete: no request is added below the options."""
    requests = dialect.wording.requests if "request" in fields_of(template) else {}
    return replace(dialect, wording=replace(dialect.wording, question=template, requests=requests))


def doubled_braces(text: str) -> str:
    """`text` as a template that is filled to `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def prompt_hash(text: str) -> str:
    """The hash of `text` in a run's configuration: SHA-256 of its UTF-8 bytes, as `sha256sum` prints it."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
