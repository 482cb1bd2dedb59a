"""Demonstrations (traces): one episode as it should be played, and folders of them."""

from agents.traces.trace import Trace, TraceTurn, write_traces

__all__ = ["Trace", "TraceTurn", "write_traces"]
