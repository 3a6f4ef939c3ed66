"""The command line: ``nws COMMAND``, every step of the workflow on its own.

Everything a command needs is imported inside it, so that ``nws --help`` is immediate and only
training and evaluation ever load TensorFlow.
"""

import errno
import os
import sys
from collections.abc import Sequence

from nws.cli.parser import parser
from nws.errors import NwsError

FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it succeeded, else a message and the error's status."""
    args = parser().parse_args(argv)
    try:
        args.command(args)
        print(end="", flush=True)  # here, where it can be said that it failed
    except NwsError as error:
        print(f"nws: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("nws: interrupted; the same command continues from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has gone; nothing is left to say
        _say_no_more()
        return 1
    except OSError as error:
        if error.errno not in FULL or error.filename:  # of files: errors that nws has explained
            raise
        _say_no_more()
        text = f"{error.strerror}; make room, and run the same command again"
        print(f"nws: standard output: {text}", file=sys.stderr)
        return 1
    return 0


def _say_no_more() -> None:
    """Python would try once more when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
