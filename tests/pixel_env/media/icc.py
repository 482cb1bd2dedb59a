"""Colour profiles made by hand: a matrix and a tone curve, as cameras and screens have them (ICC.1:2010)."""

import struct

import numpy as np

DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
"""x, y of red, green and blue."""
_D65 = (0.3127, 0.3290)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def matrix_profile(primaries, gamma=2.2):
    """An RGB profile with white D65 and a power curve."""
    return _profile(
        b"RGB ",
        {
            **{
                name: _xyz(column)
                for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _to_d50(primaries).T, strict=True)
            },
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma)),
        },
    )


def grey_profile(gamma):
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def ink_profile():
    """A CMYK profile of a printer with four grey inks: each takes a quarter of the lightness (lut8Type, 2 points)."""
    amounts = np.array(np.meshgrid(*[[0, 1]] * 4, indexing="ij")).reshape(4, -1).T
    nodes = b"".join(bytes([255 - round(255 * inks.sum() / 4), 128, 128]) for inks in amounts)
    identity = bytes(range(256))
    matrix = _fixed(np.eye(3).ravel())
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + identity * 4 + nodes + identity * 3
    return _profile(b"CMYK", {b"A2B0": table}, kind=b"prtr", connection=b"Lab ")


def in_linear_srgb(rgb, primaries, gamma=2.2):
    """What a colour of the profile, 0 to 1, is in linear sRGB, by the same matrices."""
    return np.linalg.inv(_to_d50(SRGB)) @ _to_d50(primaries) @ np.asarray(rgb) ** gamma


def levels_of(linear):
    """Linear sRGB as levels, clipped (IEC 61966-2-1)."""
    value = np.clip(linear, 0, 1)
    return 255 * np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)


def _to_d50(primaries):
    white = _xyz_of(*_D65)
    columns = np.array([_xyz_of(x, y) for x, y in primaries]).T
    columns = columns * np.linalg.solve(columns, white)
    scale = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ columns


def _xyz_of(x, y):
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _profile(space, tags, kind=b"mntr", connection=b"XYZ "):
    tags = {b"desc": _text(b"made by hand"), b"wtpt": _xyz(_D50), **tags}
    offset, table, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(data), len(content))
        data += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", 132 + len(table) + len(data), b"\0" * 4, 0x02100000, kind, space, connection)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + _fixed(_D50) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + data


def _fixed(values):
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz(values):
    return b"XYZ \0\0\0\0" + _fixed(values)


def _curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _text(text):
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78
