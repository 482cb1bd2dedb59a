"""What a teacher has cost: requests, tokens, and a price where one is known. Knows nothing of what was asked."""

from dataclasses import dataclass

from synth.teachers.expert.cache import Reply

MILLION = 1_000_000


@dataclass
class Bill:
    """Counts what was paid for; replies from the cache are counted apart, because they cost nothing.

    `price_in`, `price_out`: of a million tokens of prompts and of replies, both or neither. `before`: replies that
    earlier processes paid for, their prompts' tokens, and their own.
    """

    price_in: float | None = None
    price_out: float | None = None
    requests: int = 0
    from_cache: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    before: tuple[int, int, int] = (0, 0, 0)

    def pay(self, reply: Reply) -> None:
        """Adds a reply that the endpoint gave. Its tokens are what the endpoint says, 0 where it says nothing."""
        self.requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    @property
    def price(self) -> float | None:
        """What this process paid, in the currency of the prices; None if none were given."""
        return self._price_of(self.prompt_tokens, self.completion_tokens)

    @property
    def in_full(self) -> str:
        """What this process paid, and with it what was paid for all that its cache holds."""
        replies, prompt_tokens, completion_tokens = self.before
        total = self._told(
            replies + self.requests, prompt_tokens + self.prompt_tokens, completion_tokens + self.completion_tokens
        )
        return f"{self}; with what earlier processes paid, {total}" if replies else str(self)

    def __str__(self) -> str:
        told = self._told(self.requests, self.prompt_tokens, self.completion_tokens)
        return f"{told}, {self.from_cache:,} from the cache"

    def _told(self, requests: int, prompt_tokens: int, completion_tokens: int) -> str:
        price = self._price_of(prompt_tokens, completion_tokens)
        tokens = f"{prompt_tokens:,} + {completion_tokens:,} tokens in {requests:,} requests"
        return tokens if price is None else f"{tokens}, price {price:.4f}"

    def _price_of(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / MILLION
