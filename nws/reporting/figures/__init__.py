"""The paper's figures, and some of ours: results in; SVG, PNG and the CSV of what is drawn out.

Each module ``figN`` has ``EXPERIMENTS`` (whose runs it needs), ``data(results)`` and
``draw(frame)``. What is drawn is what was read back from the CSV, so a figure can always be redrawn
from it.
"""

import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_bytes
from nws.reporting.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NAMES = (
    "answer",
    *(f"fig{number}" for number in range(1, 10)),
    "race",
    "activity",
    "exactness",
    "noise_floor",
)


def requires(name: str, config: configuration.Config) -> list[tuple[str, str]]:
    """The (experiment, run) pairs that a figure reads."""
    wanted = _module(name).EXPERIMENTS
    return [
        (run.experiment, run.name) for run in configuration.runs(config) if run.experiment in wanted
    ]


def data(name: str, results: Results) -> "pd.DataFrame":
    """The numbers behind a figure, one row per drawn point, cell or picture."""
    frame: pd.DataFrame = _module(name).data(results)
    return frame


def draw(name: str, frame: "pd.DataFrame") -> "Figure":
    """The figure of a frame, in the house style."""
    from nws.reporting.figures import style

    with style.context():
        figure: Figure = _module(name).draw(frame)
        figure.draw_without_rendering()  # one pass settles the layout of axes of equal aspect
    return figure


def make(name: str, results: Results, out_dir: Path | None = None) -> list[Path]:
    """Write ``name.csv``, ``.svg`` and ``.png``, by default to ``figures`` beside the runs."""
    out_dir = out_dir or results.root / "figures"
    csv = out_dir / f"{name}.csv"
    write_bytes(csv, to_csv(data(name, results)))
    return [csv, *redraw(name, csv, out_dir)]


def redraw(name: str, csv: Path, out_dir: Path) -> list[Path]:
    """SVG and PNG from a figure's CSV alone."""
    from nws.reporting.figures import style

    figure = draw(name, read_csv(csv))
    paths = [out_dir / f"{name}.{kind}" for kind in ("svg", "png")]
    for path in paths:
        write_bytes(path, style.render(figure, path.suffix[1:]))
    recorded = [path.name for path in (out_dir / csv.name, *paths) if path.is_file()]
    manifest.write(out_dir, recorded, f"{name}.{manifest.NAME}")
    return paths


def to_csv(frame: "pd.DataFrame") -> bytes:
    """The numbers of a figure as its CSV."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def read_csv(path: Path) -> "pd.DataFrame":
    """The numbers of a figure from its CSV; NwsError if it cannot be read."""
    import pandas as pd

    try:
        return pd.read_csv(io.BytesIO(path.read_bytes()), keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise NwsError(f"{path}: cannot be read as the CSV of a figure: {error}") from None


def _module(name: str) -> Any:
    if name not in NAMES:
        raise NwsError(f"no figure {name!r}; available: {', '.join(NAMES)}")
    return import_module(f"nws.reporting.figures.{name}")
