"""VisionThink-Efficient (arXiv 2507.13348): half of each side first, the whole image at its own size on request.

Depends on the parts of a dialect; independent of other rows.
"""

from dataclasses import replace

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import DRAFT, NAMED, PATTERN, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.operations.coordinates import Coordinates
from pixel_env.views import PixelBudget, ViewBudgets

_SEEN = (4 * UNIT_28, 16384 * UNIT_28)


def _halved(budgets: ViewBudgets) -> ViewBudgets:
    """The first image at half of each side; a requested one at its own size."""
    return replace(budgets, original=replace(budgets.original, scale=0.5), resized=PixelBudget(*_SEEN, 28))


ROW = PeerRow(
    Dialect(
        name="visionthink",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("fraction"),  # no operation has coordinates
        operations=("resize",),
        names={"resize": "resize_image"},
        ignored_keys=("*",),
        constants={"resize.action": "resize"},
        default_image=0,
        budgets=_halved(view_budgets(_SEEN, _SEEN, _SEEN, _SEEN, factor=28, colors="stored")),
        answer_rule="marker",
        answer_closing="</answer>",
        wording=Wording(
            question=TAGGED,
            observations={"resize": "<tool_response>\nThe resized image is shown below:\n{images}\n</tool_response>\n"},
            expected=EXPECTED_TAGGED,
        ),
    ),
    checkpoints=("Senqiao/VisionThink-Efficient",),
    repository="dvlab-research/VisionThink",
    commit="42afd8c34a4efffeb9811368469d3d890efdedf3",
    file="scripts/vllm_tool.py",
    golden="visionthink.json",
    differences={
        "pretty_printed": PATTERN,
        "wrong_tool": NAMED,
        "no_name": NAMED,
        "call_and_broken_call": TOLD,
        "draft_in_think": DRAFT,
        "draft_in_think_then_answer": DRAFT,
        "no_closing_tag": UNCLOSED,
        "third_brace": STRICT_JSON,
        "fence_in_tags": STRICT_JSON,
        "prose_in_tags": STRICT_JSON,
        "nested_braces": PATTERN,
    },
)
