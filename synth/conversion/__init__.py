"""Conversion of traces to and from other row formats, and detection of mistakes in rows without flags."""
