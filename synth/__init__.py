"""Trajectory synthesis: tasks whose evidence is known become traces to learn from."""
