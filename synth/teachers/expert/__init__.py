"""A teacher behind an OpenAI-compatible endpoint: what it is asked, how, and what is made of its replies."""
