"""Published task formats, one reader each."""
