"""``nws`` with a checkpoint after every step: a process for tests to kill.

With ``--patient`` checkpoints are as rare as they are for users.
"""

import sys

from nws.cli import main
from nws.training import run

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if "--patient" in arguments:
        arguments.remove("--patient")
    else:
        run.STRETCH, run.SAVE_EVERY = 0.0, -1.0
    sys.exit(main(arguments))
