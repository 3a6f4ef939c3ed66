"""``import nws``: fit, score, sample, save; and what is said of what cannot be used."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from machines import Arrays

import nws
from nws import HelmholtzMachine, NwsError, fit
from nws.data import patterns
from nws.evaluation import exact
from nws.machine import forking
from nws.models.parameters import from_arrays, to_arrays

IMAGES = patterns.rows(180).reshape(-1, 9)
QUICK: dict[str, Any] = {"epochs": 15, "batch": 16, "samples": 5, "learning_rate": 0.05}


def machine(seed: int = 0) -> HelmholtzMachine:
    return HelmholtzMachine([9, 6, 2], seed=seed)


def arrays(model: HelmholtzMachine) -> Arrays:
    return to_arrays(model.params)


def same(a: HelmholtzMachine, b: HelmholtzMachine) -> bool:
    pairs = zip(arrays(a).values(), arrays(b).values(), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def test_fit_score_sample_save_load(tmp_path: Path) -> None:
    model = machine()
    before = model.log_likelihood(IMAGES, n_samples=500).mean()
    result = fit(model, IMAGES, algorithm="nrws", **QUICK)
    assert result.status == "finished"
    assert [row.epoch for row in result.history] == list(range(1, 16))
    assert result.history[-1].valid_loss < result.history[0].valid_loss
    after = model.log_likelihood(IMAGES, n_samples=500)
    assert after.shape == (180,)
    assert after.mean() > before + 1.5
    model.save(tmp_path / "model.npz")
    other = HelmholtzMachine.load(tmp_path / "model.npz")
    assert other.layers == [9, 6, 2]
    assert same(model, other)
    np.testing.assert_array_equal(other.log_likelihood(IMAGES, n_samples=500), after)
    np.testing.assert_array_equal(other.sample(20), model.sample(20))


@pytest.mark.parametrize(
    ("hidden", "recipe"),
    [
        (5, {"learning_rate": 0.05, "damping": 0.02, "unit_damping": 0.5, "q_wake": 0}),
        (6, {"learning_rate": 0.02, "damping": 0.1, "unit_damping": 1.0}),
    ],
)
def test_what_is_not_given_is_the_recipe_s(hidden: int, recipe: dict[str, float]) -> None:
    default, spelt, other = (HelmholtzMachine([9, *[3] * hidden]) for _ in range(3))
    rows = fit(default, IMAGES, "nrws", epochs=2, batch=16).history
    recipe = {**recipe, "solver": "shared", "refresh": 10}
    average = {"kind": "exponential", "decay": 0.9998}
    fit(spelt, IMAGES, "nrws", epochs=2, batch=16, averaging=average, **recipe)
    assert same(default, spelt)
    assert rows[-1].valid_loss_last is not None
    plain = fit(other, IMAGES, "nrws", epochs=2, batch=16, averaging={"kind": "none"}).history
    assert plain[-1].valid_loss == rows[-1].valid_loss_last
    assert not same(default, other)


@pytest.mark.parametrize(("hidden", "rate"), [(5, 0.2), (6, 0.05)])
def test_rws_has_a_larger_rate_where_layers_are_few(hidden: int, rate: float) -> None:
    default, spelt = (HelmholtzMachine([9, *[3] * hidden]) for _ in range(2))
    fit(default, IMAGES, "rws", epochs=1, batch=16)
    fit(spelt, IMAGES, "rws", epochs=1, batch=16, learning_rate=rate)
    assert same(default, spelt)


def test_nor_what_is_not_given_of_a_mapping() -> None:
    part, whole = machine(), machine()
    fit(part, IMAGES, "rws", epochs=2, batch=16, averaging={"decay": 0.9})
    average = {"kind": "exponential", "decay": 0.9}
    fit(whole, IMAGES, "rws", epochs=2, batch=16, averaging=average)
    assert same(part, whole)


def test_scores_are_near_the_exact_ones_of_the_saved_arrays(tmp_path: Path) -> None:
    model = machine()
    fit(model, IMAGES, "rws", **QUICK)
    model.save(tmp_path / "model.npz")
    grid, _ = patterns.patterns()
    with np.load(tmp_path / "model.npz") as file:
        log_p = exact.log_likelihood({name: file[name] for name in file.files}, 2.0 * grid - 1)
    np.testing.assert_allclose(model.log_likelihood(grid, n_samples=20_000), log_p, atol=0.25)
    assert model.log_likelihood(grid, 20_000).mean() == pytest.approx(log_p.mean(), abs=0.05)


FORMS = {
    "integers": IMAGES,
    "booleans": IMAGES.astype(bool),
    "plus and minus": 2 * IMAGES.astype(int) - 1,
    "doubles": IMAGES.astype(float),
    "lists": IMAGES.tolist(),
    "grids": IMAGES.reshape(-1, 3, 3),
}


@pytest.fixture(scope="module")
def reference() -> HelmholtzMachine:
    model = machine()
    fit(model, IMAGES, "ws", **QUICK | {"epochs": 2})
    return model


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_same_images(form: str, reference: HelmholtzMachine) -> None:
    model = machine()
    fit(model, FORMS[form], "ws", **QUICK | {"epochs": 2})
    assert same(model, reference)
    np.testing.assert_array_equal(
        model.log_likelihood(FORMS[form], 10), reference.log_likelihood(IMAGES, 10)
    )


@pytest.mark.parametrize("binarization", ["round", "static", "stochastic"])
def test_grey_images(binarization: str) -> None:
    """Rounded they are the lines, drawn they are noisy: only the first is learnt exactly."""
    grey = 0.6 * IMAGES + 0.2
    model = machine()
    result = fit(model, grey, "rws", binarization=binarization, **QUICK | {"epochs": 30})
    noise = 9 * exact.entropy(np.array([0.2, 0.8]))
    if binarization == "round":
        assert result.history[-1].train_loss < noise
    else:
        assert noise < result.history[-1].train_loss < 9 * np.log(2)


def test_a_stochastic_fit_draws_anew_in_every_epoch() -> None:
    """A machine without weights, at rate 0: its loss changes with the images alone."""
    spread = {}
    for binarization in ("static", "stochastic"):
        model = machine()
        blank = {name: 0.0 * array for name, array in arrays(model).items()}
        model.params = from_arrays(blank | {"p_b0": np.ones(9)})
        still = QUICK | {"learning_rate": 0.0, "batch": 36}
        grey = 0.5 * IMAGES[:40] + 0.25
        rows = fit(model, grey, "ws", binarization=binarization, **still).history
        spread[binarization] = np.std([row.train_loss for row in rows])
    assert spread["static"] < 1e-5
    assert spread["stochastic"] > 0.05


@pytest.mark.parametrize("binarization", ["static", "stochastic"])
def test_another_seed_has_the_same_images(binarization: str) -> None:
    """A machine as above: its losses are of the images alone."""
    losses = []
    for seed in (1, 2):
        model = machine()
        blank = {name: 0.0 * array for name, array in arrays(model).items()}
        model.params = from_arrays(blank | {"p_b0": np.linspace(-1, 1, 9, dtype=np.float32)})
        still = QUICK | {"learning_rate": 0.0, "epochs": 1, "seed": seed, "batch": 54}
        rows = fit(model, 0.5 * IMAGES + 0.25, "ws", binarization=binarization, **still).history
        losses.append((rows[0].valid_loss, rows[0].train_loss))
    assert losses[0][0] == pytest.approx(losses[1][0], abs=1e-5)
    if binarization == "static":
        assert losses[0][1] == pytest.approx(losses[1][1], abs=1e-5)


def test_validation_images() -> None:
    """Given, or else the last tenth: swapping in other images moves their loss alone."""
    one, two = machine(), machine()
    short = QUICK | {"epochs": 1}
    default = fit(one, IMAGES, "ws", **short).history[0]
    given = fit(two, IMAGES[:162], "ws", valid=1 - IMAGES[162:], **short).history[0]
    assert default.train_loss == given.train_loss
    assert default.valid_loss != given.valid_loss
    assert same(one, two)


def test_seeds() -> None:
    assert same(machine(3), machine(3))
    assert not same(machine(3), machine(4))
    ends = []
    for seed in (None, 0, 5):
        ends.append(machine())
        fit(ends[-1], IMAGES, "ws", seed=seed, **QUICK | {"epochs": 1})
    assert same(ends[0], ends[1])
    assert not same(ends[0], ends[2])


@pytest.mark.parametrize("coding", ["pm1", "01"])
def test_fit_goes_on_from_the_model_as_it_is(coding: str) -> None:
    """At rate 0 it is left alone, in either coding."""
    model = machine(1)
    before = arrays(model)
    fit(model, IMAGES, "rws", coding=coding, **QUICK | {"learning_rate": 0.0, "epochs": 1})
    for name, array in arrays(model).items():
        np.testing.assert_allclose(array, before[name], atol=1e-6)


def test_with_the_settings_that_are_warned_of_q_never_moves() -> None:
    still = {"samples": 1, "q_wake": 1, "epochs": 1, "batch": 16, "learning_rate": 0.05}
    for baseline in (True, False):
        model = machine(1)
        before = arrays(model)
        fit(model, IMAGES, "rws", baseline=baseline, **still)
        # More than rounding: on some CPUs the softmax of one number is 1 - 2^-24.
        moved = {k for k, array in arrays(model).items() if np.abs(array - before[k]).max() > 1e-5}
        assert {name for name in moved if name.startswith("p")}
        assert bool({name for name in moved if name.startswith("q")}) is not baseline


def test_samples() -> None:
    model = machine()
    first, second = model.sample(200), model.sample(200)
    assert first.shape == (200, 9)
    assert first.dtype == np.uint8
    assert set(np.unique(first)) == {0, 1}
    assert (first != second).any()
    np.testing.assert_array_equal(machine().sample(200), first)


def test_a_diverged_fit_leaves_a_finite_model() -> None:
    model = machine()
    result = fit(model, IMAGES, "rws", **QUICK | {"learning_rate": 3e38})
    assert result.status == "diverged"
    assert "finite" in result.reason
    assert all(np.isfinite(array).all() for array in arrays(model).values())


def test_weights_that_are_too_large_in_the_other_coding_are_told() -> None:
    model = machine()
    held = arrays(model)
    held["p_W0"][0, 0] = 2e38  # 4e38 on units of {0, 1}
    model.params = from_arrays(held)
    with pytest.raises(NwsError, match=r"fit: coding: found .01., .* beyond single precision"):
        fit(model, IMAGES, "ws", coding="01", **QUICK)
    np.testing.assert_array_equal(arrays(model)["p_W0"], held["p_W0"])


def test_nor_is_a_model_left_that_is_finite_in_the_other_coding_alone() -> None:
    """All weights of a pixel grow alike, and ±1's biases have half of their sum."""
    model, before = (HelmholtzMachine([4, 20]) for _ in range(2))
    still = {"averaging": {"kind": "none"}, "epochs": 1, "batch": 8, "coding": "01"}
    result = fit(model, np.ones((8, 4)), "ws", learning_rate=1e38, **still)
    assert result.status == "diverged"
    assert "±1" in result.reason
    assert same(model, before)


def test_control_c_stops_a_fit() -> None:
    handler = signal.getsignal(signal.SIGINT)
    alarm = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 2.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(machine(), IMAGES, "ws", **QUICK | {"epochs": 20_000})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, alarm)
    assert signal.getsignal(signal.SIGINT) is handler


BAD: dict[str, tuple[Any, str]] = {
    "wrong width": (IMAGES[:, :8], r"x: found shape \(180, 8\); give rows of 9 pixels"),
    "no rows": (IMAGES[:0], r"x: found shape \(0, 9\)"),
    "no images": (np.zeros((0, 3, 3)), r"x: found shape \(0, 3, 3\)"),
    "a number": (3.0, r"x: found shape \(\); give rows of 9 pixels"),
    "nan": (np.where(IMAGES == 1, np.nan, 0.0), "x: holds nan or inf"),
    "out of range": (255 * IMAGES.astype(float), r"x: values from 0 to 255; give .* \[0, 1\]"),
    "bytes": (255 * IMAGES, r"from 0 to 255; give values in \[0, 1\], e\.g\. x / 255 where"),
    "standardised": (3.0 * IMAGES - 0.5, r"from -0\.5 to 2\.5; .*np\.clip"),
    "negative": (0.5 * IMAGES - 0.2, "x: values from -0.2 to 0.3"),
    "words": ([["a"] * 9], "x: is not an array of numbers"),
    "ragged": ([[0, 1], [1]], "x: is not an array of numbers"),
}


@pytest.mark.parametrize("kind", BAD)
def test_images_that_cannot_be_used(kind: str) -> None:
    x, says = BAD[kind]
    with pytest.raises(NwsError, match=says):
        machine().log_likelihood(x)
    with pytest.raises(NwsError, match=says):
        fit(machine(), x)
    with pytest.raises(NwsError, match=says.replace("x:", "valid:", 1)):
        fit(machine(), IMAGES, valid=x)


def test_grey_images_have_no_likelihood() -> None:
    with pytest.raises(NwsError, match=r"x: holds grey values; make it binary first"):
        machine().log_likelihood(0.5 * IMAGES)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"learning_rat": 0.1}, "learning_rat: unknown key .did you mean 'learning_rate'"),
        ({"inital_bias": 0.1}, r"fit: inital_bias: unknown key(?!.*initial_bias)(?!.*layers)"),
        ({"binarisation": "round"}, "binarisation: unknown key .did you mean 'binarization'"),
        ({"algorithm": "adam"}, "algorithm: found 'adam'; allowed: 'ws', 'rws', .*'nrws'"),
        ({"algorithm": "NRWS"}, "found 'NRWS' .did you mean 'nrws'.*; allowed: (?!.*vae)"),
        ({"algorithm": "vae"}, "found 'vae' .nws train has it.; allowed: (?!.*vae)"),
        ({"algorithm": ["rws"]}, r"found \['rws'\].*; allowed: 'ws'"),
        ({"binarization": "dither"}, "found 'dither'; allowed: round, static, stochastic"),
        ({"binarization": np.array(["a", "b"])}, "found array.*; allowed: round, static"),
        ({"damping": 10**400}, "damping: found 1000*; a smaller number is needed"),
        ({"damping": -1.0}, "damping: found -1.0.*greater than 0"),
        ({"epochs": 0}, "epochs: found 0"),
        ({"solver": "lu"}, "solver: found 'lu'"),
        ({"learning_rate_schedule": {"end": 0.1}}, "rate_schedule: found .*give kind too.*linear"),
    ],
)
def test_settings_that_cannot_be_used(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(NwsError, match=says):
        fit(machine(), IMAGES, **arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: HelmholtzMachine([9]),
        lambda: HelmholtzMachine([9, 0]),
        lambda: machine().log_likelihood(IMAGES, n_samples=0),
        lambda: machine().sample(0),
        lambda: HelmholtzMachine.load("absent.npz"),
        lambda: machine().save("/dev/null/model.npz"),
    ],
    ids=["one layer", "an empty layer", "no samples", "no images", "no file", "no folder"],
)
def test_other_mistakes(call: Any) -> None:
    with pytest.raises(NwsError, match=r"found|cannot be"):
        call()


@pytest.mark.parametrize("layers", ["94", b"94", {9: 1, 4: 2}, {9, 4}])
def test_layers_are_a_sequence(layers: Any) -> None:
    with pytest.raises(NwsError, match=r"layers: found .*; give at least two"):
        HelmholtzMachine(layers)


def test_layers_too_large_for_any_machine() -> None:
    with pytest.raises(NwsError, match=r"layers: found .*; give fewer units, at most 2\^31"):
        HelmholtzMachine([9, 10**30])


@pytest.mark.parametrize("path", [None, 5, b"model.npz", "", ".", "a\0.npz"])
def test_what_is_no_file(path: Any) -> None:
    with pytest.raises(NwsError, match=r"^save: found .*; give a file, such as model\.npz"):
        machine().save(path)
    with pytest.raises(NwsError, match=r"^load: found .*; give a file, such as model\.npz"):
        HelmholtzMachine.load(path)


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_truncated_model(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "model.npz"
    machine().save(path)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(NwsError, match=r"model\.npz: is not a readable"):
        HelmholtzMachine.load(path)


NUMBERS = [
    (lambda value: machine(value), "seed: found"),
    (lambda value: machine().log_likelihood(IMAGES, value), "n_samples: found"),
    (lambda value: machine().sample(value), "n: found"),
    (
        lambda value: fit(machine(), IMAGES[:20], "ws", seed=value, **QUICK | {"epochs": 1}),
        "seed: found",
    ),
    (
        lambda value: fit(machine(), IMAGES[:20], "ws", **QUICK | {"epochs": value}),
        "fit.epochs: found",
    ),
    (lambda value: HelmholtzMachine([9, value]), "layers: found"),
]


@pytest.mark.parametrize(("call", "says"), NUMBERS)
def test_whole_numbers_of_any_type_are_arguments(call: Any, says: str) -> None:
    for value in (np.int64(2), np.float32(2)):
        call(value)
    for bad in (1.5, -1, True, None, np.nan, "two"):
        if not (bad is None and says == "seed: found"):  # fit's default
            with pytest.raises(NwsError, match=says):
                call(bad)


def test_an_initial_bias_is_a_finite_number() -> None:
    for bad in ("0", np.inf, True, None, 10**400, np.array(True), tf.constant(True)):
        with pytest.raises(NwsError, match="initial_bias: found"):
            HelmholtzMachine([9, 2], initial_bias=bad)
    for good in (np.array(0.5), tf.constant(0.5)):
        model = HelmholtzMachine([9, 2], initial_bias=good)
        np.testing.assert_array_equal(arrays(model)["prior_b"], [0.5, 0.5])


def test_a_little_beyond_is_told_in_all_digits() -> None:
    with pytest.raises(NwsError, match=r"from 0 to 1\.000001; .*np\.clip"):
        fit(machine(), IMAGES * (1 + 1e-6))


@pytest.mark.parametrize(
    "key", ["layers", "initial_bias", "dataset", "exact", "likelihood_samples", "likelihood_images"]
)
def test_keys_that_fit_would_ignore_are_refused(key: str) -> None:
    with pytest.raises(NwsError, match=f"fit: {key}: is no setting of fit; "):
        fit(machine(), IMAGES, **{key: 1})


def test_arrays_that_would_lose_a_half_are_refused() -> None:
    for x, what in ((np.ma.masked_equal(IMAGES, 1), "masked"), (IMAGES + 1j, "complex")):
        with pytest.raises(NwsError, match=f"x: holds {what}"):
            fit(machine(), x)
        with pytest.raises(NwsError, match=f"x: holds {what}"):
            machine().log_likelihood(x)
    whole = np.ma.masked_array(IMAGES)
    np.testing.assert_array_equal(
        machine().log_likelihood(whole, 10), machine().log_likelihood(IMAGES, 10)
    )


def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    machine(3).save("~/model.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]
    assert same(HelmholtzMachine.load("~/model.npz"), machine(3))


def test_files_that_are_no_models(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    with pytest.raises(NwsError, match=r"a\.npy: is not a readable \.npz file"):
        HelmholtzMachine.load(tmp_path / "a.npy")
    (tmp_path / "garbage.npz").write_bytes(b"no archive")
    with pytest.raises(NwsError, match=r"garbage\.npz: is not a readable \.npz file"):
        HelmholtzMachine.load(tmp_path / "garbage.npz")


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("q_W0", lambda a: a * np.nan, "nan or inf: q_W0"),
        ("p_b0", lambda a: a - 1e39, "numbers beyond single precision: p_b0"),
        ("p_b0", lambda a: a + 1j, "p_b0 .* of complex128"),
        ("prior_b", lambda a: np.float32(0), r"prior_b \(\) of float32"),
        ("prior_b", lambda a: np.append(a, 0), "prior_b has"),
        ("q_b0", lambda a: a[:-1], "layer 0 has"),
        ("p_W1", lambda a: a.T, "layer 1 has"),
        ("p_W1", lambda a: None, "lacks the array p_W1"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_model(tmp_path: Path, name: str, change: Any, text: str) -> None:
    """The error names the file and the array."""
    held = {k: v.astype(float) for k, v in arrays(HelmholtzMachine([9, 5, 4])).items()}
    held[name] = change(held[name])
    if held[name] is None:
        del held[name]
    np.savez(tmp_path / "bad.npz", **held)
    with pytest.raises(NwsError, match=rf"bad\.npz: .*({text})"):
        HelmholtzMachine.load(tmp_path / "bad.npz")


@pytest.mark.parametrize("used", ["machine", "fisher"])
def test_a_forked_process_is_told_instead_of_hanging(
    used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "_user", [])
    if used == "machine":
        machine().sample(1)
    else:
        nws.fisher.natural_gradient(np.ones((2, 2)), [[0.5], [0.5]], [[1.0], [0.0]], 0.1)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            machine()
        except NwsError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        assert "spawn" in said.read()
    os.waitpid(child, 0)
