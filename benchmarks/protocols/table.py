"""The table of protocols, and how a name is resolved to one.

Depends on the protocols; independent of task sets and models. A protocol of your own needs no row: it is a `Protocol`
value named as 'module:NAME', or a YAML file.
"""

import os
from dataclasses import replace
from pathlib import Path

from benchmarks.protocols.adaptive_cof import ADAPTIVE_COF
from benchmarks.protocols.deepeyes import DEEPEYES, MENDED
from benchmarks.protocols.files import SUFFIXES, read_protocol
from benchmarks.protocols.framethinker import FRAMETHINKER
from benchmarks.protocols.longvt import LONGVT
from benchmarks.protocols.mini_o3 import MINI_O3
from benchmarks.protocols.own import COMMON, NOTOOL
from benchmarks.protocols.protocol import PromptText, Protocol
from benchmarks.protocols.qwen3_vl_zoom import QWEN3_VL_ZOOM
from benchmarks.protocols.released import RELEASED
from benchmarks.protocols.sensenova_mars import SENSENOVA_MARS
from benchmarks.protocols.unpublished import GLM_4_5V, QWEN3_5
from benchmarks.protocols.videozoomer import VIDEOZOOMER
from benchmarks.protocols.vigorl import VIGORL
from benchmarks.protocols.visionthink import VISIONTHINK
from benchmarks.protocols.vt_visualreasoner import VT_VISUALREASONER
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        COMMON,
        NOTOOL,
        RELEASED,
        MINI_O3,
        DEEPEYES,
        MENDED,
        ADAPTIVE_COF,
        QWEN3_VL_ZOOM,
        SENSENOVA_MARS,
        VT_VISUALREASONER,
        VIGORL,
        VISIONTHINK,
        VIDEOZOOMER,
        FRAMETHINKER,
        LONGVT,
        QWEN3_5,
        GLM_4_5V,
    )
}
"""By the name that `--protocol` takes."""


def protocol_named(name: str) -> Protocol:
    """The protocol called `name`: a row of the table, 'module:NAME', or a YAML file.

    Raises UnknownNameError, or ConfigError where 'module:NAME' is no Protocol or the file cannot be read.
    """
    return _named(name, ())


def protocols_named(names: str) -> list[Protocol]:
    """The protocols of a list of names with commas between them, each once. Raises as `protocol_named`."""
    given = [name.strip() for name in names.split(",")]
    if "" in given:
        raise ConfigError(f"--protocol {names!r} has an empty name. Give names with commas between them.")
    return [protocol_named(name) for name in dict.fromkeys(given)]


def question_text(text: str, protocol: Protocol | None) -> PromptText | None:
    """What is known about a question's text: by `protocol`, or by one of the table; None for a text of the user's."""
    known = [one.texts.get("question") for one in (protocol, *PROTOCOLS.values()) if one is not None]
    return next((one for one in known if one is not None and one.sha256 == prompt_hash(text)), None)


def as_known(text: str, kind: str) -> str:
    """`text` without a line break at its end if that is the text `kind` of a protocol of the table, else unchanged."""
    bare = text.removesuffix("\n")
    known = {one.texts[kind].sha256 for one in PROTOCOLS.values() if kind in one.texts}
    return bare if prompt_hash(bare) in known else text


def _named(name: str, reading: tuple[Path, ...]) -> Protocol:
    """The same; `reading`: the files in which the name stands as a base, the first one first."""
    if name.endswith(SUFFIXES):
        path = Path(name)
        whole = Path(os.path.realpath(path))  # which, unlike Path.resolve, takes a link to itself
        if whole in reading:
            raise ConfigError(f"the protocol {path} is its own base. Give it a row of the table as its base.")
        return read_protocol(path, lambda base: _named(base, (*reading, whole)))
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if ":" not in name:
        advice = "Your own is named as 'module:NAME', or is a file.yaml."
        raise UnknownNameError.among("protocol", name, PROTOCOLS, advice)
    protocol = imported(name, "protocol")
    if not isinstance(protocol, Protocol):
        raise ConfigError(f"{name!r} is a {type(protocol).__name__}. Wanted: a benchmarks.protocols.protocol.Protocol.")
    return replace(protocol, name=name)
