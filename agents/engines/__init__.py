"""Engines: whatever generates turns behind submit and poll (`protocol.py`). Each loads only what it needs."""
