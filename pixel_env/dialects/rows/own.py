"""Our own rows: the default, the conventions of Qwen2.5-VL and Qwen3-VL, the tiny model.

Depends on the parts of a dialect; independent of the table.
"""

from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.rows.guidelines import BOXED, REQUESTS, UNIT_28, UNIT_32
from pixel_env.operations.coordinates import Coordinates

_WORDING = Wording(question=BOXED, requests=REQUESTS)

_DEFAULT = Dialect(
    name="default",
    calls=JsonCalls(),
    coordinates=Coordinates("fraction"),
    budgets=view_budgets(
        (256 * UNIT_28, 5120 * UNIT_28),
        (64 * UNIT_28, 2048 * UNIT_28),
        (16 * UNIT_28, 512 * UNIT_28),
        (64 * UNIT_28, 1024 * UNIT_28),
        factor=28,
    ),
    wording=_WORDING,
)

_QWEN3_BUDGETS = view_budgets(
    (256 * UNIT_32, 4096 * UNIT_32),
    (64 * UNIT_32, 2048 * UNIT_32),
    (16 * UNIT_32, 512 * UNIT_32),
    (64 * UNIT_32, 1024 * UNIT_32),
    factor=32,
)

OWN: tuple[Dialect, ...] = (
    _DEFAULT,
    # Qwen2.5-VL grounds in pixels of the image as shown, Qwen3-VL in thousandths.
    Dialect(
        name="qwen2.5-vl",
        calls=JsonCalls(),
        coordinates=Coordinates("pixel"),
        budgets=_DEFAULT.budgets,
        wording=_WORDING,
    ),
    Dialect(
        name="qwen3-vl",
        calls=JsonCalls(),
        coordinates=Coordinates("grid", 1000),
        budgets=_QWEN3_BUDGETS,
        wording=_WORDING,
    ),
    # The embedded 2 M-parameter model: no tool text, no request, a call of 6 tokens, short answers.
    Dialect(
        name="tiny",
        calls=IntegerCalls(),
        coordinates=Coordinates("grid", 16),
        budgets=view_budgets(
            (64 * 64, 64 * 64), (128 * 128, 128 * 128), (64 * 64, 64 * 64), (128 * 128, 128 * 128), factor=16
        ),
        system="",
        shows_tools=False,
        wording=Wording(observations={"crop_image": ""}, failure="{message}", expected="answer"),
        default_image=0,
        answer_rule="marker",
    ),
)
