"""The engines that `--engine` names, each a value that declares what it needs and what it can do.

Code that uses an engine checks its capabilities, never its name. An engine of your own is one such value, in a module
of your own, and is named as 'module:NAME' on every command with `--engine`:

    # my_engine.py
    from agents.engines.registry import EngineSpec

    ENGINE = EngineSpec(
        name="mine",
        summary="my server, over its own protocol",
        loader="my_engine:load",  # (EngineChoice, Dialect) -> (Engine, ChatFormat)
        packages=("my_client",),
        needs_base_url=True,
        loads_checkpoint=False,
        can_ban_tokens=False,
    )

    pixel-env eval --engine my_engine:ENGINE --base_url URL --model its-name --dialect default --policies learned_zoom

Depends on the standard library and on error types; independent of engines: libraries are imported by `loader`, when the
engine is loaded, so that a list of engines costs nothing.
"""

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.engines.secret import KEY_VARIABLE
from pixel_env.errors import ConfigError, MissingExtraError, UnknownNameError
from pixel_env.import_callable import imported, imported_callable

OWN_ENGINE = "module:NAME"
"""How an engine of a user's own is named: a value of `EngineSpec` in a module that can be imported."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What an engine is called, what it needs, and what it can do.

    Args:
        name: What messages call it, and `--engine` if it is in `ENGINES`.
        summary: One line for `--help`.
        loader: 'module:function' of `(choice: EngineChoice, dialect: Dialect) -> (Engine, ChatFormat)`. It raises
            ConfigError for what it cannot load.
        packages: Import names of the packages that it needs. They are checked before anything is loaded, and their
            versions are recorded with the results.
        extra: The optional dependency group of pixel-env that brings `packages`; None: pip knows them by their names.
        needs_base_url: It generates elsewhere, at `--base_url`. Without this a given `--base_url` is refused.
        key_variable: The environment variable with the key that it sends, which has to be set.
        needs_max_tokens: It has to know the longest conversation, `--max_tokens`, before it starts.
        loads_checkpoint: `--model` is a checkpoint (a folder, a hub id, an embedded name): its weights and its
            revision are recorded with the results. False: `--model` is a name that only the engine knows.
        can_ban_tokens: It never samples `Request.banned_ids`. Without this no request has other ones than the chat
            format's own `banned_ids`: policies that forbid calls are refused or left out.
        has_native_tool_calls: It can declare the operations as tools and return tool calls as turns of the dialect.
            Without this `--tool_calls native` is refused.
        returns_log_probs: `Response.logprobs` are those of the distribution that was sampled from, which training
            corrects with. Without this they are zeros.
        takes_video_entries: It takes a video that is one entry of the prompt (`Request.video_frames`), or its chat
            format sends the frames as images. Without this a dialect with video entries is refused for videos.
        has_model: False: it plays what is known of a task (`--model` is the player's name), so only a task set can be
            played with it.
        trainer: 'module:Class' of `agents.grpo.engine.TrainerEngine`: how it generates for `pixel-env grpo`, with the
            policy's weights. None: it does not.

    Raises ConfigError for a `loader` or a `trainer` that is not 'module:name'.
    """

    name: str
    summary: str
    loader: str
    packages: tuple[str, ...] = ()
    extra: str | None = None
    needs_base_url: bool = False
    key_variable: str | None = None
    needs_max_tokens: bool = False
    loads_checkpoint: bool = True
    can_ban_tokens: bool = True
    has_native_tool_calls: bool = False
    returns_log_probs: bool = True
    takes_video_entries: bool = True
    has_model: bool = True
    trainer: str | None = None

    def __post_init__(self) -> None:
        for field, text in (("loader", self.loader), ("trainer", self.trainer)):
            if text is not None and not all(text.partition(":")):
                raise ConfigError(
                    f"The engine {self.name!r} has the {field} {text!r}; wanted: 'module:name', such as "
                    f"'my_engine:load'. Write the module, a colon and the name."
                )

    def check_installed(self) -> None:
        """Raises MissingExtraError for a package that is not installed, with the pip command."""
        missing = [name for name in self.packages if importlib.util.find_spec(name) is None]
        if not missing:
            return
        if self.extra is not None:
            raise MissingExtraError.needs(f"The engine {self.name!r}", self.extra)
        raise MissingExtraError(
            f"The engine {self.name!r} needs packages that are not installed: {', '.join(missing)}. "
            f"Run: pip install {' '.join(missing)}"
        )

    def check_key(self) -> None:
        """Raises ConfigError if the key that it sends is not set."""
        if self.key_variable is not None and not os.environ.get(self.key_variable):
            raise ConfigError(
                f"The engine {self.name!r} reads the endpoint's key from {self.key_variable}, which is not set. "
                f"Set it; for a server that needs no key, any value works: {self.key_variable}=none"
            )

    def import_loader(self) -> Callable[..., Any]:
        """The function that `loader` names. Raises ConfigError."""
        return imported_callable(self.loader, f"loader of the engine {self.name!r},")


_TRANSFORMERS = EngineSpec(
    name="transformers",
    summary="a transformers model in this process, in static batches",
    loader="agents.engines.load:load_transformers",
    packages=("torch", "transformers"),
    extra="train",
)
_VLLM = EngineSpec(
    name="vllm",
    summary="vLLM in this process, with continuous batching; needs --max_tokens",
    loader="agents.engines.load:load_vllm_in_process",
    packages=("torch", "transformers", "vllm"),
    extra="vllm",
    needs_max_tokens=True,
    trainer="agents.grpo.engine:ColocatedVLLM",
)
_SERVER = EngineSpec(
    name="server",
    summary="replicas of vLLM that `pixel-env serve` started, at --base_url (several: separated by commas)",
    loader="agents.engines.load:load_server",
    packages=("torch", "transformers", "httpx"),
    extra="train",
    needs_base_url=True,
    # A request cannot say that the frames keep their size, nor how far apart they are in time.
    takes_video_entries=False,
    trainer="agents.grpo.engine:ServedVLLM",
)
_ENDPOINT = EngineSpec(
    name="endpoint",
    summary="any OpenAI-compatible endpoint at --base_url (with its /v1); bans no tokens, returns no log-probabilities",
    loader="agents.engines.endpoint:load_endpoint",
    packages=("httpx",),
    extra="endpoint",
    needs_base_url=True,
    key_variable=KEY_VARIABLE,
    loads_checkpoint=False,
    can_ban_tokens=False,
    has_native_tool_calls=True,
    returns_log_probs=False,
)
_SCRIPTED = EngineSpec(
    name="scripted",
    summary="no model: --model names a player, such as oracle, that knows each task's answer",
    loader="agents.engines.scripted:load_scripted",
    loads_checkpoint=False,
    returns_log_probs=False,
    has_model=False,
)

ENGINES: Mapping[str, EngineSpec] = {spec.name: spec for spec in (_TRANSFORMERS, _VLLM, _SERVER, _ENDPOINT, _SCRIPTED)}
"""The engines that are shipped, by the name that `--engine` takes."""


def engine_named(name: str) -> EngineSpec:
    """The engine that `--engine` names: one of `ENGINES`, or a value of your own as 'module:NAME'.

    Example: `engine_named("endpoint").can_ban_tokens` is False. Raises UnknownNameError for a name that is none, and
    ConfigError for a module or a value that cannot be used.
    """
    if name in ENGINES:
        return ENGINES[name]
    if ":" not in name:
        raise UnknownNameError.among("engine", name, ENGINES, f"Your own is given as '{OWN_ENGINE}'.")
    spec = imported(name, "engine")
    if not isinstance(spec, EngineSpec):
        variable = name.partition(":")[2]
        raise ConfigError(
            f"The engine {name!r} is of the type {type(spec).__name__}; wanted: an EngineSpec (in "
            f"agents.engines.registry). Write {variable} = EngineSpec(name=..., summary=..., loader=...) there."
        )
    return spec


def engines_that(can: Callable[[EngineSpec], bool]) -> str:
    """The names of the shipped engines with a capability, for a message's way out."""
    return ", ".join(name for name, spec in ENGINES.items() if can(spec))
