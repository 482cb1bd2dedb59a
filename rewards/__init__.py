"""Rewards on groups: pure functions of the trajectories of one query. Knows numpy and trajectories, not training."""
