"""PNG files written chunk by chunk, of depths that Pillow does not write."""

import struct
import zlib

GREY, RGB, PALETTE = 0, 2, 3


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, rows, depth, colour_type, *chunks):
    """A PNG of these rows of packed bytes; `chunks` stand before the pixels."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + pixels + chunk(b"IEND", b"")
