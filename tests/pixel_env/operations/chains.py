"""Views after a chain of operations, and a bad call played in an episode: shared by the tests of operations."""

import numpy as np

from pixel_env.dialects import DIALECTS, view_budgets
from pixel_env.env import PixelEnv
from pixel_env.failures import Failure
from pixel_env.media import show
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.views import View, ViewKind

NATIVE = view_budgets((1, 10**8), (1, 10**8), (1, 10**8), (1, 10**8), factor=1)
RULE = DIALECTS["default"].rule
SHOWN_RULE = DIALECTS["released"].rule
"""Of a dialect whose operations work on what was shown."""
SOURCE = PixelSource(200, 120)
WHOLE = View(SOURCE, ViewKind.ORIGINAL)
PIXELS = np.asarray(SOURCE.decode())


def after(*operations, rule=RULE, view=WHOLE):
    """The view after the operations, each on the result of the one before."""
    for operation in operations:
        found = operation.run([view], tiny_task(), rule)
        assert not isinstance(found, Failure), found
        [view] = found
    return view


def shown(view):
    return show(view, NATIVE)


CALL = '<tool_call>{{"name": "{}", "arguments": {{{}}}}}</tool_call>'


def assert_refused(name, arguments, code, message):
    """A call of operation `name` with these arguments (JSON without braces) is refused; the episode continues."""
    env = PixelEnv([tiny_task()], dialect=f"default+{name}")
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(CALL.format(name, arguments))
    assert info["failure"].code == code and message in observation["text"]
    assert (reward, terminated, truncated) == (0.0, False, False)
