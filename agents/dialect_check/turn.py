"""One turn that a model samples, and what a dialect reads in it.

Depends on engines and the environment; independent of templates and tokenizers.
"""

from collections.abc import Iterator

from agents.chat.chat import Chat
from agents.dialect_check.finding import Finding, note, ok, problem
from agents.engines.protocol import Engine, Request
from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.episode import Answer, Malformed, Text, Unfinished
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.operations.operation import Operation
from pixel_env.task import TaskSet
from pixel_env.views import View

_SHOWN = 200


def turn_findings(
    engine: Engine, chat: Chat, dialect: Dialect, task_set: TaskSet, max_new_tokens: int
) -> Iterator[Finding]:
    """What the model writes, greedily, to the first task of `task_set`, and what the dialect reads in it."""
    env = PixelEnv(task_set, dialect=dialect)
    observation, _ = env.reset(seed=0, options={"task_id": task_set.tasks[0].task_id})
    task, views = env.trajectory.task, env.trajectory.views
    frames = len(task.sources) if chat.video_entry and task.media == "video" else 0
    prompt = chat.open(env.trajectory.prompt, observation["images"], video_frames=frames)
    request = Request(
        request_id=0,
        prompt_ids=prompt + (chat.fragment(env.prefill) if env.prefill else ()),
        images=observation["images"],
        max_new_tokens=max_new_tokens,
        temperature=0.0,
        seed=0,
        banned_ids=chat.banned_ids,
        video_frames=frames,
        stop=dialect.stop,
    )
    engine.submit(request)
    responses = engine.poll()
    while not responses:
        responses = engine.poll()
    [response] = responses
    if response.error is not None:
        yield problem(f"no turn can be sampled: {response.error}")
        return
    text = chat.opens + env.prefill + chat.decode(response.token_ids)
    said = text if response.ended else Unfinished(text)
    cut = "" if response.ended else f", cut after {max_new_tokens} tokens"
    yield note(f"the model writes to {task.task_id}: {_shortened(text)!r}{cut}")
    env.step(said)
    yield _reading(env, said, views)


def _reading(env: PixelEnv, said: str, views: tuple[View, ...]) -> Finding:
    """What the turn was read as; `views`: the images that the model saw."""
    turn, dialect = env.trajectory.turns[0], env.dialect
    others = _other_rows(said, dialect, env, views)
    rows = f" These rows read a call in it: {', '.join(others)}. Give --dialect {others[0]}." if others else ""
    match turn.action:
        case Operation() if turn.failure is None:
            return ok(f"the turn is read as a call, and executed: {turn.action.shown()}")
        case Operation():
            return note(f"the turn is read as a call, and refused: {turn.observation.strip()}")
        case Answer(text):
            return ok(f"the turn is read as an answer: {_shortened(text)!r}")
        case Malformed(code, reason) if isinstance(said, Unfinished) and not others:
            return note(f"the turn is read as a call that cannot be read ({code.value}). Give more --max_new_tokens.")
        case Malformed(code, reason):
            return problem(f"the turn is read as a call that cannot be read ({code.value}): {reason}{rows}")
        case Text() if others:
            return problem(f"the turn is read as text.{rows}")
        case Text() if isinstance(said, Unfinished):
            return note("the turn is read as text that is not finished. Give more --max_new_tokens.")
        case Text():
            return note("the turn is read as text, and no row of the table reads a call in it.")


def _other_rows(said: str, dialect: Dialect, env: PixelEnv, views: tuple[View, ...]) -> list[str]:
    """The rows of the table that read a call in the turn."""
    shown, sources = [shown_size(view, env.budgets) for view in views], [native_size(view) for view in views]
    others = [(name, row) for name, row in DIALECTS.items() if name != dialect.name]
    return [name for name, row in others if isinstance(parse(said, row, shown, sources), Operation)]


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
