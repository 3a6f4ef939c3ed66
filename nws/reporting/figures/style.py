"""One look for all figures: readable in print, and without telling colours apart.

Colours are Okabe and Ito's; every colour comes with a marker or a line style of its own.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nws.reporting import paper
from nws.reporting.results import DIVERGED, DONE

if TYPE_CHECKING:
    from matplotlib.typing import LineStyleType

WIDTH = 7.2  # inches: two columns of a journal
NAMES = paper.NAMES
COLOURS = {
    "ws": "#0072B2", "rws": "#D55E00", "nws": "#CC79A7", "nrws": "#009E73", "bihm": "#E69F00",
    "nbihm": "#56B4E9", "mws": "#F0E442", "nmws": "#000000", "vae": "#999999",
}  # fmt: skip
MARKERS = {
    "ws": "o",
    "rws": "s",
    "nws": "^",
    "nrws": "D",
    "bihm": "v",
    "nbihm": "P",
    "mws": "X",
    "nmws": "p",
    "vae": "h",
}
DASHES: list["LineStyleType"] = ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1))]
SHAPES = "osD^vP*Xph<>"

Look = dict[str, Any]  # the keywords of a line

RC: Any = {  # matplotlib's type names every key
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "legend.frameon": False,
    "image.cmap": "cividis",
    "savefig.dpi": 200,
    "svg.hashsalt": "nws",
    "svg.fonttype": "path",
    "text.parse_math": False,
}


@contextmanager
def context() -> Iterator[None]:
    """Within it, Matplotlib draws as the figures of the report are drawn."""
    with mpl.rc_context(RC):
        yield


def figure(height: float) -> Figure:
    """An empty figure as wide as the page, ``height`` in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def render(drawn: Figure, kind: str) -> bytes:
    """The file of a figure; the same figure gives the same bytes."""
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    buffer = io.BytesIO()
    with context():
        drawn.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def ramp(count: int) -> list[Any]:
    """Colours of an ordered quantity, dark to light, none too pale for white paper."""
    return [mpl.colormaps["viridis"](x) for x in np.linspace(0, 0.88, max(count, 1))]


def shade(colour: str, place: int, count: int) -> Any:
    """One of ``count`` shades of a colour, from dark to pale."""
    mix = (place + 0.5) / count - 0.5  # below 0: towards black; above: towards white
    rgb = np.array(mpl.colors.to_rgb(colour))
    return tuple(rgb * (1 + mix) if mix < 0 else rgb + (1 - rgb) * mix)


def log(axes: Axes, which: Literal["x", "y"], whole: bool = False) -> None:
    """A logarithmic axis with plain (whole) numbers; call it once everything is drawn. Without
    anything drawn it has none."""
    if not np.isfinite(getattr(axes.dataLim, f"interval{which}")).all():
        axes.set(**{f"{which}ticks": []})
        return
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    decades = np.log10(high / low) if low > 0 else 0.0
    if decades < 1:
        axis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=whole))
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(ticker.NullLocator())


def limit(axes: Axes, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Let runs that ended well choose the range; a diverging one may leave it."""
    good = frame[frame["status"] != DIVERGED]
    values = (good if len(good) else frame)[list(columns)].to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    if len(values) and values.min() < values.max():
        margin = (values.max() / values.min()) ** 0.04
        axes.set_ylim(values.min() / margin, values.max() * margin)


def curve(axes: Axes, rows: pd.DataFrame, x: str, y: str, **look: Any) -> None:
    """One run; a cross where it diverged."""
    rows = rows[np.isfinite(rows[y]) & np.isfinite(rows[x])]
    spread = 0.12 if len(rows) > 8 else 1  # of the diagonal: even on a logarithmic axis
    axes.plot(rows[x], rows[y], markevery=spread, **look)
    if len(rows) and rows["status"].iloc[-1] == DIVERGED:
        axes.plot(rows[x].iloc[-1], rows[y].iloc[-1], "x", color=look.get("color"), ms=7, mew=2)


def entry(label: str, **look: Any) -> Line2D:
    """An entry of a legend."""
    return Line2D([], [], label=label, **{"color": "black", **look})


def note(drawn: Figure, frame: pd.DataFrame) -> None:
    """Below the figure: which runs are missing, unreadable or diverged."""
    lines = status_lines(frame)
    if lines:
        import textwrap

        text = "\n".join(part for line in lines for part in textwrap.wrap(line, 110))
        drawn.supxlabel(text, fontsize=7, color="#8a1c00")


def status_lines(frame: pd.DataFrame) -> list[str]:
    """One line per status that is not a good end, naming the runs."""
    if frame.empty:
        return ["Nothing to draw: the configuration has no such experiment."]
    odd = frame[~frame["status"].isin([*DONE, "reference"])]
    lines = []
    for status, group in odd.groupby("status", sort=True):
        names = list(dict.fromkeys(f"{r.run} (seed {r.seed:g})" for r in group.itertuples()))
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        lines.append(f"{str(status).capitalize()}: {', '.join(names[:8])}{more}")
    return lines
