"""Checkpoints: the embedded ones, and how a model is named and loaded."""
