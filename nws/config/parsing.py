"""YAML and JSON in which no key is given twice: their parsers would take the last one."""

import json
from typing import Any

import yaml


class Twice(ValueError):
    """A key that a mapping holds twice, and where."""


class _Loader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: dict[Any, Any]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            line = key.start_mark.line + 1
            if key.value in lines:
                raise Twice(f"line {line}: {key.value!r} is given in line {lines[key.value]}, too")
            lines[key.value] = line
        return node


def parse_yaml(text: str) -> Any:
    """The content of a YAML file; raises Twice, or YAMLError."""
    return yaml.load(text, _Loader)


def parse_json(text: str) -> Any:
    """The content of a JSON file; raises Twice, or ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except Twice:
        # JSON's parser knows no lines. YAML's does, and needs spaces where JSON may have tabs.
        yaml.compose(text.replace("\t", " "), _Loader)
        raise


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Twice(f"{key!r} is given twice")
        found[key] = value
    return found
