"""Fetching, unpacking and checking a data set once."""
