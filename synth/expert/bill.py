"""What a teacher has cost: requests, tokens, and a price where one is known. Knows nothing of what was asked."""

from dataclasses import dataclass

from synth.expert.cache import Reply

MILLION = 1_000_000


@dataclass
class Bill:
    """Counts what was paid for; replies from the cache are counted apart, because they cost nothing.

    `price_in`, `price_out`: of a million tokens of prompts and of replies, both or neither.
    """

    price_in: float | None = None
    price_out: float | None = None
    requests: int = 0
    from_cache: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def pay(self, reply: Reply) -> None:
        """Adds a reply that the endpoint gave. Its tokens are what the endpoint says, 0 where it says nothing."""
        self.requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    @property
    def price(self) -> float | None:
        """What was paid, in the currency of the prices; None if none were given."""
        if self.price_in is None or self.price_out is None:
            return None
        return (self.prompt_tokens * self.price_in + self.completion_tokens * self.price_out) / MILLION

    def __str__(self) -> str:
        tokens = f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens in {self.requests:,} requests"
        price = "" if self.price is None else f", price {self.price:.4f}"
        return f"{tokens}{price}, {self.from_cache:,} from the cache"
