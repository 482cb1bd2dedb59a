"""Teachers write the texts of a trace: from tables, by a model behind an endpoint, or not at all."""
