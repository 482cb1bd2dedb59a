"""Verification of traces: by replay, and by rules on their texts."""
