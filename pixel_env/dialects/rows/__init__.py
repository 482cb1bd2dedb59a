"""The rows of the table of dialects: our own, and those of other projects' models, one file each."""
