"""The files for Kubernetes: no cluster is here, so what can be checked without one."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "profiles" / "kubernetes"
PROFILE = yaml.safe_load((FOLDER / "profile.yaml").read_text(encoding="utf-8"))
JOB = yaml.safe_load((FOLDER / "job.yaml").read_text(encoding="utf-8"))
POD = JOB["spec"]["template"]["spec"]


def test_snakemake_takes_the_kubernetes_profile(tmp_path: Path) -> None:
    """It refuses a key that is no option."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    command += ["--configfile", str(ROOT / "config" / "smoke.yaml"), "--profile", str(FOLDER)]
    done = subprocess.run([*command, "fig1"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(FOLDER) in done.stderr


def test_the_pod_has_what_snakemake_is_told() -> None:
    container = POD["containers"][0]
    limits = container["resources"]["limits"]
    assert limits["cpu"] == PROFILE["cores"]
    assert limits["nvidia.com/gpu"] == PROFILE["resources"]["gpu"]
    assert f"--profile {FOLDER.relative_to(ROOT)}" in container["args"][0]


def test_everything_is_on_the_volume_and_evictions_do_not_count() -> None:
    container = POD["containers"][0]
    mount = container["volumeMounts"][0]
    volume = POD["volumes"][0]
    assert mount["mountPath"] == container["workingDir"]
    assert mount["name"] == volume["name"]
    assert "claimName" in volume["persistentVolumeClaim"]
    # What a policy for failed pods asks for, and what makes --unlock safe.
    assert (JOB["spec"]["podReplacementPolicy"], POD["restartPolicy"]) == ("Failed", "Never")
    assert JOB["spec"]["podFailurePolicy"]["rules"] == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    ]
