"""Wire formats: what a model writes and reads, as values in one table."""

from pixel_env.dialects.argument_calls import ArgumentCalls
from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.dialects.dialect import Dialect, Wording, view_budgets
from pixel_env.dialects.files import dialect_from_row, dialect_text, dialect_to_row, read_dialect
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.phrase_calls import PhraseCalls
from pixel_env.dialects.table import DIALECTS, dialect_named, with_operations
from pixel_env.dialects.xml_calls import XmlCalls
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates, ImageNames

__all__ = [
    "DIALECTS",
    "ArgumentCalls",
    "Call",
    "CallSyntax",
    "Coordinates",
    "Dialect",
    "Edges",
    "ImageNames",
    "IntegerCalls",
    "JsonCalls",
    "PhraseCalls",
    "Wording",
    "XmlCalls",
    "dialect_from_row",
    "dialect_named",
    "dialect_text",
    "dialect_to_row",
    "read_dialect",
    "view_budgets",
    "with_operations",
]
