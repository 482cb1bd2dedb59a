"""How a training run is begun, as a flag of both training commands.

Depends on dataclasses; independent of what is trained.
"""

from dataclasses import dataclass, field


@dataclass
class RunArguments:
    """Where a run begins. Not a part of what it is: the configuration of a run does not record it."""

    restart: bool = field(
        default=False,
        metadata={
            "help": "begin anew: removes the checkpoints, the model and the logs of the run in output_dir, and lists "
            "them (default: the run goes on from its newest checkpoint)"
        },
    )
