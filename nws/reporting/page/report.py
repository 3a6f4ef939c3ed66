"""The report: one HTML file that answers, claim by claim, whether the paper's results hold.

Templates, style and captions are in ``report/``. Everything that is shown comes from the results
and the configuration; the page needs no network and no JavaScript.
"""

import base64
import shlex
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from nws import config as configuration
from nws.data.datasets import changed
from nws.errors import NwsError
from nws.files import manifest
from nws.files.top import SCALES, TEMPLATES
from nws.files.whole import write_text
from nws.reporting import alike, claims, figures, paper, race, search, tables, wording
from nws.reporting.page import (
    answer,
    candidates,
    choices,
    cost,
    crossover,
    networks,
    provenance,
    reductions,
    samples,
)
from nws.reporting.page.tried import tried
from nws.reporting.results import DONE, Entry, Results

if TYPE_CHECKING:
    import jinja2

LARGEST_SVG = 250_000  # bytes; above it the PNG is smaller and as sharp on paper


def make(results: Results) -> Path:
    """Write ``claims.csv`` and ``report.html`` to the results of a scale, and the configuration
    that they are for, to which the page links."""
    configuration.write(results.config, results.root)
    judged = claims.check(results)
    claims.write(judged, results.root / "claims.csv")
    path = results.root / "report.html"
    write_text(path, environment().get_template("report.html.j2").render(content(results, judged)))
    return path


def environment() -> "jinja2.Environment":
    """Templates with every value escaped: a name in a configuration is never markup."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": wording.number,
        "nats": wording.nats,
        "minus": wording.minus,
        "duration": wording.duration,
        "setting": wording.setting,
    }
    return found


def content(results: Results, judged: list[tuple[claims.Claim, claims.Verdict]]) -> dict[str, Any]:
    """What the templates show."""
    import markupsafe

    entries, outdated = results.all_entries(), provenance.outdated(results)
    captions = yaml.safe_load((TEMPLATES / "captions.yaml").read_text(encoding="utf-8"))
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return {
        "style": markupsafe.Markup(style),
        "config": results.config,
        "scale": results.config.scale,
        "asked": _asked(results),
        "paper": paper,
        "reductions": reductions.reductions(results.config),
        "choices": choices.choices(results.config),
        "judged": judged,
        "verdicts": _count(judged),
        "answer": answer.content(judged),
        "tried": {claim.id: tried(results, claim, verdict) for claim, verdict in judged},
        "networks": networks.networks(results.config),
        "rules": _uri((TEMPLATES / "rulegraph.svg").read_bytes(), "svg+xml"),
        "tables": {name: _table(name, results, captions[name]) for name in tables.NAMES},
        "figures": [_figure(name, results, captions[name], outdated) for name in figures.NAMES],
        "candidates": candidates.nearest(results),
        "marks": claims.check(results, claims.MARKS),
        "choices_by_search": search.choices(results),
        "spaces": search.spaces(results),
        "race": _race(results),
        "leads": crossover.leads(results),
        "samples": [_samples(results, entry) for entry in samples.headline(results)],
        "settings": [_settings(results, name) for name in results.config.experiments],
        "data": {name: _dataset(results, name) for name in results.config.datasets},
        "benchmark": _cost(results),
        "experiments": {name: results.entries(name) for name in results.config.experiments},
        **_provenance(results, entries, outdated),
    }


def _provenance(results: Results, entries: list[Entry], outdated: list[str]) -> dict[str, Any]:
    again = "is not what the runs now give, and not shown; make it again"
    return {
        "statuses": provenance.statuses(entries),
        "runs": len({(entry.run.experiment, entry.run.name) for entry in entries}),
        "machines": provenance.machines(entries),
        "commits": provenance.commits(entries),
        "totals": provenance.totals(entries),
        "versions": provenance.versions(),
        "finished_at": provenance.finished_at(entries),
        "unfinished": provenance.unfinished(entries),
        "resumed": [entry for entry in entries if entry.metrics.get("resumed")],
        "problems": [*provenance.changed(results), *(f"{path}: {again}" for path in outdated)],
        "unchecked": provenance.without_manifest(results),
    }


def _race(results: Results) -> dict[str, Any]:
    """How the runs of the race were trained: whether alone, and with how many threads."""
    experiments = [results.config.experiments[n] for n in race.EXPERIMENTS if results.runs(n)]
    return {
        "described": partial(race.described, results),
        "threads": sorted({experiment.threads for experiment in experiments}),
        "alone": all(experiment.alone for experiment in experiments),
    }


def _count(judged: list[tuple[claims.Claim, claims.Verdict]]) -> dict[str, int]:
    """Number of claims for every verdict, those without any left out."""
    counts = Counter(verdict.verdict for _, verdict in judged)
    return {verdict: counts[verdict] for verdict in claims.VERDICTS if counts[verdict]}


def _table(name: str, results: Results, caption: dict[str, str]) -> dict[str, Any]:
    frame = tables.data(name, results)
    rows = frame.where(frame.notna(), None).to_dict("records")
    return {"name": name, "rows": rows, **caption, **_origin(name, "table", results)}


def _figure(
    name: str, results: Results, caption: dict[str, str], outdated: list[str]
) -> dict[str, Any]:
    from nws.reporting.figures.digest import digest

    origin = _origin(name, "figure", results)
    old = origin["csv"] in outdated
    nothing: dict[str, Any] = {"image": None, "columns": [], "rows": [], "how": ""}
    csv = results.root / origin["csv"]
    torn = _torn(csv)
    found = {"name": name, **caption, **origin, **nothing, "outdated": old, "torn": torn}
    if old:
        return found
    try:
        frame, how = digest(figures.read_csv(csv))
    except NwsError:
        return found
    return found | {
        "image": None if torn else _image(csv.with_suffix(".svg")),
        "columns": list(frame),
        "rows": frame.to_dict("records"),
        "how": how,
    }


def _origin(name: str, kind: str, results: Results) -> dict[str, Any]:
    """The CSV, the command that makes it alone, and the runs behind it with how they ended."""
    needed = (figures if kind == "figure" else tables).requires(name, results.config)
    entries = [entry for run in needed for entry in results.seeds_of(*run)]
    return {
        "csv": f"{kind}s/{name}.csv",
        "command": f"nws {kind} {name} {_kept(results)[1]}",
        "experiments": list(dict.fromkeys(entry.run.experiment for entry in entries)),
        "statuses": provenance.statuses(entries),
        "odd": [entry for entry in entries if entry.status not in DONE],
        "images": _own_images(results.config, [entry.run for entry in entries]),
        "machines": Counter(alike.machine(entry) for entry in entries if entry.trained),
    }


def _own_images(config: configuration.Config, runs: list[configuration.Run]) -> list[str]:
    """The data sets of runs that are not those of which titles and captions speak, and why."""
    known = [run for run in runs if run.experiment in alike.paper_config().experiments]
    names = dict.fromkeys((run.experiment, run.settings.dataset) for run in known)
    found = ((name, alike.other_images(config, experiment, name)) for experiment, name in names)
    return list(dict.fromkeys(f"{name}: {why}" for name, why in found if why))


def _kept(results: Results) -> tuple[str, str]:
    """The configuration that is kept with the results, and the options that name both."""
    folder = Path("results", results.config.scale)  # where a command looks, unless told
    there = results.root.resolve() == folder.resolve()
    kept = shlex.quote(((folder if there else results.root) / "config.json").as_posix())
    where = "" if there else f" --results {shlex.quote(results.root.as_posix())}"
    return kept, f"--config {kept}{where}"


def _asked(results: Results) -> dict[str, str]:
    """The file and the options by which a command trains what is shown: the scale's, if it is one
    of ours as it is; of any other nobody knows the file."""
    scale = results.config.scale
    ours = SCALES / f"{scale}.yaml"
    if ours.is_file() and configuration.load(ours) == results.config:
        return {"file": f"config/{scale}.yaml", "options": f"--config config/{scale}.yaml"}
    return dict(zip(("file", "options"), _kept(results), strict=True))


def _torn(csv: Path) -> bool:
    """Whether the files of a figure are not those that were drawn together: changed, or not all
    written again. Of a copy some may be missing; other figures have manifests of their own."""
    names = [csv.with_suffix(kind).name for kind in (".csv", ".svg", ".png")]
    problems = manifest.check(csv.parent, whole=False, names=names)
    return any(problem.startswith((f"{csv.stem}.", manifest.NAME)) for problem in problems)


def _image(svg: Path) -> str | None:
    """A data URI: an image element runs no script and leaks no identifiers into the page."""
    for path, kind in ((svg, "svg+xml"), (svg.with_suffix(".png"), "png")):
        if path.is_file() and (kind == "png" or path.stat().st_size < LARGEST_SVG):
            return _uri(path.read_bytes(), kind)
    return None


def _uri(image: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _samples(results: Results, entry: Entry) -> dict[str, Any]:
    settings = entry.run.settings
    return {
        "entry": entry,
        "title": f"{settings.algorithm.upper()} on {settings.dataset}",
        "pictures": {
            title: _uri(image, "png") for title, image in samples.mosaics(results, entry).items()
        },
    }


def _dataset(results: Results, name: str) -> dict[str, Any]:
    """What a data set is, as its own record says, and in what that is not what is asked for now;
    empty if it is not there."""
    made, asked = results.dataset(name), results.config.datasets[name]
    if not made:
        return {}
    other = changed(made, asked, results.config.mnist_dir) if "source" in made else ""
    return made | {"changed": other}


def _settings(results: Results, experiment: str) -> dict[str, Any]:
    """The settings that all runs of an experiment share, and those that differ."""
    runs = [run.settings.model_dump() for run in results.runs(experiment)]
    shared = {key: value for key, value in runs[0].items() if all(r[key] == value for r in runs)}
    differing = [key for key in runs[0] if key not in shared]
    names = [run.name for run in results.runs(experiment)]
    return {
        "name": experiment,
        "seeds": configuration.seeds(results.config, experiment),
        "shared": {key: wording.setting(value, key) for key, value in shared.items()},
        "differing": differing,
        "runs": [
            (name, [wording.setting(r[key], key) for key in differing])
            for name, r in zip(names, runs, strict=True)
        ],
    }


def _cost(results: Results) -> dict[str, Any] | None:
    found = cost.content(results)
    if found and found.get("curves"):
        found["curves"] = _uri(found["curves"], "svg+xml")
    return found
