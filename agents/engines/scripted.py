"""An engine that plays a script instead of a model.

With `PlainChat`, which needs no tokenizer, a whole rollout runs on numpy alone: for tests, for `play`, and to see what
an environment does. Depends on ids and texts; independent of model libraries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.chat.format import ChatFormat
from agents.chat.plain import PlainChat
from agents.engines.choice import EngineChoice
from agents.engines.protocol import Request, Response
from agents.engines.queued import QueuedEngine
from pixel_env.dialects.dialect import Dialect


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """The argument of a script: the conversation's text, the number of turns answered so far, and the request."""

    text: str
    turn: int
    request: Request


Script = Callable[[Conversation], str]


def in_turn(*texts: str) -> Script:
    """The script that replies with `texts` one after the other, in every episode, and repeats the last."""
    return lambda conversation: texts[min(conversation.turn, len(texts) - 1)]


def load_scripted(choice: EngineChoice, dialect: Dialect) -> "tuple[ScriptedEngine, PlainChat]":
    """The loader of `--engine scripted`: its own turns are empty, because a player's are its policy's."""
    chat = PlainChat(dialect)
    return ScriptedEngine(in_turn(""), chat), chat


class ScriptedEngine(QueuedEngine):
    """Replies with what `script` returns. A text longer than the request allows is truncated, as a model's is."""

    static = False

    def __init__(self, script: Script, chat: ChatFormat) -> None:
        super().__init__()
        self._script = script
        self._chat = chat

    def answers(self, requests: Sequence[Request]) -> list[Response]:
        """What the script replies, by request id."""
        return [self._answer(request) for request in sorted(requests, key=lambda request: request.request_id)]

    def _answer(self, request: Request) -> Response:
        # A system turn, if any, ends once; every user turn and every finished answer once.
        turn = (request.prompt_ids.count(self._chat.end_id) - 1) // 2
        try:
            text = self._script(Conversation(self._chat.decode(request.prompt_ids), turn, request))
        except Exception as error:
            return Response(request.request_id, (), (), ended=True, error=f"{type(error).__name__}: {error}")
        ids = self._chat.encode(text.removeprefix(request.opening))
        kept = ids[: request.max_new_tokens]
        return Response(request.request_id, kept, (0.0,) * len(kept), ended=len(kept) == len(ids))
