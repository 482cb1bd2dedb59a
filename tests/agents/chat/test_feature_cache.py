import numpy as np
import torch

from agents.chat.chat import Chat
from agents.chat.feature_cache import FeatureCache, Features
from pixel_env.dialects.table import dialect_named


def pictures(*values):
    return [np.full((4, 4, 3), value, np.uint8) for value in values]


def processing(seen):
    def process(images):
        seen.append([int(image[0, 0, 0]) for image in images])
        return [Features(torch.full((2, 8), float(image[0, 0, 0])), torch.tensor([1, 1, 2])) for image in images]

    return process


def values(features):
    return [float(one.patches[0, 0]) for one in features]


def test_a_picture_is_processed_once_however_often_it_is_asked_for():
    cache, seen = FeatureCache(), []
    assert values(cache.of(pictures(1, 2, 1), processing(seen))) == [1, 2, 1]
    assert values(cache.of(pictures(2, 3), processing(seen))) == [2, 3]
    assert values(cache.of(pictures(3, 1), processing(seen))) == [3, 1]
    assert seen == [[1, 2], [3]]


def test_what_is_kept_is_bounded_and_the_latest_stays():
    cache, seen = FeatureCache(max_bytes=2 * 64), []  # two pictures of 2 x 8 float32 values
    for value in (1, 2, 1, 3, 1, 2):
        assert values(cache.of(pictures(value), processing(seen))) == [value]
    assert seen == [[1], [2], [3], [2]]


def test_a_picture_that_is_larger_than_the_whole_cache_is_processed_all_the_same():
    cache, seen = FeatureCache(max_bytes=10), []
    assert values(cache.of(pictures(1), processing(seen))) == values(cache.of(pictures(1), processing(seen))) == [1]
    assert seen == [[1], [1]]


def test_a_conversations_pictures_are_processed_once_for_all_its_turns(tiny_processor, monkeypatch):
    processed = []
    chat = Chat(tiny_processor, dialect_named("tiny"))
    original = tiny_processor.image_processor

    class Counting:
        def __getattr__(self, name):
            return getattr(original, name)

        def __call__(self, images, **options):
            processed.append(len(images))
            return original(images=images, **options)

    monkeypatch.setattr(tiny_processor, "image_processor", Counting())
    rng = np.random.default_rng(5)
    overview, crop = (rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2))
    one, two = chat.features([overview]), chat.features([overview, crop])
    assert processed == [1, 1]
    assert torch.equal(two["pixel_values"][: len(one["pixel_values"])], one["pixel_values"])
    monkeypatch.undo()
    plain = original(images=[overview, crop], do_resize=False, return_tensors="pt", input_data_format="channels_last")
    assert torch.equal(two["pixel_values"], plain["pixel_values"])
    assert torch.equal(two["image_grid_thw"], plain["image_grid_thw"])
