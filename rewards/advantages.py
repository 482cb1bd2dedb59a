"""Group advantages for GRPO.

Knows rewards. Knows nothing of tokens, images, environments or TRL.
"""

import numpy as np

NEGLIGIBLE = 1e-6
"""An advantage this small is the rounding of a group whose rewards are all equal."""


def group_advantages(rewards_G: np.ndarray, *, scale_by_std: bool) -> np.ndarray:
    """Each reward minus the group's mean; with `scale_by_std` over the group's standard deviation. Shape (G,)."""
    centred_G = rewards_G - rewards_G.mean()
    return centred_G / (rewards_G.std(ddof=1) + 1e-4) if scale_by_std else centred_G


def informative(advantages_B: np.ndarray) -> np.ndarray:
    """Which rollouts move the policy: bool, shape (B,). The others have a gradient of zero and may be left out."""
    return np.abs(advantages_B) > NEGLIGIBLE
