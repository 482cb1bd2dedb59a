"""The body of a response, read up to a number of bytes: what a server sends beyond it is never held.

Depends on chunks of bytes and zlib; independent of connections and formats.
"""

import zlib
from collections.abc import AsyncIterator

ACCEPTED_ENCODING = "identity"
"""The header Accept-Encoding of requests: replies are small, and a compressed one may expand a thousandfold."""
BYTES_PER_TOKEN = 64
"""More than tokens of a text have: a turn with more bytes comes from a server that ignores the limit of tokens."""
_ESCAPED = 6  # bytes of JSON for one byte of text, at most: a control character as an escape
_BYTES_BESIDES = 2**18
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


class TooLongError(Exception):
    """A body has more bytes than were allowed."""


class UnreadableBodyError(Exception):
    """A body is not encoded as its header says, or in a way that was not accepted."""


def most_bytes(max_tokens: int) -> int:
    """The most bytes that a response with at most `max_tokens` tokens may have."""
    return max_tokens * BYTES_PER_TOKEN * _ESCAPED + _BYTES_BESIDES


async def read_body(chunks: AsyncIterator[bytes], encoding: str, max_bytes: int) -> bytes:
    """The decoded body; `chunks`: as they arrive; `encoding`: the header Content-Encoding, "" for none.

    Raises TooLongError once it has more than `max_bytes`, decoded, and UnreadableBodyError.
    """
    name = encoding.strip().lower()
    if name not in _ENCODINGS:
        raise UnreadableBodyError(f"the body is encoded as {name[:40]!r}, and only {ACCEPTED_ENCODING} was accepted")
    decoder = None if name in ("", "identity") else zlib.decompressobj(_GZIP_OR_ZLIB)
    body = bytearray()
    async for chunk in chunks:
        room = max_bytes + 1 - len(body)
        try:
            body += chunk[:room] if decoder is None else decoder.decompress(chunk, room)
        except zlib.error as error:
            raise UnreadableBodyError(f"the body is not {name}: {error}") from error
        if len(body) > max_bytes:
            raise TooLongError(f"the body is longer than {max_bytes:,} bytes")
    return bytes(body)
