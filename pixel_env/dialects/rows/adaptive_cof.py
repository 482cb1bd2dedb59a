"""Adaptive-CoF, also Chain-of-Focus (arXiv 2505.15436): a box in pixels of the shown image, widened and magnified.

Depends on the parts of a dialect; independent of other rows.
"""

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import BOOLEANS, DRAFT, NAMED, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import BOXED, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

_SEEN = (4 * UNIT_28, 16384 * UNIT_28)
_CROP = (112 * 112, 3840 * 3840)

ROW = PeerRow(
    Dialect(
        name="adaptive-cof",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("pixel"),
        operations=("crop_image",),
        names={"crop_image": "image_zoom_in_tool"},
        ignored_keys=("*",),
        default_image=0,
        several_calls="first",
        crops_source=False,
        edges=Edges(
            overhang=0.0,
            enlarge=1.5,
            min_side=1,
            rounding="down",
            magnify=2.0,
            magnified_pixels=_CROP[1],
            whole_image_on_failure=True,
        ),
        budgets=view_budgets(_SEEN, _CROP, _SEEN, _CROP, factor=28, colors="stored"),
        answer_rule="any",
        text_continues=False,
        wording=Wording(
            question=BOXED, observations={"crop_image": "{images}Think first, and look closer again if you need to."}
        ),
    ),
    checkpoints=("xintongzhang/CoF-rl-model-7b", "xintongzhang/CoF-sft-model-7b"),
    repository="xtong-zhang/Chain-of-Focus",
    commit="431ff0dd703f83d8a624ec1ba1d2ef6a834b78bc",
    file="eval/vstar/vllm_inference.py",
    golden="adaptive_cof.json",
    differences={
        "digits_as_text": TOLD,
        "null_box": TOLD,
        "box_as_text": TOLD,
        "nested_box": TOLD,
        "missing_box": TOLD,
        "key_bbox": TOLD,
        "wrong_tool": NAMED,
        "key_parameters": TOLD,
        "bare_arguments": TOLD,
        "booleans": BOOLEANS,
        "two_objects_in_one_tag": TOLD,
        "draft_in_think": DRAFT,
        "draft_in_think_then_answer": DRAFT,
        "tag_named_in_think_then_answer": DRAFT,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
        "missing_brace": STRICT_JSON,
        "fence_in_tags": STRICT_JSON,
        "empty_tags": TOLD,
    },
)
