"""`pixel-env eval` and `compare`: checkpoints measured by rollouts."""
