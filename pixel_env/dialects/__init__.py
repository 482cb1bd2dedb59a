"""Wire formats: what a model writes and reads, as values in one table."""

from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import DIALECTS, dialect_named, with_operations
from pixel_env.operations.coordinates import Coordinates

__all__ = [
    "DIALECTS",
    "Call",
    "CallSyntax",
    "Coordinates",
    "Dialect",
    "IntegerCalls",
    "JsonCalls",
    "Wording",
    "dialect_named",
    "view_budgets",
    "with_operations",
]
