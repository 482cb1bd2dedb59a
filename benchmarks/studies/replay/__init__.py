"""Selective sample replay and the zero-advantage filter, over several seeds."""
