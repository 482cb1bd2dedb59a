"""Two tools as they were published, which cut another region than the model asked for, and one with several calls."""

from pixel_env.dialects import Coordinates, Dialect, JsonCalls, view_budgets
from pixel_env.edges import Edges

_UNIT = 28 * 28
_BUDGETS = view_budgets(*[(4 * _UNIT, 16384 * _UNIT)] * 4, factor=28)

DEEPEYES = Dialect(
    name="deepeyes as published",
    calls=JsonCalls(),
    names={"crop_image": "image_zoom_in_tool"},
    ignored_keys=("label",),
    default_image=0,
    # The model sees the resized image and writes its pixels; the tool cuts the original.
    coordinates=Coordinates("source_pixel"),
    budgets=_BUDGETS,
)
VERL_TOOL = Dialect(
    name="verl-tool as published",
    calls=JsonCalls(),
    # `all(n < 1)`: a fraction box that touches the border is taken for pixels.
    coordinates=Coordinates("guessed", otherwise="source_pixel", one_is_a_pixel=True),
    edges=Edges(padding=0.1, padding_pixels=600, min_side=1),
    budgets=_BUDGETS,
)
SEVERAL = Dialect(
    name="several calls a turn",
    calls=JsonCalls(),
    coordinates=Coordinates("fraction"),
    budgets=_BUDGETS,
    several_calls="all",
)
POINTS = Dialect(
    name="points",
    calls=JsonCalls(),
    coordinates=Coordinates("fraction"),
    edges=Edges(window_pixels=200),
    budgets=_BUDGETS,
    operations=("point_zoom",),
)
