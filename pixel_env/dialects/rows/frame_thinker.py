"""FrameThinker (arXiv 2509.24304): phrases between `<action>` marks, frames by their number in the file.

For videos above 300 s the published evaluation shows 12 frames instead of 8, each smaller. Depends on the parts of a
dialect; independent of other rows.
"""

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.phrase_calls import PhraseCalls
from pixel_env.dialects.rows.differences import AFTER, DRAFT, NO_FRAMES, NO_THOUGHT, ONE_PHRASE, PATTERN, UNCLOSED
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.frame_rule import FrameRule

_FRAME = (4 * 28 * 28, 640 * 360)

ROW = PeerRow(
    Dialect(
        name="framethinker",
        calls=PhraseCalls(
            (
                ("choose_frames", "choose frames between {start} and {end}"),
                ("get_frame_number", "get frame number at time {time}"),
            )
        ),
        coordinates=Coordinates("fraction"),  # no operation has coordinates
        operations=("select_range", "frame_at_time"),
        names={"select_range": "choose_frames", "frame_at_time": "get_frame_number"},
        keys={"select_range.first": "start", "select_range.last": "end", "frame_at_time.time": "time"},
        frames=FrameRule(range_ends=False, short_range="refuse", overhang="refuse", spacing="down"),
        max_frames=8,
        first_index=0,
        several_calls="first",
        budgets=view_budgets(_FRAME, _FRAME, _FRAME, _FRAME, factor=28),
        answer_rule="marker",
        answer_marker="<action>output answer:",
        answer_closing="</action>",
        wording=Wording(
            question="{question}\n\nThink step by step. Look at other frames with an action if you need to, and give "
            "the final answer as <action>output answer: ...</action>.\n{images}",
            image="frame {frame}:{image}",
            observations={
                "select_range": "{images}",
                "frame_at_time": "Frame number at time {time} is: {frame}.",
            },
            failure="{message}",
            expected="Take an action, or answer with <action>output answer: ...</action>.",
        ),
    ),
    checkpoints=(),
    repository="lcqysl/FrameThinker-RL",
    commit="3c917f3a7d311e91ae2ac1ebdb30723850e4508e",
    file="examples/agent/infer.py",
    golden="frame_thinker.json",
    differences={
        "extra words": ONE_PHRASE,
        "extra words before": ONE_PHRASE,
        "several blanks": PATTERN,
        "capitals": PATTERN,
        "two ranges in one action": ONE_PHRASE,
        "range and answer in one action": ONE_PHRASE,
        "draft in a thought, and range": DRAFT,
        "draft in a thought, and answer": DRAFT,
        "tag named in a thought, and answer": DRAFT,
        "missing closing tag": UNCLOSED,
        "without a thought": NO_THOUGHT,
        "thought not closed": NO_THOUGHT,
        "thought not opened": NO_THOUGHT,
        "thought after the action": AFTER,
        "time": NO_FRAMES,
        "time with words after": ONE_PHRASE,
        "time, capitals": PATTERN,
        "time and range in one action": ONE_PHRASE,
    },
)
