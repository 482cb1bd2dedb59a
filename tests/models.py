"""Models with random weights, as small as can be, and their processors: fixtures for all tests.

Depends on `agents.checkpoints.tiny`, which each fixture imports itself, so that tests of the light packages do not
load torch; independent of what the tests do with them. `tests/conftest.py` makes the fixtures known.
"""

import pytest


@pytest.fixture(scope="session")
def tiny_processor():
    """A processor whose tokenizer is learned from a few words."""
    from agents.checkpoints.tiny import make_processor, train_tokenizer

    texts = ["which digit is on the red card", "is the red card in the left or in the right half", "<crop> 1 2 3 4"]
    return make_processor(train_tokenizer(texts, vocabulary=320))


@pytest.fixture(scope="session")
def tiny_chat(tiny_processor):
    """The chat of the `tiny` dialect over `tiny_processor`."""
    from agents.chat.chat import Chat
    from pixel_env.dialects.table import dialect_named

    return Chat(tiny_processor, dialect_named("tiny"))


@pytest.fixture
def tiny_model(tiny_processor):
    """A new model for each test, because tests change it."""
    import torch

    from agents.checkpoints.tiny import make_model

    torch.manual_seed(0)
    return make_model(tiny_processor.tokenizer).eval()


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory):
    """A folder with a model of random weights, its processor, and a tokenizer with a token for every grid line."""
    import torch

    from agents.checkpoints.tiny import make_model, make_processor, save_checkpoint, train_tokenizer

    texts = [
        "which digit is on the red card",
        "<crop> " + " ".join(map(str, range(17))),
        "<answer> left right unseen",
    ] * 3
    folder = tmp_path_factory.mktemp("tiny-random")
    tokenizer = train_tokenizer(texts, vocabulary=400)
    torch.manual_seed(0)
    save_checkpoint(make_model(tokenizer), make_processor(tokenizer), folder, {})
    return folder


@pytest.fixture(scope="session")
def vllm_of_tiny_zoom():
    """One vLLM engine for all tests of a process: its users are in one group, see `tests/groups.py`."""
    pytest.importorskip("vllm")
    from agents.checkpoints.names import model_folder
    from agents.engines.vllm import load_vllm

    return load_vllm(model_folder("tiny-zoom"), dtype="float32", max_model_len=512, max_images=6, max_num_seqs=32)
