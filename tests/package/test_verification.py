"""``nws verify``: right results pass, and no changed weight or number does, manifest or not."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nws import cli
from nws.cli import work
from nws.cli.verification import Found, report, verify
from nws.errors import NwsError
from nws.files import manifest
from nws.machine import device
from nws.reporting.results import read_npz

CONFIG = {
    "extends": None,
    "scale": "tiny",
    "datasets": {"threebythree": {"source": "3by3", "train": 180}},
    "experiments": {
        "minimnist": {
            "settings": {
                "dataset": "threebythree",
                "layers": [4],
                "algorithm": "ws",
                "epochs": 2,
                "likelihood_samples": 600,
                "exact": True,
            },
            "runs": {"ws_b": {}},
        }
    },
}
RUN = Path("runs/minimnist/ws_b/seed0")


@pytest.fixture(scope="module", autouse=True)
def _set_up_before() -> Iterator[None]:
    """TensorFlow's threads can be set once in a process, and other tests have used it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_configure", lambda *_: None)
        patch.setattr(device, "configure", lambda *_: "cpu")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real results of a tiny run, scored and with a table."""
    folder = tmp_path_factory.mktemp("verified")
    (folder / "tiny.json").write_text(json.dumps(CONFIG))
    where = ["--config", str(folder / "tiny.json"), "--results", str(folder / "results")]
    assert cli.main(["train", "minimnist/ws_b", "--evaluate", *where]) == 0
    assert cli.main(["table", *where]) == 0
    assert cli.main(["report", *where]) == 0
    return folder / "results"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "results")
    return tmp_path / "results"


def problems(root: Path, quick: bool = False) -> str:
    return "\n".join(verify(root, quick=quick, say=lambda text: None).problems)


def change(root: Path, **numbers: float) -> None:
    """Numbers in the record of a run, wherever they stand, with a manifest that agrees."""
    for name in ("training.json", "metrics.json"):
        path = root / RUN / name
        about = json.loads(path.read_text())
        for key, value in numbers.items():
            if key in about:
                about[key] = value
            elif name == "metrics.json":
                about["log_likelihood"]["test"][key] = value
        path.write_text(json.dumps(about))
        manifest.write(path.parent, [path.name])


@pytest.mark.parametrize("quick", [False, True])
def test_right_results_pass(root: Path, quick: bool, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["--quick"] if quick else []
    assert cli.main(["verify", str(root), *extra]) == 0
    assert "1 runs checked, 1 models scored again" in capsys.readouterr().out


def test_the_folder_is_the_one_that_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in (["--results", str(root)], [str(root)]):
        assert cli.main(["verify", "--quick", *where]) == 0
        assert "1 runs checked" in capsys.readouterr().out
    shutil.rmtree(root / "runs")
    assert cli.main(["verify", "--results", str(root)]) == NwsError.status
    assert "there is no run to verify" in capsys.readouterr().err


def test_a_model_that_cannot_be_read_stops_no_other(root: Path) -> None:
    path = root / RUN / "model.npz"
    path.write_bytes(b"garbage")
    manifest.write(path.parent, [path.name])
    assert "model.npz: is not a readable .npz file" in problems(root)


def test_a_run_that_diverged_after_its_best_epoch(root: Path) -> None:
    """Its last validation loss is no number; the training loss of that epoch is one."""
    path = root / RUN / "history.csv"
    head, first, last = path.read_text().splitlines()
    row = dict(zip(head.split(","), last.split(","), strict=True)) | {"valid_loss": "nan"}
    path.write_text("\n".join([head, first, ",".join(row.values())]) + "\n")
    manifest.write(path.parent, [path.name])
    lowest = float(first.split(",")[head.split(",").index("valid_loss")])
    change(root, min_valid_loss=lowest, final_valid_loss=lowest)
    assert "loss is" not in problems(root)


def test_a_vae_is_scored_again(tmp_path: Path) -> None:
    changes = {"algorithm": "vae", "optimizer": "adam", "exact": False}
    settings = CONFIG["experiments"]["minimnist"]["settings"] | changes  # type: ignore[index]
    experiments = {"others": {"settings": settings, "runs": {"vae": {}}}}
    (tmp_path / "tiny.json").write_text(json.dumps({**CONFIG, "experiments": experiments}))
    where = ["--config", str(tmp_path / "tiny.json"), "--results", str(tmp_path / "results")]
    assert cli.main(["train", "others", "--evaluate", *where]) == 0
    found = verify(tmp_path / "results", say=lambda text: None)
    assert (found.models, found.problems) == (1, [])


@pytest.mark.parametrize("quick", [False, True])
def test_a_changed_weight_is_found(root: Path, quick: bool) -> None:
    path = root / RUN / "model.npz"
    arrays = {name: array.copy() for name, array in (read_npz(path) or {}).items()}
    arrays["p_b0"][0] += 0.05
    np.savez(path, **arrays)
    assert "model.npz does not match its manifest" in problems(root, quick)
    manifest.write(path.parent, [path.name])
    assert "exact kl is" in problems(root, quick)  # even where the manifest agrees


def test_a_changed_score_is_found(root: Path) -> None:
    before = json.loads((root / RUN / "metrics.json").read_text())["log_likelihood"]["test"]["mean"]
    change(root, mean=before + 0.02)
    found = problems(root)
    assert "test log-likelihood" in found
    assert "tables/table1.csv: is not what the runs give" in found
    change(root, mean=before + 3)
    assert "test log-likelihood" in problems(root, quick=True)


def test_a_changed_loss_is_found(root: Path) -> None:
    change(root, min_valid_loss=1.5)
    assert "min_valid_loss is 1.5, but history.csv has" in problems(root, quick=True)


@pytest.mark.parametrize("key", ["final_valid_loss", "final_train_loss", "min_train_loss"])
def test_every_changed_loss_is_found(root: Path, key: str) -> None:
    change(root, **{key: 1.5})
    assert f"{key} is 1.5, but history.csv has" in problems(root, quick=True)


@pytest.mark.parametrize("name", ["tables/table1.csv", "claims.csv"])
def test_a_changed_cell_is_found(root: Path, name: str) -> None:
    path = root / name
    path.write_text(path.read_text().replace("ws", "rws", 1))
    manifest.write(path.parent, [path.name], f"{path.stem}.{manifest.NAME}")
    assert f"{name}: is not what the runs give" in problems(root, quick=True)


def test_other_images_are_found(root: Path) -> None:
    path = root / "data" / "threebythree.json"
    about = json.loads(path.read_text())
    about["sha256"]["test"] = "0" * 64
    path.write_text(json.dumps(about))
    assert "stale" in problems(root, quick=True)


def test_images_that_are_no_longer_made_are_found(root: Path) -> None:
    """All records agree on them; what the source gives now does not."""
    paths = [root / "data" / "threebythree.json", *(root / RUN).glob("*.json")]
    made = json.loads(paths[0].read_text())["sha256"]["valid"]
    for path in paths:
        path.write_text(path.read_text().replace(made, "0" * 64))
    manifest.write(root / RUN, ["training.json", "metrics.json"])
    assert "threebythree.json: is not of the images that there are now" in problems(
        root, quick=True
    )


def test_the_command_fails_and_names_what_differs(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(root, min_valid_loss=1.5)
    assert cli.main(["verify", str(root), "--quick"]) == NwsError.status
    assert "minimnist/ws_b seed 0: min_valid_loss" in capsys.readouterr().err
    with pytest.raises(NwsError, match="2 differences"):
        report(Found(1, 1, ["one", "two"]))
