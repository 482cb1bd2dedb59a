"""How an episode is played, as the flags of every command that plays some.

Depends on dialects and limits; independent of training libraries.
"""

from dataclasses import dataclass, field

from agents.checkpoints.conventions import Convention
from agents.config.model_dialect import ModelDialect
from agents.config.names import DialectName
from agents.rollout import EpisodeSettings
from pixel_env.budgets import budgets_for
from pixel_env.command_line.values import AtLeastOne
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import prompt_hash, read_prompt_file, with_prompt
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


@dataclass
class EpisodeArguments:
    """How an episode is played."""

    dialect: DialectName | None = field(
        default=None,
        metadata={
            "help": "format of calls and answers: the name of a dialect, with variants after colons (default: that of "
            "the traces, else the model's own, as recorded with it or by its model_type)"
        },
    )
    prompt_file: str | None = field(
        default=None,
        metadata={"help": "text file for the prompt: it follows the question, or contains {question} itself"},
    )
    prompt_sha256: str | None = field(
        default=None,
        metadata={"help": "SHA-256 of the text of prompt_file; recorded with the run, and checked if it is given"},
    )
    max_turns: AtLeastOne = field(
        default=4, metadata={"help": "turns of an episode, including the one that answers: 4 allow three operations"}
    )
    max_images: AtLeastOne = field(
        default=16, metadata={"help": "images of an episode, including those of the task; a video counts as one"}
    )
    max_tokens: AtLeastOne | None = field(
        default=None,
        metadata={"help": "tokens of the whole conversation, including images (default: the positions of the model)"},
    )

    _prompt_text: str | None = field(default=None, init=False, repr=False)

    def read_prompt(self) -> None:
        """Reads the text of `prompt_file` for the whole run. Raises ConfigError if its hash is not `prompt_sha256`."""
        text = None if self.prompt_file is None else read_prompt_file(self.prompt_file)
        actual_sha256 = None if text is None else prompt_hash(text)
        if self.prompt_sha256 not in (None, actual_sha256):
            raise ConfigError(
                f"prompt_sha256 is {self.prompt_sha256}, but the hash of prompt_file {self.prompt_file} is "
                f"{actual_sha256}. Give the file with that hash, or leave prompt_sha256 out."
            )
        self._prompt_text, self.prompt_sha256 = text, actual_sha256

    def take(self, known: ModelDialect) -> Dialect:
        """Takes over the dialect's name and, unless a prompt file is given, the prompt that is recorded with the model.

        Returns the dialect with its pixel budgets and without the prompt, as `settings` wants it.
        """
        self.dialect = known.name
        if self.prompt_file is None and known.prompt is not None:
            self._prompt_text, self.prompt_sha256 = known.prompt, prompt_hash(known.prompt)
        return known.plain

    def convention(self, settings: EpisodeSettings) -> Convention:
        """What is kept beside the weights that are trained with `settings`, which `self.settings` returned."""
        return Convention(settings.dialect.name, settings.budgets, settings.limits, self._prompt_text)

    def settings(self, dialect: Dialect, task_set: TaskSet | None) -> EpisodeSettings:
        """The same as values; the task set's own pixel budgets take precedence over the dialect's."""
        budgets = dialect.budgets if task_set is None else budgets_for(None, task_set, dialect)
        if self._prompt_text is not None:
            dialect = with_prompt(dialect, self._prompt_text)
        return EpisodeSettings(dialect, Limits(self.max_turns, self.max_images, self.max_tokens), budgets)
