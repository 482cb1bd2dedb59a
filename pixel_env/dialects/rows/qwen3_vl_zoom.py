"""Qwen3-VL's zoom tool of its cookbook and Qwen-Agent, which Zooming-without-Zooming plays, too.

Depends on the parts of a dialect; independent of other rows.
"""

import math
from dataclasses import replace

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import FINITE, LABEL, NEGATIVE, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import BOXED, TOOL_ERROR, TOOL_RESPONSE, UNIT_32
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates
from pixel_env.views import ViewBudgets

_SEEN = (64 * UNIT_32, 16384 * UNIT_32)
_CROP = (256 * UNIT_32, 12544 * UNIT_32)


def _with_short_side(budgets: ViewBudgets) -> ViewBudgets:
    """Local files are first shrunk to a short side of 1080 pixels (qwen_agent/llm/qwenvl_oai.py:109)."""
    return replace(
        budgets,
        original=replace(budgets.original, max_short_side=1080),
        crop=replace(budgets.crop, max_short_side=1080, min_pixels=64 * UNIT_32),
    )


ROW = PeerRow(
    Dialect(
        name="qwen3-vl-zoom",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("grid", 1000),
        operations=("crop_image",),
        names={"crop_image": "image_zoom_in_tool"},
        keys={"image": "img_idx"},
        ignored_keys=("*",),
        first_index=0,
        several_calls="all",
        max_calls=20,
        edges=Edges(overhang=math.inf, min_side=32, small_box="scale", rounding="nearest", max_aspect=math.inf),
        budgets=_with_short_side(view_budgets(_SEEN, _CROP, _SEEN, _CROP, factor=32, colors="stored")),
        answer_rule="any",
        text_continues=False,
        wording=Wording(
            question=BOXED,
            observations={"crop_image": TOOL_RESPONSE},
            failure=TOOL_ERROR,
        ),
    ),
    checkpoints=("Qwen/Qwen3-VL-*-Instruct",),
    repository="QwenLM/Qwen-Agent",
    commit="31a4d36d123688581a9e9744427272b33ce940e0",
    file="qwen_agent/tools/image_zoom_in_qwen3vl.py",
    golden="qwen3_vl.json",
    differences={
        "not_a_number": FINITE,
        "infinity": FINITE,
        "image_index": NEGATIVE,
        "missing_label": LABEL,
        "label_is_null": LABEL,
        "key_parameters": TOLD,
        "bare_arguments": TOLD,
        "comment": STRICT_JSON,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
        "empty_text": TOLD,
        "crop_of_a_crop": NEGATIVE,
    },
)
