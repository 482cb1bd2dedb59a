"""What a training run leaves to look at while it runs: its log, its rollouts and its line on the console."""
