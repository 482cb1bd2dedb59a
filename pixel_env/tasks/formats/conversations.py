"""Conversations for fine-tuning (LLaVA, ShareGPT, LLaMA-Factory) as questions: the first question and its answer.

A row has `conversations` ([{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]) or `messages`
([{"role": "user", "content": ...}, {"role": "assistant", "content": ...}, ...]), and `image` or `images`. What follows
the first answer is not asked: it refers to what came before. Lettered options leave the question and are graded by
choice, numbers as numbers, the rest exactly, which suits short answers only.

Source: the data pages of haotian-liu/LLaVA and hiyouga/LLaMA-Factory as public converters quote them: unverified.
"""

from collections.abc import Iterator
from typing import Any

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

_COLUMNS = frozenset({"id", "image", "images", "conversations", "messages", "system", "tools", "width", "height"})
_USERS = ("human", "user")
_ASSISTANTS = ("gpt", "assistant", "model")


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    has_images = bool(columns & {"image", "images"})
    return "conversations" in columns or ("messages" in columns and has_images and "answer" not in columns)


def _task_of(row: Row, images: ImageFolder) -> Task:
    question, answer = _first_exchange(row)
    answers = reference_answers(answer)
    asked = without_placeholders(question)
    if not asked or not answers:
        raise TaskError("its question or its answer is empty")
    check_writable("conversations", asked + answer)
    stem, options = without_options(without_letter_request(asked))
    if not options or not all(is_among(given, options) for given in answers):
        stem, options = asked, ()
    sources = images.sources(row.optional("image", "images"))
    name = row.optional("id")
    return Task(
        task_id=str(name) if isinstance(name, str | int) else f"{row.file.stem}:{row.number}",
        question=stem,
        answers=answers,
        sources=sources,
        media="image" if sources else "text",
        grader="choice" if options else "number" if are_numbers(answers) else "exact",
        options=options,
    )


def _first_exchange(row: Row) -> tuple[str, str]:
    """The first turn of the user and the answer to it. Raises TaskError."""
    turns = row.value("conversations", "messages")
    question = ""
    for speaker, text in _turns(turns):
        if speaker in _USERS and not question:
            question = text
        elif speaker in _ASSISTANTS and question:
            return question, text
    raise TaskError(f"its conversation has no question that is answered, got {shortened(turns)}")


def _turns(turns: Any) -> Iterator[tuple[str, str]]:
    for turn in turns if isinstance(turns, list) else []:
        if not isinstance(turn, dict):
            continue
        speaker, content = turn.get("from") or turn.get("role"), turn.get("value") or turn.get("content")
        if isinstance(content, list):
            texts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(text for text in texts if isinstance(text, str))
        if isinstance(speaker, str) and isinstance(content, str):
            yield speaker, content


CONVERSATIONS = Format(
    name="conversations",
    about="conversations for fine-tuning (LLaVA, ShareGPT), of which the first question is asked",
    source="data pages of haotian-liu/LLaVA and hiyouga/LLaMA-Factory",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("images",),
    documented_in="docs/tasks.md",
)
