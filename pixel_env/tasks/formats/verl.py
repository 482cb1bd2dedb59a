"""The parquet that verl trains on: `prompt` (messages), `images`, `reward_model`, `extra_info`, `data_source`.

`reward_model.ground_truth` is the answer. The question is `extra_info.question`, else the last message of the user,
without the placeholders of images and without a closing line about tools (DeepEyes adds one: "Think first, call
**image_zoom_in_tool** ..."); the system's message is not used: the dialect writes its own. Lettered options leave the
question and are graded by choice, as in the sets that such files are made from. `data_source` is the category.

Source: the scripts of TIGER-AI-Lab/verl-tool (examples/data_preprocess/pixel_reasoner) that write these columns, and
public converters of ChenShawn/DeepEyes-Datasets-47k; the files themselves were not available: unverified.
"""

import re
from collections.abc import Mapping
from typing import Any

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.clips import evenly
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import (
    are_numbers,
    is_among,
    reference_answers,
    without_options,
    without_placeholders,
)
from pixel_env.views import Source

_COLUMNS = frozenset(
    {"prompt", "images", "videos", "reward_model", "extra_info", "data_source", "ability", "env_name", "agent_name"}
)
_ABOUT_TOOLS = re.compile(r"\n\s*(?:Think (?:first|step by step)|Guidelines:|You (?:can|may) call).*\Z", re.DOTALL)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return {"prompt", "reward_model"} <= columns


def _task_of(row: Row, images: ImageFolder) -> Task:
    facts = _object(row, "extra_info")
    question = without_placeholders(_question(row, facts))
    answers = _answers(row, facts)
    if not question or not answers:
        raise TaskError("its question or its answer is empty")
    stem, options = without_options(question)
    if not options or not all(is_among(answer, options) for answer in answers):
        stem, options = question, ()
    sources, is_video = _sources(row, images)
    name = facts.get("qid") or facts.get("index")
    source = row.optional("data_source")
    return Task(
        task_id=f"{row.file.stem}:{row.number}" if name is None else f"{row.file.stem}-{name}",
        question=stem,
        answers=answers,
        sources=sources,
        media="video" if is_video else "image" if sources else "text",
        grader="choice" if options else "number" if are_numbers(answers) else "exact",
        options=options,
        category=source if isinstance(source, str) else "",
    )


def _object(row: Row, column: str) -> Mapping[str, Any]:
    value = row.optional(column)
    if value is not None and not isinstance(value, dict):
        raise TaskError(f"{column!r} must be an object, got {shortened(value)}")
    return value or {}


def _question(row: Row, facts: Mapping[str, Any]) -> str:
    given = facts.get("question")
    if isinstance(given, str) and given.strip():
        return given
    messages = row.value("prompt")
    of_user = [
        message.get("content")
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict) and message.get("role") == "user"
    ]
    if not of_user:
        raise TaskError(f"'prompt' must hold a message of the user, got {shortened(messages)}")
    return _ABOUT_TOOLS.sub("", _text(of_user[-1]))


def _text(content: object) -> str:
    """The text of a message, whose content may be a list of parts."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))


def _answers(row: Row, facts: Mapping[str, Any]) -> tuple[str, ...]:
    answer = _object(row, "reward_model").get("ground_truth")
    if answer is None:
        answer = facts.get("answer")
    own = Row(row.file, row.number, row.location, {"ground_truth": answer})
    return reference_answers(own.texts("ground_truth"))


def _sources(row: Row, images: ImageFolder) -> tuple[tuple[Source, ...], bool]:
    """The images, and whether they are the frames of a video."""
    given = row.optional("images")
    items = [_image_of(item) for item in (given if isinstance(given, list) else [given]) if item]
    if items:
        return images.sources(items, "images"), False
    videos = row.optional("videos")
    first = (videos[0] if videos else None) if isinstance(videos, list) else videos
    video = _image_of(first)
    if isinstance(video, str):
        return images.clip(video.removeprefix("file://")), True
    if isinstance(video, list) and video:
        return images.sources(evenly(video), "videos"), True
    return (), False


def _image_of(item: object) -> Any:
    """What an entry names: {"image": path} and {"video": path or frames} are verl's own forms."""
    return (
        next((item[key] for key in ("image", "video", "path") if item.get(key)), item)
        if isinstance(item, dict)
        else item
    )


VERL = Format(
    name="verl",
    about="verl's training parquet: prompt, images, reward_model, extra_info",
    source="the scripts of TIGER-AI-Lab/verl-tool",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("images", "videos"),
    documented_in="docs/tasks.md",
)
