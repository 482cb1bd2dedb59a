"""Fields whose value is a name of one of our sets: an unknown name is refused as soon as the flag is read.

Depends on the sets; independent of the commands that have such a field.
"""

from typing import Annotated

from pixel_env.command_line.values import NameOf
from pixel_env.dialects.table import dialect_named
from rewards.shaping import group_reward_named

DialectName = Annotated[str, NameOf(dialect_named)]
RewardName = Annotated[str, NameOf(group_reward_named)]
