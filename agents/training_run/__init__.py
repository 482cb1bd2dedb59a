"""A training in its folder: begun, continued, interrupted and finished, the same for both training commands."""
