"""``quick.csv``: what the models of a results folder score with few samples on few images.

Such a score may be nats from the full one, and within those a changed model passes. But the same
images and random numbers give the same score again: ``nws verify --quick --record`` keeps it, and
``nws verify --quick`` compares.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_text

NAME = "quick.csv"
Key: TypeAlias = tuple[str, int, str, int, int]


class Score(NamedTuple):
    """A row: the mean log p(x), in nats, of the first ``images`` of a split, by one model."""

    run: str  # experiment/run
    seed: int
    split: str
    samples: int
    images: int
    log_likelihood: float

    @property
    def key(self) -> Key:
        """What a score must share with another for the two to be the same number."""
        return self[:5]


def write(root: Path, scores: Iterable[Score]) -> Path:
    """Keep these scores, in place of those that were there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Score._fields)
    writer.writerows((*score.key, f"{score.log_likelihood:.6f}") for score in scores)
    write_text(root / NAME, text.getvalue())
    manifest.write(root, [NAME], f"quick.{manifest.NAME}")
    return root / NAME


def read(root: Path) -> dict[Key, float]:
    """The scores that are kept; none where there is no file. Raises NwsError if it is no such."""
    path = root / NAME
    if not path.is_file():
        return {}
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error) as error:
        raise NwsError(f"{path}: cannot be read: {error}; {_renewed(root)}") from None
    if lines[:1] != [list(Score._fields)]:
        found = ",".join(lines[0]) if lines else "nothing"
        allowed = ",".join(Score._fields)
        raise NwsError(f"{path}: found the columns {found}; allowed: {allowed}; {_renewed(root)}")
    scores = [_score(root, number, cells) for number, cells in enumerate(lines[1:], 2)]
    return {score.key: score.log_likelihood for score in scores}


def _score(root: Path, line: int, cells: list[str]) -> Score:
    try:
        run, seed, split, samples, images, mean = cells
        return Score(run, int(seed), split, int(samples), int(images), float(mean))
    except ValueError:
        said = f"found {','.join(cells)}; allowed: a value for each of {', '.join(Score._fields)}"
        raise NwsError(f"{root / NAME}: line {line}: {said}; {_renewed(root)}") from None


def _renewed(root: Path) -> str:
    return f"to make it again: delete it; nws verify {root} --quick --record"
