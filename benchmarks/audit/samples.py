"""Sample files of lmms-eval (`*_samples_TASK.jsonl`), and ours of the same form, as conversations without images.

A row has `resps` (a list of responses, in a list for each request where there are several) or, where filters changed
nothing, `filtered_resps` alone; `target`; `doc_id`; the task's metrics as further keys; and in newer versions images as
`input_media` (a path, an address or a data URI). Source: lmms_eval/evaluator.py, loggers/evaluation_tracker.py and
models/chat/async_openai.py of EvolvingLMMs-Lab/lmms-eval, commit 75571cf. A response holds all turns as one text; it is
split behind each call. Depends on rows and call syntaxes; independent of environments.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.errors import TaskError
from pixel_env.operations.arguments import is_number

COLUMNS = ("resps", "filtered_resps")
"""A file with one of these columns is one of samples."""
_OWN_KEYS = frozenset({"doc_id", "target", "doc", "input", "arguments", *COLUMNS, "input_media", "token_counts"})
_NATIVE = re.compile(
    r"<tool_call>([\w.-]+) (\{(?:[^<]|<(?!tool_call>))*?\})</tool_call></tool_response>.*?</tool_response>", re.DOTALL
)
"""How lmms-eval logs a native tool call with its result. It holds no further opening: each text is searched once."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question with its responses. `score`: the grade of a single response; None if it is unknown."""

    name: str
    doc_id: int | None
    question: str
    target: str
    responses: tuple[str, ...]
    score: float | None
    media: tuple[str, ...]


def sample_of(values: Mapping[str, Any]) -> Sample:
    """The sample of a row. Raises TaskError."""
    responses = _responses(values.get("resps", values.get("filtered_resps")))
    doc = values.get("doc")
    doc = doc if isinstance(doc, dict) else {}
    doc_id = values.get("doc_id")
    question = doc.get("question") or values.get("input") or ""
    media = values.get("input_media")
    return Sample(
        str(doc.get("id", doc_id)),
        doc_id if isinstance(doc_id, int) else None,
        question if isinstance(question, str) else "",
        str(values.get("target", "")),
        responses,
        _score(values) if len(responses) == 1 else None,
        tuple(item for item in media if isinstance(item, str)) if isinstance(media, list) else (),
    )


def _responses(value: object) -> tuple[str, ...]:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        [value] = value
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) for item in items):
        raise TaskError("its 'resps' are no texts; a multiple-choice task is logged by its likelihoods, not by turns")
    return tuple(str(item) for item in items)


def _score(values: Mapping[str, Any]) -> float | None:
    """`score`, or else the only metric of the row that is a number; None if that is no grade."""
    metrics = [value for name, value in values.items() if name not in _OWN_KEYS and is_number(value)]
    only = metrics[0] if len(metrics) == 1 else None
    return grade_of(values.get("score", only))


def grade_of(value: object) -> float | None:
    """`value` if it is a grade, a number from 0 to 1."""
    return float(value) if is_number(value) and 0 <= value <= 1 else None


def turns_in(response: str, calls: CallSyntax) -> list[str]:
    """The turns of a response: each ends with its call, the last one with the text.

    A call of a syntax without a closing marker ends with its line.
    """
    text = _NATIVE.sub(lambda found: _written(found, calls), response)
    opening, *closings = calls.markers
    end = re.escape(closings[-1]) if closings else rf"{re.escape(opening)}[^\n]*"
    ends = [found.end() for found in re.finditer(end, text)]
    turns = [text[start:stop] for start, stop in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [turn for turn in turns if turn.strip()] or [response]


def _written(found: re.Match[str], calls: CallSyntax) -> str:
    """A native call in the syntax `calls`; as it was logged if it cannot be written."""
    try:
        return calls.write(Call(found[1], json.loads(found[2])))
    except ValueError:
        return found[0]
