"""`pixel-env grpo`: reinforcement learning, configured by a recipe and flags, including all of TRL's.

Depends on the parser of flags; torch and TRL are loaded only after the flags are checked.
"""

from agents.config.training_command import checked
from agents.grpo.options import GRPO


def main(argv: list[str]) -> int:
    """`pixel-env grpo [--config RECIPE] [--flags]`. Returns the exit code."""
    given = checked(argv, GRPO)

    # Late: these load torch and TRL, which help and error messages do not need.
    from agents.config.training_parser import built
    from agents.grpo.training import CLASSES, train

    return train(*built(CLASSES, given, GRPO))
