"""Visual operations, one file each."""
