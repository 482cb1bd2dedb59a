"""Films of every codec and container that PyAV writes, with noise in every frame: two frames are never equal."""

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av")

WIDTH, HEIGHT, FRAMES, GROUP = 96, 64, 40, 8

CODECS = {
    "h264": ("libx264", {"bf": "2", "sc_threshold": "0", "preset": "ultrafast"}),
    "h264-open": ("libx264", {"x264-params": f"open-gop=1:scenecut=0:keyint={GROUP}:bframes=3"}),
    "h264-refresh": ("libx264", {"x264-params": f"intra-refresh=1:keyint={GROUP}:scenecut=0:bframes=0"}),
    "h264-fields": ("libx264", {"x264-params": "interlaced=1:scenecut=0", "bf": "2"}),
    "hevc": ("libx265", {"x265-params": f"open-gop=1:keyint={GROUP}:bframes=3:log-level=none", "preset": "ultrafast"}),
    "mpeg4": ("mpeg4", {"bf": "2"}),
    "mpeg2": ("mpeg2video", {"bf": "2"}),
    "vp8": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "realtime", "cpu-used": "8"}),
    "vp9": ("libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "realtime", "cpu-used": "8"}),
    "av1": ("libsvtav1", {"preset": "12"}),
    "mjpeg": ("mjpeg", {}),
    "wmv2": ("wmv2", {}),
    "flv1": ("flv", {}),
    "prores": ("prores_ks", {}),
    "qtrle": ("qtrle", {}),
}
PIXELS = {"prores": "yuv422p10le", "qtrle": "rgb24", "mjpeg": "yuvj420p"}
CONTAINERS = {"m2ts": "mpegts", "vob": "vob"}
VARYING = np.cumsum(np.random.default_rng(1).integers(10, 400, FRAMES)).tolist()
"""When the frames of a film of varying rate begin, in milliseconds."""


def film_of(path, codec, *, frames=FRAMES, times_ms=None, late=0, cut=0, matrix=None, options=None, title=None):
    """A film. `late`: frames by which it begins after 0; `cut`: packets that its start lacks."""
    name, codec_options = CODECS[codec]
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", format=CONTAINERS.get(path.suffix[1:]), options=options or {}) as container:
        stream = container.add_stream(name, rate=25 if codec == "mpeg2" else 10, options=codec_options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, PIXELS.get(codec, "yuv420p")
        stream.gop_size = GROUP
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if title is not None:
            container.metadata["title"] = title
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        packets = []
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[number], Fraction(1, 1000)
            elif late:
                frame.pts, frame.time_base = number + late, Fraction(1, 10)
            packets += stream.encode(frame)
        for packet in [*packets, *stream.encode()][cut:]:
            container.mux(packet)
    return path


def decoded_forward(path):
    """The RGB pixels of every frame, decoded from the start of the file to its end."""
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.best("video")
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
