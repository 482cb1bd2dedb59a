"""`pixel-env sft`: a warm start from a recipe and flags, all of TRL's among them."""

from agents.config.training_command import checked
from agents.sft.options import SFT


def main(argv: list[str]) -> int:
    """`pixel-env sft [--config RECIPE] [--flags]`. Returns the exit code."""
    given = checked(argv, SFT)

    # Late: these load torch and TRL, which no help and no misspelt flag has to wait for.
    from agents.config.training_parser import built
    from agents.sft.training import CLASSES, train

    return train(*built(CLASSES, given, SFT))
