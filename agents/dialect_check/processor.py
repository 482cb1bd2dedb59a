"""Whether a processor (template, tokenizer, images, videos) fits a dialect.

Depends on chat formats; independent of weights and engines.
"""

from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError

from agents.chat.chat import Chat
from agents.chat.template import read_frame, renderer
from agents.dialect_check.finding import Finding, note, ok, problem
from pixel_env.dialect_report.examples import calls_of
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.views import PixelBudget, ViewKind


def template_findings(processor: Any, dialect: Dialect) -> Iterator[Finding]:
    """Whether the chat template can be rendered turn by turn, with images where the dialect puts them."""
    name = type(processor).__name__
    if missing := [part for part in ("tokenizer", "image_processor", "image_token_id") if not hasattr(processor, part)]:
        yield problem(f"{name} has no {', '.join(missing)}: it reads no images. Give a model that reads images.")
        return
    if not processor.chat_template:
        yield problem(
            f"{name} has no chat template. Set processor.chat_template, or give the chat version of the model."
        )
        return
    try:
        frame = read_frame(renderer(processor))
    except ConfigError as error:
        yield problem(str(error))
        return
    except TemplateError as error:
        yield problem(
            f"the chat template of {name} refuses a conversation of a system text, a question and two turns: {error}. "
            "Set processor.chat_template to one that takes it."
        )
        return
    except TypeError:  # it joins the list of parts to a text
        yield problem(f"the chat template of {name} takes texts alone, no images. Give a model that reads images.")
        return
    yield ok("the chat template is rendered turn by turn")
    if dialect.interleaves:
        yield _interleaving(processor, dialect)
    if frame.opens:
        yield _opening(frame.opens, dialect)


def _interleaving(processor: Any, dialect: Dialect) -> Finding:
    try:
        read_frame(renderer(processor), interleaves=True)
    except ConfigError:
        return problem(
            f"the dialect {dialect.name!r} has images between or after texts, and the chat template moves them. Set "
            "processor.chat_template to one that keeps the order of a message's parts, or take {images} out of the "
            "dialect's wording."
        )
    return ok("images stand between the texts where the dialect puts them")


def _opening(opens: str, dialect: Dialect) -> Finding:
    if dialect.thought_closing:
        return ok(f"the template opens every turn with {opens!r}; the thought ends with {dialect.thought_closing!r}")
    return problem(
        f"the template opens every turn with {opens!r}, and the dialect has no thought_closing, so that a thought is "
        "read as part of the turn. Set thought_closing, such as </think>."
    )


# --------------------------------------------------------------------------------------------------- images and videos


def image_findings(chat: Chat, dialect: Dialect) -> Iterator[Finding]:
    """Whether images are shown in multiples that the processor reads, and whether a video can be one entry."""
    name = type(chat.processor).__name__
    try:
        factor = chat.image_factor
    except AttributeError:
        yield problem(f"the image processor of {name} has no patch_size and merge_size. Give a model of Qwen's kind.")
        return
    budgets = {kind.value: getattr(dialect.budgets, kind.value) for kind in ViewKind}
    given = {kind: budget for kind, budget in budgets.items() if isinstance(budget, PixelBudget)}
    if wrong := {kind: budget.factor for kind, budget in given.items() if budget.factor % factor}:
        yield _wrong_factor(name, factor, wrong, dialect)
    else:
        yield ok(f"images are shown in multiples of {factor} pixels")
    if dialect.video_entry:
        try:
            yield ok(f"a video is one entry of the prompt, {chat.frames_per_step} frames a step")
        except ConfigError as error:
            yield problem(str(error))


def _wrong_factor(name: str, factor: int, wrong: dict[str, int], dialect: Dialect) -> Finding:
    shown = " and ".join(str(one) for one in sorted(set(wrong.values())))
    fitting = [row for row, other in DIALECTS.items() if other.budgets.original.factor == factor]
    others = f"Give a dialect of that factor ({', '.join(fitting)}), or a" if fitting else "Give a"
    budgets = ", ".join(f"{kind}: {{factor: {factor}}}" for kind in wrong)
    base = dialect.name.partition("+")[0]
    return problem(
        f"images are shown in multiples of {shown} pixels, but {name} reads multiples of {factor}. {others} file with "
        f"`base: {base}` and `budgets: {{{budgets}}}`."
    )


# --------------------------------------------------------------------------------------------------------------- marks


def mark_findings(chat: Chat, dialect: Dialect, task_set: TaskSet) -> Iterator[Finding]:
    """Whether the marks of calls and answers can be sampled, how many tokens they are, and what decoding makes of them.

    `task_set`: its first task is played for the examples of calls.
    """
    marks = _marks(dialect)
    special = [token.content for token in chat.processor.tokenizer.added_tokens_decoder.values() if token.special]
    for mark in marks:
        for token in special:
            if token in mark:
                yield problem(
                    f"{mark!r} holds {token!r}, a special token of this tokenizer, which is never sampled, so no turn "
                    "can have it. Give the dialect another mark, or mark the token as not special."
                )
    if dialect.offers_calls:
        opening = dialect.calls.opening
        if (count := len(chat.fragment(opening))) == 1:
            yield ok(f"{opening!r}, which opens a call, is one token: calls can be forbidden")
        else:
            yield note(
                f"{opening!r}, which opens a call, is {count} tokens: calls cannot be forbidden, so policies without "
                "calls are left out. To have them, add it to the tokenizer and train its embedding."
            )
    for mark in marks[1 if dialect.offers_calls else 0 :]:
        count = len(chat.fragment(mark))
        yield ok(f"{mark!r} is {'one token' if count == 1 else f'{count} tokens'}")
    yield from _decoded(chat, dialect, task_set)


def _marks(dialect: Dialect) -> list[str]:
    """The texts with a meaning, the opening of a call first."""
    calls = [dialect.calls.opening, *dialect.calls.markers] if dialect.offers_calls else []
    marks_answers = dialect.answer_rule == "marker" or bool(dialect.answer_closing)
    answers = [dialect.answer_marker, dialect.answer_closing] if marks_answers else []
    return [mark for mark in dict.fromkeys([*calls, *answers, dialect.thought_closing, *dialect.stop]) if mark]


def _decoded(chat: Chat, dialect: Dialect, task_set: TaskSet) -> Iterator[Finding]:
    """Whether calls are the same text after encoding and decoding."""
    calls = [example.turn for example in calls_of(dialect, task_set) if example.turn]
    changed = [(call, back) for call in calls if (back := chat.decode(chat.encode(call))) != call]
    for call, back in changed:
        yield problem(f"the tokenizer changes a call: {call!r} is decoded as {back!r}. Use the model's own tokenizer.")
    if calls and not changed:
        yield ok("calls are the same text after encoding and decoding")
