"""No key is given twice, in YAML or in JSON."""

from pathlib import Path

import pytest

from nws import config as cfg
from nws.errors import NwsError


@pytest.mark.parametrize(
    ("name", "text", "line", "first"),
    [
        ("it.yaml", "extends: smoke\nseeds: [1]\nseeds: [2]\n", 3, 2),
        (
            "it.yaml",
            "experiments:\n  one:\n    runs:\n      a: {}\n      b: {}\n      a: {}\n",
            6,
            4,
        ),
        ("it.yaml", "datasets: {d: {source: mnist, source: 3by3}}\n", 1, 1),
        ("it.json", '{\n\t"seeds": [1],\n\t"seeds": [2]\n}\n', 3, 2),
        ("it.json", '{"datasets": {"d": {"source": "mnist",\n "source": "3by3"}}}\n', 2, 1),
    ],
)
def test_a_key_given_twice(tmp_path: Path, name: str, text: str, line: int, first: int) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(NwsError) as error:
        cfg.read(path)
    key = next(key for key in ("seeds", "source", "a") if f"{key}:" in text or f'"{key}"' in text)
    assert (
        str(error.value) == f"{path}: line {line}: {key!r} is given in line {first}, too; keep one"
    )


def test_equal_keys_of_different_mappings_and_merge_keys_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert cfg.read(path) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}
