"""Write docs/api.md from the docstrings of what `import nws` gives."""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import nws
from nws import config, fisher
from nws.training import history

TARGET = Path(__file__).resolve().parent.parent / "docs" / "api.md"
HEAD = "# API\n\nMade from the docstrings by `python tools/api.py`: change it there.\n"
SECTIONS = (
    (nws, ["HelmholtzMachine", "fit", "Fit", "NwsError"]),
    (history, ["Row"]),
    (fisher, ["natural_gradient"]),
    (config, ["load", "resolve", "runs", "find_run", "run_settings"]),
)


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section(module, names) for module, names in SECTIONS)


def _section(module: Any, names: list[str]) -> str:
    entries = "".join(_entry(module.__name__, name, getattr(module, name)) for name in names)
    return f"\n## {module.__name__}\n\n{_text(module)}\n{entries}"


def _entry(module: str, name: str, value: Any) -> str:
    called = inspect.isfunction(value) or "__init__" in vars(value) or issubclass(value, tuple)
    code = _signature(name, value) if called else ""
    return f"\n### {module}.{name}\n\n{code}{_text(value)}\n{_methods(value)}"


def _methods(value: Any) -> str:
    """Public methods and properties that a class itself defines."""
    found = ""
    for name, member in vars(value).items() if inspect.isclass(value) else ():
        if isinstance(member, property) and not name.startswith("_"):
            found += f"\n`.{name}`: {_text(member)}\n"
        elif inspect.isfunction(getattr(value, name)) or isinstance(member, classmethod):
            bound = getattr(value, name)
            found += "" if name.startswith("_") else f"\n{_signature(name, bound)}{_text(bound)}\n"
    return found


def _signature(name: str, value: Any) -> str:
    """As it is called, the types without the modules they are from."""
    signature = re.sub(r"\b(?:\w+\.)+(?=[A-Z]|ndarray)", "", str(inspect.signature(value)))
    text = f"{name}{signature}"
    if len(text) > 80:
        inner, _, returned = text.removeprefix(f"{name}(").rpartition(")")
        body = "\n".join(textwrap.wrap(inner, 76, break_long_words=False))
        text = f"{name}(\n{textwrap.indent(body, '    ')}\n){returned}"
    return f"```python\n{text}\n```\n\n"


def _text(value: Any) -> str:
    """A docstring as Markdown."""
    text = re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"`\1`", inspect.getdoc(value) or "")
    return text.replace("``", "`")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
