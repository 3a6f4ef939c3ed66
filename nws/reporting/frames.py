"""Data frames as CSV, as figures and tables leave them: written, read and compared."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Another kind of CPU rounds otherwise: the last digits of a sum, and what is left in place of zero.
RELATIVE, ABSOLUTE = 1e-9, 1e-12


def to_csv(frame: "pd.DataFrame") -> bytes:
    """A frame as its CSV."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def from_csv(csv: bytes) -> "pd.DataFrame":
    """The frame of a CSV; ValueError if it has none."""
    import pandas as pd

    return pd.read_csv(io.BytesIO(csv), keep_default_na=False, na_values=[""])


def agree(one: bytes, other: bytes) -> bool:
    """Whether two CSVs say the same: numbers up to rounding, texts exactly."""
    from pandas.testing import assert_frame_equal

    if one == other:
        return True
    try:
        assert_frame_equal(from_csv(one), from_csv(other), rtol=RELATIVE, atol=ABSOLUTE)
    except (ValueError, AssertionError):
        return False
    return True
