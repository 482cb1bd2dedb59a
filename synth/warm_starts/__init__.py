"""Traces for the embedded model's warm start."""
