"""Pictures, films, parquet and tab-separated files that the tests of the readers write."""

import base64
import io

import pytest
from PIL import Image


def picture(path, size=(320, 240), colour="white"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def encoded(colour="white", size=(320, 240)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def film(path, frames=100):
    """A video of ten frames a second that grows brighter."""
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            image = Image.new("RGB", (64, 48), (2 * number, 2 * number, 2 * number))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return path


def as_parquet(path, rows):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def as_tsv(path, rows):
    """As pandas writes it: a cell with a tab, a quote or a line break is quoted, its quotes doubled."""
    cells = [list(rows[0]), *[list(row.values()) for row in rows]]
    lines = ["\t".join(_cell("" if value is None else str(value)) for value in row) for row in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _cell(text):
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in '\t\n"') else text
