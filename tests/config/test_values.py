"""Numbers as they are written, names of grids, and settings that cannot do what they say."""

import logging
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nws import config as cfg
from nws.config.numbers import count, real, whole
from nws.errors import NwsError

WHOLE = [3, 3.0, "3", "3e0", np.int64(3), np.uint8(3), np.float32(3), np.array(3), Fraction(3)]
NOT_WHOLE = [1.5, True, np.bool_(True), "yes", "", "1.5", np.nan, np.inf, None, 1j, [3], np.ones(2)]


@pytest.mark.parametrize("value", [*WHOLE, tf.constant(3), np.float64(3)], ids=repr)
def test_whole_numbers_of_any_type(value: Any) -> None:
    assert whole(value) == 3
    assert type(whole(value)) is int


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_what_is_no_whole_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"number|convert"):
        whole(value)
    with pytest.raises(NwsError, match=r"^n: found .*; give a whole number, at least 1$"):
        count("n", value)


@pytest.mark.parametrize("value", [0, -1, 2**63, 10**400, "3"])
def test_a_count_has_bounds_and_is_no_text(value: Any) -> None:
    with pytest.raises(NwsError, match=r"^n: found"):
        count("n", value)


def test_counts_of_a_configuration_are_a_steps_own() -> None:
    assert cfg.run_settings({"cg_iterations": 2**31 - 1}, "t").cg_iterations == 2**31 - 1
    with pytest.raises(NwsError, match=r"cg_iterations: .*2147483647"):
        cfg.run_settings({"cg_iterations": 2**31}, "t")


def test_booleans_are_no_real_numbers() -> None:
    assert [real(value) for value in (0.5, "5e-1", np.float64(0.5), Fraction(1, 2))] == [0.5] * 4
    booleans = (True, np.bool_(True), np.array(True), tf.constant(True))
    for value in (*booleans, "on", None, 1j, np.complex64(1), np.array([0.5]), tf.constant("1")):
        with pytest.raises(ValueError, match=r"number|convert"):
            real(value)


@pytest.mark.parametrize("value", [np.array(0.5), tf.constant(0.5), tf.Variable(0.5)], ids=repr)
def test_arrays_and_tensors_of_one_number_are_numbers(value: Any) -> None:
    assert real(value) == 0.5
    assert type(real(value)) is float
    assert whole(value + 2.5) == 3
    with pytest.raises(NwsError, match=r"^n: found .*; give a whole number"):
        count("n", value)


@pytest.mark.parametrize("value", [10**400, Fraction(10**400)], ids=["int", "fraction"])
def test_numbers_beyond_all_floats_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="a smaller number is needed"):
        real(value)
    with pytest.raises(NwsError, match=r"learning_rate: found .*; a smaller number is needed"):
        one(learning_rate=value)


def one(**settings: Any) -> cfg.RunSettings:
    return cfg.run_settings(settings)


def test_whole_numbers_as_yaml_writes_them() -> None:
    assert one(likelihood_samples="1e4").likelihood_samples == 10_000
    assert one(epochs="3.0", layers=["1e1", 5.0]).layers == [10, 5]


@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", True), ("learning_rate", True), ("layers", [True]), ("epochs", 1.5), ("q_wake", 2)],
)
def test_yes_is_no_number(key: str, value: Any) -> None:
    with pytest.raises(NwsError, match=rf"^settings\.{key}.*: found"):
        one(**{key: value})


def test_coding_01_is_a_word() -> None:
    assert one(coding=1).coding == one(coding="01").coding == "01"
    for value in (True, 0, "1"):
        with pytest.raises(NwsError, match="coding"):
            one(coding=value)


def names(grid: dict[str, list[Any]], **settings: Any) -> list[str]:
    experiment = cfg.Experiment(grid=grid, settings=settings)
    return [run.name for run in cfg.expand("one", experiment)]


def test_a_grid_over_layers_and_schedules() -> None:
    assert names({"layers": [[100, 20], [50]]}) == ["layers-100-20", "layers-50"]
    schedules = [{"kind": "linear"}, {"kind": "exponential", "end": 0.5}, {"kind": "constant"}]
    key = "damping_schedule"
    expected = [f"{key}-linear-0.1", f"{key}-exponential-0.5", f"{key}-constant"]
    assert names({key: schedules}) == expected
    shared = {key: {"end": 0.2}}
    assert names({key: schedules[:1]}, **shared) == [f"{key}-linear-0.2"]
    assert names({"learning_rate_schedule": schedules[:1]}) == ["lrs-linear-0.1"]
    later = [None, {"after": 8, "samples": 50}]
    assert names({"samples_later": later}) == ["samples_later-none", "samples_later-8-50"]
    assert names({"likelihood_samples": [10**6]}) == ["likelihood_samples-1000000"]
    assert names({"learning_rate": [1e6]}) == ["lr1e06"]


def test_a_grid_whose_names_are_too_long_says_so() -> None:
    with pytest.raises(NwsError, match=r"one\.grid: 'layers-.* has 108 characters; at most 64"):
        names({"layers": [[10] * 34]})


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, True),
        ({"algorithm": "nrws"}, True),
        ({"algorithm": "ws"}, False),
        ({"samples": 2}, False),
        ({"q_wake": 0.5}, False),
        ({"q_sleep": 1}, False),
        ({"q_wake": 0.5, "q_sleep": 0}, True),
        ({"algorithm": "bihm"}, True),
        ({"algorithm": "nbihm", "samples": 2}, False),
        ({"samples_later": {"after": 1}}, False),
        ({"baseline": False}, False),
    ],
)
def test_settings_with_which_q_never_moves(
    changes: dict[str, Any], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"algorithm": "rws", "samples": 1, "q_wake": 1, **changes}
    with caplog.at_level(logging.WARNING):
        one(**settings)
        cfg.resolve(
            {
                "extends": None,
                "datasets": {"minimnist_b": {"source": "minimnist"}},
                "experiments": {"one": {"settings": settings, "runs": {"a": {}}}},
            }
        )
    said = ["settings: with samples: 1", "experiments.one: run a: with samples: 1"]
    found = [text for text in said if text in caplog.text]
    assert found == (said if warned else [])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"learning_rate": 1e40}, "learning_rate: found 1e.40; numbers are single precision"),
        ({"damping": 1e50}, "damping: found 1e.50; numbers are single precision"),
        ({"q_sleep": np.inf}, "q_sleep: found inf"),
        ({"clip": 1e-8}, "clip: found 1e-08"),
        ({"algorithm": "vae"}, "optimizer: found 'sgd'; a vae is trained with adam"),
        ({"algorithm": "vae", "optimizer": "adam", "freeze": "p"}, "freeze: found 'p'; a vae has"),
        ({"exact": True, "layers": [11, 10]}, r"exact: 21 hidden units have 2\^21 states"),
    ],
)
def test_what_cannot_be_trained_is_said_before(changes: dict[str, Any], text: str) -> None:
    """Of a configuration as of a single run; the error names the run and the key."""
    with pytest.raises(NwsError, match=rf"^settings\.{text}"):
        one(**changes)
    content = {
        "extends": None,
        "datasets": {"minimnist_b": {"source": "minimnist"}},
        "experiments": {"one": {"settings": changes, "runs": {"a": {}}}},
    }
    with pytest.raises(NwsError, match=rf"experiments\.one\.runs\.a\.{text}"):
        cfg.resolve(content)


def test_a_grid_without_values_is_said_to_have_none() -> None:
    content = {
        "extends": None,
        "datasets": {"minimnist_b": {"source": "minimnist"}},
        "experiments": {"one": {"grid": {"damping": []}}},
    }
    with pytest.raises(NwsError, match="its grid has no value for damping"):
        cfg.resolve(content)


def test_no_number_of_a_run_takes_a_boolean() -> None:
    for key, field in cfg.RunSettings.model_fields.items():
        if type(field.default) in (int, float):
            with pytest.raises(NwsError, match=rf"^settings\.{key}: found True"):
                one(**{key: True})
    for key in ("patience", "budget", "likelihood_images"):
        with pytest.raises(NwsError, match=rf"^settings\.{key}.*: found True"):
            one(**{key: True})


def test_pooling_is_minimnist_s() -> None:
    """Others are not pooled; a static draw before it would change their pixels."""
    found = {"source": "mnist", "pooled": "static"}
    content = {"datasets": {"m": found}, "experiments": {"e": {"runs": {"a": {"dataset": "m"}}}}}
    with pytest.raises(NwsError, match=r"datasets\.m: found .*minimnist alone"):
        cfg.resolve(content)
    found["source"] = "minimnist"
    cfg.resolve(content)


@pytest.mark.parametrize("key", ["learning_rate_schedule", "damping_schedule", "averaging"])
def test_a_mapping_without_its_kind_would_have_no_effect(key: str) -> None:
    part = {"decay": 0.9} if key == "averaging" else {"end": 0.01}
    with pytest.raises(NwsError, match=f"{key}: found .*give kind too"):
        one(**{key: part})
    assert one(**{key: {**part, "kind": "exponential"}})
    assert one(**{key: {}}) == one()
