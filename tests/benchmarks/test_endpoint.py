from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.artifacts import artifact
from benchmarks.endpoint import Limit, Served, quicker, rows, summary
from benchmarks.load import Load
from benchmarks.serving import PHOTO_BYTES, photo
from tests.artifacts import artifact as make_artifact


def test_the_rounds_medians_are_reported() -> None:
    loads = [(Load(rate, 0.0, 0.0), Load(0.0, rate / 10, rate / 5)) for rate in (300.0, 100.0, 200.0)]
    assert summary(loads) == Served(200.0, 20.0, 40.0)


def test_a_shorter_time_is_a_higher_ratio() -> None:
    row = quicker("Latency", 5.0, 60.0, "peer", 10)
    assert (row.ratio, row.met, row.bar) == (12.0, True, "at least 10x")
    assert quicker("Latency", 7.0, 60.0, "peer", 10).met is False
    assert quicker("Latency", 7.0, 60.0, "peer", None).met is None


def test_each_bar_is_held_against_its_peer() -> None:
    figures = rows(Served(280, 6, 9), Served(21, 63, 82), Served(200, 8, 10), Limit("openvino", 500, 400, 1.5))
    assert [round(figure.ratio or 0, 2) for figure in figures] == [13.33, 10.5, 9.11, 1.4, 1.33, 0.7, 0.56]
    assert [figure.met for figure in figures] == [True, True, True, True, None, True, False]


def test_the_limit_says_what_decoding_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.endpoint.cores", lambda: 2)
    limit = Limit("openvino", rate=800, reference=350, decoding=1.5)  # 2.5 ms of a core for the model
    assert limit.share() == 2.5 / 4


def test_an_artifact_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINCOUNT_MODEL", str(make_artifact(tmp_path / "model")))
    assert artifact() == tmp_path / "model"
    monkeypatch.setenv("BINCOUNT_MODEL", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no unpacked model\.tar\.gz"):
        artifact()


def test_the_photo_is_of_the_usual_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("a.jpg", 40_000), ("b.jpg", 60_000), ("c.jpg", 90_000)):
        (tmp_path / name).write_bytes(bytes(size))
    monkeypatch.setenv("BINCOUNT_PHOTOS", str(tmp_path))
    assert photo().name == "b.jpg"
    (tmp_path / "b.jpg").unlink()
    monkeypatch.setattr("benchmarks.serving.ROOT", tmp_path)
    drawn = photo().read_bytes()  # none of these is near
    assert abs(len(drawn) - PHOTO_BYTES) < PHOTO_BYTES / 10
    assert drawn.startswith(b"\xff\xd8\xff")
