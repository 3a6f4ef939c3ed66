"""TensorFlow does not survive a fork: its threads stay behind, and a child waits for them."""

import os

from nws.errors import NwsError

_user: list[int] = []  # the process that has used TensorFlow


def check() -> None:
    """Raises NwsError in a process forked from one that has used TensorFlow; else notes the use."""
    if not _user:
        _user.append(os.getpid())
    if _user[0] != os.getpid():
        raise NwsError(
            "this process was forked from one that had used TensorFlow, and would hang for ever; "
            "start it anew: multiprocessing.get_context('spawn'), or joblib's default"
        )
