"""Films whose frames show their number: shared by the tests of videos."""

from fractions import Fraction

import numpy as np
import pytest

BITS, BAR = 8, 16


def film(path, *, frames=120, group=12, b_frames=2, rate=10, times_ms=None):
    """A film whose frames show their number, as bars that are bright for the bits that are set.

    `times_ms`: when each frame begins, in milliseconds, where the rate varies.
    """
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"bf": str(b_frames), "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = BITS * BAR, 64, "yuv420p", group
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            bars = [255 if number >> bit & 1 else 0 for bit in range(BITS)]
            pixels = np.repeat(np.array(bars, np.uint8), BAR)[None, :, None].repeat(64, 0).repeat(3, 2)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def number_shown(picture):
    bars = np.asarray(picture.convert("L"))[:, BAR // 2 :: BAR].mean(axis=0)
    return sum(1 << bit for bit, value in enumerate(bars) if value > 127)
