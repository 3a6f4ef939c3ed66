"""``nws benchmark``: what training and evaluation cost, measured in one run (docs/benchmark.md).

Everything that is compared is timed in turn, round after round, on two CPU cores; values are
medians over the rounds. Nothing here loads TensorFlow before it must: the command line asks this
module for its options.
"""

import argparse
import sys
from pathlib import Path

__all__ = ["PARTS", "add_arguments", "main"]

PARTS = ("commands", "minimnist", "mnist", "likelihood", "scaling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``nws benchmark``."""
    parser.add_argument("--quick", action="store_true", help="fewer things and rounds: 2 minutes")
    parser.add_argument("--full", action="store_true", help="dense solvers of big layers, too")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 7; with --quick 3")
    parser.add_argument(
        "--peers",
        default=sys.executable,
        metavar="PYTHON",
        help="an interpreter with JAX or PyTorch (default: this one); what it lacks is skipped",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: benchmark.json in the results folder"
    )


def main(args: argparse.Namespace) -> None:
    """Measure, write the JSON file, print the table."""
    from nws.benchmark.session import measure, plan, table, to_json
    from nws.files.whole import write_text

    args.results = args.results or _folder(args.config)
    out = args.out or (args.results or Path("results")) / "benchmark.json"
    document = measure(plan(args))
    write_text(out, to_json(document))
    print(table(document))
    print(out)


def _folder(config: Path | None) -> Path | None:
    """The results folder of a configuration, if one is named."""
    from nws.config import load

    return Path("results") / load(config).scale if config else None
