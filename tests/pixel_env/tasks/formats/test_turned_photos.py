"""Evidence in pixels lies where it is shown, also on a photo that EXIF turns."""

import pytest

from pixel_env.tasks import load_tasks
from tests.pixel_env.tasks.published import VSTAR_FILE
from tests.turned_photos import shows_red, turned_photo

BOX = [32, 24, 64, 48]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("form", ["vstar", "vstar-files"])
def test_the_box_of_a_vstar_row_lies_on_its_object(form, orientation, published, make, tmp_path):
    folder = published[form](tmp_path)
    for name in ("direct_attributes/sa_1", "relative_position/sa_2"):
        turned_photo(folder / f"{name}.jpg", (240, 320), [BOX], orientation)
        make.as_json(folder / f"{name}.json", VSTAR_FILE | {"bbox": [BOX]})
    tasks = load_tasks(folder, strict=True).tasks
    assert len(tasks) == 2 and all(map(shows_red, tasks))
