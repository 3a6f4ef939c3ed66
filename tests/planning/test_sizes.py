"""A plan knows the user's own images and the cores that it may use."""

import os
from pathlib import Path

import numpy as np
import pytest

from nws import config as cfg
from nws.data.userfile import read_images, sizes
from nws.errors import NwsError
from nws.machine.cores import cores
from nws.planning import plan


def config(source: Path) -> cfg.Config:
    return cfg.resolve(
        {
            "extends": None,
            "datasets": {"mine": {"source": str(source)}},
            "experiments": {"one": {"settings": {"dataset": "mine"}, "runs": {"a": {}}}},
        }
    )


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.zeros((103, 4, 4))},
        {"images": np.zeros((10, 16))},
        {"train": np.zeros((20, 16)), "valid": np.zeros((3, 16)), "test": np.zeros((5, 16))},
    ],
)
def test_sizes_are_those_of_the_images(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    splits, _ = read_images(path)
    assert sizes(path) == ({split: len(images) for split, images in splits.items()}, 16)


def test_a_plan_knows_the_users_own_images(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("small.npz", "large.npz")]
    np.savez(paths[0], images=np.zeros((100, 16), np.uint8))
    np.savez(paths[1], images=np.zeros((10_000, 784), np.uint8))
    costs = []
    for path in paths:
        settings = config(path)
        costs.append(plan.cost(settings, cfg.find_run(settings, "one", "a")))
    assert costs[1].scoring / costs[0].scoring > 100  # a hundred times the images
    assert costs[1].training > 50 * costs[0].training
    np.savez(paths[0], other=np.zeros(3))
    with pytest.raises(NwsError, match=r"small\.npz: holds .*must hold"):
        plan.plan(config(paths[0]))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_cores_are_those_that_the_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert cores() == len(before)
