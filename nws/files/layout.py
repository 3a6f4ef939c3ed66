"""Where the files of a scale lie, under its results folder (docs/architecture.md, "Files")."""

from pathlib import Path


def run_folder(root: Path, experiment: str, run: str, seed: int) -> Path:
    """The results of a run and seed."""
    return root / "runs" / experiment / run / f"seed{seed}"


def work_folder(root: Path, experiment: str, run: str, seed: int) -> Path:
    """Its checkpoints, until it is done."""
    return root / "work" / experiment / run / f"seed{seed}"


def data_file(root: Path, name: str) -> Path:
    """A data set; its provenance lies beside it, as ``.json``."""
    return root / "data" / f"{name}.npz"
