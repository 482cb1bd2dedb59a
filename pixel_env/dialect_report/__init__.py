"""A dialect for people: `pixel-env dialect` lists the rows, shows one with played examples, and checks a model."""
