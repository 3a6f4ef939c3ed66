"""What a result was made of, and whether that is what is asked for: by content, in one place.

The *record* of a training is flat: its settings but for those of the scoring, its seed, and the
hash of each array of its data set. ``training.json`` and ``metrics.json`` hold all of it, so that
:func:`of` reads it from results of any age. Whoever schedules, scores, draws or judges a run asks
:func:`stale` first. The code is recorded too, but no reason to refuse: a test holds the numbers of
older commits, and the report lists them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nws.files import manifest

SCORING = ("likelihood_samples", "likelihood_images")  # keys that no training depends on
TRAINED = ("training.json", "history.csv", "model.npz")
SCORED = ("metrics.json", "samples.npz")
ABSENT = object()

Record = dict[str, Any]


def record(settings: Mapping[str, Any], seed: int, data: Mapping[str, str] | None) -> Record:
    """Of a training with these settings (plain values) on a data set with these hashes."""
    kept = {key: value for key, value in settings.items() if key not in SCORING}
    # Through JSON, as what was recorded: 1 and 1.0, lists and tuples must not differ.
    return dict(json.loads(json.dumps({**kept, "seed": seed, "data": data})))


def of(about: Mapping[str, Any]) -> Record:
    """That of a finished run, from the content of its ``training.json`` or ``metrics.json``."""
    data = (about.get("dataset") or {}).get("sha256")
    return record(about.get("settings") or {}, about.get("seed", 0), data)


def difference(
    made: Mapping[str, Any], asked: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> str:
    """What differs, as "key: made → asked, …"; empty if nothing does.

    A key that is not recorded had its default, if it has one: it is younger than the result.
    """
    known = defaults or {}
    found = []
    for key in dict.fromkeys([*made, *asked]):
        old, new = (side.get(key, known.get(key, ABSENT)) for side in (made, asked))
        if old != new:
            found.append(f"{key}: {_show(old)} → {_show(new)}")
    return ", ".join(found)


def _show(value: Any) -> str:
    return "nothing" if value is ABSENT else str(value)


def stale(
    folder: Path, about: Mapping[str, Any], asked: Mapping[str, Any], defaults: Mapping[str, Any]
) -> str:
    """Why the training of a run is not what is asked for; empty if it is.

    ``about`` is its ``metrics.json`` or ``training.json``; ``asked`` what :func:`record` gives for
    the settings, seed and data set that a reader wants it for; its ``data`` may be None: unknown.
    """
    made = of(about)
    if asked.get("data") is None or made.get("data") is None:
        made, asked = ({k: v for k, v in side.items() if k != "data"} for side in (made, asked))
    if found := difference(made, asked, defaults):
        return f"it was made with other settings or data ({found})"
    if found := _other_training(folder, about):
        return f"its score is of another training ({found})"
    if not (folder / "training.json").is_file() and (found := damaged(folder)):
        return found  # a copy without: what is known of the training is in these
    return "; ".join(manifest.check(folder, whole=False, names=TRAINED))


def damaged(folder: Path) -> str:
    """Why the files of a score are not what was written, as when the scoring was cut at its end;
    empty if they are. The training beside them may be whole, and can be scored again."""
    return "; ".join(manifest.check(folder, whole=False, names=SCORED))


def otherwise_scored(about: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Why the score of a run is not the one that is asked for; empty if it is, or if there is none.
    Its training is the same."""
    both = about["settings"], settings
    made, asked = ({key: side.get(key) for key in SCORING} for side in both)
    if "evaluation_seconds" not in about or made[SCORING[0]] == asked[SCORING[0]] == 0:
        return ""
    found = difference(made, asked)
    return f"it was scored with other settings ({found})" if found else ""


def _other_training(folder: Path, about: Mapping[str, Any]) -> str:
    """Where ``metrics.json`` does not repeat the ``training.json`` beside it."""
    try:
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        keys = [key for key in training if key != "settings"]
        return difference({k: training[k] for k in keys}, {k: about.get(k) for k in keys})
    except (OSError, ValueError, TypeError):
        return ""  # not there (a copy of the small files), or damaged: its manifest tells
