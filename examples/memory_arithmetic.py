"""Memory, tokens and time of the recipes in examples/configs, by arithmetic. Nothing here is measured.

    python examples/memory_arithmetic.py    # the tables of examples/configs/README.md

Each figure is a formula of a model's dimensions and a recipe's fields; the docstrings say which. What they leave out:
fragmentation, NCCL's buffers, the quadratic part of attention in time, waiting for the longest episode.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from pixel_env.dialects.table import dialect_named
from pixel_env.task import VIDEO_FRAMES

CONFIGS = Path(__file__).parent / "configs"
GIB = 2**30
# Assumed, of every task and machine:
TEXT_TOKENS = 500  # system text with the tools, and a question
MODEL_UTILISATION, BANDWIDTH_UTILISATION = 0.4, 0.5  # what training and generation reach of a GPU's peak
CONTEXT_BYTES = GIB  # CUDA's own
HEAD_TILE = 4096 * 32768 * 2
"""Bytes of the logits that TRL's fused head holds at a time: TOKEN_CHUNK_SIZE x _CHUNKED_LOGPROB_CHUNK_SIZE, bf16."""


@dataclass(frozen=True)
class Model:
    """A model's dimensions, as in its `config.json`. `layer_extras`: biases of queries, keys, values, or head norms."""

    name: str
    layers: int
    hidden: int
    mlp: int
    key_value: int
    vocabulary: int
    layer_extras: int
    vision_parameters: int
    vision_layers: int
    vision_hidden: int

    @property
    def layer(self) -> int:
        """Parameters of a layer: queries, output, keys, values, the MLP's three projections, two norms, extras."""
        return self.hidden * (2 * self.hidden + 2 * self.key_value + 3 * self.mlp + 2) + self.layer_extras

    @property
    def head(self) -> int:
        """Parameters of the output embedding; the input embedding has as many and is not tied to it."""
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        return self.layers * self.layer + 2 * self.head + self.hidden + self.vision_parameters

    @property
    def cache_bytes(self) -> int:
        """KV cache of one token: a key and a value per layer, bf16."""
        return 2 * self.layers * self.key_value * 2

    def adapter_parameters(self, rank: int) -> int:
        """LoRA on the seven projections of every layer of the language model: rank * (in + out) each."""
        return self.layers * rank * (9 * self.hidden + 2 * self.key_value + 3 * self.mlp)


QWEN25_VL_7B = Model(
    name="Qwen2.5-VL-7B", layers=28, hidden=3584, mlp=18944, key_value=4 * 128, vocabulary=152064,
    layer_extras=(28 + 2 * 4) * 128, vision_parameters=676_550_144, vision_layers=32, vision_hidden=1280,
)  # fmt: skip
QWEN3_VL_8B = Model(
    name="Qwen3-VL-8B", layers=36, hidden=4096, mlp=12288, key_value=8 * 128, vocabulary=151936,
    layer_extras=2 * 128, vision_parameters=576_388_336, vision_layers=27, vision_hidden=1152,
)  # fmt: skip


@dataclass(frozen=True)
class Gpu:
    """Bytes of memory, and the vendor's peak of dense bf16 operations and of bytes moved in a second."""

    memory: int
    operations: float
    traffic: float


A100_80 = Gpu(80 * GIB, 312e12, 2.0e12)  # the A800 is the same in this
RTX_4090 = Gpu(24 * GIB, 165e12, 1.0e12)


@dataclass(frozen=True)
class Plan:
    """A recipe on a machine: processes that train (several of them with ZeRO-3), and replicas that serve."""

    recipe: str
    model: Model
    gpu: Gpu
    processes: int
    servers: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The recipe as it is written."""
        return yaml.safe_load((CONFIGS / f"{self.recipe}.yaml").read_text(encoding="utf-8"))

    @property
    def adapts(self) -> bool:
        """Whether adapters are trained, and the weights are not."""
        return self.fields.get("use_peft", False)


PLANS = (
    Plan("qwen2.5-vl-7b_one_gpu_qlora", QWEN25_VL_7B, RTX_4090, 1),
    Plan("qwen3-vl-8b_one_gpu_qlora", QWEN3_VL_8B, RTX_4090, 1),
    Plan("qwen2.5-vl-7b_8_gpus", QWEN25_VL_7B, A100_80, 8),
    Plan("qwen3-vl-8b_8_gpus", QWEN3_VL_8B, A100_80, 8),
    Plan("qwen2.5-vl-7b_32_gpus_and_servers", QWEN25_VL_7B, A100_80, 32, servers=32),
    Plan("qwen3-vl-8b_32_gpus_and_servers", QWEN3_VL_8B, A100_80, 32, servers=32),
)

# ----------------------------------------------------------------------------------------------------------- memory

Sharding = Literal["none", "zero2", "zero3", "fsdp"]


def sharded_state(model: Model, sharding: Sharding, processes: int) -> float:
    """Bytes of weights, gradients and Adam on one GPU: 16 a parameter, of which each way keeps its own part whole.

    2 + 2 in bf16, and fp32 weights and two moments, 12. ZeRO-2 keeps the bf16 weights whole; FSDP 2 has fp32 weights
    and gradients instead (4 + 4 + 8).
    """
    whole = {"none": 16, "zero2": 2, "zero3": 0, "fsdp": 0}[sharding]
    return model.parameters * (whole + (16 - whole) / processes)


def adapted_state(model: Model, rank: int) -> float:
    """Bytes of a 4-bit base (a half each, and a 32-bit scale for 64), bf16 embeddings, and adapters at 16 each."""
    quantised = model.parameters - 2 * model.head
    return quantised * (0.5 + 4 / 64) + 2 * 2 * model.head + 16 * model.adapter_parameters(rank)


def activations(model: Model, tokens: int, patches: int) -> float:
    """Bytes at the peak of a backward pass over one row: the inputs of all layers, and one layer done again.

    A layer keeps about 8 vectors of its width and 4 of its MLP's for each token, twice with their gradients, in bf16.
    The vision tower's layers keep their inputs over all patches (0 where it is frozen: nothing is kept there).
    """
    language = tokens * 2 * (model.layers * model.hidden + 2 * (8 * model.hidden + 4 * model.mlp))
    return language + patches * 2 * model.vision_layers * model.vision_hidden


def image_tokens(dialect: str) -> dict[str, int]:
    """The most tokens of one view of each kind: one for each square of the budget's factor."""
    budgets = dialect_named(dialect).budgets
    kinds = ("original", "crop", "video_frame", "selected_frame")
    return {kind: getattr(budgets, kind).max_pixels // getattr(budgets, kind).factor ** 2 for kind in kinds}


def largest_episodes(plan: Plan) -> tuple[int, int]:
    """Tokens of the longest episode about one image, and about a video: every operation at its largest, all sampled."""
    fields, tokens = plan.fields, image_tokens(plan.fields["dialect"])
    sampled = TEXT_TOKENS + fields["max_completion_length"]
    image = tokens["original"] + (fields["max_turns"] - 1) * tokens["crop"] + sampled
    return image, VIDEO_FRAMES * tokens["video_frame"] + 8 * tokens["selected_frame"] + sampled


def memory(plan: Plan) -> dict[str, float]:
    """Bytes on one GPU that trains, by what holds them, at the recipe's `max_tokens`.

    `head`: one tile of logits and, where it is trained, the output embedding outside of its shards (bf16) with its
    gradient (fp32, then bf16).
    """
    fields, model = plan.fields, plan.model
    context = {"context": CONTEXT_BYTES}
    if plan.adapts:
        kept = activations(model, fields["max_tokens"], patches=0)
        return {"state": adapted_state(model, fields["lora_r"]), "activations": kept, "head": HEAD_TILE, **context}
    pictures = image_tokens(fields["dialect"])
    patches = 4 * (VIDEO_FRAMES * pictures["video_frame"] + 8 * pictures["selected_frame"])
    return {
        "state": sharded_state(model, "zero3", plan.processes),
        "activations": activations(model, fields["max_tokens"], patches),
        "head": HEAD_TILE + model.head * (2 + 4 + 2),
        **context,
    }


def cache_tokens(plan: Plan) -> int:
    """Tokens of KV cache on one GPU that generates: vLLM's share of it without the weights, or what a batch needs."""
    fields, model = plan.fields, plan.model
    if not fields.get("use_vllm"):
        return fields["rollout_batch_size"] * fields["max_tokens"]
    share = 0.9 if plan.servers else fields["vllm_gpu_memory_utilization"]
    return int((share * plan.gpu.memory - 2 * model.parameters) / model.cache_bytes)


def generation_memory(plan: Plan) -> float:
    """Bytes on a GPU that both trains and generates, while it generates."""
    share = plan.fields.get("vllm_gpu_memory_utilization", 0.0) * plan.gpu.memory
    return memory(plan)["state"] + CONTEXT_BYTES + (share or cache_tokens(plan) * plan.model.cache_bytes)


# -------------------------------------------------------------------------------------------------- tokens and time


def rollouts(plan: Plan) -> tuple[int, int]:
    """Rollouts of one optimizer step, and of one generation."""
    fields = plan.fields
    rows, steps = plan.processes * fields["per_device_train_batch_size"], fields["gradient_accumulation_steps"]
    return rows * steps, rows * fields.get("steps_per_generation", steps)


def usual_tokens(plan: Plan) -> tuple[int, int]:
    """Tokens of an episode with one image and one crop, half of what may be sampled sampled; and those sampled."""
    fields, tokens = plan.fields, image_tokens(plan.fields["dialect"])
    sampled = fields["max_completion_length"] // 2
    return TEXT_TOKENS + tokens["original"] + tokens["crop"] + sampled, sampled


def seconds(plan: Plan) -> tuple[float, float]:
    """Of one optimizer step: its share of a generation, and its update.

    An update costs 10 operations a parameter and token: 2 forward for the old log-probabilities, 2 forward, 2 done
    again, 4 backward; with adapters on a policy that generates itself 6, for it needs no old ones and no gradient of
    the base. Generation costs 2 for every token read, and for every token sampled the weights and the cache of all
    episodes under way are read once.
    """
    model, gpu = plan.model, plan.gpu
    tokens, sampled = usual_tokens(plan)
    step, generation = rollouts(plan)
    operations = tokens * model.parameters / (gpu.operations * MODEL_UTILISATION)
    update = (6 if plan.adapts else 10) * operations * step / plan.processes
    of_an_engine = generation / (plan.servers or plan.processes)
    live = min(of_an_engine, max(1, cache_tokens(plan) // tokens))
    weights = memory(plan)["state"] if plan.adapts else 2 * model.parameters
    token_s = (weights + live * tokens * model.cache_bytes) / (gpu.traffic * BANDWIDTH_UTILISATION)
    generating = of_an_engine * (2 * operations + sampled * token_s / live)
    return generating * step / generation, update


# ----------------------------------------------------------------------------------------------------------- tables


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _gib(size: float) -> str:
    return f"{size / GIB:.1f}"


def memory_table() -> str:
    """GiB on one GPU that trains."""
    rows = []
    for plan in PLANS:
        parts = memory(plan)
        generating = _gib(generation_memory(plan)) if not plan.servers else "elsewhere"
        cells = [_gib(size) for size in (*parts.values(), sum(parts.values()))]
        rows.append([plan.recipe, *cells, generating, _gib(plan.gpu.memory)])
    head = ["recipe", "weights, gradients, Adam", "activations", "head", "CUDA", "update", "generation", "there are"]
    return _table(head, rows)


def sharding_table() -> str:
    """GiB of weights, gradients and Adam on one GPU of 8."""
    rows = []
    for model in (QWEN25_VL_7B, QWEN3_VL_8B):
        sizes = [_gib(sharded_state(model, way, 8)) for way in get_args(Sharding)]
        rows.append([f"{model.name}, {model.parameters:,} parameters", *sizes])
    return _table(["", "not shared", "zero2.yaml", "zero3.yaml", "fsdp.yaml"], rows)


def episode_table() -> str:
    """Tokens of pictures and episodes, and how many of the longest episodes fit into the cache of a GPU."""
    rows = []
    for plan in PLANS:
        pictures = image_tokens(plan.fields["dialect"])
        image, video = largest_episodes(plan)
        limit = plan.fields["max_tokens"]
        cells = [*pictures.values(), image, video, limit, plan.model.cache_bytes, cache_tokens(plan) // limit]
        rows.append([plan.recipe, *(f"{cell:,}" for cell in cells)])
    head = ["recipe", "image", "crop", "frame", "selected", "longest, image", "longest, video", "max_tokens"]
    return _table([*head, "cache bytes a token", "longest at a time"], rows)


def time_table() -> str:
    """Rollouts, tokens and seconds of one optimizer step."""
    rows = []
    for plan in PLANS:
        step, generation = rollouts(plan)
        tokens, _ = usual_tokens(plan)
        generating, updating = seconds(plan)
        counts = [step // plan.fields["num_generations"], step, generation, tokens, step * tokens]
        rows.append([plan.recipe, *(f"{count:,}" for count in counts), f"{generating:,.0f}", f"{updating:,.0f}"])
    head = ["recipe", "questions a step", "rollouts a step", "rollouts a generation", "tokens a rollout"]
    return _table([*head, "tokens a step", "generation s", "update s"], rows)


if __name__ == "__main__":
    print("\n\n".join([sharding_table(), memory_table(), episode_table(), time_table()]))
