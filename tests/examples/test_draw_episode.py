"""The image of the README is what its script draws: an episode that the embedded model really plays."""

import runpy

import numpy as np
import pytest
from PIL import Image

from tests.paths import ROOT

SHIPPED = ROOT / "docs" / "episode.png"


def test_the_image_of_the_readme_is_an_episode_that_the_embedded_model_plays_and_answers_right(tmp_path):
    pytest.importorskip("trl")
    main = runpy.run_path(str(ROOT / "examples" / "draw_episode.py"), run_name="example")["main"]
    played = main(["--output", str(tmp_path / "episode.png")])
    assert played.reward == 1.0 and played.valid_operations == 1
    drawn, shipped = (
        np.asarray(Image.open(path).convert("RGB"), float) for path in (tmp_path / "episode.png", SHIPPED)
    )
    assert drawn.shape == shipped.shape and np.abs(drawn - shipped).mean() < 2.0
    assert SHIPPED.stat().st_size < 150_000
