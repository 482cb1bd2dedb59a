"""vLLM behind a server: replicas, the engine that uses them, and how they get new weights."""
