"""The report: one valid, self-contained page that escapes everything and hides nothing."""

import html
import json
import re
import shutil
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from fake_results import SMALL, make, rewrite, small, write

from nws import config as configuration
from nws.cli.asked import runs_named
from nws.files import manifest
from nws.files.code import source_hash
from nws.files.top import SCALES, TEMPLATES
from nws.models import parameters, vae
from nws.reporting import figures
from nws.reporting.frames import to_csv
from nws.reporting.page import cost, networks, reductions, report
from nws.reporting.results import Results
from nws.reporting.wording import duration, minus, number

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "link", "img", "br", "hr", "input", "col"}


class Page(HTMLParser):
    """Checks that tags are balanced; collects what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.headings = [], [], [], []
        self.tables = []  # header cells of each
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.append((tag, attrs))
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "table":
            self.tables.append(0)
        if tag == "th":
            self.tables[-1] += 1
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"unexpected </{tag}>"
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.seen if name == tag]


@pytest.fixture(scope="module")
def page(made):
    return Page(made[1])


def test_is_one_file_without_scripts_or_network(made, page):
    assert len(made[1]) < 5 * 2**20
    assert page.all("script") == []
    for _, attrs in page.seen:
        assert not any(name.startswith("on") for name in attrs)
        for name in ("src", "href", "srcset", "data"):
            assert not (attrs.get(name) or "").startswith(("http:", "https:", "//"))
    assert "@import" not in made[1]
    assert "url(" not in made[1]


def test_images_have_alternatives_and_tables_have_headers(page):
    images = page.all("img")
    assert len(images) >= len(figures.NAMES)
    assert all(image["alt"].strip() for image in images)
    assert all(image["src"].startswith("data:image/") for image in images)
    assert page.tables
    assert all(page.tables)
    assert all(head.get("scope") in ("row", "col") for head in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"


def test_headings_skip_no_level_and_links_lead_somewhere(made, page):
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert len(set(page.ids)) == len(page.ids)
    for link in page.all("a"):
        target = link["href"]
        if target.startswith("#"):
            assert target[1:] in page.ids
        elif "mnist/rws" not in target:
            assert (made[0] / target).is_file(), target


def test_regions_that_scroll_have_a_name_and_take_the_focus(page):
    regions = [div for div in page.all("div") if div.get("class") == "scroll"]
    assert len(regions) >= len(page.tables)
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)
    assert len({region["aria-label"] for region in regions}) == len(regions)


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb, as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    values = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("where", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_stands_out_from_its_background(where):
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    palettes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(palettes) == 3
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", palettes[where]))
    texts = ("ink", "soft", "link", "good", "half", "bad", "none")
    pairs = [(text, ground) for text in texts for ground in ("paper", "panel")]
    for text, ground in [*pairs, ("loud", "loud-paper")]:
        low, high = sorted(luminance(colours[name]) for name in (text, ground))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_says_what_matters(made):
    text = made[1]
    assert "Not the paper’s scale" in text
    assert "not run at this scale" in text
    assert "lr0.1_a0.01 seed 0: <strong>diverged</strong>" in text
    assert "mnist/rws seed 0: <strong>missing</strong>" in text
    assert "Binarization of Table 2" in text
    assert text.index("Binarization of Table 2") < text.index("Gradient convention")
    assert "None: every file matches its manifest" in text
    assert (made[0] / "claims.csv").is_file()


def test_the_command_stands_beside_every_row_of_the_race(made):
    where = f"--config {made[0]}/config.json --results {made[0]}"
    command = f"<code>nws train {{}} --evaluate {where}</code>"
    rows = (f"race{i}/{rival}" for i in (1, 2, 4) for rival in ("rws", "nrws", "nrws_mended"))
    assert all(command.format(run) in made[1] for run in rows)
    searched = "race_search/nrws_lr0.05 race_search/nrws_lr0.2"
    found = re.findall(command.format("(race_search/nrws_lr.*?)"), made[1])
    assert {" ".join(sorted(runs.split())) for runs in found} == {searched}


def test_commands_of_the_race_name_runs_that_there_are(made):
    config = Results(made[0]).config
    section = made[1].split('id="the-race"')[1].split("</section>")[0]
    for runs in re.findall("<code>nws train (.*?) --evaluate", section):
        assert list(runs_named(config, runs.split()))


def test_commands_name_a_configuration_that_there_is(tmp_path, monkeypatch):
    """That of the scale, if it is one of ours; else the one that is kept with the results."""
    monkeypatch.chdir(tmp_path)
    write(Path("results/fake"))
    kept = "results/fake/config.json"
    text = report.make(Results("results/fake")).read_text(encoding="utf-8")
    assert f"<code>nws train race1/rws --evaluate --config {kept}</code>" in text
    assert f"<code>nws figure fig3 --config {kept}</code>" in text
    assert f"<code>snakemake --configfile {kept}</code>" in text
    assert "config/fake.yaml" not in text
    assert "--results" not in text
    moved = tmp_path / "my results"
    Path("results/fake").rename(moved)
    text = html.unescape(report.make(Results(moved)).read_text(encoding="utf-8"))
    where = f"--config '{moved}/config.json' --results '{moved}'"
    assert f"<code>nws train race1/rws --evaluate {where}</code>" in text
    assert f"<code>nws table table1 {where}</code>" in text


def test_commands_name_the_file_of_a_scale_only_if_it_is_that_scale():
    quick = configuration.load(SCALES / "quick.yaml")
    file = "config/quick.yaml"
    asked = {"file": file, "options": f"--config {file}"}
    assert report._asked(Results("results/quick", quick)) == asked
    other = configuration.resolve({"extends": "quick", "seeds": [7]})  # of the same name
    assert report._asked(Results("results/quick", other))["file"] == "results/quick/config.json"


def test_every_network_is_listed_with_its_parameters():
    """As many as the models that are trained have."""
    settings = {"dataset": "minimnist_b", "layers": [7, 3]}
    mine = {"rws": {"algorithm": "rws"}, "vae": {"algorithm": "vae", "optimizer": "adam"}}
    small = {"layers": [7]}
    experiments = {
        "mine": {"settings": settings, "runs": {**mine, "small": small}},
        "yours": {"settings": settings, "runs": {"small": small}},
    }
    config = configuration.resolve({**SMALL, "experiments": experiments})
    found = {(row.layers, row.kind): row for row in networks.networks(config)}
    assert list(found) == [
        ((196, 7, 3), networks.MACHINE),
        ((196, 7, 3), networks.VAE),
        ((196, 7), networks.MACHINE),
    ]
    assert [row.experiments for row in found.values()] == [["mine"], ["mine"], ["mine", "yours"]]
    machine = parameters.initial([196, 7, 3], 0)
    p, q = (sum(tf.size(W).numpy() for W in side) for side in (machine.p, machine.q))
    row = found[(196, 7, 3), networks.MACHINE]
    assert (row.p, row.q) == (p + 3, q)
    encoder, decoder = vae.initial([196, 7, 3], 0, np.full(196, 0.1))
    p, q = (sum(tf.size(W).numpy() for W in side) for side in (decoder, encoder))
    row = found[(196, 7, 3), networks.VAE]
    assert (row.p, row.q) == (p, q)


def test_the_vae_is_among_the_networks(made):
    section = made[1].split("<h3>Parameters</h3>")[1].split("</section>")[0]
    assert section.count("<td>VAE</td>") == 1
    assert section.count('href="#runs-others"') == 2  # machines of the same layers, and the VAE


def test_what_the_clip_does_is_told_where_it_was_tried(made, tmp_path):
    difficult = made[1].split("What was difficult")[1].split("What remains")[0]
    assert difficult.count('href="#clip"') == 2
    config = {**SMALL, "experiments": {"mine": {"runs": {"a": {"epochs": 2}}}}}
    root = write(tmp_path, configuration.resolve(config))
    assert 'href="#clip"' not in report.make(Results(root)).read_text(encoding="utf-8")


def test_what_not_committed_means_is_said(made):
    assert "with changes not committed; hash of the training code not recorded" in made[1]
    assert "files or changes that were not in that commit" in made[1]


def test_the_command_for_the_hash_of_the_code_works(made):
    command = html.unescape(re.search('<code>python -c "(.*?)"</code>', made[1])[1])
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == source_hash("training")


def test_names_are_escaped(tmp_path):
    root = write(tmp_path / "r")
    folder = root / "runs" / "minimnist" / "ws_b" / "seed0"
    for name in ("training.json", "metrics.json"):
        text = (folder / name).read_text()
        (folder / name).write_text(
            text.replace("an invented processor", "<script>alert(1)</script>")
        )
        manifest.write(folder, [name])
    text = report.make(Results(root)).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_changed_files_are_named(tmp_path):
    root = write(tmp_path)
    make(root, ["fig3"])
    path = root / "figures" / "fig3.csv"
    path.write_text(path.read_text().replace("27.606", "26.606"))
    history = root / "runs" / "minimnist" / "ws_b" / "seed0" / "history.csv"
    history.write_text(history.read_text().replace("1,10,", "1,11,"))
    text = report.make(Results(root)).read_text(encoding="utf-8")
    assert "figures: fig3.csv does not match its manifest" in text
    assert "figures/fig3.csv: is not what the runs now give" in text
    assert "runs/minimnist/ws_b/seed0: history.csv does not match its manifest" in text


def test_a_picture_that_is_not_what_was_drawn_is_not_shown(tmp_path):
    """Another one copied over it, or one that was left beside new numbers."""
    root = write(tmp_path)
    folder = root / "figures"
    make(root, ["fig3", "fig4", "fig6", "fig7"])
    shutil.copy(folder / "fig3.svg", folder / "fig6.svg")
    (folder / "fig7.png").unlink()  # a copy may be without
    rewrite(root, "mnist", "ws", valid_loss=np.linspace(99, 90, 6))
    (folder / "fig4.csv").write_bytes(to_csv(figures.data("fig4", Results(root))))
    (folder / "fig9.manifest.json").write_text("torn")
    text = report.make(Results(root)).read_text(encoding="utf-8")
    for name, shown in (("fig3", True), ("fig4", False), ("fig6", False), ("fig7", True)):
        section = text.split(f'<h3 id="{name}">')[1].split("<h3 ")[0]
        assert ("<img" in section) == shown, name
        assert ("not drawn to the end" in section) != shown, name
        assert f'href="figures/{name}.csv"' in section


def test_the_data_table_shows_what_the_data_is_and_not_what_is_asked_for(tmp_path):
    root = write(tmp_path)
    datasets = small()["datasets"]
    datasets["minimnist_b"] |= {"binarization": "static", "train": 64}
    asked = configuration.resolve({**SMALL, "datasets": datasets})
    text = report.make(Results(root, asked)).read_text(encoding="utf-8")
    rows = text.split('<h2 id="data-title">')[1].split("</section>")[0].split("<tr>")[2:]
    changed = [row for row in rows if "not what is asked for now" in row]
    assert len(changed) == 1
    assert "minimnist_b <" in changed[0]
    assert "binarization: round → static, train: 320 → 64" in html.unescape(changed[0])
    assert "<td>round</td>" in changed[0]
    assert "<td>static</td>" not in changed[0]


def test_the_caption_of_exactness_names_no_settings(made):
    """They are whatever the configuration says."""
    section = made[1].split('<h3 id="exactness">')[1].split("</figcaption>")[0]
    caption = section.split("<figcaption>")[1]
    assert not re.search(r"RWS|MNIST|[ηαγK] =? ?\d", caption)


def test_what_is_outdated_is_found_out_once(tmp_path, monkeypatch):
    """The numbers of all figures and tables take a while."""
    root, asked, right = write(tmp_path), [], figures.data
    figures.make("fig3", Results(root))
    monkeypatch.setattr(figures, "data", lambda *args: asked.append(args[0]) or right(*args))
    report.make(Results(root))
    assert asked == ["fig3"]


def test_nothing_run_still_makes_a_page(tmp_path):
    config = configuration.resolve(SMALL)
    runs = [f"{run.experiment}/{run.name}" for run in configuration.runs(config)]
    root = write(tmp_path, config, missing=runs)
    text = report.make(Results(root)).read_text(encoding="utf-8")
    Page(text)
    assert "Missing: not drawn yet." in text


def test_another_configuration_still_makes_a_page(tmp_path):
    config = {**SMALL, "experiments": {"mine": {"runs": {"a": {"epochs": 2}}}}}
    root = write(tmp_path, configuration.resolve(config))
    text = make(root, ["fig3"]).read_text(encoding="utf-8")
    Page(text)
    assert "The configuration has no experiment mnist." in text


def test_a_benchmark_is_shown(tmp_path):
    root = write(tmp_path)
    times = {"nrws_k1_vs_rws": 5.0, "nrws_k50_vs_rws": 2.5}
    rows = [
        {"name": name, "what": name, "architecture": "minimnist", "value": value, "unit": "times"}
        | {"goal": "<= 3", "reached": value <= 3, "spread": 0.1}
        for name, value in times.items()
    ]
    epochs = [
        {"architecture": "minimnist", "algorithm": "nrws", "K": k, "solver": "auto", "seconds": s}
        for k, s in ((1, 12.25), (50, 7.5))
    ]
    scaling = [
        {"solver": "cg", "vary": "l", "l": l, "n": 320, "m": 64, "ms": l / 10} for l in (50, 100)
    ]
    document = {"rows": rows, "seconds_per_epoch": epochs, "scaling": scaling, "date": "2026-01-02"}
    (root / "benchmark.json").write_text(json.dumps(document))
    text = report.make(Results(root)).read_text(encoding="utf-8")
    Page(text)
    assert "Keeping it saves 50% of a step" in text
    assert "<td>7.5</td><td>69</td>" in text  # the paper's seconds, with a kept metric
    assert "<td>12.25</td><td>–</td>" in text or "<td>12.2</td><td>–</td>" in text
    assert "How the cost of one layer grows" in text


def test_a_benchmark_that_cannot_be_read_is_told(tmp_path):
    root = write(tmp_path)
    assert "there is no benchmark.json" in report.make(Results(root)).read_text(encoding="utf-8")
    (root / "benchmark.json").write_text("[1, 2")
    text = report.make(Results(root)).read_text(encoding="utf-8")
    assert "benchmark.json: is not readable JSON" in text
    assert "there is no benchmark.json" not in text
    assert f"{root}/benchmark.json" not in text


def test_the_picture_of_the_cost_has_room_for_its_labels():
    kept = json.loads((ROOT / "docs" / "reference" / "benchmark.json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a layout that found no room
        assert cost.picture(kept["scaling"]) is not None


def test_the_papers_scale_has_no_reductions():
    assert reductions.reductions(configuration.load()) == []


def test_reductions_name_what_is_smaller():
    quick = configuration.load(SCALES / "quick.yaml")
    found = {item.topic: (item.paper, item.ours) for item in reductions.reductions(quick)}
    assert any(topic.startswith("epochs of minimnist") for topic in found)
    assert any(topic.startswith("train of") for topic in found)


def test_a_difference_of_some_runs_names_them():
    """By name if they are few, by their number if they are many, not at all if they are all."""
    ours = configuration.resolve(
        {
            "experiments": {
                "adam": {"settings": {"epochs": 30}},
                "race2": {"runs": {"rws": {"samples_later": None}}},
                "race_search": {"grids": {"rws": {"clip": [1e-5]}}},
            }
        }
    )
    found = {(item.topic, item.paper, item.ours) for item in reductions.reductions(ours)}
    assert found == {
        ("epochs of adam", "100", "30"),
        ("samples_later of race2 (rws)", "after 8, samples 50", "none"),
        ("clip of race_search (8 of 64 runs)", "1e-06", "1e-05"),
    }
    reference = configuration.load(SCALES / "reference.yaml")
    found = {(item.topic, item.paper, item.ours) for item in reductions.reductions(reference)}
    assert ("patience of mnist, rates", "never", "20") in found


def test_numbers_for_reading():
    assert number(None) == number(float("nan")) == "–"
    assert number(-29.33712) == "−29.34"
    assert number(500.0) == "500"
    assert minus("K -0.1, lr0.001-0.0003 1e-5") == "K −0.1, lr0.001-0.0003 1e-5"
    assert duration(30) == "30.0 s"
    assert duration(7200) == "2.0 h"
