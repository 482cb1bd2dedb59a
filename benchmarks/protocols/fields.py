"""The values of a protocol in words, for its page and for `pixel-env protocol show`.

Depends on protocols; independent of Markdown and terminals.
"""

from dataclasses import asdict

from agents.engines.protocol import NO_TRUNCATION
from benchmarks.protocols.protocol import Protocol
from pixel_env.views import PixelBudget, ViewBudgets

FIELDS = (
    "dialect",
    "limits",
    "max_turn_tokens",
    "temperature",
    "truncation",
    "samples",
    "retries",
    "budgets",
    "scorer",
    "judge",
    "options_order",
)
"""The fields that say how an episode is played and graded, in the order of the page."""


def shown(protocol: Protocol, name: str) -> str:
    """The value of one of FIELDS in words."""
    match name:
        case "dialect":
            own = protocol.dialect or "the model's own"
            return f"{own}, without tools" if protocol.variant == "notool" else own
        case "limits":
            limits = protocol.limits
            tokens = "no limit of tokens" if limits.max_tokens is None else f"{limits.max_tokens:,} tokens"
            return f"{limits.max_turns} turns, {limits.max_images} images, {tokens}"
        case "truncation":
            given = asdict(protocol.truncation)
            changed = {key: value for key, value in given.items() if value != getattr(NO_TRUNCATION, key)}
            return ", ".join(f"{key} {value:g}" for key, value in changed.items()) or "none"
        case "samples":
            return f"{protocol.samples} a question"
        case "retries":
            return _retries(protocol)
        case "budgets":
            return "those of the dialect" if protocol.budgets is None else _pixels(protocol.budgets)
        case "options_order":
            return protocol.options_order or "as they come"
        case "max_turn_tokens":
            return f"{protocol.max_turn_tokens:,}"
        case "temperature":
            return f"{protocol.temperature:g}"
        case _:
            return str(getattr(protocol, name)) or "-"


def _retries(protocol: Protocol) -> str:
    retries = protocol.retries
    if retries is None:
        return "none"
    temperature = protocol.temperature if retries.temperature is None else retries.temperature
    return f"up to {retries.count} at temperature {temperature:g}"


def _pixels(budgets: ViewBudgets) -> str:
    return f"original {_range(budgets.original)}, crop {_range(budgets.crop)} pixels, in the dialect's multiples"


def _range(budget: PixelBudget) -> str:
    return f"{budget.min_pixels:,} to {budget.max_pixels:,}"
