"""CSVs are compared as what they say: another CPU rounds otherwise, and nothing else may differ."""

import pytest
from fake_results import rewrite, write

from nws.files import manifest
from nws.reporting import figures, frames, tables
from nws.reporting.page import provenance
from nws.reporting.results import Results

CSV = b"run,seed,loss\nws,0,0.25\nrws,1,\nnrws,2,6e-17\n"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b"0.25", b"0.2500000000000001", True),
        (b"6e-17", b"-3e-17", True),
        (b"0.25", b"0.250000001", False),
        (b"6e-17", b"6e-11", False),
        (b"6e-17", b"", False),
        (b"rws,1,", b"rws,1,0.0", False),
        (b"nrws", b"nrwt", False),
        (b"rws,1", b"rws,2", False),
        (b"loss", b"lost", False),
        (b"nrws,2,6e-17\n", b"", False),
        (b"ws,0", b"ws,0,0,0", False),
        (CSV, b"", False),
        (b"nrws", b"\xff", False),
    ],
)
def test_numbers_agree_up_to_rounding_and_texts_exactly(old, new, same):
    assert frames.agree(CSV, CSV)
    assert frames.agree(CSV.replace(old, new, 1), CSV) == same


@pytest.mark.parametrize(
    ("module", "name", "column"),
    [(figures, "fig1", "value"), (figures, "fig3", "valid_loss"), (tables, "table1", "ci_low")],
)
def test_what_another_cpu_rounds_otherwise_is_not_outdated(tmp_path, module, name, column):
    results = Results(write(tmp_path))
    frame = module.data(name, results)
    path = tmp_path / module.__name__.rpartition(".")[2] / f"{name}.csv"
    path.parent.mkdir()
    for factor, found in ((1 + 1e-13, []), (1 + 1e-6, [f"{path.parent.name}/{name}.csv"])):
        path.write_bytes(frames.to_csv(frame.assign(**{column: frame[column] * factor})))
        assert path.read_bytes() != frames.to_csv(frame)
        assert provenance.outdated(results) == found


def test_files_that_were_changed_are_named_wherever_they_lie(tmp_path):
    root = write(tmp_path)
    (root / "quick.csv").write_text("run,seed\n")
    manifest.write(root, ["quick.csv"], f"quick.{manifest.NAME}")
    assert provenance.changed(Results(root)) == []
    (root / "quick.csv").write_text("run\n")
    rewrite(root, "minimnist", "ws_b", seconds=range(6))
    (root / "runs/minimnist/ws_b/seed0/samples.npz").unlink()
    assert provenance.changed(Results(root)) == [
        ".: quick.csv does not match its manifest: changed after it was made",
        "runs/minimnist/ws_b/seed0: samples.npz is in the manifest but not there",
    ]
