"""`pixel-env synth`: generation of one data set, from seed data to its data card."""
