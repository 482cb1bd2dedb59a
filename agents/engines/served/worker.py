"""What `pixel-env serve` adds to vLLM's worker: which weights it holds, and loading them from a folder.

Several processes ask at the same time, and one may end in the middle: only the worker's own record is right. Depends on
vLLM's worker, in whose process it is imported; independent of HTTP.
"""

from agents.engines.vllm_worker import ReloadingWorker


class ServedWorker(ReloadingWorker):
    """Mixed into vLLM's worker. A version is a name of the weights that the trainers agree on."""

    _loaded_version: str | None = None
    _held_version: str | None = None

    def load_version(self, version: str, weights_path: str) -> None:
        """Loads the checkpoint in the folder, for the first who asks for this version."""
        if version == self._loaded_version:
            return
        self.forget_version()
        self.renew_weights(weights_path=weights_path)
        self.adopt_version(version)

    def forget_version(self) -> None:
        """The weights are about to change."""
        self._loaded_version = self._held_version = None

    def adopt_version(self, version: str) -> None:
        """The weights that are there now, from a folder or sent over NCCL, are those of this version."""
        self._loaded_version = version

    def loaded_version(self) -> str | None:
        """The version that is there; None for what the server started with, and for one that is there in part."""
        return self._loaded_version

    def confirm_version(self, version: str) -> None:
        """Nothing that was computed with other weights is left: this version may serve, if it is still there."""
        if version == self._loaded_version:
            self._held_version = version

    def held_version(self) -> str | None:
        """The version that was confirmed last; None if another one has been loaded since, or none."""
        return self._held_version
