"""``nws init``: a folder in which Snakemake runs the workflow of the installed package."""

from pathlib import Path

from nws.errors import NwsError
from nws.files.top import TOP
from nws.files.whole import write_text

SNAKEFILE = """\
# The workflow of the installed nws, with the configuration beside this file.
from nws.files.top import TOP


configfile: "config.yaml"


include: str(TOP / "Snakefile")


# An included file cannot choose what is made when nothing is asked for.
rule whole:
    default_target: True
    localrule: True
    input:
        rules.all.input,
"""
CONFIG = """\
# What to run; every key is in config.md. What is not said here is as in the scale it extends.
extends: {scale}
scale: {scale} # results go to results/{scale}
"""
COPIED = {
    "config.md": "config/README.md",
    "profiles/default/config.yaml": "profiles/default/config.yaml",
    "profiles/slurm/profile.yaml": "profiles/slurm/profile.yaml",
}


def init(folder: Path, scale: str) -> list[Path]:
    """Write the files of a new folder and return them; nothing is written over."""
    contents = {"Snakefile": SNAKEFILE, "config.yaml": CONFIG.format(scale=scale)}
    contents |= {name: (TOP / of).read_text(encoding="utf-8") for name, of in COPIED.items()}
    for name in contents:
        if (folder / name).exists():
            raise NwsError(f"{folder / name}: already exists; give an empty folder")
    for name, text in contents.items():
        write_text(folder / name, text)
    return [folder / name for name in contents]
