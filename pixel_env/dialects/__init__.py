"""Wire formats: what a model writes and reads, as values in one table."""

from pixel_env.dialects.table import DIALECTS, Dialect, Wording, dialect_named, view_budgets

__all__ = ["DIALECTS", "Dialect", "Wording", "dialect_named", "view_budgets"]
