"""`pixel-env synth`: the making of one data set, from seeds to its card."""
