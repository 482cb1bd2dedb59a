"""Our own protocols: the same for all models, with and without tools.

Depends on the parts of a protocol; independent of other protocols.
"""

from dataclasses import replace

from benchmarks.protocols.protocol import Protocol
from pixel_env.dialects.rows.own import OWN
from pixel_env.episode import Limits

_DEFAULT = next(dialect for dialect in OWN if dialect.name == "default")

COMMON = Protocol(
    name="common",
    about="the same for all models: greedy, our limits, pixels and scorer, in the model's own dialect",
    limits=Limits(),
    # A model that thinks before it calls needs more than the 512 tokens of our own models.
    max_turn_tokens=2048,
    budgets=_DEFAULT.budgets,
    judge="our graders",
)

NOTOOL = replace(
    COMMON,
    name="notool",
    about="as common, and no tool is described or offered, so texts of files are left out",
    variant="notool",
)
