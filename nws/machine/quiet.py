"""TensorFlow loaded without its greetings, unless the user asks for them by its own variable.

Its level is a variable, TF_CPP_MIN_LOG_LEVEL. What its libraries say while they are loaded heeds no
level: those lines are taken out of the standard error, and all others are passed on. Errors that
matter are raised, with their text.
"""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
SILENT = "3"
CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} [\d:.]+ "
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IWE] "
    rb"|To enable the following instructions"
)


def load() -> None:
    """Import TensorFlow, quietly; once is enough."""
    if os.environ.setdefault(VARIABLE, SILENT) != SILENT:
        return  # who asks for more gets all of it, when TensorFlow is imported
    if "tensorflow" not in sys.modules:
        with _without_chatter():
            import tensorflow  # noqa: F401
    logger = logging.getLogger("tensorflow")
    if _news not in logger.filters:
        logger.addFilter(_news)


@contextmanager
def _without_chatter() -> Iterator[None]:
    with ExitStack() as stack:
        try:
            held, real = stack.enter_context(tempfile.TemporaryFile()), os.dup(2)
        except OSError:  # no room, or no standard error
            yield
            return
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not CHATTER.match(line)))


def _news(record: logging.LogRecord) -> bool:
    """Not that one of our functions is traced again: that is meant, shapes must stay known."""
    if "retracing" not in record.getMessage():
        return True
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_globals.get("__name__", "").split(".")[0] == "nws":
            return False
    return True
