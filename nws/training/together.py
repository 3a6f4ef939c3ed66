"""Runs that share a job: side by side, as many at a time as there are threads.

Each advances its own state through a program that they share (TensorFlow lets go of Python while it
runs), so that one's operations fill the other's gaps. An operation does not know what runs beside
it: a run has the bits that it has alone.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import tensorflow as tf

from nws.config import Config, Run
from nws.training import jobs
from nws.training.loop import Programs
from nws.training.run import stoppable


def train_all(config: Config, cells: Sequence[tuple[Run, int]], root: Path, at_once: int) -> None:
    """Train (run, seed) pairs; on a GPU one at a time, which its memory is for.

    A signal, or an error of one, stops all of them: those under way write their checkpoints.
    """
    workers = 1 if tf.config.get_visible_devices("GPU") else at_once
    programs: Programs = {}  # of runs that differ in η, α and seed alone there is one
    with stoppable() as caught, ThreadPoolExecutor(workers) as pool:
        trainings = [
            pool.submit(jobs.train, config, run, seed, root, programs, caught)
            for run, seed in cells
        ]
        ended, others = wait(trainings, return_when=FIRST_EXCEPTION)
        if others:
            caught.append(0)
            pool.shutdown(cancel_futures=True)
    for training in trainings:
        if training in ended:
            training.result()  # raises what it raised, the first of them
