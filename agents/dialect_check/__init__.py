"""Whether a model fits a dialect: what `pixel-env dialect check` finds out."""
