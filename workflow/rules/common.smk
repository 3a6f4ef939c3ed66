# All Python that the rules need. The configuration is validated here, when the workflow is read.
import os
import re
import sys
import threading
from functools import cache
from math import ceil
from pathlib import Path

from snakemake.exceptions import WorkflowError

import nws
from nws import config as cfg
from nws.data import datasets
from nws.reporting import figures, tables
from nws.planning import plan, progress
from nws.errors import NwsError
from nws.files.code import source_hash, template_hash
from nws.files.record import SCORING
from nws.files.top import TEMPLATES


def configured():
    """The configuration. Its files are read again: Snakemake takes the last of two equal keys, and
    does not say in which file a path was named. As a module, it is what the other workflow gives.

    A job on another machine reads the workflow once more: it gets what it was scheduled with, not
    what the files now say, where the executor passes the environment on (SLURM does).
    """
    if not workflow.modifier.is_main_snakefile():
        return cfg.resolve(config)
    if cfg.CARRIED in os.environ and not workflow.is_main_process:
        return cfg.unpack(os.environ[cfg.CARRIED])
    given = workflow.config_settings
    # Those of `configfile:`, as `nws init` writes it, then those of --configfile, then --config.
    own = map(Path, workflow.configfiles[len(given.configfiles) :])
    files = [*own, *given.configfiles]
    layers = [*map(cfg.read, files), given.config]
    alone = len(files) == 1 and not given.config
    return cfg.layered(layers, str(files[0]) if alone else "configuration")


try:
    CONFIG = configured()
except NwsError as error:
    raise WorkflowError(str(error)) from None
PACKED = cfg.pack(CONFIG)
# A job is given its configuration by the scale, below: one module would train the other's.
if (
    vars(workflow).setdefault("nws_scales", {}).setdefault(CONFIG.scale, PACKED)
    != PACKED
):
    raise WorkflowError(
        f"scale: found {CONFIG.scale!r} in two modules with different configurations; "
        "give each a scale of its own"
    )
if workflow.modifier.is_main_snakefile():
    os.environ[cfg.CARRIED] = PACKED

# Of the jobs. Each carries the configuration with which it was scheduled, and reads no file that
# another command may have written again in the meantime; and `nws` is this interpreter's, on PATH
# or not. Neither is a parameter: moving the environment must not train anything again. It takes
# the shell's place: a shell dies of a signal at once, and Snakemake or SLURM would think the job
# over while it still writes its checkpoint.
os.environ |= {
    cfg.carried(CONFIG.scale): PACKED,
    "NWS_PYTHON": sys.executable,
}

ROOT = f"results/{CONFIG.scale}"
RUN = f"{ROOT}/runs/{{experiment}}/{{run}}/seed{{seed}}"
GPU = 0 if CONFIG.device == "cpu" else 1
TRAINED = ["history.csv", "model.npz", "training.json"]
EVALUATED = ["metrics.json", "samples.npz"]
RUNS = {(run.experiment, run.name): run for run in cfg.runs(CONFIG)}
ALONE = [
    name for name, experiment in CONFIG.experiments.items() if experiment.share == 1
]
RECOVERY = """
Something went wrong; the logs named above say what. Nothing that was finished is lost: put it
right and give the same command again. If it says the directory is locked, and no other Snakemake
is at work here, give the same command once with --unlock added."""


wildcard_constraints:
    dataset=r"[A-Za-z0-9][\w.-]*",
    experiment="|".join(map(re.escape, ALONE)) or "(?!)",
    run=r"[A-Za-z0-9][\w.-]*",
    seed=r"\d+",


def begin():
    """Before anything starts: how many runs, on what, for how long; and the resolved configuration.
    From then on, beside the jobs: how far the runs are.

    The configuration is not the output of a job: Snakemake does not look at the parameters of jobs
    that depend on one that will run, so a changed setting would train nothing.
    """
    todo, speed = runs_to_do(), plan.calibrate()
    try:
        print(plan.describe(plan.plan(CONFIG, todo), speed), file=sys.stderr)
        cfg.write(CONFIG, Path(ROOT))
    except NwsError as error:
        raise WorkflowError(str(error)) from None
    costs = {
        Path(ROOT, "runs", experiment, name, f"seed{seed}"): plan.seconds(
            CONFIG, RUNS[experiment, name], speed
        )
        for experiment, name, seed in todo
    }
    threading.Thread(target=progress.watch, args=(costs, TRAINED), daemon=True).start()


def runs_to_do():
    """What this start will train or train again, as (experiment, run, seed)."""
    made = (Path(file) for job in workflow.dag.needrun_jobs() for file in job.output)
    return {
        (path.parts[-4], path.parts[-3], int(path.parts[-2].removeprefix("seed")))
        for path in made
        # Other modules have runs of their own.
        if path.name == "training.json" and path.is_relative_to(f"{ROOT}/runs")
    }


def source_of(wildcards):
    """The file a data set is made from, if it is the user's own. Braces in its path would be
    wildcards, whatever is done: such a file is left to the job alone.
    """
    path = cfg.find_dataset(CONFIG, wildcards.dataset).file
    return [local(str(path))] if path and "{" not in str(path) else []


@cache
def content_of(dataset):
    """The hashes of the files a data set is made from: their time stamps may say nothing."""
    return datasets.content(CONFIG.datasets[dataset], CONFIG.mnist_dir)


def folder(wildcards, output):
    """Where the results of this scale are: of a module with a prefix, below that."""
    return output[0].partition(ROOT)[0] + ROOT


def run_of(wildcards):
    """The run that a job trains."""
    if (wildcards.experiment, wildcards.run) not in RUNS:
        # Explains what there is.
        cfg.find_run(CONFIG, wildcards.experiment, wildcards.run)
    return RUNS[wildcards.experiment, wildcards.run]


def data_of(*runs):
    """The data sets of runs."""
    return sorted({f"{ROOT}/data/{run.settings.dataset}.npz" for run in runs})


def settings_of(*runs, scored=True):
    """What a change of which makes the runs again; not scored: of training alone."""
    later = set() if scored else set(SCORING)
    return [run.settings.model_dump_json(exclude=later) for run in runs]


def threads_of(experiment, runs=1):
    """The cores that a job of so many runs is given: all, where nothing may run beside it; else the
    job's part of them, if its runs can use it. A run's bits do not depend on it.
    """
    found = CONFIG.experiments[experiment]
    try:
        cores = workflow.cores
    except WorkflowError:  # no --cores: a cluster, or nothing to be run (--unlock)
        return found.threads
    if found.alone:
        return max(found.threads, cores)
    if not workflow.is_main_process:  # these are the cores of one job
        return found.threads
    return min(max(1, cores // jobs_of(experiment)), runs * found.threads)


@cache
def jobs_of(experiment):
    """How many jobs train an experiment."""
    found = CONFIG.experiments[experiment]
    runs = sum(1 for _ in cfg.expand(experiment, found))
    return ceil(runs / found.share) * len(cfg.seeds(CONFIG, experiment))


def outputs(experiment, names, runs, seeds):
    """Result files of runs."""
    folder = f"{ROOT}/runs/{experiment}"
    return [
        f"{folder}/{run}/seed{seed}/{name}"
        for run in runs
        for seed in seeds
        for name in names
    ]


def chunks():
    """Runs that share a process, as (rule name, experiment, runs, seed)."""
    for name, experiment in CONFIG.experiments.items():
        runs = list(cfg.expand(name, experiment)) if experiment.share > 1 else []
        for seed in cfg.seeds(CONFIG, name):
            for start in range(0, len(runs), experiment.share):
                label = f"{name}_{start}_seed{seed}"
                yield label, name, runs[start : start + experiment.share], seed


def results_of(needed):
    """The result files that a figure or a table reads."""
    names = ["history.csv", *EVALUATED]
    return [
        path
        for experiment, run in needed
        for path in outputs(experiment, names, [run], cfg.seeds(CONFIG, experiment))
    ]


TRAINING_CODE = source_hash("training")
EVALUATION_CODE = source_hash("evaluation")
DATA_CODE = source_hash("data")
REPORTING_CODE = source_hash("reporting")
ASKED = cfg.dump(CONFIG)  # what figures, tables and the report say is asked for
