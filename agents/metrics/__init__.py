"""Metrics of trajectories, shared by training and evaluation."""
