"""Helmholtz machines trained by Natural (Reweighted) Wake-Sleep.

``HelmholtzMachine`` and ``fit`` are loaded when first asked for: the command line and the figures
do without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nws.errors import NwsError

if TYPE_CHECKING:
    from nws import fisher
    from nws.library import Fit, HelmholtzMachine, fit

__version__ = "0.2.0"
__all__ = ["Fit", "HelmholtzMachine", "NwsError", "__version__", "fisher", "fit"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in __all__:
        importlib.import_module("nws.machine.quiet").load()
        if name == "fisher":
            return importlib.import_module("nws.fisher")
        return getattr(importlib.import_module("nws.library"), name)
    raise AttributeError(f"module 'nws' has no attribute {name!r}")
