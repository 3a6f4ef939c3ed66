"""``nws verify``: right results pass, and no changed weight or number does, manifest or not."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nws import cli
from nws.cli import quick, work
from nws.cli.verification import FEWER, Found, _allowed, report, verify
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
OTHER = Path("runs/minimnist/rws_b/seed0")


@pytest.fixture(scope="module", autouse=True)
def _set_up_before() -> Iterator[None]:
    """TensorFlow's threads can be set once in a process, and other tests have used it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_configure", lambda *_: None)
        patch.setattr(device, "configure", lambda *_: "cpu")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real results of a tiny run, scored and with tables and a figure."""
    folder = tmp_path_factory.mktemp("verified")
    (folder / "tiny.json").write_text(json.dumps(CONFIG))
    where = ["--config", str(folder / "tiny.json"), "--results", str(folder / "results")]
    assert cli.main(["train", "minimnist/ws_b", "--evaluate", *where]) == 0
    assert cli.main(["table", *where]) == 0
    assert cli.main(["figure", "fig3", *where]) == 0
    assert cli.main(["report", *where]) == 0
    return folder / "results"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but nothing is enumerated: a model is known by its score alone."""
    folder = tmp_path_factory.mktemp("scored")
    settings = CONFIG["experiments"]["minimnist"]["settings"] | {"exact": False}  # type: ignore[index]
    runs = {"ws_b": {}, "rws_b": {"algorithm": "rws", "learning_rate": 0.2}}
    experiments = {"minimnist": {"settings": settings, "runs": runs}}
    (folder / "tiny.json").write_text(json.dumps({**CONFIG, "experiments": experiments}))
    where = ["--config", str(folder / "tiny.json"), "--results", str(folder / "results")]
    assert cli.main(["train", "minimnist", "--evaluate", *where]) == 0
    return folder / "results"


@pytest.fixture
def recorded(scored: Path, tmp_path: Path) -> Path:
    """Those results with a record of their quick scores."""
    shutil.copytree(scored, tmp_path / "results")
    assert cli.main(["verify", str(tmp_path / "results"), "--quick", "--record"]) == 0
    return tmp_path / "results"


def problems(root: Path, quick: bool = False) -> str:
    return "\n".join(verify(root, quick=quick, say=lambda text: None).problems)


def change(root: Path, **numbers: float | None) -> None:
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


def change_weights(root: Path) -> None:
    """By so little that the log-likelihood moves by some tenths; the manifest agrees."""
    path = root / RUN / "model.npz"
    arrays = {name: array.copy() for name, array in (read_npz(path) or {}).items()}
    arrays["p_b0"][:3] += 0.5
    np.savez(path, **arrays)
    manifest.write(path.parent, [path.name])


def test_right_results_pass_with_a_record(recorded: Path) -> None:
    """Of two runs and two splits; that of a model that is not there is no matter."""
    rows = (recorded / quick.NAME).read_text().splitlines()
    assert rows[0] == "run,seed,split,samples,images,log_likelihood"
    assert [row.split(",")[:3] for row in rows[1:]] == [
        [f"minimnist/{run}", "0", split] for run in ("ws_b", "rws_b") for split in ("test", "valid")
    ]
    said: list[str] = []
    assert verify(recorded, quick=True, say=said.append).problems == []
    assert sum(quick.NAME in line for line in said) == 4
    for name in ("model.npz", manifest.NAME):
        (recorded / OTHER / name).unlink()
    assert problems(recorded, quick=True) == ""


def test_a_little_changed_weight_is_found_by_the_record(recorded: Path) -> None:
    before = quick.read(recorded)
    change_weights(recorded)
    found = problems(recorded, quick=True).splitlines()
    assert len(found) == 2
    assert all("log-likelihood of quick.csv" in problem for problem in found)
    for name in (quick.NAME, f"quick.{manifest.NAME}"):
        (recorded / name).unlink()
    assert problems(recorded, quick=True) == ""  # within what fewer images leave open
    verify(recorded, quick=True, record=True, say=lambda text: None)
    after = quick.read(recorded)
    assert 0.1 < max(abs(after[key] - before[key]) for key in after) < 0.4


def test_swapped_models_are_found_by_the_record(recorded: Path) -> None:
    paths = [recorded / run / "model.npz" for run in (RUN, OTHER)]
    for path, weights in zip(paths, [path.read_bytes() for path in reversed(paths)], strict=True):
        path.write_bytes(weights)
        manifest.write(path.parent, [path.name])
    found = problems(recorded, quick=True)
    assert found.count("log-likelihood of quick.csv") == found.count("\n") + 1 == 4


def test_a_model_that_the_record_lacks_is_compared_by_the_interval(recorded: Path) -> None:
    kept = [score for score in quick.read(recorded).items() if score[0][0] != "minimnist/ws_b"]
    quick.write(recorded, [quick.Score(*key, mean) for key, mean in kept])
    change_weights(recorded)
    assert problems(recorded, quick=True) == ""


def test_a_record_that_was_changed_is_found_and_made_again(recorded: Path) -> None:
    path = recorded / quick.NAME
    path.write_text(path.read_text().replace("500", "400", 1))
    assert "quick.csv does not match its manifest" in problems(recorded, quick=True)
    for content, said in (
        ("run,seed\n", "quick.csv: found the columns run,seed; allowed: run,seed,split"),
        (path.read_text() + "minimnist/ws_b,0\n", "quick.csv: line 6: found minimnist/ws_b,0;"),
    ):
        path.write_text(content)
        found = problems(recorded, quick=True)
        assert said in found
        assert f"make it again: delete it; nws verify {recorded} --quick --record" in found
    path.unlink()
    assert cli.main(["verify", str(recorded), "--quick", "--record"]) == 0
    assert problems(recorded, quick=True) == ""


def test_what_differs_is_not_recorded(recorded: Path) -> None:
    before = quick.read(recorded)
    change_weights(recorded)
    for _ in range(2):  # it does not pass the second time
        assert cli.main(["verify", str(recorded), "--quick", "--record"]) == NwsError.status
        assert quick.read(recorded) == before
    (recorded / quick.NAME).unlink()
    change(recorded, mean=-1.0)
    assert cli.main(["verify", str(recorded), "--quick", "--record"]) == NwsError.status
    assert {key[0] for key in quick.read(recorded)} == {"minimnist/rws_b"}


def test_a_record_is_of_quick_scores(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(root), "--record"]) == NwsError.status
    assert "--record: it keeps the scores of --quick" in capsys.readouterr().err
    assert not (root / quick.NAME).exists()


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


@pytest.mark.parametrize("key", ["final_valid_loss", "min_train_loss"])
def test_a_loss_that_was_taken_out_is_found(root: Path, key: str) -> None:
    change(root, **{key: None})
    assert f"{key} is None, but history.csv has" in problems(root, quick=True)


@pytest.mark.parametrize("name", ["tables/table1.csv", "figures/fig3.csv", "claims.csv"])
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


@pytest.mark.parametrize(("effective", "fewer"), [(450.0, 0.5), (2.5, np.log(20))])
def test_fewer_samples_may_lie_lower_where_few_carry_the_weight(
    effective: float, fewer: float
) -> None:
    said = {"samples": 10_000, "images": 10_000, "effective_sample_size": effective}
    again = {"samples": 500, "images": 1000, "standard_error": 0.25}
    assert _allowed(said, again) == pytest.approx(1 + fewer)


def test_a_score_of_one_image_has_no_standard_error() -> None:
    said = {"samples": 10_000, "images": 1, "effective_sample_size": 100.0}
    again = {"samples": 100, "images": 1, "standard_error": None}
    assert _allowed(said, again) == pytest.approx(FEWER)
