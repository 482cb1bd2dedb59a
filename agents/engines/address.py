"""The address of a server, checked where it is given.

Depends on URLs; independent of connections.
"""

from urllib.parse import urlsplit

from pixel_env.errors import ConfigError

EXAMPLE = "http://127.0.0.1:8000/v1"


def checked_address(address: str, flag: str) -> str:
    """`address`, if it is the URL of a server without a user name and a password; `flag`: what gave it, for messages.

    An address is recorded with results and written in messages, so no credentials may stand in it. Raises ConfigError,
    which does not repeat them.
    """
    try:
        parts = urlsplit(address)
        has_credentials = "@" in parts.netloc
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port above 65535, half an IPv6 address
        has_credentials = is_server = False
    if has_credentials:
        raise ConfigError(
            f"{flag} holds a user name or a password, and an address is recorded with the results. Give it without "
            "what stands before the @; the key of an endpoint is read from OPENAI_API_KEY."
        )
    if not is_server or not address.isprintable() or " " in address:
        # What stands before an @ may be a password even where the rest is no URL.
        got = f"***@{address.rpartition('@')[2]}" if "@" in address else address
        raise ConfigError(f"{flag} must be the URL of a server, as in {EXAMPLE}; got {got!r}.")
    return address
