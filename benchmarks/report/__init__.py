"""`pixel-env report`: an HTML page about a training run, finished or not."""
