"""GLM-4.5V: native calls as a name with keys and values, answers between box tokens.

Whether the vision models' template equals that of the text models (GLM-4.5) was not seen: unverified. Depends on the
parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.argument_calls import ArgumentCalls
from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.rows.guidelines import BOXED, TOOL_ERROR, TOOL_RESPONSE, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

ROW = PeerRow(
    Dialect(
        name="glm-4.5v",
        calls=ArgumentCalls(),
        coordinates=Coordinates("grid", 1000),
        ignored_keys=("label",),
        several_calls="all",
        max_calls=5,
        edges=Edges(overhang=math.inf, min_side=28, small_box="expand"),
        budgets=view_budgets(
            (16 * UNIT_28, 6144 * UNIT_28),
            (16 * UNIT_28, 2048 * UNIT_28),
            (16 * UNIT_28, 512 * UNIT_28),
            (16 * UNIT_28, 1024 * UNIT_28),
            factor=28,
        ),
        answer_rule="any",
        answer_marker="<|begin_of_box|>",
        answer_closing="<|end_of_box|>",
        text_continues=False,
        wording=Wording(
            question=BOXED,
            observations={"crop_image": TOOL_RESPONSE, "select_frames": TOOL_RESPONSE},
            failure=TOOL_ERROR,
        ),
    ),
    checkpoints=("zai-org/GLM-4.5V",),
    repository="zai-org/GLM-V",
    commit="8fc9756",
    file="README.md",
)
