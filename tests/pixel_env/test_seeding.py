"""Chance by name: results that were published must be drawn again by every later release."""

from pixel_env.seeding import rng_of, seed_of


def test_the_bits_of_a_text_are_fixed():
    assert seed_of("0/tiny-0") == 131601203382594670
    assert rng_of("0/tiny-0").integers(1000, size=4).tolist() == [269, 637, 638, 967]


def test_equal_texts_draw_the_same_and_others_something_else():
    first, again, other = (rng_of(text).random(8).tolist() for text in ("0/a", "0/a", "0/b"))
    assert first == again != other


def test_a_name_with_a_lone_surrogate_draws_too():
    assert seed_of("0/\ud800") != seed_of("0/")
