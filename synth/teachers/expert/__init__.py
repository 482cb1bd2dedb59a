"""A teacher behind an OpenAI-compatible endpoint: its prompts, its requests and the reading of its replies."""
