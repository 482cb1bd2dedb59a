"""Uploads a trained model to the Hugging Face Hub: the files that load it, its card and its figures, nothing else.

Logs, rollouts, configurations and checkpoints of a run hold paths and tasks of the user's, and stay on the machine.
Depends on huggingface_hub and on transformers' trainer; independent of losses and models.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import constants, get_token, upload_folder
from huggingface_hub.errors import HfHubHTTPError
from transformers.trainer_utils import HubStrategy

from agents.model_card.card import CardFacts, write_card
from pixel_env.errors import ConfigError

FILES = (
    *("README.md", "summary.json", "pixel_env.json", "dialect.yaml"),
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "adapter_config.json"),
    *("*processor_config.json", "preprocessor_config.json", "chat_template.jinja", "*.py"),
    *("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
)
"""Patterns of the files that are uploaded."""
_ERRORS = (HfHubHTTPError, httpx.HTTPError, OSError)
_NOT = ("checkpoint-*", "*/*")


def check_hub(args: Any) -> None:
    """Raises ConfigError if `args` want an upload for which there is no token, or that is switched off."""
    if not args.push_to_hub:
        return
    if constants.is_offline_mode():
        raise ConfigError("push_to_hub is set, and HF_HUB_OFFLINE=1 keeps this machine offline. Leave one of them out.")
    if args.hub_token is None and get_token() is None:
        raise ConfigError(
            "push_to_hub needs a token of the Hugging Face Hub that may write. Give it once with: hf auth login, or in "
            "the environment variable HF_TOKEN."
        )


class Published:
    """The part of a trainer that writes our card and uploads the model, in the place of transformers' own."""

    args: Any
    hub_model_id: str | None

    @abstractmethod
    def card_facts(self) -> CardFacts:
        """What the card says."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Writes our card into the output folder, whatever the arguments, which are those of TRL's card."""
        if self.is_world_process_zero():  # type: ignore[attr-defined]
            write_card(Path(self.args.output_dir), self.card_facts())

    def init_hf_repo(self, token: str | None = None) -> None:
        """Makes the repository. Raises ConfigError if that is refused."""
        try:
            super().init_hf_repo(token)  # type: ignore[misc]
        except _ERRORS as error:
            raise ConfigError(
                f"The repository {self.args.hub_model_id or self.args.output_dir} cannot be made on the Hub: "
                f"{_reason(error)}. Give a --hub_model_id and a token that may write to it, or leave --push_to_hub out."
            ) from error

    def push_to_hub(
        self, commit_message: str | None = "End of training", blocking: bool = True, token: str | None = None, **_: Any
    ) -> Any:
        """Saves the model and uploads it with its card. Raises ConfigError if the upload fails; the files are kept."""
        if self.hub_model_id is None:
            self.init_hf_repo(token)
        self.save_model(_internal_call=True)  # type: ignore[attr-defined]
        if not self.is_world_process_zero():  # type: ignore[attr-defined]
            return None
        self.create_model_card()
        self._finish_current_push()
        return self._upload(self.args.output_dir, commit_message, blocking=blocking, token=token)

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        """Uploads the model of a checkpoint in the background, unless the upload before has not ended."""
        if not self.is_world_process_zero() or self.args.hub_strategy == HubStrategy.END:  # type: ignore[attr-defined]
            return
        if self.push_in_progress is not None and not self.push_in_progress.done():
            return
        step = self.state.global_step  # type: ignore[attr-defined]
        self.push_in_progress = self._upload(checkpoint_folder, f"Training in progress, step {step}", blocking=False)

    push_in_progress: Any

    def _finish_current_push(self) -> None:
        if getattr(self, "push_in_progress", None) is not None:
            self.push_in_progress.exception()  # waits; what it could not upload, the last upload does
            self.push_in_progress = None

    def _upload(self, folder: str, message: str | None, *, blocking: bool, token: str | None = None) -> Any:
        try:
            return upload_folder(
                repo_id=self.hub_model_id,
                folder_path=folder,
                commit_message=message,
                token=token or self.args.hub_token,
                run_as_future=not blocking,
                allow_patterns=list(FILES),
                ignore_patterns=list(_NOT),
                revision=self.args.hub_revision,
            )
        except _ERRORS as error:
            raise ConfigError(
                f"The model could not be uploaded to {self.hub_model_id}: {_reason(error)}. It is in {folder}; upload "
                f"it later with: hf upload {self.hub_model_id} {folder} --exclude 'checkpoint-*' --exclude '*.jsonl'"
            ) from error


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
