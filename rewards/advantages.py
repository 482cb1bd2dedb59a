"""Which advantages change the policy.

Depends on numbers; independent of tokens, images, environments and TRL.
"""

import numpy as np

NEGLIGIBLE = 1e-6
"""An advantage this small is the rounding of a group whose rewards are all equal."""


def informative(advantages_B: np.ndarray) -> np.ndarray:
    """Which rollouts change the policy: bool, shape (B,). The others have a gradient of zero and may be left out."""
    return np.abs(advantages_B) > NEGLIGIBLE
