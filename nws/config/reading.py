"""Configuration files: read, followed to what they extend, merged, and written."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nws.config.expansion import check
from nws.config.merging import merge, remove
from nws.config.parsing import Twice, parse_json, parse_yaml
from nws.config.paths import expanded, located, seen_from
from nws.config.settings import Config
from nws.config.validation import hint, validate
from nws.errors import NwsError
from nws.files.top import SCALES, scales
from nws.files.whole import write_text


def read(path: str | Path) -> dict[str, Any]:
    """One configuration file; its paths are relative to its folder, as :mod:`paths` says."""
    path = expanded(str(path))
    # JSON is YAML too, but YAML reads JSON's 1e-06 as text.
    kind, parse = ("JSON", parse_json) if path.suffix == ".json" else ("YAML", parse_yaml)
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NwsError(f"{path}: cannot be read: {error.strerror}") from None
    except Twice as error:
        raise NwsError(f"{path}: {error}; keep one") from None
    except (yaml.YAMLError, ValueError) as error:
        raise NwsError(f"{path}: is not {kind}: {error}") from None
    if not isinstance(content, dict):
        raise NwsError(f"{path}: holds {type(content).__name__}, not a mapping of keys")
    return located(content, path.parent)


def resolve(config: Mapping[str, Any], where: str = "configuration") -> Config:
    """Follow ``extends`` (``paper`` unless said otherwise; null: nothing) and validate."""
    return layered([config], where)


def layered(layers: Sequence[Mapping[str, Any]], where: str = "configuration") -> Config:
    """:func:`resolve` of mappings, each over the one before; the last ``extends`` counts."""
    own = [dict(layer) for layer in layers]
    named = [layer.pop("extends") for layer in own if "extends" in layer]
    content = _stacked([*_bases(named[-1] if named else "paper", where), *own])
    try:
        return check(validate(Config, {**content, "extends": None}, where))
    except NwsError as error:
        raise NwsError(str(error) if where in str(error) else f"{where}: {error}") from None


def load(path: str | Path | None = None) -> Config:
    """The configuration in a file; the paper's if none is given."""
    return resolve(read(path) if path else {}, str(path) if path else "configuration")


def dump(config: Config, folder: Path = Path()) -> str:
    """JSON that :func:`load` reads back to an equal configuration, from a file in ``folder``."""
    return json.dumps(seen_from(config.model_dump(), folder), indent=1) + "\n"


CARRIED = "NWS_CONFIGURATION"  # of a workflow, in the environment of its jobs


def carried(scale: str) -> str:
    """The environment variable that carries the configuration of a scale to the jobs of a workflow.
    A workflow with several modules has several of them."""
    return f"{CARRIED}_{scale.encode().hex()}"


def pack(config: Config) -> str:
    """A configuration as one word, for the environment of a job."""
    return base64.b64encode(zlib.compress(dump(config).encode(), 9)).decode()


def unpack(text: str, name: str = CARRIED) -> Config:
    """What :func:`pack` packed. Raises NwsError if it is anything else; it names the variable."""
    try:
        content = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except (ValueError, zlib.error) as error:
        raise NwsError(f"${name}: holds no configuration: {error}; unset it") from None
    return resolve(content, f"${name}")


def write(config: Config, root: Path) -> Path:
    """``config.json`` in the results folder: what who names no configuration reads results for."""
    path = root / "config.json"
    content = dump(config, root)
    if not path.is_file() or path.read_bytes() != content.encode():
        write_text(path, content)
    return path


def _bases(parent: Any, where: str) -> list[dict[str, Any]]:
    """What ``extends: parent`` means, and what that extends: the lowest first."""
    seen: list[str] = []
    bases: list[dict[str, Any]] = []
    while parent is not None:
        if not isinstance(parent, str):
            raise NwsError(f"{where}.extends: found {parent!r}; give a name or a path, or null")
        if parent in seen:
            raise NwsError(f"{where}: extends goes in a circle: {' -> '.join([*seen, parent])}")
        seen.append(parent)
        base = read(_extended(parent, where))
        parent = base.pop("extends", None if parent == "paper" else "paper")
        bases.insert(0, base)
    return bases


def _stacked(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Each layer over the one before. From the bottom up: what one takes away is not there for the
    next to change; to take it away once more is no mistake."""
    content: dict[str, Any] = {}
    named: dict[str, Any] = {}  # also what was taken away, as null
    for layer in layers:
        content = merge(content, layer)
        remove(content, named)
        named = merge(named, layer)
    return content


def _extended(name: str, where: str) -> Path:
    """The file that ``extends: name`` means."""
    path = SCALES / f"{name}.yaml" if name in scales() else expanded(name)
    if not path.is_file():
        known = scales()
        raise NwsError(
            f"{where}: extends {name!r}{hint(Path(name).name, known)}; allowed: "
            f"{', '.join(known)} or a path, relative to the file that names it"
        )
    return path
