"""Every operation of a training has a kernel for a GPU: read from the traced graph.

The ordinary Linux wheel registers those kernels also where there is no GPU.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import tensorflow as tf
import tiny
from every import cases, name
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.framework.kernels import get_registered_kernels_for_op

from nws.training import loop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="wheels without GPU kernels")

# Counting and shapes: whole numbers that TensorFlow keeps in the host's memory on purpose.
HOUSEKEEPING = {tf.int32.as_datatype_enum, tf.bool.as_datatype_enum, tf.int64.as_datatype_enum}


def nodes(graph: Any) -> Iterator[NodeDef]:
    """Of a graph and the functions that it calls; what XLA compiles it takes as a whole."""
    definition = graph.as_graph_def()
    yield from (node for node in definition.node if node.op != "Placeholder")  # an argument
    for function in definition.library.function:
        if not function.attr["_XlaMustCompile"].b:
            yield from function.node_def


def types(node: NodeDef) -> dict[str, set[int]]:
    """What an operation works on, by attribute."""
    found = {key: {a.type} if a.type else set(a.list.type) for key, a in node.attr.items()}
    return {key: kinds for key, kinds in found.items() if kinds}


def has_kernel(node: NodeDef) -> bool:
    """Is one registered for a GPU, or for any device, and the types of this node?"""
    given = types(node)
    return any(
        kernel.device_type in ("GPU", "DEFAULT")
        and all(
            given.get(c.name, set()) <= set(c.allowed_values.list.type) for c in kernel.constraint
        )
        for kernel in get_registered_kernels_for_op(node.op).kernel
    )


def lacking(graph: Any) -> set[tuple[str, ...]]:
    """Operations on floats, images or random bits without a kernel."""
    return {
        (node.op, *(tf.as_dtype(t).name for kinds in types(node).values() for t in sorted(kinds)))
        for node in nodes(graph)
        if set().union(*types(node).values()) - HOUSEKEEPING and not has_kernel(node)
    }


def traced(monkeypatch: pytest.MonkeyPatch, stochastic: bool, **settings: Any) -> list[Any]:
    """The graphs of a training: its steps, its validation."""
    graphs: list[Any] = []

    def compiled(function: Any, how: str, **options: Any) -> Any:
        def trace(*args: Any) -> Any:
            graphs.append(tf.function(function, autograph=False).get_concrete_function(*args).graph)
            return 0.0

        return trace

    monkeypatch.setattr(loop, "compiled", compiled)
    config = tiny.settings(**settings)
    program, params = tiny.program(config, stochastic=stochastic), tiny.start(config)
    program.advance(program.init(params), 0, 0, 1)
    program.validate(params, 0)
    assert len(graphs) == 2
    return graphs


@pytest.mark.parametrize("stochastic", [False, True], ids=["binary", "grey"])
@pytest.mark.parametrize("case", cases(), ids=name)
def test_every_operation_has_a_kernel_for_a_gpu(
    case: dict[str, Any], stochastic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for graph in traced(monkeypatch, stochastic, **case):
        assert lacking(graph) == set()


def test_one_without_is_found() -> None:
    @tf.function
    def rows(images: tf.Tensor) -> tf.Tensor:
        return tf.gather(images, [1, 0])

    graph = rows.get_concrete_function(tf.TensorSpec([2], tf.uint8)).graph
    assert {operation for operation, *_ in lacking(graph)} == {"GatherV2"}
