"""A run that made no step has trained nothing, and is no success.

Depends on the number of steps; independent of what is trained.
"""

from pixel_env.errors import ConfigError


def check_trained(steps: int) -> None:
    """Raises ConfigError after a training of 0 optimizer steps."""
    if steps == 0:
        raise ConfigError(
            "no step was made, so nothing was trained and no model is saved. Give max_steps or num_train_epochs, and "
            "at least as much data as one step needs."
        )
