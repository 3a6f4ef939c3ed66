"""The .npz reader: what numpy writes is read; what is damaged or dangerous is refused."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.lib import format as npy

from nws.errors import NwsError
from nws.files.npz import read_npz

numbers = st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_])
any_array = numbers.flatmap(lambda kind: arrays(kind, array_shapes(min_side=0, max_side=4)))


def npz(**held: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **held)
    return stream.getvalue()


def npz_of(header: dict[str, object], data: bytes) -> bytes:
    """An archive with the array ``a`` whose header says what the test wants it to."""
    member, stream = io.BytesIO(), io.BytesIO()
    npy.write_array_header_1_0(member, header)
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", member.getvalue() + data)
    return stream.getvalue()


def read(data: bytes) -> np.ndarray:
    return read_npz(io.BytesIO(data), "the-file", ["a"])["a"]


@given(any_array, st.booleans())
def test_round_trip(array: np.ndarray, fortran: bool) -> None:
    written = np.asfortranarray(array) if fortran else array
    again = read(npz(a=written))
    assert again.dtype == array.dtype
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()


@given(st.data())
def test_damage_is_noticed_or_harmless(data: st.DataObject) -> None:
    whole = npz(a=np.arange(20.0), b=np.ones(3))
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[position] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(damaged), whole[:position]):
        try:
            array = read(wrong)
        except NwsError:
            continue
        assert (array == np.arange(20.0)).all()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(NwsError, match="the-file"):
        read(data)


@pytest.mark.parametrize("shape", [(10**9, 10**9), (3,), (1,), (), (-1,), (-2, -1), (2**70,)])
def test_a_header_that_lies_about_the_size(shape: tuple[int, ...]) -> None:
    lie = npz_of({"descr": "<f8", "fortran_order": False, "shape": shape}, bytes(16))
    with pytest.raises(NwsError, match="the header states"):
        read(lie)


def test_objects_are_refused_unread() -> None:
    with pytest.raises(NwsError, match="a: holds Python objects"):
        read(npz_of({"descr": "|O", "fortran_order": False, "shape": (1,)}, b"\x80\x04N."))


def test_missing_arrays_are_named_with_what_there_is() -> None:
    data = io.BytesIO(npz(b=np.ones(3), c=np.ones(3)))
    with pytest.raises(NwsError, match="the-file: lacks the array a; it holds: b, c"):
        read_npz(data, "the-file", ["a", "b"])


def test_other_members_are_not_opened() -> None:
    data = io.BytesIO(npz(a=np.ones(3), labels=np.array([None])))
    assert list(read_npz(data, "f", ["a"], ["z"])) == ["a"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NwsError, match=r"x\.npz: cannot be read: No such file"):
        read_npz(tmp_path / "x.npz", str(tmp_path / "x.npz"), ["a"])
