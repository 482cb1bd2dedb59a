"""VideoZoomer (arXiv 2512.22315): a segment in seconds at a rate, between `<video_zoom>` marks.

The overview of the published evaluation (0.5 frames a second, at most 64) is a matter of the tasks: here it is what the
task set holds. Depends on the parts of a dialect; independent of other rows.
"""

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import NO_FRAMES, OPTIONAL, PATTERN, STRICT_JSON, TWO_NUMBERS, UNCLOSED
from pixel_env.dialects.rows.guidelines import EXPECTED_TAGGED, TAGGED
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.frame_rule import FrameRule

_FRAME = (25_088, 100_352)

ROW = PeerRow(
    Dialect(
        name="videozoomer",
        calls=JsonCalls("<video_zoom>", "</video_zoom>", bare="select_segment"),
        coordinates=Coordinates("fraction"),  # no operation has coordinates
        operations=("select_segment",),
        keys={
            "select_segment.start": "segment[0]",
            "select_segment.end": "segment[1]",
            "select_segment.rate": "fps",
        },
        frames=FrameRule(edges="before", spacing="down", min_frames=0),
        max_frames=16,
        first_index=0,
        ignored_keys=("*",),
        digits_as_text=True,
        several_calls="first",
        stop=("</video_zoom>",),
        budgets=view_budgets(_FRAME, _FRAME, _FRAME, _FRAME, factor=28),
        answer_rule="any",
        answer_closing="</answer>",
        text_continues=False,
        wording=Wording(
            question="{images}\n" + TAGGED,
            image="<frame{index}_time{time}s>{image}",
            observations={
                "select_segment": "<tool_response>\nThe frames of the video clip are shown below:\n{images}\n"
                "</tool_response>\nContinue, and look at another clip if you need to."
            },
            failure="<tool_response>\nERROR occurs during the function tool call. Error Information: {message}.\n"
            "</tool_response>\n",
            expected=EXPECTED_TAGGED,
            last_turn="\nAnswer now, without <video_zoom>.",
        ),
    ),
    checkpoints=("zsgvivo/videozoomer",),
    repository="zsgvivo/VideoZoomer",
    commit="56381538bbde43d6d3417b54f727784958a4e316",
    file="verl/workers/rollout/vllm_rollout/vllm_rollout_spmd_video.py",
    golden="video_zoomer.json",
    differences={
        "beyond the end": NO_FRAMES,
        "negative": NO_FRAMES,
        "start = end": NO_FRAMES,
        "too short for a frame": NO_FRAMES,
        "zero rate": NO_FRAMES,
        "start > end, negative rate": NO_FRAMES,
        "missing rate": OPTIONAL,
        "third number": TWO_NUMBERS,
        "text as segment": TWO_NUMBERS,
        "boolean": TWO_NUMBERS,
        "several lines": PATTERN,
        "words inside": STRICT_JSON,
        "fence inside": STRICT_JSON,
        "missing closing tag": UNCLOSED,
    },
)
