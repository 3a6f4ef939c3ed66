"""The one exception a user is meant to read."""


class NwsError(Exception):
    """Bad input or an unusable machine: says what was found, what is allowed and what to do.

    The command line prints it without a traceback and exits with ``status``.
    """

    status = 2


class Interrupted(NwsError):
    """A signal asked the work to stop; its checkpoint is written, the same command goes on."""

    status = 75  # EX_TEMPFAIL: try again


class OutOfMemory(NwsError):
    """A device has too little memory for what was asked; no result was begun, checkpoints stay."""

    status = 71  # EX_OSERR: the system cannot give what it takes
