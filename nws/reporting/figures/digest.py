"""A figure's data as a short table for readers: what the CSV has in full."""

import pandas as pd

ROWS = 40
UNREAD = ["pixels", "height", "width", "image", "row", "column"]


def digest(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """At most forty rows, and how they were chosen: for curves the last epoch of every run."""
    short, how = frame, "All rows."
    if "epoch" in frame:
        keys = [key for key in ("panel", "run", "seed", "algorithm") if key in frame]
        short, how = frame.groupby(keys, sort=False, dropna=False).tail(1), "Last row of each run."
    elif "image" in frame:
        short, how = frame.groupby("panel", sort=False).head(1), "First image of each panel."
    elif "coding" in frame:
        short = frame[frame["row"] == frame["column"]]
        how = "The diagonals."
    if len(short) > ROWS:
        short, how = short.head(ROWS), f"{how} The first {ROWS} of {len(short)}."
    kept = [c for c in short if c not in UNREAD and short[c].notna().any()]
    return short[kept], how
