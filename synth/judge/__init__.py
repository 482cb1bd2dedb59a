"""A judge of traces: a model behind an endpoint that reads a verified trace beside what it shows."""
