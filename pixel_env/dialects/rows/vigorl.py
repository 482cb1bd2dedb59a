"""ViGoRL (arXiv 2505.23678), multi-turn visual search: a point, whose surroundings come back as a square.

Depends on the parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import CALL_WINS, DRAFT, FINITE, NAMED, OUTSIDE, STRICT_JSON, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

_SEEN = (4096, 3600 * 3600)
_SQUARE = (672 * 672, 672 * 672)

ROW = PeerRow(
    Dialect(
        name="vigorl",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("source_pixel"),
        operations=("point_zoom",),
        names={"point_zoom": "search_coordinate"},
        keys={"point": "coordinate"},
        default_image=0,
        several_calls="first",
        ignored_keys=("*",),
        edges=Edges(
            overhang=math.inf,
            min_side=1,
            rounding="nearest",
            window_pixels=364,
            window_is_clipped=True,
            max_aspect=math.inf,
        ),
        budgets=view_budgets(_SEEN, _SQUARE, _SEEN, _SQUARE, factor=28),
        answer_rule="marker",
        answer_closing="</answer>",
        last_prefill="<think>I have looked enough and answer now.</think>\n<answer>",
        wording=Wording(
            question=TAGGED,
            observations={
                "point_zoom": "<observation>\nHere is the crop of the image centered on the coordinate:{images}\n"
                "</observation>"
            },
            failure="<observation>\n{message}\n</observation>",
            expected=EXPECTED_TAGGED,
        ),
    ),
    checkpoints=("gsarch/ViGoRL-Multiturn-7b-Visual-Search", "gsarch/ViGoRL-Multiturn-3b-Visual-Search"),
    repository="Gabesarch/grounded-rl",
    commit="e7970c0",
    file="src/vlmsearch/tree_search/single_path_rollouts.py",
    golden="vigorl.json",
    differences={
        "negative": OUTSIDE,
        "outside": OUTSIDE,
        "digits_as_text": TOLD,
        "one_number": TOLD,
        "three_numbers": TOLD,
        "a_box_of_four": TOLD,
        "empty": TOLD,
        "null_box": TOLD,
        "box_as_text": TOLD,
        "nested_box": TOLD,
        "not_a_number": FINITE,
        "infinity": FINITE,
        "missing_box": TOLD,
        "key_point": TOLD,
        "wrong_tool": NAMED,
        "no_name": NAMED,
        "key_parameters": TOLD,
        "bare_arguments": TOLD,
        "tuple_in_plain_text": TOLD,
        "two_objects_in_one_tag": TOLD,
        "call_then_answer": CALL_WINS,
        "answer_then_call": CALL_WINS,
        "draft_in_think": DRAFT,
        "answer_named_in_think": DRAFT,
        "no_closing_tag": UNCLOSED,
        "single_quotes": STRICT_JSON,
        "trailing_comma": STRICT_JSON,
        "missing_brace": STRICT_JSON,
        "fence_in_tags": STRICT_JSON,
        "empty_tags": TOLD,
    },
)
