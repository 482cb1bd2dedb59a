"""DeepEyes (arXiv 2505.14362), as its evaluation is published, and with the tool mended.

As published the model sees the image resized, writes pixels of what it sees, and the tool takes them for pixels of the
unscaled original: at 4032x4032 it returns another place. `deepeyes` reproduces that; `deepeyes-mended` reads the same
numbers as pixels of the image as shown. Depends on the parts of a dialect; independent of other rows.
"""

import math
from dataclasses import replace

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import CALL_WINS, DRAFT, NAMED, STRICT_JSON, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

_PIXELS = (4 * UNIT_28, 16384 * UNIT_28)

_PUBLISHED = Dialect(
    name="deepeyes",
    calls=JsonCalls(break_lines=True),
    coordinates=Coordinates("source_pixel"),
    operations=("crop_image",),
    names={"crop_image": "image_zoom_in_tool"},
    ignored_keys=("*",),
    default_image=0,
    several_calls="first",
    edges=Edges(overhang=math.inf, min_side=1, rounding="nearest", max_aspect=math.inf),
    budgets=view_budgets(_PIXELS, _PIXELS, _PIXELS, _PIXELS, factor=28, colors="stored"),
    answer_rule="marker",
    answer_closing="</answer>",
    wording=Wording(
        question=TAGGED,
        observations={"crop_image": "<tool_response>{images}</tool_response>"},
        failure="<tool_response>Error: {message}</tool_response>",
        expected=EXPECTED_TAGGED,
    ),
)

ROW = PeerRow(
    _PUBLISHED,
    checkpoints=("ChenShawn/DeepEyes-7B",),
    repository="Visual-Agent/DeepEyes",
    commit="6c5e79671dbff958a6f9d44848ba2ca87854f0b0",
    file="eval/eval_vstar.py",
    golden="deepeyes.json",
    differences={
        "wrong_tool": NAMED,
        "no_name": NAMED,
        "call_then_answer": CALL_WINS,
        "answer_then_call": CALL_WINS,
        "draft_in_think": DRAFT,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
    },
)

MENDED = replace(
    ROW,
    dialect=replace(_PUBLISHED, name="deepeyes-mended", coordinates=Coordinates("pixel")),
    golden="",
    differences={"all": "the numbers are pixels of the image that the model sees, not of the unscaled original"},
)
