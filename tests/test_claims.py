"""The instrument that asks whether the pages' claims hold on other seeds."""

import json
import sys

import nbformat
import pytest
from benchmark_script import load

from vae_tutorial.experiments import __main__ as command
from vae_tutorial.experiments.records import RECORDED

claims = load("claims")


def test_claims_are_held_against_the_other_record_and_all_that_fail_are_told(tmp_path):
    (tmp_path / "few-labels.json").write_text(json.dumps({"runs": [1, 2]}))
    cells = [
        "from vae_tutorial.experiments import records\nfew = len(records.load_record('few-labels')['runs'])",
        "for least in (1, 2):\n    assert few > least\nassert few == 2, 'the other record'\nassert few == 35\nafterwards = True",
        "assert afterwards\nassert len(records.load_record('anomaly')['runs']) == 20\nfew.nothing",
    ]
    page = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), page)
    asserted, failed = claims.examine(page, claims.OTHER_RECORDS.format(folder=str(tmp_path)))
    assert asserted == 5
    assert failed[:2] == ["few > least", "few == 35"]
    assert failed[2].startswith("AttributeError")
    assert len(failed) == 3


def test_pages_train_on_the_second_device(tmp_path):
    cells = [
        "import torch\nfrom vae_tutorial import models, objectives, training\ndevice = \"cuda\" if torch.cuda.is_available() else 'cpu'",
        "seen = set()\ndef loss(model, x):\n    seen.add(x.device.type)\n    return objectives.squared_error(model, x - mean)\nmean = 0",
        "model, x, plan = models.Autoencoder(2, (4,)), torch.rand(128, 1, 28, 28), {'epochs': 1, 'progress': False}",
        "training.fit(model, x, loss, device=\"fastest\", **plan)",
        "assert seen == {'cpu'}\nassert next(model.parameters()).device.type == device",
        "mean = x.mean(0)\ntraining.fit(model, x, loss, **plan)\ntraining.fit(model, x, loss, device=\"fastest\", **plan)",
    ]
    page = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), page)
    assert claims.asks_for_a_gpu(claims.code_of(page))
    asserted, failed = claims.examine(page, claims.OTHER_DEVICE)
    assert asserted == 2
    assert failed[:2] == ["seen == {'cpu'}", "next(model.parameters()).device.type == device"]
    assert "tensors on two devices" in failed[2]


def test_folders_that_no_page_reads_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["claims", str(tmp_path)])
    with pytest.raises(SystemExit, match="no record in"):
        claims.main()
    (tmp_path / "few_labels.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"few_labels in .* no page reads"):
        claims.main()


def test_other_seeds_never_go_into_the_package(monkeypatch, tmp_path, capsys):
    before = (RECORDED / "importance-bounds.json").read_text()
    monkeypatch.setattr(sys, "argv", ["experiments", "importance-bounds", "--add-to-seeds", "100", "--runs", str(tmp_path)])
    with pytest.raises(SystemExit):
        command.main()
    assert "needs --to FOLDER" in capsys.readouterr().err
    assert (RECORDED / "importance-bounds.json").read_text() == before


def test_other_seeds_are_the_settings_seeds_and_so_many_more(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(command, "run_sweep", lambda run, settings, *_, **__: asked.extend(settings) or [])
    monkeypatch.setattr(command, "record", lambda *_: tmp_path)
    monkeypatch.setattr(sys, "argv", ["experiments", "iwae", "--add-to-seeds", "100", "--to", str(tmp_path)])
    command.main()
    assert [(setting["k"], setting["seed"]) for setting in asked] == [(k, seed) for k in (1, 5) for seed in (100, 101, 102)]
