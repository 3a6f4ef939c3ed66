"""The Cost section: what ``nws benchmark`` measured, beside the paper's, and what K is for."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nws.errors import NwsError
from nws.reporting import paper
from nws.reporting.results import Results, read_json

Document = Mapping[str, Any]
PAPER = {"minimnist": paper.TABLE1["B"], "mnist": paper.TABLE2}
NAMES = {"minimnist": "miniMNIST, 5 layers", "mnist": "MNIST, 12 layers"}
CURVES = ("l = n", "l", "n", "m", "depth")


def content(results: Results) -> dict[str, Any] | None:
    """What the template shows of ``benchmark.json``, or why it is ``unreadable``; None without."""
    path = results.root / "benchmark.json"
    if not path.is_file():
        return None
    try:
        document = read_json(path)
    except NwsError as error:
        return {"unreadable": str(error).replace(str(path), path.name)}
    rows = document.get("rows", [])
    return {
        "goals": [row for row in rows if row.get("goal")],
        "others": [row for row in rows if not row.get("goal")],
        "epochs": [*epochs(document.get("seconds_per_epoch", []))],
        "refresh": [*refresh(rows)],
        "curves": picture(document.get("scaling", [])),
        "cpu": document.get("machine", {}).get("cpu", "a machine it does not name"),
        "versions": document.get("versions", {}),
        "date": document.get("date"),
        "notes": document.get("notes", []),
    }


def epochs(measured: Sequence[Document]) -> Iterator[dict[str, Any]]:
    """Seconds of training an epoch, ours and the paper's (at its K, on its GPU)."""
    for entry in measured:
        reported = {row.algorithm: row.seconds_per_epoch for row in PAPER[entry["architecture"]]}
        kept = entry["K"] != 1
        yield {
            "network": NAMES[entry["architecture"]],
            "algorithm": entry["algorithm"].upper(),
            "K": entry["K"],
            "solver": entry["solver"],
            "seconds": entry["seconds"],
            "paper": reported.get(entry["algorithm"]) if kept else None,
        }


def refresh(rows: Sequence[Document]) -> Iterator[str]:
    """What keeping a metric for 50 steps still saves, as a sentence for each network."""
    values = {(row["name"], row["architecture"]): row["value"] for row in rows}
    for architecture, name in NAMES.items():
        fresh = values.get(("nrws_k1_vs_rws", architecture))
        kept = values.get(("nrws_k50_vs_rws", architecture))
        if fresh and kept:
            saved = 1 - kept / fresh
            yield (
                f"{name}: a step of NRWS with a fresh metric takes {fresh:.1f} steps of RWS, with "
                f"one kept for K = 50 steps {kept:.1f}. " + _advice(saved)
            )


def _advice(saved: float) -> str:
    if saved < 0.05:
        return "Keeping it saves nothing: K is not needed here."
    what = "little" if saved < 0.2 else "time where layers are small enough to store their inverses"
    return f"Keeping it saves {saved:.0%} of a step: {what}."


def picture(scaling: Sequence[Document]) -> bytes | None:
    """Milliseconds against each size on logarithmic axes, an SVG; None without curves."""
    drawn = [vary for vary in CURVES if any(point["vary"] == vary for point in scaling)]
    if not drawn:
        return None
    from nws.reporting.figures import style

    with style.context():
        figure = style.figure(2.4)
        for axes, vary in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            _panel(axes, vary, [point for point in scaling if point["vary"] == vary])
        figure.axes[0].set_ylabel("ms")
        solvers = {point["solver"] for point in scaling}
        entries = [style.entry(name, **look) for name, look in LOOKS.items() if name in solvers]
        figure.legend(handles=entries, loc="outside upper center", ncols=len(entries))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


LOOKS = {
    "cholesky": {"color": "C0", "marker": "s"},
    "woodbury": {"color": "C1", "marker": "^"},
    "cg": {"color": "C2", "marker": "o"},
    "rws step": {"color": "C3", "marker": "v", "ls": "--"},
    "nrws step": {"color": "C4", "marker": "D"},
}


def _panel(axes: Any, vary: str, points: Sequence[Document]) -> None:
    from nws.reporting.figures import style

    size = vary.split(" ")[0]
    for solver, look in LOOKS.items():
        curve = [(point[size], point["ms"]) for point in points if point["solver"] == solver]
        if curve:
            axes.plot(*zip(*curve, strict=True), **look)
    style.log(axes, "x", whole=True)
    style.log(axes, "y")
    axes.tick_params(axis="x", labelsize=6.5)
    axes.set_xlabel("hidden layers" if vary == "depth" else vary)
