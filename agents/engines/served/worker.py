"""The extension of vLLM's worker for `pixel-env serve`: loads weights from a folder and records their version.

Several processes call it at the same time, and one may die during a call: only the worker's own record is reliable.
Depends on vLLM's worker, in whose process it is imported; independent of HTTP.
"""

from agents.engines.vllm_worker import ReloadingWorker


class ServedWorker(ReloadingWorker):
    """Mixed into vLLM's worker. A version is a name of the weights that the trainers agree on."""

    _loaded_version: str | None = None
    _held_version: str | None = None

    def load_version(self, version: str, weights_path: str) -> None:
        """Loads the checkpoint in the folder, unless this version is loaded already."""
        if version == self._loaded_version:
            return
        self.forget_version()
        self.renew_weights(weights_path=weights_path)
        self.adopt_version(version)

    def forget_version(self) -> None:
        """Clears the version: the weights are about to change."""
        self._loaded_version = self._held_version = None

    def adopt_version(self, version: str) -> None:
        """Records that the present weights, loaded from a folder or sent over NCCL, are those of this version."""
        self._loaded_version = version

    def loaded_version(self) -> str | None:
        """The loaded version; None for the weights of the start, and for a version that is loaded only in part."""
        return self._loaded_version

    def confirm_version(self, version: str) -> None:
        """Marks this version, if it is still loaded, as ready to serve: all caches of other weights are cleared."""
        if version == self._loaded_version:
            self._held_version = version

    def held_version(self) -> str | None:
        """The confirmed version; None if another one was loaded since, or none was confirmed."""
        return self._held_version
