"""The learning trap and its cure, over several seeds."""
