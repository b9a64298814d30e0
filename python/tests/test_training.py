"""What training leaves behind: the model and the checkpoint, whatever happens at the end."""

import os

import numpy as np
import pytest

import signfold
from signfold import Model

OPTIONS = {"rate": 1, "steps": 20}


def train(**more):
    return signfold.train("gaussian", 8, **OPTIONS, **more)


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def test_the_model_is_saved(tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program("train", "--prior", "gaussian", "--dim", 8, "--rate", 1, "--steps", 20, "--out", "cli")
    model, _ = train(out="m.sfm", checkpoint="c")
    assert files(tmp_path) == ["cli", "m.sfm"]
    assert (tmp_path / "m.sfm").read_bytes() == (tmp_path / "cli").read_bytes()
    assert Model.load("m.sfm").fingerprint == model.fingerprint


def test_a_checkpoint_that_cannot_be_removed_does_not_cost_the_model(tmp_path, monkeypatch):
    def refuse(path, *more, **named):
        raise PermissionError(f"not {path}")

    monkeypatch.setattr(os, "remove", refuse)
    model, _ = train(checkpoint=tmp_path / "c")
    assert model.bits == 8
    assert train(checkpoint=tmp_path / "c", out=tmp_path / "m").model.bits == 8
    assert files(tmp_path) == ["c", "m"]


def test_a_checkpoint_behind_a_link_is_removed(tmp_path):
    """Not the link: the next run would find what this one has left."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "c").symlink_to(tmp_path / "scratch" / "c")
    train(checkpoint=tmp_path / "c", out=tmp_path / "m")
    assert files(tmp_path) == ["c", "m", "scratch"] and files(tmp_path / "scratch") == []


def test_the_checkpoint_stays_until_the_model_is_saved(tmp_path, monkeypatch):
    """A disk that is full, say: the run can be resumed, which takes a minute at most."""

    def refuse(model, path):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Model, "save", refuse)
        with pytest.raises(OSError, match="no space left"):
            train(checkpoint=tmp_path / "c", out=tmp_path / "m")
    assert files(tmp_path) == ["c"]
    resumed = train(checkpoint=tmp_path / "c", out=tmp_path / "m", resume=True)
    assert resumed.model.fingerprint == train().model.fingerprint
    assert files(tmp_path) == ["m"]


def test_what_cannot_be_written_is_known_before(tmp_path, x):
    def never(step, steps, risk):
        raise AssertionError("training has begun")

    def refused(kind, words, **more):
        with pytest.raises(kind, match=words):
            signfold.train(steps=20, rate=0.5, progress=never, **more)

    path = tmp_path / "x.npy"
    np.save(path, x)
    before = path.read_bytes()
    refused(OSError, "no/m", data=x, out=tmp_path / "no" / "m")
    refused(ValueError, "both name", data=x, out=tmp_path / "c", checkpoint=tmp_path / "." / "c")
    refused(ValueError, "would replace .*, which is read", data=path, out=path)
    refused(ValueError, "would replace .*, which is read", data=x, test=path, out=path)
    refused(ValueError, "would replace .*, which is read", data=x, start=f"dense:{path}", out=path)
    law = tmp_path / "law.json"
    law.write_text('{"components": [{"weight": 1, "mean": 0, "variance": 1}]}')
    refused(ValueError, "would replace .*, which is read", prior=f"mixture:{law}", dim=4, out=law)
    law.unlink()
    assert path.read_bytes() == before and files(tmp_path) == ["x.npy"]
