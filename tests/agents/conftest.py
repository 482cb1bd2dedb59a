"""The tiny model's classes with random weights, and a tokenizer learned from a few words."""

import pytest


@pytest.fixture(scope="session")
def tiny_processor():
    from agents.checkpoints.tiny import make_processor, train_tokenizer

    texts = ["which digit is on the red card", "is the red card in the left or in the right half", "<crop> 1 2 3 4"]
    return make_processor(train_tokenizer(texts, vocabulary=320))


@pytest.fixture(scope="session")
def tiny_chat(tiny_processor):
    from agents.chat.chat import Chat
    from pixel_env.dialects.table import dialect_named

    return Chat(tiny_processor, dialect_named("tiny"))


@pytest.fixture
def tiny_model(tiny_processor):
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
    """One vLLM engine in this process for all tests of a session."""
    pytest.importorskip("vllm")
    from agents.checkpoints.names import model_folder
    from agents.engines.vllm import load_vllm

    return load_vllm(model_folder("tiny-zoom"), dtype="float32", max_model_len=512, max_images=6, max_num_seqs=32)
