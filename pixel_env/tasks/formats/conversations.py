"""Conversations for fine-tuning (LLaVA, ShareGPT, LLaMA-Factory, Qwen-VL) as questions: the first and its answer.

A row has `conversations` ([{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]) or `messages`
([{"role": "user", "content": ...}, {"role": "assistant", "content": ...}, ...]). Its images are those of the first
question, and no later ones: named in it (`<img>PATH</img>`, {"type": "image", "image": PATH}), or as many of the column
`image` or `images` as it has placeholders `<image>`. What follows the first answer is not asked: it refers to what came
before. Lettered options leave the question and are graded by choice, numbers as numbers, the rest exactly, which suits
short answers only.

Source: the data pages of haotian-liu/LLaVA, hiyouga/LLaMA-Factory and QwenLM/Qwen-VL as public converters quote them:
unverified.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, check_writable, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import (
    are_numbers,
    is_among,
    reference_answers,
    without_letter_request,
    without_options,
    without_placeholders,
)
from pixel_env.views import Source

_COLUMNS = frozenset(
    {"id", "image", "images", "video", "videos", "conversations", "messages", "system", "tools", "width", "height"}
)
_USERS = ("human", "user")
_ASSISTANTS = ("gpt", "assistant", "model")
_NAMED_IMAGE = re.compile(r"(?:Picture \d+:\s*)?<img>(?P<path>.*?)</img>\s*", re.DOTALL)
_PLACEHOLDER, _VIDEO = "<image>", "<video>"


@dataclass(frozen=True, slots=True)
class _Turn:
    """`named`: the images that it names itself; `placeholders`: how many it takes from the row's column."""

    speaker: str
    text: str
    named: tuple[object, ...]
    placeholders: int


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    is_asked_elsewhere = columns & {"answer", "question", "prompt"}
    has_images = bool(columns & {"image", "images"}) and "answer" not in columns
    return "conversations" in columns or ("messages" in columns and (has_images or not is_asked_elsewhere))


def _task_of(row: Row, images: ImageFolder) -> Task:
    turns = tuple(_turns(row.value("conversations", "messages")))
    question, answer = _first_exchange(row, turns)
    answers = reference_answers(answer.text)
    asked = without_placeholders(question.text)
    if not asked or not answers:
        raise TaskError("its question or its answer is empty")
    check_writable("conversations", asked + answer.text)
    _check_is_no_call(answer.text)
    stem, options = without_options(without_letter_request(asked))
    if not options or not all(is_among(given, options) for given in answers):
        stem, options = asked, ()
    sources, is_video = _sources(row, question, turns, images)
    name = row.optional("id")
    return Task(
        task_id=str(name) if isinstance(name, str | int) else f"{row.file.stem}:{row.number}",
        question=stem,
        answers=answers,
        sources=sources,
        media="video" if is_video else "image" if sources else "text",
        grader="choice" if options else "number" if are_numbers(answers) else "exact",
        options=options,
    )


def _first_exchange(row: Row, turns: Sequence[_Turn]) -> tuple[_Turn, _Turn]:
    """The first turn of the user and the answer to it. Raises TaskError."""
    question: _Turn | None = None
    for turn in turns:
        if turn.speaker in _USERS and question is None:
            question = turn
        elif turn.speaker in _ASSISTANTS and question is not None:
            return question, turn
    given = shortened(row.value("conversations", "messages"))
    raise TaskError(f"its conversation has no question that is answered, got {given}")


def _check_is_no_call(answer: str) -> None:
    """Raises TaskError for a demonstration: its first turn is a call, and its answer a later turn."""
    marks = {dialect.calls.markers[0] for dialect in DIALECTS.values()}
    if called := next((mark for mark in sorted(marks) if mark in answer), None):
        raise TaskError(
            f"its first answer holds a call ({called}), so it is a demonstration; pixel-env convert reads it as a trace"
        )


def _sources(row: Row, question: _Turn, turns: Sequence[_Turn], images: ImageFolder) -> tuple[tuple[Source, ...], bool]:
    """What the first question shows, and whether it is a video. Raises TaskError if that cannot be told."""
    given = row.optional("image", "images")
    column: Sequence[object] = () if given is None else given if isinstance(given, list | tuple) else [given]
    has_video = not column and row.optional("videos", "video") is not None
    if _VIDEO in question.text or (has_video and question.placeholders):
        return _clip(row, images), True
    if question.named:
        if column or question.placeholders:
            raise TaskError("its question names images, and the row has others; give them in one of the two ways")
        return images.sources(question.named), False
    placed = sum(turn.placeholders for turn in turns)
    if placed and (question.placeholders > len(column) or placed < len(column)):
        raise TaskError(
            f"its turns hold {placed} placeholders of images, the first question {question.placeholders} of these, and "
            f"the row has {len(column)} images; give one placeholder for each image"
        )
    return images.sources(list(column[: question.placeholders] if placed else column)), False


def _clip(row: Row, images: ImageFolder) -> tuple[Source, ...]:
    given = row.optional("videos", "video")
    videos = given if isinstance(given, list) else [given]
    if len(videos) != 1 or not isinstance(videos[0], str):
        raise TaskError(f"its question shows one video, whose path 'videos' must hold, got {shortened(given)}")
    return images.clip(videos[0].removeprefix("file://"))


def _turns(turns: Any) -> Iterator[_Turn]:
    for turn in turns if isinstance(turns, list) else []:
        if not isinstance(turn, dict):
            continue
        speaker, content = turn.get("from") or turn.get("role"), turn.get("value") or turn.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if isinstance(speaker, str):
            yield _turn(speaker, [part for part in parts if isinstance(part, dict)])


def _turn(speaker: str, parts: Sequence[dict[str, Any]]) -> _Turn:
    text = "\n".join(part["text"] for part in parts if isinstance(part.get("text"), str))
    held = [_image_of(part) for part in parts if part.get("type") in ("image", "image_url")]
    named = [*(image for image in held if image), *(found["path"].strip() for found in _NAMED_IMAGE.finditer(text))]
    bare = sum(not image for image in held)
    return _Turn(speaker, _NAMED_IMAGE.sub("", text), tuple(named), text.count(_PLACEHOLDER) + bare)


def _image_of(part: dict[str, Any]) -> object:
    """The path or image that a part holds; None for one that stands for an image of the row's column."""
    held = part.get("image") or part.get("image_url") or part.get("path") or part.get("url")
    return held.get("url") if isinstance(held, dict) else held


CONVERSATIONS = Format(
    name="conversations",
    about="conversations for fine-tuning (LLaVA, ShareGPT, Qwen-VL), of which the first question is asked",
    source="data pages of haotian-liu/LLaVA, hiyouga/LLaMA-Factory and QwenLM/Qwen-VL",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("images", "videos"),
    documented_in="docs/tasks.md",
)
