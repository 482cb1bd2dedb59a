"""What a row of another project's model consists of: its dialect, where that is written, and where ours differs.

Depends on dialects; independent of the single rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pixel_env.dialects.dialect import Dialect


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A dialect that follows another project's public code.

    Args:
        dialect: The wire format.
        checkpoints: The ids of the models that speak it, as the project's own texts give them.
        repository: Where its code is public (owner/name on GitHub), read at `commit`, in `file`.
        golden: The file of golden values in tests/pixel_env/golden, computed by running that code; "" if none was run.
        differences: Deliberate differences: the kind of call text, and why ours does something else.
    """

    dialect: Dialect
    checkpoints: tuple[str, ...]
    repository: str
    commit: str
    file: str
    golden: str = ""
    differences: Mapping[str, str] = field(default_factory=dict)
