"""Images in a frame and in a figure: one row of the CSV is one image."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

COLUMNS = ["panel", "run", "seed", "status", "image", "height", "width", "pixels"]


def rows(
    panel: str, images: np.ndarray, shape: Iterable[int], **identity: object
) -> list[dict[str, object]]:
    """Rows of the frame; ``pixels`` are numbers with three decimals, row by row of the image."""
    height, width = (int(side) for side in shape)
    return [
        {
            "panel": panel,
            **identity,
            "image": number,
            "height": height,
            "width": width,
            "pixels": " ".join(f"{value:.3g}" for value in image),
        }
        for number, image in enumerate(np.asarray(images, float).round(3))
    ]


def show(axes: Axes, frame: pd.DataFrame, columns: int, title: str) -> None:
    """The images of a frame as a mosaic, ink where a pixel is on."""
    frame = frame[frame["pixels"].notna()]
    axes.set(xticks=[], yticks=[])
    axes.set_title(title)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if frame.empty:
        axes.text(0.5, 0.5, "missing", ha="center", va="center", transform=axes.transAxes)
        return
    axes.imshow(mosaic(_images(frame), columns), cmap="Greys", vmin=0, vmax=1)


def mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """(n, height, width) side by side, a pale line of one pixel between them."""
    count, height, width = images.shape
    lines = -(-count // columns)
    canvas = np.full((lines * (height + 1) + 1, columns * (width + 1) + 1), 0.25)
    for number, image in enumerate(images):
        top, left = (number // columns) * (height + 1) + 1, (number % columns) * (width + 1) + 1
        canvas[top : top + height, left : left + width] = image
    return canvas


def _images(frame: pd.DataFrame) -> np.ndarray:
    shape = (len(frame), int(frame["height"].iloc[0]), int(frame["width"].iloc[0]))
    return np.array([np.array(p.split(), float) for p in frame["pixels"]]).reshape(shape)
