"""The configuration of a teacher behind an endpoint: address, rate limits, sampling and prices.

Depends on no other part of synthesis; independent of plans and requests.
"""

from dataclasses import dataclass, field

from agents.engines.address import checked_address
from pixel_env.errors import ConfigError

OF_THE_TEACHER = frozenset({"max_tokens", "max_attempts", "retries", "timeout_s", "max_pixels"})
"""Fields whose flags begin with `--teacher_`, because the student has flags with the same names."""


@dataclass(frozen=True)
class ExpertConfig:
    """A teacher behind any OpenAI-compatible endpoint. Its key is read from OPENAI_API_KEY and stored nowhere."""

    model: str = field(metadata={"help": "the model's name, as the endpoint knows it"})
    base_url: str = field(
        default="http://127.0.0.1:8000/v1",
        metadata={"help": "base URL of the endpoint, with /v1; its key is read from OPENAI_API_KEY"},
    )
    cache: str = field(
        default="runs/teacher", metadata={"help": "folder of the replies; a stored reply is never requested again"}
    )
    concurrency: int = field(default=16, metadata={"help": "number of concurrent requests"})
    requests_per_minute: float | None = field(
        default=None,
        metadata={"help": "requests per minute of one process, retries included; None: no limit"},
    )
    tokens_per_minute: float | None = field(
        default=None, metadata={"help": "tokens per minute of one process, prompts included; None: no limit"}
    )
    temperature: float | None = field(
        default=None, metadata={"help": "sampling temperature; None: the default of the endpoint"}
    )
    max_tokens: int = field(default=1024, metadata={"help": "tokens of a reply, including hidden reasoning"})
    max_attempts: int = field(default=3, metadata={"help": "replies that are requested until one can be used"})
    retries: int = field(
        default=10, metadata={"help": "retries of a request when the endpoint is busy, failing or unreachable"}
    )
    timeout_s: float = field(default=180.0, metadata={"help": "seconds to wait for the endpoint"})
    max_pixels: int = field(
        default=1280 * 28 * 28,
        metadata={"help": "pixels of an image that the teacher sees; of a video, of all its frames"},
    )
    price_in: float | None = field(
        default=None, metadata={"help": "price of a million prompt tokens, for the printed usage"}
    )
    price_out: float | None = field(
        default=None, metadata={"help": "price of a million reply tokens, for the printed usage"}
    )

    def __post_init__(self) -> None:
        checked_address(self.base_url, "--teacher")
        for name in ("concurrency", "max_tokens", "max_attempts", "timeout_s", "max_pixels"):
            self._check(name, getattr(self, name) > 0, "more than 0")
        for name in ("requests_per_minute", "tokens_per_minute"):
            rate = getattr(self, name)
            self._check(name, rate is None or rate > 0, "more than 0, or None for no limit")
        self._check("retries", self.retries >= 0, "0 or more")
        if (self.price_in is None) != (self.price_out is None):
            raise ConfigError(
                f"a price needs both --price_in and --price_out, got {self.price_in} and {self.price_out}. "
                "Give both, per million tokens, or neither to count tokens only."
            )

    def _check(self, name: str, is_right: bool, wanted: str) -> None:
        if not is_right:
            flag = f"--teacher_{name}" if name in OF_THE_TEACHER else f"--{name}"
            raise ConfigError(f"the teacher's {flag} is {getattr(self, name)}; wanted: {wanted}.")
