from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.failures import StepError
from pipeline.local.jobs.log import JobLog, Metrics

DEFINITIONS = [{"Name": "loss", "Regex": "[ ]loss=([-+0-9.eE]+)"}, {"Name": "f1", "Regex": "f1=([-+0-9.eE]+)"}]


def test_the_last_value_of_each_metric_counts() -> None:
    metrics = Metrics(DEFINITIONS)
    found = [
        metrics.read(line) for line in ("epoch=1 loss=2.5 f1=1e-1", "nothing", "epoch=2 loss=-3 best_loss=9", "f1=-")
    ]
    assert found == [True, False, True, False]
    assert metrics.last == {"loss": -3.0, "f1": 0.1}
    assert metrics.values["loss"] == [2.5, -3.0]


def test_a_group_that_took_no_part_is_no_value() -> None:
    assert not Metrics([{"Name": "x", "Regex": "(a)?b"}]).read("b")


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(StepError, match="metric loss"):
        Metrics([{"Name": "loss", "Regex": "("}])


def test_one_host_writes_to_the_log_itself(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ("algo-1",))
    assert log.of("algo-1") == log.path
    log.path.write_bytes(b"one\ntw")
    assert log.pump() == ["one"]
    with log.path.open("ab") as file:
        file.write(b"o\r50%\r\nthree")
    assert log.pump() == ["two\r50%\r"]
    assert log.pump(final=True) == ["three"]
    assert log.pump(final=True) == []
    assert log.last_line == "three"


def test_several_hosts_lines_are_merged_with_their_names(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ("algo-1", "algo-2"))
    log.of("algo-1").write_bytes(b"a\n")
    log.of("algo-2").write_bytes(b"\xff\nc")
    assert log.pump() == ["a", "\N{REPLACEMENT CHARACTER}"]
    assert log.pump(final=True) == ["c"]
    assert log.path.read_text(encoding="utf-8") == "[algo-1] a\n[algo-2] \N{REPLACEMENT CHARACTER}\n[algo-2] c\n"


def test_a_line_without_end_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = JobLog(tmp_path, ("algo-1",))
    log.path.write_bytes(b"x" * (2 << 20))
    assert [len(line) for line in log.pump()] == [2 << 20]


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_however_the_output_comes_in_pieces_its_lines_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    log = JobLog(tmp_path_factory.mktemp("log"), ("algo-1",))
    lines = []
    for piece in pieces:
        with log.path.open("ab") as file:
            file.write(piece)
        lines += log.pump()
    lines += log.pump(final=True)
    whole = b"".join(pieces)
    expected = [part.decode("utf-8", "replace") for part in whole.split(b"\n")]
    assert lines == (expected if expected[-1] else expected[:-1])
