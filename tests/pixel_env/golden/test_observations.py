"""The message after a call has the parts that the project's own loop shows, in their order.

Texts of other people stand in the data as hashes: where theirs has one, ours has words of its own.
"""

import json
import re
from pathlib import Path

import pytest

from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.dialects.table import PEERS
from pixel_env.env import PixelEnv
from pixel_env.episode import IMAGE_SIGN, message_parts
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.samples import sample_set
from pixel_env.testing import PixelSource, tiny_task

FOLDER = Path(__file__).parent
ROWS = [name for name, row in PEERS.items() if row.golden]
OPERATIONS = {
    "crop_image": CropImage(0, Box(0.25, 0.25, 0.75, 0.75)),
    "point_zoom": PointZoom(0, (0.5, 0.5)),
    "resize": Resize(0),
    "select_segment": SelectSegment(2.0, 8.0),
    "select_range": SelectRange(0, 15),
}
SLOT = re.compile(r"\\\{\w+\\\}")


def played(dialect):
    """The environment after one executed call, and its observation."""
    is_video = "crop_image" not in dialect.operations and dialect.operations[0].startswith("select")
    task = sample_set("mvbench", count=1).tasks[0] if is_video else tiny_task(sources=(PixelSource(1600, 1200),))
    env = PixelEnv([task], dialect=dialect)
    env.reset(seed=0)
    operation = next(OPERATIONS[name] for name in dialect.operations if name in OPERATIONS)
    call = write(operation, dialect, *sizes_for(dialect, env.trajectory.views, env.budgets))
    observation, *_, info = env.step(call)
    assert info["failure"] is None, info["failure"]
    return observation


def pattern_of(part):
    """A regular expression of one part of a golden message."""
    if "image" in part:
        return IMAGE_SIGN
    if "images" in part:
        return f"(?:{IMAGE_SIGN})+"
    if "each_frame" in part:
        before = part["each_frame"].get("text", "")
        return f"(?:{SLOT.sub('.{1,9}?', re.escape(before))}{IMAGE_SIGN}\\s*)+"
    text = part["text"]
    if isinstance(text, str):
        return SLOT.sub(".{1,9}?", re.escape(text))
    begins = text.get("begins", "") if "then" in text else ""
    return SLOT.sub(".{1,9}?", re.escape(begins)) + ".*"


@pytest.mark.parametrize("name", ROWS)
def test_the_message_after_a_call_has_the_parts_of_the_projects_own(name):
    prompt = json.loads((FOLDER / PEERS[name].golden).read_text(encoding="utf-8"))["prompt"]
    theirs = prompt.get("crop") or prompt["frames"]
    observation = played(PEERS[name].dialect)
    parts = message_parts(observation["text"], len(observation["images"]))
    ours = "".join(IMAGE_SIGN if part is None else part for part in parts)
    wanted = "".join(pattern_of(part) for part in theirs["parts"])
    if theirs["role"] == "tool":  # as the chat template writes one
        wanted = rf"<tool_response>\n{wanted}</tool_response>"
    assert re.fullmatch(wanted, ours, re.DOTALL), f"{name}: ours {ours!r}, theirs {wanted!r}"
