"""LongVT (arXiv 2511.20785): a tool `crop_video` from second to second, one frame a second.

Depends on the parts of a dialect; independent of other rows.
"""

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import DRAFT, EACH, OPTIONAL, TOLD, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.frame_rule import FrameRule

_FRAME = (784, 50_176)

ROW = PeerRow(
    Dialect(
        name="longvt",
        calls=JsonCalls(break_lines=True),
        coordinates=Coordinates("fraction"),  # no operation has coordinates
        operations=("select_segment",),
        names={"select_segment": "crop_video"},
        keys={"select_segment.start": "start_time", "select_segment.end": "end_time"},
        # The path is the tool's; the rate is fixed.
        ignored_keys=("*", "fps"),
        digits_as_text=True,
        frames=FrameRule(min_frames=2, multiple=2, excess="spread", overhang="refuse"),
        max_frames=128,
        first_index=0,
        several_calls="all",
        max_calls=20,
        budgets=view_budgets(_FRAME, _FRAME, _FRAME, _FRAME, factor=28),
        answer_rule="any",
        answer_closing="</answer>",
        text_continues=False,
        wording=Wording(
            question=TAGGED,
            observations={"select_segment": "<tool_response>\n{images}</tool_response>"},
            failure="<tool_response>\n{message}</tool_response>",
            expected=EXPECTED_TAGGED,
        ),
    ),
    checkpoints=("longvideotool/LongVT-7B-RFT",),
    repository="EvolvingLMMs-Lab/LongVT",
    commit="08d755b973e4ad990ac5cdd64fb992c804d840db",
    file="examples/video_tools/mcp_server.py",
    golden="long_vt.json",
    differences={
        "missing path": OPTIONAL,
        "other path": OPTIONAL,
        "empty path": OPTIONAL,
        "arguments missing": TOLD,
        "parameters instead of arguments": TOLD,
        "bare object": TOLD,
        "two calls, second broken": EACH,
        "draft in a thought, and call": DRAFT,
        "draft in a thought, and answer": DRAFT,
        "tag named in a thought, and call": DRAFT,
        "missing closing tag": UNCLOSED,
        "missing closing tag, and answer": UNCLOSED,
        "broken JSON": TOLD,
        "broken JSON: single quotes": TOLD,
        "broken JSON: trailing comma": TOLD,
        "fence in the tags": TOLD,
        "list of calls": TOLD,
        "empty call": TOLD,
    },
)
