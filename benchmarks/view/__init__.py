"""`pixel-env view`: a page to look at trajectories."""
