"""`pixel-env audit`: what a run asked for, what it was shown, and what its texts say beside that."""
