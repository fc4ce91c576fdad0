from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

CHURN = Path(__file__).parents[2] / "fixtures" / "definitions" / "churn.json"


def test_compile_writes_what_validate_accepts(home: Path, call: Callable[..., Called], tmp_path: Path) -> None:
    out = tmp_path / "new" / "definition.json"
    assert call("compile", "--profile", "demo", "--set", "tune.trials=3", "--out", out).code == 0
    assert call("validate", out).code == 0
    printed = call("compile", "--profile", "demo", "--set", "tune.trials=3")
    assert printed.out == out.read_text()
    assert '"MaxNumberOfTrainingJobs": 3' in printed.out


def test_settings_that_cannot_be_are_one_line(call: Callable[..., Called]) -> None:
    assert "no profile 'dmo' (did you mean demo?)" in call("compile", "--profile", "dmo").err
    assert "did you mean tune.trials" in call("compile", "--set", "tune.trial=3").err


def test_validate_prints_each_fault_with_its_path(call: Callable[..., Called], tmp_path: Path) -> None:
    definition = json.loads(CHURN.read_text())
    definition["Steps"][0]["Arguments"]["Rolearn"] = "x"
    definition["Steps"][1]["Type"] = "Trianing"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(definition))
    called = call("validate", bad)
    assert called.code == 1
    assert any(line.startswith("Steps[0].Arguments.Rolearn: ") for line in called.lines)
    assert any(line.startswith("Steps[1].Type: ") for line in called.lines)
    faults = json.loads(call("validate", bad, "--json").out)
    assert [f"{fault['path']}: {fault['message']}" for fault in faults] == called.lines
    assert json.loads(call("validate", CHURN, "--json").out) == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_one_line(
    content: bytes | None, call: Callable[..., Called], tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    called = call("validate", path)
    assert called.code == 1
    assert called.err.startswith("error: ")
    assert called.err.count("\n") == 1
