"""The API key of an endpoint, which no message may contain.

Depends on one environment variable; independent of requests.
"""

import os
from dataclasses import dataclass, field
from typing import Self

from pixel_env.errors import ConfigError

KEY_VARIABLE = "OPENAI_API_KEY"
_NO_KEY = "none"
_HIDDEN = "(the key)"
_SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True)
class Secret:
    """A key, kept out of its own `repr` too."""

    key: str = field(repr=False)
    variable: str = KEY_VARIABLE
    """The environment variable to set, for messages."""

    @classmethod
    def of_environment(cls, *variables: str) -> Self:
        """The key without the space around it. Raises ConfigError for one that no request can carry.

        It is that of the first of the `variables` (by default `KEY_VARIABLE`) which is set.
        """
        names = variables or (KEY_VARIABLE,)
        variable = next((name for name in names if os.environ.get(name, "").strip()), names[0])
        # A local server accepts any key, but the client requires one.
        key = os.environ.get(variable, "").strip() or _NO_KEY
        if not all("!" <= character <= "~" for character in key):
            raise ConfigError(
                f"{variable} holds a character that no key can have: a space, a line break, or one that is not "
                "ASCII. Set it to the key alone, as the endpoint gave it."
            )
        return cls(key, variable)

    def kept_out_of(self, text: str) -> str:
        """`text`, a message, with a placeholder instead of the key."""
        return text if self.key == _NO_KEY else text.replace(self.key, _HIDDEN)

    def kept_out_of_reply(self, text: str) -> str:
        """`text`, which a model wrote, with a placeholder instead of the key.

        A key that is too short to be one of an account ("EMPTY", for a server without keys) may be a word of a reply.
        """
        return text if len(self.key) < _SHORTEST_KEY else self.kept_out_of(text)
