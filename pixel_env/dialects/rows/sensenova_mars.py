"""SenseNova-MARS (crop tool alone): a box on a grid of 1000 of the original, whatever image the call names.

Depends on the parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import DRAFT, FINITE, KEY, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED, TOOL_ERROR
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

_PIXELS = (65_536, 8_294_400)

ROW = PeerRow(
    Dialect(
        name="sensenova-mars",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("grid", 1000),
        operations=("crop_image",),
        names={"crop_image": "image_zoom_in_tool"},
        ignored_keys=("*",),
        digits_as_text=True,
        default_image=0,
        several_calls="first",
        edges=Edges(overhang=math.inf, min_side=1, rounding="down", max_aspect=math.inf),
        budgets=view_budgets(_PIXELS, _PIXELS, _PIXELS, _PIXELS, factor=32, colors="stored"),
        answer_rule="any",
        answer_closing="</answer>",
        text_continues=False,
        wording=Wording(
            question=TAGGED,
            observations={"crop_image": "<tool_response>\nHere is the zoomed image:{images}\n</tool_response>"},
            failure=TOOL_ERROR,
            expected=EXPECTED_TAGGED,
        ),
    ),
    checkpoints=("sensenova/SenseNova-MARS-8B", "sensenova/SenseNova-MARS-32B"),
    repository="OpenSenseNova/SenseNova-MARS",
    commit="ce052d7efe599bf3af0e2db2dcfdbda7d0183704",
    file="inference/eval.py",
    golden="sensenova_mars.json",
    differences={
        "not_a_number": FINITE,
        "infinity": FINITE,
        "key_bbox": KEY,
        "two_objects_in_one_tag": TOLD,
        "draft_in_think": DRAFT,
        "draft_in_think_then_answer": DRAFT,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
        "missing_brace": STRICT_JSON,
        "fence_in_tags": STRICT_JSON,
        "empty_tags": TOLD,
    },
)
