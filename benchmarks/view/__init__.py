"""`pixel-env view`: an HTML page that shows trajectories."""
