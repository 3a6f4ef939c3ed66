"""Copy the small results of a scale to docs/reference, and show its Table 1 in the README.

python tools/reference.py results/reference
"""

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference"
README = ROOT / "README.md"
SMALL = (
    "config.json",
    "report.html",
    "claims.csv",
    "benchmark.json",
    "tables/*.csv",
    "figures/*.csv",
    "figures/*.svg",
    "figures/*.png",
    "data/*.json",
    "runs/*/*/seed*/history.csv",
    "runs/*/*/seed*/metrics.json",
)
BEGIN, END = "<!-- reference: by tools/reference.py -->", "<!-- end of reference -->"


def copy(results: Path) -> None:
    """Replace docs/reference by the small files of these results."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for pattern in SMALL:
        for path in results.glob(pattern):
            target = TARGET / path.relative_to(results)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            if path.parent.name == "data":  # where the files lay is nobody's business
                text = re.sub(r'"folder [^"]*"', '"a folder"', path.read_text(encoding="utf-8"))
                target.write_text(text, encoding="utf-8")


def section(reference: Path = TARGET) -> str:
    """Table 1 of the reference run beside the paper's, at the paper's settings and at each
    algorithm's own best, with date and machine, in Markdown."""
    rows = _rows(reference / "tables" / "table1.csv")
    tuned = [row for row in _rows(reference / "tables" / "table1_tuned.csv") if row["ll_test_mean"]]
    metrics = [json.loads(path.read_text(encoding="utf-8")) for path in _metrics(reference)]
    last = max(metrics, key=lambda m: m["finished_at"])
    machine, hours = last["machine"], sum(m["wall_seconds"] for m in metrics) / 3600
    images = last["log_likelihood"]["test"]["images"]
    count = len(rows) + len(tuned)
    lines = [
        f"miniMNIST, {rows[0]['epochs']} epochs (the paper: 500), {rows[0]['seeds']} seed, test "
        f"log-likelihood in nats with {int(rows[0]['likelihood_samples']):,} samples on {images:,} "
        f"images. {last['finished_at'][:10]}, {machine['cpu']}, {machine['threads']} threads, no "
        f"GPU: {hours:.1f} h for these {count} runs.",
        "",
        "| images | algorithm | η | α | ours | ± over images | paper |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *map(_line, rows),
        "",
    ]
    if tuned:
        lines += [
            f"Each at the best of eight settings, by validation loss; {tuned[0]['epochs']} epochs, "
            "over which η falls tenfold:",
            "",
            *lines[2:4],
            *map(_line, tuned),
            "",
        ]
    return "\n".join(lines)


def put(text: str, page: str) -> str:
    """The page with its part between the marks replaced."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{text}{END}{rest.split(END)[1]}"


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _metrics(reference: Path) -> Iterator[Path]:
    for experiment in ("minimnist", "tuned"):
        yield from reference.glob(f"runs/{experiment}/*/seed*/metrics.json")


def _line(row: dict[str, str]) -> str:
    ours, error = float(row["ll_test_mean"]), float(row["standard_error"])
    cells = [
        row["binarization"],
        row["algorithm"].upper(),
        row["learning_rate"],
        row["damping"] or "–",
        *(f"{value:.2f}".replace("-", "−") for value in (ours, error, float(row["paper_ll"]))),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    copy(Path(sys.argv[1]))
    README.write_text(put(section(), README.read_text(encoding="utf-8")), encoding="utf-8")
