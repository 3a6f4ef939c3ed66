"""The one exception a user is meant to read."""


class NwsError(Exception):
    """Bad input or an unusable machine: says what was found, what is allowed and what to do.

    The command line prints it without a traceback and exits with status 2.
    """
