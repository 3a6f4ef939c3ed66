"""The machine a run is on: its device, threads, and what the report says of it."""

import os
import platform
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from nws.errors import NwsError
from nws.files.top import TOP

# Vector instructions by the name of their flag, the widest first: TensorFlow takes what is there.
VECTORS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}


def configure(device: str = "auto", threads: int = 2, runs: int = 1) -> str:
    """Set TensorFlow up before its first use; returns "cpu" or "gpu".

    A step's passes are independent of one another, so threads go to them (inter-op) before they go
    to single products: on two cores, one thread an operation and two operations at a time is
    fastest. So with several ``runs`` side by side.
    """
    multiply_in_float32()
    commit()  # now: it may have moved when the training ends
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise NwsError(
            "device: gpu was asked for, but TensorFlow finds none; install tensorflow[and-cuda] "
            "and check the driver (with TF_CPP_MIN_LOG_LEVEL=0 TensorFlow says what is wrong), or "
            "set device: auto"
        )
    if device == "cpu" or not gpus:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_inter_op_parallelism_threads(min(2 * runs, threads))
        tf.config.threading.set_intra_op_parallelism_threads(max(1, threads // (2 * runs)))
        return "cpu"
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return "gpu"


def multiply_in_float32() -> None:
    """Products of matrices are float32 on every device, in all of this process: TensorFlow would
    have an NVIDIA GPU round their factors to ten bits (TF32), and no CPU's runs would be like its
    own."""
    tf.config.experimental.enable_tensor_float_32_execution(False)


def describe(device: str, threads: int) -> dict[str, Any]:
    """Hardware and versions, for ``training.json``."""
    return {
        "device": device,
        "cpu": _cpu_name(),
        "gpu": _gpu_name() if device == "gpu" else None,
        "cores": os.cpu_count(),
        "threads": threads,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
    }


def peak_memory_mib() -> float:
    """The largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


@cache
def commit() -> tuple[str | None, bool | None]:
    """The commit of the source tree and whether it differs from it, when first asked for; None
    outside a checkout."""
    if not (TOP / ".git").exists():  # installed, perhaps inside another project
        return None, None

    def git(*args: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "--no-optional-locks", "-C", str(TOP), *args],
                capture_output=True,
                text=True,
                timeout=10,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    status = git("status", "--porcelain")
    return git("rev-parse", "HEAD"), None if status is None else bool(status)


def _cpu_name() -> str:
    try:
        name = cpu_name(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        name = ""
    return name or platform.processor() or platform.machine()


def cpu_name(cpuinfo: str) -> str:
    """The CPU that ``/proc/cpuinfo`` tells of, empty where it names none; with what decides how
    sums are rounded, since a hypervisor gives different CPUs one name."""
    first = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    told = {key.strip(): value.strip() for key, _, value in first}
    if "model name" not in told:
        return ""
    flags = told.get("flags", "").split()
    vectors = next((name for flag, name in VECTORS.items() if flag in flags), "no AVX2")
    kind = f"family {told.get('cpu family', '?')}, model {told.get('model', '?')}, {vectors}"
    return f"{told['model name']} ({kind})"


def _gpu_name() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
