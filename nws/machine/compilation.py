"""How a training's graph is run: operation by operation, or compiled whole by XLA.

A step is some thousand small operations. On a CPU TensorFlow starts them fast enough, and its
products are faster than XLA's; a GPU would wait for most of them: there the epoch is one program.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

F = TypeVar("F", bound=Callable[..., Any])


def compilation(asked: str) -> str:
    """What the key ``compile`` means here: graph or xla. auto is xla where a GPU is used."""
    if asked != "auto":
        return asked
    return "xla" if tf.config.get_visible_devices("GPU") else "graph"


def compiled(function: F, how: str, **options: Any) -> F:
    """``function`` as a graph, or as one of XLA's programs."""
    wrapped: F = tf.function(function, jit_compile=how == "xla" or None, autograph=False, **options)
    return wrapped
