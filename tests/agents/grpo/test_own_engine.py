"""An engine of a user's own beside the policy: given its weights, and refused by what it declares."""

import pytest

from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks
from tests.own_engine import SOURCE, own_engine

BESIDE = (
    SOURCE
    + '''

from contextlib import contextmanager
from agents.engines.transformers import TransformersEngine


class Beside:
    """A copy of the policy that generates; it notes at which steps it was given weights."""

    checked, steps, outdated = [], [], []

    def __init__(self, args, model, chat, accelerator):
        self.chat = chat

    @classmethod
    def check(cls, args):
        cls.checked.append(args.engine)

    @contextmanager
    def generating(self, policy, step):
        self.steps.append(step)
        yield TransformersEngine(policy, self.chat)

    def outdate(self):
        self.outdated.append(True)


PARTS = {"name": "beside", "summary": "a copy of the policy", "loader": "my_engine:load", "trainer": "my_engine:Beside"}
TRAINER = EngineSpec(**PARTS)
BLIND = EngineSpec(**PARTS, returns_log_probs=False)
FREE = EngineSpec(**PARTS, can_ban_tokens=False)
FRAMES = EngineSpec(**PARTS, takes_video_entries=False)
MEASURED = EngineSpec(**PARTS, needs_max_tokens=True)
'''
)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    with own_engine(tmp_path, monkeypatch, BESIDE) as folder:
        yield folder


def config(folder, **options):
    sizes = {"max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 16, "num_generations": 4}
    training = {"per_device_train_batch_size": 4, "max_steps": 2, "logging_steps": 1, "learning_rate": 1e-3}
    places = {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    defaults = {"dialect": "tiny", **sizes, **training, **places}
    return PixelGRPOConfig(output_dir=str(folder / "run"), **{**defaults, **options})


def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=2)


def test_it_generates_each_step_and_the_loss_corrects_for_its_log_probabilities(tiny_checkpoint, mine):
    trainer = PixelGRPOTrainer(str(tiny_checkpoint), tasks(), config(mine, engine="my_engine:TRAINER"))
    trainer.train()
    import my_engine

    assert my_engine.Beside.checked == ["my_engine:TRAINER"]
    assert my_engine.Beside.steps == [0, 1] and my_engine.Beside.outdated == [True]
    ratios = [row["sampling/importance_sampling_ratio/mean"] for row in trainer.state.log_history if "reward" in row]
    assert ratios == pytest.approx([1.0, 1.0], abs=1e-3)


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("my_engine:ENGINE", "does not accept the weights of a policy in training. Leave engine out.*vllm, server"),
        ("endpoint", "does not accept the weights"),
        ("scripted", "does not accept the weights"),
        ("my_engine:BLIND", "returns no log-probabilities"),
        ("my_engine:FREE", "cannot ban tokens"),
        ("my_engine:MEASURED", "plans its memory for the longest conversation. Give max_tokens"),
        ("vllm", "'vllm' plans its memory"),
        ("my_engine:NUMBER", "wanted: an EngineSpec"),
    ],
)
def test_one_that_cannot_train_is_refused_before_a_model_is_loaded(mine, engine, told):
    with pytest.raises(ConfigError, match=told):
        PixelGRPOTrainer("/no/such/model", tasks(), config(mine, engine=engine))


def test_videos_that_it_does_not_take_are_refused_before_a_model_is_loaded(mine):
    videos = load_tasks("sample:mvbench", split="train", count=1)
    for engine in ("my_engine:FRAMES", "server"):
        args = config(mine, engine=engine, dialect="released")
        with pytest.raises(ConfigError, match=f"--engine {engine} does not support a video.*released:frames"):
            PixelGRPOTrainer("/no/such/model", videos, args)


def test_the_engine_and_trls_flags_name_the_same_thing(mine):
    assert config(mine).engine_beside is None
    assert config(mine, use_vllm=True).engine_beside == "vllm"
    assert config(mine, use_vllm=True, vllm_mode="server").engine_beside == "server"
    named = config(mine, engine="server")
    assert (named.use_vllm, named.vllm_mode, named.engine_beside) == (True, "server", "server")
    own = config(mine, engine="my_engine:TRAINER")
    assert (own.use_vllm, own.engine_beside) == (True, "my_engine:TRAINER")
    assert config(mine, engine="my_engine:TRAINER", use_vllm=True).engine_beside == "my_engine:TRAINER"
    for engine in ("vllm", "my_engine:TRAINER"):
        with pytest.raises(ConfigError, match=f"engine is '{engine}', but vllm_mode 'server'"):
            config(mine, engine=engine, vllm_mode="server")
    with pytest.raises(ConfigError, match="Did you mean server"):
        _ = config(mine, use_vllm=True, vllm_mode="serve").engine_beside
