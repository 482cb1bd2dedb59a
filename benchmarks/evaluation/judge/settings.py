"""Which judge is asked, and what it is shown of an episode: nothing but texts.

Depends on addresses and names; independent of connections, so that the flags can be checked without the packages of an
endpoint.
"""

from dataclasses import dataclass

KEY_VARIABLES = ("JUDGE_API_KEY", "OPENAI_API_KEY")
"""Where the judge's key is read from: the first that is set. A judge may be another provider's than the model."""


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """A judge behind an OpenAI-compatible endpoint: its base URL with /v1, its model, and requests at a time."""

    url: str
    model: str
    concurrency: int
