"""``nws benchmark``: what training and evaluation cost, measured in one run (docs/benchmark.md).

Everything that is compared is timed in turn, round after round, on two CPU cores; values are
medians over the rounds. Nothing here loads TensorFlow before it must: the command line asks this
module for its parts.
"""

import argparse
from pathlib import Path

__all__ = ["PARTS", "main"]

PARTS = ("commands", "minimnist", "mnist", "likelihood", "scaling")


def main(args: argparse.Namespace) -> None:
    """Measure, write the JSON file, print the table."""
    from nws.benchmark.session import measure, plan, table, to_json
    from nws.files.whole import write_text

    folder = args.results or _folder(args.config)
    out = args.out or (folder or Path("results")) / "benchmark.json"
    document = measure(plan(args, folder))
    write_text(out, to_json(document))
    print(table(document))
    print(out)


def _folder(config: Path | None) -> Path | None:
    """The results folder of a configuration, if one is named."""
    from nws.config import load

    return Path("results") / load(config).scale if config else None
