"""The usage of a teacher: requests, tokens, and a price if one is given.

Depends on replies; independent of their content.
"""

from dataclasses import dataclass

from synth.teachers.expert.cache import Reply

MILLION = 1_000_000


@dataclass
class Usage:
    """Counts requests and tokens; replies from the cache are counted separately, because they cost nothing.

    `price_in`, `price_out`: prices of a million prompt tokens and reply tokens, both or neither. `before`: replies of
    earlier processes, their prompt tokens and their completion tokens.
    """

    price_in: float | None = None
    price_out: float | None = None
    requests: int = 0
    from_cache: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    before: tuple[int, int, int] = (0, 0, 0)

    def add(self, reply: Reply) -> None:
        """Adds a reply of the endpoint, with the tokens that the endpoint counted, or 0."""
        self.requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    @property
    def price(self) -> float | None:
        """The cost of this process, in the currency of the prices; None without prices."""
        return self._price_of(self.prompt_tokens, self.completion_tokens)

    @property
    def with_earlier(self) -> str:
        """The usage of this process, and the total with earlier processes that used the same cache."""
        replies, prompt_tokens, completion_tokens = self.before
        total = self._line(
            replies + self.requests, prompt_tokens + self.prompt_tokens, completion_tokens + self.completion_tokens
        )
        return f"{self}; total with earlier processes: {total}" if replies else str(self)

    def __str__(self) -> str:
        line = self._line(self.requests, self.prompt_tokens, self.completion_tokens)
        return f"{line}, {self.from_cache:,} from the cache"

    def _line(self, requests: int, prompt_tokens: int, completion_tokens: int) -> str:
        price = self._price_of(prompt_tokens, completion_tokens)
        tokens = f"{prompt_tokens:,} + {completion_tokens:,} tokens in {requests:,} requests"
        return tokens if price is None else f"{tokens}, price {price:.4f}"

    def _price_of(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / MILLION
