"""The engine that the flags of a training select: our `engine`, or TRL's `use_vllm` and `vllm_mode`.

Depends on the names of flags; independent of engines, torch and TRL.
"""

from typing import Any

from pixel_env.errors import ConfigError, UnknownNameError

ENGINE_OF_MODE = {"colocate": "vllm", "server": "server"}
"""TRL's vllm_mode -> the name of our engine for it."""


def engine_of_options(args: Any) -> str | None:
    """The engine that `args` name by `engine`, or by TRL's use_vllm and vllm_mode; None: the policy itself generates.

    Raises UnknownNameError for an unknown vllm_mode.
    """
    if args.engine is not None or not args.use_vllm:
        engine: str | None = args.engine
        return engine
    if args.vllm_mode not in ENGINE_OF_MODE:
        raise UnknownNameError.among("vllm_mode", args.vllm_mode, ENGINE_OF_MODE)
    return ENGINE_OF_MODE[args.vllm_mode]


def settle_engine(args: Any) -> None:
    """Makes `engine` and TRL's flags for vLLM agree. Raises ConfigError if they contradict each other."""
    if args.engine is None:
        return
    modes = {engine: mode for mode, engine in ENGINE_OF_MODE.items()}
    if args.vllm_mode == "server" and modes.get(args.engine) != "server":
        raise ConfigError(
            f"engine is {args.engine!r}, but vllm_mode 'server' selects the engine 'server'. Leave one of them out."
        )
    args.use_vllm = True  # for TRL this means: the sampler is not the policy, so correct for its log-probabilities
    args.vllm_mode = modes.get(args.engine, args.vllm_mode)
