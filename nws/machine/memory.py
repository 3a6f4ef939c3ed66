"""Running out of memory, told so that one knows what to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf

from nws.errors import OutOfMemory

ON_GPU = (
    "; or give the job a GPU of its own: snakemake --resources gpu=N runs no more jobs than N GPUs "
    "hold, and TF_FORCE_GPU_ALLOW_GROWTH=true keeps other TensorFlow programs from taking all of it"
)


@contextmanager
def explained(when: Callable[[], str], advice: str) -> Iterator[None]:
    """Raises OutOfMemory for TensorFlow's error: when it happened, what was asked for, advice."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        asked = error.message.splitlines()[0] if error.message else "no memory is left"
        more = ON_GPU if tf.config.get_visible_devices("GPU") else ""
        raise OutOfMemory(f"out of memory {when()}: {asked}; {advice}{more}") from None
