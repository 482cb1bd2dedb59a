"""Qwen3.5 and Qwen3.6: native calls as XML-like functions, thoughts opened by the chat template.

The unit of boxes is that of Qwen3-VL, unverified: the model card was not read. Depends on the parts of a dialect;
independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.rows.guidelines import BOXED, TOOL_ERROR, TOOL_RESPONSE, UNIT_32
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.dialects.xml_calls import XmlCalls
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

ROW = PeerRow(
    Dialect(
        name="qwen3.5",
        calls=XmlCalls(),
        coordinates=Coordinates("grid", 1000),
        ignored_keys=("label",),
        several_calls="all",
        max_calls=5,
        edges=Edges(overhang=math.inf, min_side=32, small_box="expand"),
        budgets=view_budgets(
            (64 * UNIT_32, 4096 * UNIT_32),
            (64 * UNIT_32, 2048 * UNIT_32),
            (16 * UNIT_32, 512 * UNIT_32),
            (64 * UNIT_32, 1024 * UNIT_32),
            factor=32,
        ),
        answer_rule="any",
        text_continues=False,
        wording=Wording(
            question=BOXED,
            observations={"crop_image": TOOL_RESPONSE, "select_frames": TOOL_RESPONSE},
            failure=TOOL_ERROR,
        ),
    ),
    checkpoints=("Qwen/Qwen3.5-*", "Qwen/Qwen3.6-*"),
    repository="huggingface/trl",
    commit="v1.16.0",
    file="trl/chat_templates/qwen3_5.jinja",
)
