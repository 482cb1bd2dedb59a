"""Rows that are parts of one episode: a row whose messages begin those of another row is a part of it.

Depends on conversations and forms; independent of traces.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from synth.conversion.conversations import Conversation


@dataclass(frozen=True, slots=True)
class Parts:
    """`ends`: where rows end; `inner`: where a turn ends within a row. Both as hashes of the messages up to there."""

    ends: frozenset[bytes] = frozenset()
    inner: frozenset[bytes] = frozenset()

    @classmethod
    def among(cls, rows: Iterable[tuple[str, Conversation]]) -> "Parts":
        """The parts among rows, each with the name of its episode; "" for a row that is a whole episode."""
        ends, inner = set[bytes](), set[bytes]()
        for name, conversation in rows:
            *before, last = list(_turn_ends(name, conversation)) or [b""]
            if name:
                ends.add(last)
                inner.update(before)
        return cls(frozenset(ends), frozenset(inner))

    def is_part(self, name: str, conversation: Conversation) -> bool:
        """Whether another row of the episode goes on where this one ends."""
        ends = list(_turn_ends(name, conversation))
        return bool(name and ends) and ends[-1] in self.inner

    def with_trained_turns(self, name: str, conversation: Conversation) -> Conversation:
        """The conversation in which those turns are trained with which a row ends."""
        ends = _turn_ends(name, conversation)
        messages = tuple(
            replace(message, train=next(ends) in self.ends) if message.role == "assistant" else message
            for message in conversation.messages
        )
        return replace(conversation, messages=messages) if name else conversation


def _turn_ends(name: str, conversation: Conversation) -> Iterator[bytes]:
    """For each turn of the assistant, a hash of all messages up to its end."""
    hashed = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16)
    for message in conversation.messages:
        hashed.update(f"\0{message.role}\0{message.text}".encode("utf-8", "surrogatepass"))
        if message.role == "assistant":
            yield hashed.digest()
