"""A finished run that no training made, and a checkpoint with random weights."""

import pytest

from tests.benchmarks.runs import make_run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a finished demo: trap without curiosity, cure with it."""
    return make_run(tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory):
    """A folder with a model of random weights and its processor."""
    import torch

    from agents.checkpoints.tiny import make_model, make_processor, save_checkpoint, train_tokenizer

    texts = ["which digit is on the red card", "<crop> " + " ".join(map(str, range(17))), "<answer> left right"] * 3
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny-random"
    tokenizer = train_tokenizer(texts, vocabulary=400)
    torch.manual_seed(0)
    save_checkpoint(make_model(tokenizer), make_processor(tokenizer), folder, {})
    return folder
