"""The choice of an engine, its model and its sizes: as flags, checked, and loaded.

Depends on what engines declare (`registry.py`); independent of every single engine. No library is imported before
`engine_chosen`.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from agents.chat.format import ChatFormat
from agents.checkpoints.loading import loading
from agents.engines.address import checked_address
from agents.engines.protocol import Engine
from agents.engines.registry import ENGINES, OWN_ENGINE, EngineSpec, engine_named, engines_that
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import tool_schemas
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.task import Task

_VERBS = ("static", "in_flight", "submit", "poll", "cancel")


@dataclass(frozen=True)
class EngineArguments:
    """What generates turns, as flags: the configuration of every command with `--engine` inherits these fields.

    A further flag that engines understand is one more field here, and reaches every command and every loader.
    """

    engine: str = field(
        default="transformers",
        metadata={"help": f"what generates: {', '.join(ENGINES)}, or your own as '{OWN_ENGINE}'"},
    )
    base_url: str | None = field(
        default=None,
        metadata={"help": "address of an engine that generates elsewhere; of an endpoint with its /v1"},
    )
    tool_calls: Literal["text", "native"] = field(
        default="text",
        metadata={"help": "calls as text of the dialect, or as the tool calls of an endpoint's API"},
    )
    tool_images: Literal["auto", "tool", "user"] = field(
        default="auto",
        metadata={
            "help": "images of a native tool's result: in the tool message, in the user message after it, or what the "
            "endpoint accepts"
        },
    )

    def __post_init__(self) -> None:
        """Raises UnknownNameError or ConfigError for an unknown engine, and for an address that is none."""
        engine_named(self.engine)
        for address in (self.base_url or "").split(","):
            if self.base_url is not None:
                checked_address(address.strip(), "--base_url")

    def shown_dialect(self, dialect: Dialect) -> Dialect:
        """`dialect` as the engine shows it: without tools in its prompt where they are declared natively.

        Raises ConfigError for a dialect that has none to declare.
        """
        if self.tool_calls != "native":
            return dialect
        check_declares_tools(dialect)
        return replace(dialect, shows_tools=False)

    def chosen(self, model: str, limits: Limits, *, dtype: str, max_batch: int) -> "EngineChoice":
        """The choice of this engine for `model`; `limits` are those of the longest conversation.

        Raises ConfigError for options that do not fit together, MissingExtraError for packages that are missing.
        """
        return EngineChoice(
            **{one.name: getattr(self, one.name) for one in fields(EngineArguments)},
            model=model,
            dtype=dtype,
            max_batch=max_batch,
            max_tokens=limits.max_tokens,
            max_images=limits.max_images,
        )


@dataclass(frozen=True, kw_only=True)
class EngineChoice(EngineArguments):
    """An engine, its model, and the sizes that it is made for: the argument of an engine's `loader`.

    Args:
        engine: As `--engine` names it.
        base_url: Where it generates, for an engine that needs it.
        tool_calls: Whether calls are text of the dialect or native tool calls.
        tool_images: Where the images of a native tool's result stand.
        model: A checkpoint (folder, hub id, embedded name), or a name that only the engine knows.
        dtype: Precision of the weights, for one that loads them.
        max_batch: Turns that are generated at a time.
        max_tokens: Tokens of the longest conversation, images included; None: no limit.
        max_images: Images of one conversation, a video counted once.

    Raises UnknownNameError for an unknown engine, MissingExtraError for one that is not installed, and ConfigError for
    options that do not fit together.
    """

    model: str
    dtype: str = "float32"
    max_batch: int = 96
    max_tokens: int | None = None
    max_images: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        spec = self.spec
        if spec.needs_max_tokens and self.max_tokens is None:
            raise ConfigError(
                f"--engine {self.engine} plans its memory for the longest conversation. Give --max_tokens."
            )
        if spec.needs_base_url and self.base_url is None:
            raise ConfigError(
                f"--engine {self.engine} sends requests to a server and needs its address. Give --base_url, such as "
                "http://127.0.0.1:8000/v1"
            )
        if self.base_url is not None and not spec.needs_base_url:
            others = engines_that(lambda other: other.needs_base_url)
            raise ConfigError(
                f"--base_url is {self.base_url}, but --engine {self.engine} generates without a server. Leave "
                f"--base_url out, or give an --engine that uses it: {others}"
            )
        self._check_tool_calls()
        spec.check_key()
        spec.check_installed()

    def _check_tool_calls(self) -> None:
        if self.tool_calls == "native" and not self.spec.has_native_tool_calls:
            others = engines_that(lambda other: other.has_native_tool_calls)
            raise ConfigError(
                f"--tool_calls native needs an engine with an API for tools, and --engine {self.engine} has none. "
                f"Leave --tool_calls out, or give an --engine that has one: {others}"
            )
        if self.tool_calls != "native" and self.tool_images != "auto":
            raise ConfigError(
                f"--tool_images {self.tool_images} concerns the results of native tool calls, and calls are text. "
                "Give --tool_calls native, or leave --tool_images out."
            )

    @property
    def spec(self) -> EngineSpec:
        """What the engine declares."""
        return engine_named(self.engine)


def engine_chosen(choice: EngineChoice, dialect: Dialect) -> tuple[Engine, ChatFormat]:
    """The engine, loaded, and the chat format that it reads. Raises ConfigError for what cannot be loaded."""
    load = choice.spec.import_loader()
    with loading(choice.model) if choice.spec.loads_checkpoint else nullcontext():
        loaded = load(choice, dialect)
    if not (isinstance(loaded, tuple) and len(loaded) == 2):
        raise ConfigError(
            f"The loader of --engine {choice.engine} returned a {type(loaded).__name__}; wanted: the pair of the "
            "engine and its chat format. Return both from the function that 'loader' names."
        )
    engine, chat = loaded
    if missing := [name for name in _VERBS if not hasattr(engine, name)]:
        raise ConfigError(
            f"The engine that --engine {choice.engine} loads has no {', '.join(missing)}; wanted: all of "
            f"{', '.join(_VERBS)}. Derive it from agents.engines.queued.QueuedEngine, which has them."
        )
    return engine, chat


def check_has_model(choice: EngineChoice, command: str) -> None:
    """Raises ConfigError if the command needs a model and the engine has none."""
    if not choice.spec.has_model:
        raise ConfigError(
            f"--engine {choice.engine} has no model (it plays a task's known answer), and pixel-env {command} needs "
            f"one. Give one of {engines_that(lambda spec: spec.has_model)}, or your own as '{OWN_ENGINE}'."
        )


def check_declares_tools(dialect: Dialect) -> None:
    """Raises ConfigError if calls of `dialect` cannot be native: its syntax describes no tools."""
    if dialect.offers_calls and not tool_schemas(dialect):
        raise ConfigError(
            f"--tool_calls native declares the operations as tools, and the dialect {dialect.name!r} describes none. "
            "Give a dialect whose calls are JSON, such as --dialect default."
        )


def check_videos(engine: str, dialect: Dialect, tasks: Iterable[Task]) -> None:
    """Raises ConfigError if `dialect` shows videos as one prompt entry, `tasks` have a video, and the engine cannot.

    `engine`: as `--engine` names it.
    """
    if not dialect.video_entry or engine_named(engine).takes_video_entries:
        return
    video = next((task for task in tasks if task.media == "video"), None)
    if video is not None:
        raise ConfigError(
            f"--engine {engine} does not support a video as one entry of the prompt, as which the dialect "
            f"{dialect.name!r} shows the video of the task {video.task_id!r}. Show its frames as images: --dialect "
            f"{dialect.name}:frames. Or "
            f"give another --engine: {engines_that(lambda spec: spec.takes_video_entries and spec.has_model)}"
        )
