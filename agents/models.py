"""Which model a name stands for. Knows names only; loading is the trainers' work."""

from agents.tiny import CHECKPOINTS, checkpoint_path


def model_folder(name: str) -> str:
    """The folder of an embedded checkpoint ('tiny-base', ...); any other name as it is: a folder or a hub id."""
    return str(checkpoint_path(name)) if name in CHECKPOINTS else name
