"""A run's output folder: its configuration, its shards and its summary."""
