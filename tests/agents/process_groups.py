"""Starts a script in a group of processes, as `torchrun` does.

Depends on torch's launcher; independent of the script.
"""

import os
import subprocess
import sys

from tests.paths import ROOT


def launched(arguments, *, processes):
    """Runs a script with these arguments in so many processes, to its end; fails with the end of its errors."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, *(launcher if processes > 1 else []), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=800)
    assert finished.returncode == 0, finished.stderr[-3000:]
