"""Configuration: what each key means, its default, and the errors for what is not allowed.

A configuration is a YAML (or JSON) mapping. It *extends* another one (``extends: paper``, the
default) and changes some of its keys: mappings are merged key by key, everything else is replaced.
"""

from nws.config.expansion import (
    Run,
    check_source,
    expand,
    find_dataset,
    find_run,
    run_settings,
    runs,
    seeds,
)
from nws.config.merging import merge
from nws.config.reading import (
    CARRIED,
    carried,
    dump,
    layered,
    load,
    pack,
    read,
    resolve,
    unpack,
    write,
)
from nws.config.settings import (
    BUILT_IN,
    Averaging,
    Config,
    DatasetSettings,
    Experiment,
    RunSettings,
    Schedule,
    Strict,
)

__all__ = [
    "BUILT_IN",
    "CARRIED",
    "Averaging",
    "Config",
    "DatasetSettings",
    "Experiment",
    "Run",
    "RunSettings",
    "Schedule",
    "Strict",
    "carried",
    "check_source",
    "dump",
    "expand",
    "find_dataset",
    "find_run",
    "layered",
    "load",
    "merge",
    "pack",
    "read",
    "resolve",
    "run_settings",
    "runs",
    "seeds",
    "unpack",
    "write",
]
