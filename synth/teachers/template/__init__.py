"""A teacher without a model: surface forms, filled in from annotations alone."""
