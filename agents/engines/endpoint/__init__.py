"""Any OpenAI-compatible endpoint as an engine, with calls as text or as native tool calls."""

from agents.engines.endpoint.engine import EndpointEngine, load_endpoint
from agents.engines.endpoint.messages import messages_of

__all__ = ["EndpointEngine", "load_endpoint", "messages_of"]
