"""What generates turns, as the flags of every command that takes `--engine`.

Depends on the registry of engines; independent of what is played. A flag that all engines understand is one more field
here and in `EngineChoice`.
"""

from dataclasses import dataclass, field, fields

from agents.engines.choice import EngineChoice
from agents.engines.registry import ENGINES, OWN_ENGINE, engine_named
from pixel_env.episode import Limits


@dataclass(frozen=True)
class EngineArguments:
    """What generates turns. A command's configuration inherits these fields."""

    engine: str = field(
        default="transformers",
        metadata={"help": f"what generates: {', '.join(ENGINES)}, or your own as '{OWN_ENGINE}'"},
    )
    base_url: str | None = field(
        default=None,
        metadata={"help": "address of an engine that generates elsewhere; of an endpoint with its /v1"},
    )

    def __post_init__(self) -> None:
        """Raises UnknownNameError or ConfigError for an engine that is none."""
        engine_named(self.engine)

    def chosen(self, model: str, limits: Limits, *, dtype: str, max_batch: int) -> EngineChoice:
        """The choice of this engine for `model`; `limits` are those of the longest conversation.

        Raises ConfigError and MissingExtraError for what does not go together or is not there.
        """
        shared = {one.name: getattr(self, one.name) for one in fields(EngineArguments)}
        return EngineChoice(
            model=model,
            dtype=dtype,
            max_batch=max_batch,
            max_tokens=limits.max_tokens,
            max_images=limits.max_images,
            **shared,
        )
