"""A protocol put into the flags and the dialect of an evaluation; a flag that contradicts it is refused.

Depends on protocols, flags and dialects; independent of task sets and models.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from agents.config.model_dialect import ModelDialect
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.protocols.protocol import Protocol
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.files import file_in
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.views import ViewBudgets, ViewKind


@dataclass(frozen=True)
class PlayedProtocol:
    """What a run records of its protocol: all of it, as data."""

    protocol_values: dict[str, Any]


def with_protocol(config: EvalConfig, protocol: Protocol) -> EvalConfig:
    """The flags of `config` with those that the protocol sets. Raises ConfigError for one that contradicts it.

    A flag that has its default value counts as not given.
    """
    values = _values(protocol)
    defaults = {field.name: field.default for field in fields(EvalConfig)}
    for name, value in values.items():
        given = getattr(config, name)
        if given not in (value, defaults[name]):
            raise ConfigError(
                f"--{name} is {_shown(given)}, but the protocol {protocol.name!r} has {_shown(value)}. Leave --{name} "
                f"out, or give a protocol of your own: a YAML file with 'base: {protocol.name}' and what differs."
            )
    if config.ablate:
        raise ConfigError(
            f"--ablate adds crops that the protocol {protocol.name!r} does not have. Leave --protocol out with it."
        )
    if protocol.scorer != "own":
        values["scorer"] = protocol.scorer
    return replace(config, **values)


def _values(protocol: Protocol) -> dict[str, Any]:
    """The flags that a protocol sets."""
    values: dict[str, Any] = {
        "max_turns": protocol.limits.max_turns,
        "max_images": protocol.limits.max_images,
        "max_tokens": protocol.limits.max_tokens,
        "max_turn_tokens": protocol.max_turn_tokens,
        "policies": (LEARNED_ZOOM,) if protocol.is_greedy else (),
        "samples": 0 if protocol.is_greedy else protocol.samples,
        "temperature": protocol.temperature,
    }
    return values if protocol.dialect is None else {"dialect": protocol.dialect, **values}


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return "none" if value is None else str(value)


def played_name(protocol: Protocol, name: str) -> str:
    """The name of the dialect that is played: that of the protocol, or of the model, with the protocol's variant."""
    if not protocol.variant:
        return name
    file, parts = file_in(name) or (None, name)
    row, plus, operations = parts.partition("+")
    return f"{file or ''}{row}:{protocol.variant}{plus}{operations}"


def played_dialect(protocol: Protocol, known: ModelDialect) -> Dialect:
    """The dialect with the protocol's variant and pixels.

    The protocol's own dialect is that of the table, whatever is recorded with the model. Raises ConfigError for a
    dialect that has no such variant.
    """
    if protocol.dialect is not None:
        dialect = dialect_named(played_name(protocol, known.name))
    elif protocol.variant:
        dialect = dialect_named(played_name(protocol, known.name))
        dialect = replace(dialect, budgets=known.dialect.budgets)
    else:
        dialect = known.dialect
    if protocol.budgets is None:
        return dialect
    return replace(dialect, budgets=_in_multiples(protocol.budgets, dialect.budgets))


def _in_multiples(given: ViewBudgets, own: ViewBudgets) -> ViewBudgets:
    """The pixels of `given` in multiples of the dialect's factors; its own if it was made for smaller images.

    The embedded model, for one, sees 64 x 64 pixels: at more than a million it can read nothing.
    """
    if own.original.max_pixels < given.original.min_pixels:
        return own
    budgets = {kind: getattr(given, kind) for kind in ViewKind}
    return replace(
        given,
        **{
            kind.value: replace(budget, factor=own.of(kind).factor)
            for kind, budget in budgets.items()
            if budget is not None
        },
    ).with_colors_of(own)
