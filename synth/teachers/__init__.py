"""Teachers write the words of a trace: from tables, by a model behind an endpoint, or none."""
