"""Verification of traces by replay, and of what they say."""
