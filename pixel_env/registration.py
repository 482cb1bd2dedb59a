"""The environment ids. Importing `pixel_env` runs `register_all`.

Depends on Gymnasium; independent of the environment, which is imported by `gym.make`: entry points are strings, so that
a spec can be written as JSON.
"""

from gymnasium.envs.registration import register, registry

ENTRY_POINT = "pixel_env.env:PixelEnv"

ENVIRONMENTS: dict[str, str] = {
    "PixelReasoning-VStar-v0": "sample:vstar",
    "PixelReasoning-TallyQA-v0": "sample:tallyqa",
    "PixelReasoning-InfographicsVQA-v0": "sample:infographics",
    "PixelReasoning-MVBench-v0": "sample:mvbench",
}
"""Each id, and its task set if `tasks` is not given."""


def register_all() -> None:
    """Registers every id once; calling it again changes nothing."""
    for name, tasks in ENVIRONMENTS.items():
        if name not in registry:
            register(name, entry_point=ENTRY_POINT, kwargs={"tasks": tasks})
