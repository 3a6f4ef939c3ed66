"""Numbers, times and settings as they are read."""

import math
import re
from typing import Any

# What null means, of the keys for which it is not "all".
NULL = {
    "patience": "never",
    "budget": "no limit",
    "samples_later": "none",
    "validation_samples": "samples",
    "q_sleep": "1 − q_wake",
}


def setting(value: object, key: str = "") -> str:
    """A setting for reading; what null means depends on the key."""
    if value is None:
        return NULL.get(key, "all")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if value.get("kind") in ("constant", "none"):
            return str(value["kind"])
        return ", ".join(f"{name} {setting(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "-".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def brief(value: Any) -> str:
    """A setting in a list of many: as short as can be."""
    if value is None:
        return "none"
    if isinstance(value, dict):  # a schedule
        return " ".join(map(brief, value.values()))
    return f"{value:g}" if isinstance(value, float) else str(value)


def number(value: Any, digits: int = 4) -> str:
    """A number for reading, a dash for none; text stays."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.{digits}g}"
        return minus(text)
    return str(value)


def nats(value: float | None) -> str:
    """A log-likelihood: three decimals, so that the values of a column can be compared."""
    return "–" if value is None else minus(f"{value:.3f}")


def minus(text: str) -> str:
    """A minus sign in place of the hyphen before a number."""
    return re.sub(r"(?<![\w-])-(?=[\d.])", "−", text)


def duration(seconds: float) -> str:
    """Seconds as hours, minutes or seconds."""
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 120 else f"{seconds:.1f} s"


def budget(seconds: float) -> str:
    """The seconds that a race gives: ``5 min``, ``30 s``."""
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
