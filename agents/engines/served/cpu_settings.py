"""vLLM's options without a GPU: its own defaults assume a machine that runs nothing else.

Depends on vLLM's names of options; independent of engines. An environment variable that is set already is kept.
"""

from collections.abc import Mapping

ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # bound threads compete with the trainer's
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process less to start
}

OPTIONS = {
    # Compiling takes longer than a small model generates.
    "enforce_eager": True,
    # With it vLLM 0.31 rewinds the request's random generator, which is not possible on a CPU.
    "enable_chunked_prefill": False,
}


def flags(options: Mapping[str, bool]) -> list[str]:
    """`options` as vLLM's server takes them on its command line."""
    return [f"--{'' if wanted else 'no-'}{name.replace('_', '-')}" for name, wanted in options.items()]
