"""The paper's figures, and some of ours: results in; SVG, PNG and the CSV of what is drawn out.

Each module ``figN`` has ``EXPERIMENTS`` (whose runs it needs), ``data(results)`` and
``draw(frame)``. What is drawn is what was read back from the CSV, so a figure can always be redrawn
from it.
"""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_bytes
from nws.reporting.frames import from_csv, to_csv
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
    csv = to_csv(data(name, results))
    return _write(name, out_dir, {f"{name}.csv": csv, **_pictures(name, from_csv(csv))})


def redraw(name: str, csv: Path, out_dir: Path) -> list[Path]:
    """SVG and PNG from a figure's CSV alone."""
    return _write(name, out_dir, _pictures(name, read_csv(csv)), csv.name)


def _pictures(name: str, frame: "pd.DataFrame") -> dict[str, bytes]:
    from nws.reporting.figures import style

    figure = draw(name, frame)
    return {f"{name}.{kind}": style.render(figure, kind) for kind in ("svg", "png")}


def _write(name: str, out_dir: Path, files: Mapping[str, bytes], *beside: str) -> list[Path]:
    """The files of a figure, all drawn by now, and their manifest, with what is ``beside`` them.

    The old ones go first, the manifest comes last: whatever ends this in between, no picture stays
    beside numbers that it does not show.
    """
    paths = [out_dir / file for file in files]
    for path in reversed(paths):  # the pictures before their numbers
        with suppress(OSError):  # writing says what is wrong
            path.unlink()
    for path, content in zip(paths, files.values(), strict=True):
        write_bytes(path, content)
    recorded = [file for file in (*beside, *files) if (out_dir / file).is_file()]
    manifest.write(out_dir, recorded, f"{name}.{manifest.NAME}")
    return paths


def read_csv(path: Path) -> "pd.DataFrame":
    """The numbers of a figure from its CSV; NwsError if it cannot be read."""
    try:
        return from_csv(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NwsError(f"{path}: cannot be read as the CSV of a figure: {error}") from None


def _module(name: str) -> Any:
    if name not in NAMES:
        raise NwsError(f"no figure {name!r}; available: {', '.join(NAMES)}")
    return import_module(f"nws.reporting.figures.{name}")
