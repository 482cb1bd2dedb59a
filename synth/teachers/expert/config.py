"""How a teacher behind an endpoint is reached, paced and paid: one value. Knows nothing of plans or requests."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pixel_env.errors import ConfigError

OF_THE_TEACHER = frozenset({"max_tokens", "max_attempts", "retries", "timeout_s", "max_pixels"})
"""Fields whose flags begin with `--teacher_`, because a student has such flags too."""


@dataclass(frozen=True)
class ExpertConfig:
    """A teacher behind any OpenAI-compatible endpoint. Its key comes from OPENAI_API_KEY and is written nowhere."""

    model: str = field(metadata={"help": "the model's name, as the endpoint knows it"})
    base_url: str = field(
        default="http://127.0.0.1:8000/v1", metadata={"help": "of the endpoint, with its /v1; the key: OPENAI_API_KEY"}
    )
    cache: str = field(
        default="runs/teacher", metadata={"help": "folder of the replies: what is in it is never asked for again"}
    )
    concurrency: int = field(default=16, metadata={"help": "requests under way at a time"})
    requests_per_minute: float | None = field(
        default=None,
        metadata={"help": "requests in a minute, of one process, repeated ones included; None: no limit"},
    )
    tokens_per_minute: float | None = field(
        default=None, metadata={"help": "tokens in a minute, of one process, prompts included; None: no limit"}
    )
    temperature: float | None = field(default=None, metadata={"help": "of sampling; None: the endpoint's own"})
    max_tokens: int = field(default=1024, metadata={"help": "tokens of one reply, a model's hidden reasoning included"})
    max_attempts: int = field(default=3, metadata={"help": "replies asked for until one can be used"})
    retries: int = field(
        default=10, metadata={"help": "repetitions of a request that found the endpoint busy, broken or gone"}
    )
    timeout_s: float = field(default=180.0, metadata={"help": "seconds that an endpoint may be silent"})
    max_pixels: int = field(
        default=1280 * 28 * 28, metadata={"help": "pixels of a picture that the teacher sees; a video's together"}
    )
    price_in: float | None = field(default=None, metadata={"help": "price of a million prompt tokens, to be shown"})
    price_out: float | None = field(default=None, metadata={"help": "price of a million reply tokens, to be shown"})

    def __post_init__(self) -> None:
        self._check_address()
        for name in ("concurrency", "max_tokens", "max_attempts", "timeout_s", "max_pixels"):
            self._check(name, getattr(self, name) > 0, "more than 0")
        for name in ("requests_per_minute", "tokens_per_minute"):
            rate = getattr(self, name)
            self._check(name, rate is None or rate > 0, "more than 0, or None for no limit")
        self._check("retries", self.retries >= 0, "0 or more")
        if (self.price_in is None) != (self.price_out is None):
            raise ConfigError(
                f"a price needs both --price_in and --price_out, got {self.price_in} and {self.price_out}. "
                "Give both, per million tokens, or neither: then only tokens are counted."
            )

    def _check_address(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port above 65535, half an IPv6 address
            is_address = False
        if not is_address or not self.base_url.isprintable() or " " in self.base_url:
            raise ConfigError(
                f"--teacher is the address of an endpoint, as http://127.0.0.1:8000/v1; got {self.base_url!r}."
            )

    def _check(self, name: str, is_right: bool, wanted: str) -> None:
        if not is_right:
            flag = f"--teacher_{name}" if name in OF_THE_TEACHER else f"--{name}"
            raise ConfigError(f"the teacher's {flag} is {getattr(self, name)}; wanted: {wanted}.")
