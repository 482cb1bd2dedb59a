"""VT-VisualReasoner (verl-tool's pixel_reasoner server): fractions or pixels, decided by the numbers.

Depends on the parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import DIGITS, FINITE, NAMED, NEGATIVE, NOISE, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import BOXED, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

_SEEN = (4 * UNIT_28, 16384 * UNIT_28)
_CROP = (4 * UNIT_28, 5120 * UNIT_28)

ROW = PeerRow(
    Dialect(
        name="vt-visualreasoner",
        calls=JsonCalls(break_lines=True),
        # The published test `all(n < 1)`: a fraction box that touches the border becomes a corner of the image.
        coordinates=Coordinates("guessed", one_is_a_pixel=True),
        aliases={"zoom_in": "crop_image", "crop_image_normalized": "crop_image"},
        ignored_keys=("*",),
        digits_as_text=True,
        several_calls="first",
        stop=("</tool_call>",),
        crops_source=False,
        edges=Edges(
            overhang=math.inf,
            padding=0.1,
            padding_pixels=600,
            pads_first=True,
            min_side=1,
            rounding="down",
            max_aspect=math.inf,
        ),
        budgets=view_budgets(_SEEN, _CROP, _CROP, _CROP, factor=28, colors="stored"),
        wording=Wording(
            question=BOXED,
            observations={
                "crop_image": "Here is the cropped image. (Image Size: {width}x{height})\n{images}",
                "select_frames": "Here are the selected frames. (Frame Size: {width}x{height}, "
                "Numbered {first} to {last}):{images}",
            },
            failure="{message}",
        ),
    ),
    checkpoints=("VerlTool/pixel_reasoner-7b-grpo-n8-b128-t1.0-lr1e-6-complex-reward-new_global_step_50",),
    repository="TIGER-AI-Lab/verl-tool",
    commit="980962b4b8af660eb96421df9ecf603a2f790570",
    file="verl_tool/servers/tools/pixel_reasoner.py",
    golden="vt_visualreasoner.json",
    differences={
        "tiny": NOISE,
        "not_a_number": FINITE,
        "infinity": FINITE,
        "digits_as_text": DIGITS,
        "image_index": NEGATIVE,
        "wrong_tool": NAMED,
        "bare_arguments": TOLD,
        "two_objects_in_one_tag": TOLD,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
        "missing_brace": STRICT_JSON,
        "fence_in_tags": STRICT_JSON,
        "empty_tags": TOLD,
    },
)
