"""`pixel-env grpo`: reinforcement learning from a recipe and flags, all of TRL's among them."""

from agents.config.training_command import checked
from agents.grpo.options import GRPO


def main(argv: list[str]) -> int:
    """`pixel-env grpo [--config RECIPE] [--flags]`. Returns the exit code."""
    given = checked(argv, GRPO)

    # Late: these load torch and TRL, which no help and no misspelt flag has to wait for.
    from agents.config.training_parser import built
    from agents.grpo.training import CLASSES, train

    return train(*built(CLASSES, given, GRPO))
