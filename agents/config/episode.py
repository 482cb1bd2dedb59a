"""How an episode is played, as the flags of every command that plays some.

Depends on dialects and limits; independent of training libraries.
"""

from dataclasses import dataclass, field

from agents.rollout import EpisodeSettings
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import prompt_hash, read_prompt_file, with_prompt
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


@dataclass
class EpisodeArguments:
    """How an episode is played."""

    dialect: str = field(
        default="default",
        metadata={"help": "Wire format of calls and answers: a dialect's name, with variants after colons."},
    )
    prompt_file: str | None = field(
        default=None, metadata={"help": "A text that follows the question, or holds {question}, for the dialect's own."}
    )
    prompt_sha256: str | None = field(
        default=None, metadata={"help": "Of prompt_file's text; kept with the run, and a given one is checked."}
    )
    max_turns: int = field(
        default=4, metadata={"help": "Turns of an episode, the answering one included: 4 allow three operations."}
    )
    max_images: int = field(default=16, metadata={"help": "Pictures of an episode, the task's own included."})
    max_tokens: int | None = field(
        default=None, metadata={"help": "Tokens of a whole conversation, pictures included (default: no limit)."}
    )

    _prompt_text: str | None = field(default=None, init=False, repr=False)

    def read_prompt(self) -> None:
        """Takes the text of `prompt_file` for the whole run. Raises ConfigError if it is not the one that was meant."""
        text = None if self.prompt_file is None else read_prompt_file(self.prompt_file)
        found = None if text is None else prompt_hash(text)
        if self.prompt_sha256 not in (None, found):
            raise ConfigError(
                f"prompt_sha256 is {self.prompt_sha256}, and the text of prompt_file {self.prompt_file} has {found}. "
                "Give the file that was meant, or leave prompt_sha256 out."
            )
        self._prompt_text, self.prompt_sha256 = text, found

    def settings(self, dialect: Dialect, task_set: TaskSet | None) -> EpisodeSettings:
        """The same as values; the task set's own pixel budgets come before the dialect's."""
        budgets = dialect.budgets if task_set is None else budgets_for(None, task_set, dialect)
        if self._prompt_text is not None:
            dialect = with_prompt(dialect, self._prompt_text)
        return EpisodeSettings(dialect, Limits(self.max_turns, self.max_images, self.max_tokens), budgets)
