"""Mini-o3 (arXiv 2509.07969): a bare JSON box in fractions of a named image, between `<grounding>` marks.

Depends on the parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import PATTERN, STRICT_JSON, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates, ImageNames

_PIXELS = (40_000, 2_000_000)

ROW = PeerRow(
    Dialect(
        name="mini-o3",
        calls=JsonCalls("<grounding>", "</grounding>", bare="crop_image"),
        coordinates=Coordinates("fraction"),
        operations=("crop_image",),
        keys={"image": "source"},
        image_names=ImageNames("observation_{number}", "original_image"),
        first_index=0,
        several_calls="first",
        stop=("</grounding>",),
        edges=Edges(overhang=math.inf, min_side=1, rounding="down", last_pixel=True),
        budgets=view_budgets(_PIXELS, _PIXELS, _PIXELS, _PIXELS, factor=28),
        answer_rule="marker",
        answer_closing="</answer>",
        wording=Wording(
            question=TAGGED,
            observations={
                "crop_image": "After the above Action {call}, here is the zoomed-in image (Observation {number}):\n"
                "{images}.\nContinue, and zoom in further if you need to."
            },
            failure="ERROR occurs during grounding. Error Information: {message}.\n",
            expected=EXPECTED_TAGGED,
        ),
    ),
    checkpoints=("Mini-o3/Mini-o3-7B-v1", "Mini-o3/Mini-o3-7B-SFT"),
    repository="Mini-o3/Mini-o3",
    commit="8654dbf42d2ea98b9d81b6cc7179026dd0598fdf",
    file="verl/workers/rollout/vllm_rollout/vllm_async_engine.py",
    golden="mini_o3.json",
    differences={
        "source_before_box": PATTERN,
        "expression_in_box": STRICT_JSON,
        "no_closing_tag": UNCLOSED,
        "trailing_comma": STRICT_JSON,
        "no_white_space": PATTERN,
        "pretty_printed": PATTERN,
    },
)
