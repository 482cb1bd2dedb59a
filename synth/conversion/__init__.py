"""Traces to and from the released rows and TRL's, and the mistakes that are found in rows without flags."""
