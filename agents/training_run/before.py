"""What both training commands check before anything is read, and the model that they start from.

Depends on configurations; independent of what is trained.
"""

from typing import Any

from trl import ModelConfig

from agents.checkpoints.model_arguments import settled
from agents.model_card.upload import check_hub
from agents.run_log.trackers import check_trackers
from pixel_env.errors import ConfigError


def checked_model(args: Any, model_config: ModelConfig) -> ModelConfig:
    """The settled flags of the model. Raises ConfigError if a model, a token or a tracker is missing."""
    if model_config.model_name_or_path is None:
        raise ConfigError(
            "No model was given. Give --model_name_or_path: a folder, a hub id or the name of an embedded model."
        )
    check_hub(args)
    check_trackers(args.report_to)
    return settled(model_config)
