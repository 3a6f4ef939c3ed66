"""One run of the benchmark: what is measured, in which order, and the document it gives."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nws.benchmark import PARTS, goals
from nws.benchmark.goals import Row

if TYPE_CHECKING:
    from nws.benchmark.subjects import Subject

CORES = 2


class Plan(NamedTuple):
    """What was asked for."""

    parts: tuple[str, ...]
    rounds: int
    quick: bool
    full: bool
    peers: str
    results: Path | None


def plan(args: argparse.Namespace, results: Path | None) -> Plan:
    """From the options of the command line."""
    usual = tuple(part for part in PARTS if not (args.quick and part == "scaling"))
    return Plan(
        tuple(args.only or usual),
        args.rounds or (3 if args.quick else 7),
        args.quick,
        args.full,
        args.peers,
        results,
    )


def measure(plan: Plan) -> dict[str, Any]:
    """Everything in the plan, as the content of the JSON file. Whole commands come first."""
    document: dict[str, Any] = {
        "machine": {},
        "versions": {},
        "date": datetime.now(UTC).date().isoformat(),
        "rows": [],
        "scaling": [],
        "seconds_per_epoch": [],
        "notes": [_two_cores(), f"Medians of {plan.rounds} rounds."],
    }
    if "commands" in plan.parts:
        from nws.benchmark import commands

        _say("commands")
        rows, notes = commands.measure(plan.results, plan.rounds, plan.quick)
        _add(document, rows, notes)
    _describe_machine(document)
    _in_this_process(plan, document)
    return document


def to_json(document: dict[str, Any]) -> str:
    """The file's content: rows as mappings."""
    plain = document | {"rows": [row._asdict() for row in document["rows"]]}
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def table(document: dict[str, Any]) -> str:
    """The rows beside their goals, then machine, versions and notes."""
    machine, versions = document["machine"], document["versions"]
    about = ", ".join(f"{k} {v}" for k, v in versions.items())
    lines = [goals.table(document["rows"]), "", f"{machine['cpu']}; {about}"]
    return "\n".join([*lines, *document["notes"]])


def _describe_machine(document: dict[str, Any]) -> None:
    """Load TensorFlow, for this many cores."""
    from nws.machine import quiet

    quiet.load()
    from nws.machine import device

    document["machine"] = device.describe(device.configure("cpu", CORES), CORES)
    for key in ("python", "tensorflow", "numpy"):
        document["versions"][key] = document["machine"].pop(key)


def _in_this_process(plan: Plan, document: dict[str, Any]) -> None:
    """Steps, likelihood and scaling, one part after the other."""
    from nws.benchmark import subjects

    found = {}
    for name in _architectures(plan):
        _say(name)
        pixels, origin = subjects.images(subjects.ARCHITECTURES[name])
        document["notes"].append(f"{name}: {origin}, {subjects.WARM_UP} steps of RWS beforehand.")
        found[name] = subjects.subject(subjects.ARCHITECTURES[name], pixels)
        if name in plan.parts:
            _steps(plan, found[name], document)
    if "likelihood" in plan.parts:
        _likelihood(plan, found, document)
    if "scaling" in plan.parts:
        _scaling(plan, document)


def _steps(plan: Plan, subject: "Subject", document: dict[str, Any]) -> None:
    from nws.benchmark import company, steps

    usual = steps.NEEDED if plan.quick else steps.USUAL
    variants = usual + steps.DENSE if plan.full else usual
    measured = steps.measure(subject, variants, plan.peers, plan.rounds)
    _add(document, measured.rows, measured.notes)
    document["seconds_per_epoch"] += measured.seconds_per_epoch
    document["versions"] |= measured.versions
    step = steps.Timing(subject, steps.Variant("nrws", 50))
    _add(document, [company.busy(subject.architecture.name, step, plan.rounds)], [])


def _likelihood(plan: Plan, found: "dict[str, Subject]", document: dict[str, Any]) -> None:
    from nws.benchmark import likelihood

    _say("likelihood")
    count = 20 if plan.quick else 40
    notes = [f"Log-likelihood: timed on {count} images, given for one."]
    _add(document, likelihood.measure(found, count, plan.rounds), notes)


def _scaling(plan: Plan, document: dict[str, Any]) -> None:
    from nws.benchmark import scaling

    _say("scaling")
    rows, document["scaling"] = scaling.measure(plan.rounds, plan.quick)
    _add(document, rows, [])


def _architectures(plan: Plan) -> list[str]:
    every = "likelihood" in plan.parts
    return [name for name in ("minimnist", "mnist") if every or name in plan.parts]


def _two_cores() -> str:
    """Keep this process and all it starts to two cores, where the system allows it."""
    if not hasattr(os, "sched_setaffinity"):
        return f"All {os.cpu_count()} cores were free to be used: this system cannot limit them."
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return f"On {len(cores)} of {os.cpu_count()} cores."


def _add(document: dict[str, Any], rows: Iterable[Row], notes: Iterable[str]) -> None:
    document["rows"] += rows
    document["notes"] += notes


def _say(part: str) -> None:
    print(f"{part} ...", file=sys.stderr, flush=True)
