"""Which engine plays, and the chat format that it reads: what all commands that ask a model have in common.

Knows the engines' names and what each needs. An engine's libraries are imported when it is asked for, and not before.
"""

import os
from dataclasses import dataclass
from typing import Literal

from agents.chat.format import ChatFormat
from agents.checkpoints.loading import loading
from agents.engines.protocol import Engine
from agents.engines.secret import KEY_VARIABLE
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError

ModelEngine = Literal["transformers", "vllm", "endpoint"]
"""What generates a model's turns: this process, vLLM in it, or an endpoint elsewhere."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, its model, and the sizes that it is made for. Raises ConfigError for what does not go together."""

    engine: ModelEngine
    model: str
    base_url: str | None
    dtype: str
    max_batch: int
    max_tokens: int | None
    max_images: int

    def __post_init__(self) -> None:
        if self.engine == "vllm" and self.max_tokens is None:
            raise ConfigError("--engine vllm plans its memory by the longest conversation: give --max_tokens")
        if self.engine == "endpoint" and self.base_url is None:
            raise ConfigError("--engine endpoint needs the endpoint's address: --base_url http://.../v1")
        if self.engine == "endpoint" and not os.environ.get(KEY_VARIABLE):
            raise ConfigError(
                f"--engine endpoint reads the endpoint's key from {KEY_VARIABLE}, which is not set. A server that "
                f"asks for none takes any: {KEY_VARIABLE}=none"
            )


def engine_chosen(choice: EngineChoice, dialect: Dialect) -> tuple[Engine, ChatFormat]:
    """The engine and the chat format. Raises ConfigError for what cannot be loaded."""
    if choice.engine == "endpoint":
        return _endpoint(choice, dialect)
    from agents.engines.load import load_engine, load_vllm_engine

    with loading(choice.model):
        if choice.engine == "vllm":
            sizes = {"max_images": choice.max_images, "max_num_seqs": choice.max_batch}
            length = choice.max_tokens
            assert length is not None, "a choice of vllm has one"
            return load_vllm_engine(choice.model, dialect, dtype=choice.dtype, max_model_len=length, **sizes)
        return load_engine(choice.model, dialect, dtype=choice.dtype, max_batch=choice.max_batch)


def _endpoint(choice: EngineChoice, dialect: Dialect) -> tuple[Engine, ChatFormat]:
    from agents.chat.plain import PlainChat
    from agents.engines.endpoint import EndpointEngine

    assert choice.base_url is not None, "a choice of an endpoint has one"
    plain = PlainChat(dialect)
    return EndpointEngine(choice.model, plain, base_url=choice.base_url, concurrency=choice.max_batch), plain
