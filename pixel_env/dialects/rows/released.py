"""The released Pixel Reasoner checkpoints (arXiv 2505.15966), as their own loop plays them, with evaluation limits.

Depends on the parts of a dialect; independent of other rows.
"""

import math

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.differences import CALL_WINS, CORNER, FINITE, FOUR, NEGATIVE, OPENING, TAIL, UNCLOSED
from pixel_env.dialects.rows.guidelines import BOXED, UNIT_28
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates

ROW = PeerRow(
    Dialect(
        name="released",
        calls=JsonCalls(),
        names={"crop_image": "crop_image_normalized"},
        # As its function decides. Unlike it, fractions may be exactly 1, and overhang the border by 2 %: there the
        # published test `all(n < 1)` takes them for pixels and returns a corner of the image.
        coordinates=Coordinates("guessed"),
        edges=Edges(overhang=math.inf, padding=0.1, pads_first=True, rounding="nearest", max_aspect=math.inf),
        ignored_keys=("*",),
        several_calls="last",
        # Its pictures are opened with `Image.open(...)` and converted to RGB: embedded profiles are ignored.
        budgets=view_budgets(
            (256 * UNIT_28, 8000 * UNIT_28),
            (256 * UNIT_28, 5120 * UNIT_28),
            (4 * UNIT_28, 512 * UNIT_28),
            (4 * UNIT_28, 512 * UNIT_28),
            factor=28,
            colors="stored",
        ),
        wording=Wording(
            observations={
                "crop_image": "\nHere is the cropped image (Image Size: {width}x{height}):{images}",
                "select_frames": "\nHere are the selected frames (Frame Size: {width}x{height}, "
                "Numbered {first} to {last}):{images}",
            },
            failure="\nExecution error:\n{message}\n",
            question=BOXED,
        ),
        crops_source=False,
        answer_rule="any",
        text_continues=False,
        video_entry=True,
    ),
    checkpoints=("TIGER-Lab/PixelReasoner-RL-v1", "TIGER-Lab/PixelReasoner-WarmStart"),
    repository="TIGER-AI-Lab/Pixel-Reasoner",
    commit="a3a6c3a557a87d89ffaec825bd8c8d09b719fb97",
    file="curiosity_driven_rl/openrlhf/trainer/ppo_utils/experience_maker.py",
    golden="pixel_reasoner.json",
    differences={
        "overhang_1_percent": CORNER,
        "tiny": CORNER,
        "to_the_border": CORNER,
        "whole_image": CORNER,
        "very_long": CORNER,
        "very_tall": CORNER,
        "not_a_number": FINITE,
        "infinity": FINITE,
        "five_numbers": FOUR,
        "image_index": NEGATIVE,
        "one_number_of_one": CORNER,
        "closing_tag_near_the_end": TAIL,
        "call_then_answer": CALL_WINS,
        "tail_after_call": TAIL,
        "no_closing_tag": UNCLOSED,
        "no_opening_tag": OPENING,
        "crop_of_a_crop": CORNER,
    },
)
