"""A teacher without a model: text templates that are filled in from annotations."""
