"""The IDX reader: a round trip, and refusal of every header that lies."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nws.data.idx import read_idx, write_idx
from nws.errors import NwsError

images = arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, max_side=5))


def header(*sizes: int, first: bytes = b"\0\0\x08") -> bytes:
    return first + bytes([len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)


def test_reads_a_file_written_by_hand() -> None:
    array = read_idx(header(2, 1, 3) + bytes([1, 2, 3, 4, 5, 255]), "f")
    assert array.dtype == np.uint8
    assert array.tolist() == [[[1, 2, 3]], [[4, 5, 255]]]


@given(images)
def test_round_trip(array: np.ndarray) -> None:
    again = read_idx(write_idx(array), "f")
    assert again.shape == array.shape
    assert (again == array).all()


@given(images, st.data())
def test_no_prefix_and_no_extension_passes(array: np.ndarray, data: st.DataObject) -> None:
    whole = write_idx(array)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for wrong in (whole[:cut], whole + b"\0"):
        with pytest.raises(NwsError, match="the-file"):
            read_idx(wrong, "the-file")


@given(st.binary(max_size=40))
def test_any_bytes_are_read_exactly_or_refused(data: bytes) -> None:
    try:
        array = read_idx(data, "f")
    except NwsError:
        return
    assert write_idx(array) == data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "begins with nothing"),
        (b"\x1f\x8b\x08\x00", "begins with 1f 8b 08 00"),
        (header(1, first=b"\0\0\x0d") + b"\0", "begins with 00 00 0d"),
        (b"\0\0\x08\x00", "states 0 dimensions"),
        (b"\0\0\x08\x05" + b"\0\0\0\1" * 5 + b"\0", "states 5 dimensions"),
        (b"\0\0\x08\x03\0\0", "states 3 dimensions in a file of 6 bytes"),
        (header(0, 2**32 - 1, 2**32 - 1), "every size must be positive"),
        (header(2**32 - 1, 2**32 - 1, 2**32 - 1) + b"\0", "found 1"),
        (header(60_000, 28, 28) + bytes(10), "60000 x 28 x 28 = 47040000 bytes, found 10"),
    ],
)
def test_lies_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(NwsError, match=says):
        read_idx(data, "f")
