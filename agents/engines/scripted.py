"""An engine that plays a script instead of a model, and a chat format that needs no tokenizer.

Together they make a whole rollout run on numpy alone: for tests, for `play`, and to see what an environment does.
Knows ids and texts. Imports no model library.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agents.chat.format import ChatFormat
from agents.engines.protocol import Request, Response


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """What a script answers: the conversation's text, how many turns it has answered, and the request itself."""

    text: str
    turn: int
    request: Request


Script = Callable[[Conversation], str]


def in_turn(*texts: str) -> Script:
    """The script that says `texts` one after the other, in every episode, and stays with the last."""
    return lambda conversation: texts[min(conversation.turn, len(texts) - 1)]


class ScriptedEngine:
    """Says what `script` says. A text longer than the request allows is cut, as a model's is."""

    static = False

    def __init__(self, script: Script, chat: ChatFormat) -> None:
        self._script = script
        self._chat = chat
        self._queue: list[Request] = []

    @property
    def in_flight(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def submit(self, request: Request) -> None:
        """Queue `request`."""
        self._queue.append(request)

    def cancel(self) -> None:
        """Empty the queue."""
        self._queue.clear()

    def poll(self) -> list[Response]:
        """Responses to everything that is queued, by request id."""
        queue, self._queue = sorted(self._queue, key=lambda request: request.request_id), []
        return [self._answer(request) for request in queue]

    def _answer(self, request: Request) -> Response:
        # A system turn, if any, ends once; every user turn and every finished answer once.
        turn = (request.prompt_ids.count(self._chat.end_id) - 1) // 2
        try:
            text = self._script(Conversation(self._chat.decode(request.prompt_ids), turn, request))
        except Exception as error:
            return Response(request.request_id, (), (), ended=True, error=f"{type(error).__name__}: {error}")
        ids = self._chat.encode(text)
        kept = ids[: request.max_new_tokens]
        return Response(request.request_id, kept, (0.0,) * len(kept), ended=len(kept) == len(ids))
