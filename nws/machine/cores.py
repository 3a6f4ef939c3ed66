"""How many cores there are for this process."""

import os


def cores() -> int:
    """Those that it may use, which ``taskset`` or a scheduler may have limited."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
