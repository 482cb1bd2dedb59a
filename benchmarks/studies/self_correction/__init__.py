"""Warm starts with and without self-correction traces, over several seeds."""
