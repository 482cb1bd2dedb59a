"""Models whose wire format is known and whose evaluation is not public: played as ours, nothing to compare with.

Depends on the parts of a protocol; independent of other protocols.
"""

from benchmarks.protocols.protocol import Protocol
from pixel_env.episode import Limits

_NOTHING = "no evaluation with tools is published with a loop; limits and sampling are ours"

QWEN3_5 = Protocol(
    name="qwen3.5",
    about="Qwen3.5 and Qwen3.6 with native calls; limits and sampling are ours",
    dialect="qwen3.5",
    limits=Limits(),
    max_turn_tokens=2048,
    unpublished=_NOTHING,
    repository="huggingface/trl",
    commit="v1.16.0",
    sources={"dialect": "trl/chat_templates/qwen3_5_think.jinja"},
)

GLM_4_5V = Protocol(
    name="glm-4.5v",
    about="GLM-4.5V with native calls; limits and sampling are ours",
    dialect="glm-4.5v",
    limits=Limits(),
    max_turn_tokens=2048,
    unpublished=_NOTHING,
    repository="huggingface/trl",
    commit="v1.16.0",
    sources={"dialect": "trl/chat_templates/glm4moe.jinja"},
)
