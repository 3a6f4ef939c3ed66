"""One mapping over another."""

from collections.abc import Mapping
from typing import Any


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """``top`` over ``base``: mappings key by key, everything else replaced."""
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        merged[key] = (
            merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def remove(content: dict[str, Any], below: Mapping[str, Any]) -> None:
    """Take away the data sets, experiments, runs, grids of ``below`` that are null on top."""
    for part in ("datasets", "experiments", "runs", "grids"):
        own, old = content.get(part), below.get(part)
        if isinstance(own, Mapping) and isinstance(old, Mapping):
            content[part] = {k: v for k, v in own.items() if v is not None or k not in old}
            for name, value in content[part].items():
                if isinstance(value, dict) and isinstance(old.get(name), Mapping):
                    remove(value, old[name])
