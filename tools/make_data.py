"""Makes pixel_env/data/: photographs re-encoded from Debian's lomiri-wallpapers-16.04, digits from scikit-learn.

python tools/make_data.py FOLDER   # FOLDER holds the package's *.jpg (dpkg -x lomiri-wallpapers-16.04_*.deb DIR)
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

LONG_SIDE = 2600
QUALITY = 85
PHOTOS = {
    "aitzgorri": "aitzgorri_by_Aitzol_Berasategi.jpg",
    "bowl": "Picture_0B_by_freespace.jpg",
    "friends": "friends_by_Aitzol_Berasategi.jpg",
    "life": "life_by_Aitzol_Berasategi.jpg",
    "picosdeeuropa": "picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "seeding": "seeding_by_Clements_Engelhardt.jpg",
    "sunset": "sunset_by_Aitzol_Berasategi.jpg",
    "wine": "Wine_by_Jakkub_Mede.jpg",
}


def main(folder: Path) -> None:
    """Write the photographs and the digits into the package's data folder."""
    data = Path(__file__).resolve().parents[1] / "pixel_env" / "data"
    (data / "photos").mkdir(parents=True, exist_ok=True)
    for name, file in PHOTOS.items():
        photo = Image.open(folder / file).convert("RGB")
        scale = min(1.0, LONG_SIDE / max(photo.size))
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
        photo.save(data / "photos" / f"{name}.jpg", quality=QUALITY, optimize=True)
        print(name, photo.size, (data / "photos" / f"{name}.jpg").stat().st_size)
    digits = load_digits()
    # One row of 8x8 tiles of 4-bit grey levels, kept as they are (0 to 16), labels beside them.
    tiles, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    np.savez_compressed(data / "digits.npz", tiles=tiles, labels=labels)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
