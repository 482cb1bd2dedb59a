"""What all commands have in common: names of flags, values, and how a mistake in them is reported."""
