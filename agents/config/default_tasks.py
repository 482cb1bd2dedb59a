"""What is trained on where nothing was said: a sample set, for the embedded models alone.

Depends on the names of embedded models; independent of task sets.
"""

from agents.checkpoints.names import CHECKPOINTS
from pixel_env.errors import ConfigError

SAMPLE = "sample:vstar-tiny"


def given_or_sample(given: str | None, flag: str, model: str, sample: str = SAMPLE) -> str:
    """What was given by `--flag`; for an embedded model, else, its sample. Raises ConfigError for any other model."""
    if given is not None:
        return given
    if model not in CHECKPOINTS:
        raise ConfigError(
            f"--{flag} is missing: what {model!r} is to learn from is not known. Give --{flag}; only the embedded "
            f"models ({', '.join(CHECKPOINTS)}) have a default, {sample}."
        )
    return sample
