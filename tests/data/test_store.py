"""A data set's files: what was saved is loaded; anything else is refused by name."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_fake import mnist_like
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nws.config import DatasetSettings
from nws.data import Dataset, build, load, load_provenance, save
from nws.data.store import Provenance, sha256
from nws.errors import NwsError

FAKE = mnist_like()


def make(source: str = "mnist", binarization: str = "round") -> tuple[Dataset, Provenance]:
    keys = {"source": source, "binarization": binarization, "train": 36}
    return build("d", DatasetSettings.model_validate(keys), fetch=lambda _: FAKE)


def saved(path: Path, **kind: str) -> Path:
    save(*make(**kind), path / "data" / "d.npz")
    return path / "data" / "d.npz"


def disguised(path: Path, **changes: Any) -> Path:
    """Files that agree with one another but hold what no data set may."""
    data, provenance = make("3by3")
    arrays = {**data.arrays(), **changes}
    held = {key: array for key, array in arrays.items() if array is not None}
    np.savez(path / "d.npz", **held)
    provenance["sha256"] = {key: sha256(array) for key, array in held.items()}
    (path / "d.json").write_text(json.dumps(provenance))
    return path / "d.npz"


@pytest.mark.parametrize("source", ["mnist", "minimnist", "3by3"])
@pytest.mark.parametrize("binarization", ["round", "static", "stochastic"])
def test_round_trip(tmp_path: Path, source: str, binarization: str) -> None:
    data, provenance = make(source, binarization)
    path = saved(tmp_path, source=source, binarization=binarization)
    again = load(path)
    assert (again.name, again.shape, again.binarization) == (data.name, data.shape, binarization)
    assert again.arrays().keys() == data.arrays().keys()
    for key, array in data.arrays().items():
        assert again.arrays()[key].dtype == array.dtype
        assert (again.arrays()[key] == array).all()
    assert load_provenance(path) == provenance
    assert sorted(p.name for p in path.parent.iterdir()) == ["d.json", "d.npz"]


def test_the_same_data_set_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "1"), saved(tmp_path / "2")
    assert one.read_bytes() == two.read_bytes()
    assert one.with_suffix(".json").read_bytes() == two.with_suffix(".json").read_bytes()


def test_it_is_plain_npz_for_others_to_read(tmp_path: Path) -> None:
    with np.load(saved(tmp_path, source="3by3"), allow_pickle=False) as held:
        assert sorted(held) == ["patterns", "probabilities", "shape", "test", "train", "valid"]
        assert held["shape"].tolist() == [3, 3]
        assert held["patterns"].shape == (12, 9)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("whole"), source="3by3")


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_changes_the_data(whole: Path, data: st.DataObject) -> None:
    content, expected = whole.read_bytes(), load(whole)
    position = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[position] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(flipped), content[:position]):
        path = whole.with_name("w.npz")
        path.write_bytes(wrong)
        path.with_suffix(".json").write_bytes(whole.with_suffix(".json").read_bytes())
        try:
            found = load(path)
        except NwsError:
            continue
        # The byte was one of the archive's own: a date, a flag.
        assert all((found.arrays()[k] == a).all() for k, a in expected.arrays().items())


def test_files_of_different_making(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data, provenance = make(binarization="static")
    save(data, provenance, tmp_path / "other.npz")
    path.write_bytes((tmp_path / "other.npz").read_bytes())
    with pytest.raises(NwsError, match=r"d\.npz: train: is not what the \.json beside it"):
        load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not JSON"),
        ("[]", "lacks"),
        ("{}", "lacks"),
    ],
)
def test_a_missing_or_foreign_json(tmp_path: Path, text: str | None, says: str) -> None:
    path = saved(tmp_path)
    beside = path.with_suffix(".json")
    beside.unlink() if text is None else beside.write_text(text)
    with pytest.raises(NwsError, match=rf"d\.json: {says}.*prepare the data set again"):
        load(path)


def test_a_foreign_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.ones(3))
    with pytest.raises(NwsError, match="lacks the array train, valid, test, shape; it holds: ima"):
        load(tmp_path / "x.npz")


TRAIN = np.zeros((36, 9), np.uint8)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train": TRAIN + np.uint8(2)}, r"train: has values from 2 to 2; must be in \[0, 1\]"),
        ({"train": TRAIN.astype(np.float32)}, "train: found float32 .*; must be uint8"),
        ({"valid": TRAIN.astype(np.int64)}, "valid: found int64"),
        ({"test": np.full((2, 9), "a")}, "test: found <U1"),
        ({"train": TRAIN[:, :8]}, r"train: found uint8 of shape \(36, 8\); must be .* 9\)"),
        ({"train": TRAIN[:0]}, r"train: found uint8 of shape \(0, 9\)"),
        ({"train": TRAIN[0]}, r"train: found uint8 of shape \(9,\)"),
        ({"shape": np.array([9])}, "shape: found"),
        ({"shape": np.array([3.0, 3.0])}, "shape: found"),
        ({"shape": np.array([-3, -3])}, "shape: found"),
        ({"patterns": None}, "must come together"),
        ({"probabilities": None}, "must come together"),
        ({"probabilities": np.full(12, 1 / 11)}, "with the sum 1"),
        ({"probabilities": np.array([2.0, -1.0] + [0.0] * 10)}, "not negative"),
        ({"probabilities": np.full(12, np.nan)}, "with the sum 1"),
        ({"probabilities": np.float64(1)}, "must come together"),
    ],
)
def test_what_no_data_set_may_hold(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(NwsError, match=rf"d\.npz: .*{says}.*prepare the data set again"):
        load(disguised(tmp_path, **changes))


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1, np.inf])
def test_grey_training_images_out_of_range(tmp_path: Path, bad: float) -> None:
    data, provenance = make(binarization="stochastic")
    train = data.train.copy()
    train[7, 3] = bad
    provenance["sha256"]["train"] = sha256(train)
    save(replace(data, train=train), provenance, tmp_path / "d.npz")
    with pytest.raises(NwsError, match=r"d\.npz: train: has values from"):
        load(tmp_path / "d.npz")
