"""Runs in company: many in one job over each by itself, and a step beside another busy process."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nws.benchmark.goals import Row, row
from nws.benchmark.rounds import Value, interleave, ratio

RUNS, IMAGES = 16, 6400  # 200 steps each
BUSY = 1.0  # seconds until another process is at work


def many(
    run: Callable[..., float], where: tuple[str, ...], folder: Path, rounds: int
) -> Iterator[Row]:
    """``nws train`` of 16 seeds over 16 times that of one, from start to end and in its steps."""

    def train(label: str, count: int) -> tuple[float, float]:
        """Seconds of the process, and those of its steps."""
        root = folder / label
        options = [*where, "--results", str(root)]
        seeds = [word for seed in range(count) for word in ("--seed", str(seed))]
        run("prepare", "minimnist_b", *options)
        whole = run("train", "minimnist/nrws_b", *seeds, "--threads", "2", *options)
        about = [json.loads(path.read_text()) for path in root.glob("runs/*/*/*/training.json")]
        return whole, sum(one["seconds"] for one in about) / min(2, count)

    pairs = [(train(f"grid{i}", RUNS), train(f"single{i}", 1)) for i in range(rounds)]
    what = f"{RUNS} NRWS runs of 200 steps in one job / {RUNS} times one"
    for index, (name, part) in enumerate(
        [("grid_vs_runs", "start to end of process"), ("grid_steps_vs_runs", "steps alone")]
    ):
        found = ratio([g[index] for g, _ in pairs], [RUNS * one[index] for _, one in pairs])
        yield row(name, f"{what}, {part}", "minimnist", "times", found)


def busy(architecture: str, timed: Callable[[], float], rounds: int) -> Row:
    """Steps beside another busy process, over the same alone."""

    def beside() -> float:
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            time.sleep(BUSY)
            return timed()
        finally:
            other.kill()
            other.wait()

    times = interleave({"step alone": timed, "step in company": beside}, rounds)
    found: Value = ratio(times["step in company"], times["step alone"])
    what = "NRWS step, K = 50: beside a busy process / alone"
    return row("busy_vs_alone", what, architecture, "times", found)
