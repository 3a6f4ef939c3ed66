"""Mappings checked against the keys: errors say where, what was found and what is allowed."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from nws.errors import NwsError

M = TypeVar("M", bound=BaseModel)


def hint(word: str, known: Any) -> str:
    """`` (did you mean 'x'?)`` where a known word is close, else nothing."""
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def validate(model: type[M], content: Mapping[str, Any], where: str) -> M:
    """The content as a model; NwsError naming every key that is wrong, under ``where``."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise NwsError("\n".join(_explain(e, model, where) for e in error.errors())) from None


def _explain(error: Any, model: type[BaseModel], where: str) -> str:
    path = ".".join([where, *(str(part) for part in error["loc"])])
    if error["type"] == "extra_forbidden":
        fields = _fields_at(model, error["loc"][:-1])
        close = hint(error["loc"][-1], fields)
        return f"{path}: unknown key{close}; allowed: {', '.join(fields)}"
    if error["type"] == "missing":
        return f"{path}: is missing"
    if error["type"] in ("model_type", "model_attributes_type"):
        fields = _fields_at(model, error["loc"])
        return f"{path}: found {error['input']!r}; give a mapping with {', '.join(fields)}"
    if error["type"] == "list_type":
        return f"{path}: found {error['input']!r}; give a list, such as [0, 1]"
    return f"{path}: found {error['input']!r}; {error['msg'].removeprefix('Value error, ')}"


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Field names of the model found by walking ``loc`` (names of mapping entries are skipped)."""
    for part in loc:
        if field := model.model_fields.get(str(part)):
            model = next(_models(field.annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Those that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
