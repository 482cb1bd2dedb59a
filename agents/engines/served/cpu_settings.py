"""What vLLM needs where there is no GPU: its own defaults are for machines with nothing else on them.

Names and values, for the engine in this process and for servers; an environment variable that is set stays as it is.
"""

from collections.abc import Mapping

ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # bound threads fight with the trainer's
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process less to start
}

OPTIONS = {
    # Compiling takes longer than a small model generates.
    "enforce_eager": True,
    # A prompt that is read in parts makes vLLM 0.31 set back the request's random generator, which a CPU's cannot.
    "enable_chunked_prefill": False,
}


def flags(options: Mapping[str, bool]) -> list[str]:
    """`options` as vLLM's server takes them on its command line."""
    return [f"--{'' if wanted else 'no-'}{name.replace('_', '-')}" for name, wanted in options.items()]
