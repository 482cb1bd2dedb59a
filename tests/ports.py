"""Ports for servers that tests start.

Depends on sockets; independent of the library.
"""

import os
import random
import socket

_LOWEST, _HIGHEST = 15_000, 32_000
"""Below the range from which the system takes the ports of connections, so that none takes a port before its server."""

_CHOICE = random.Random(os.getpid())  # processes that run tests at the same time choose other ports


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens, and which no connection takes by chance."""
    while True:
        port = _CHOICE.randrange(_LOWEST, _HIGHEST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
