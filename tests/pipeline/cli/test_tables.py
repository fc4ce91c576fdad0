from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import rich.console

from pipeline.aws.models import Score
from pipeline.cli import answers, comparing, endpoints, models
from pipeline.cli.figures import Comparison, Difference, Figure
from pipeline.cli.figures import Row as Metric
from pipeline.cli.tables import fits, print_table
from tests.pipeline.cli.test_models import version

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called, Make

Terminal = Callable[[int], None]
ENDPOINT = (
    "bincount-demo-production",
    "production",
    "InService",
    "3 -> 4",
    "1 of 2",
    "Passed",
    "41 min",
    "http://127.0.0.1:34735",
)
ANSWER = {
    "file": "photo.jpg",
    "predicted_label": "2",
    "confidence": 0.61,
    "ask_a_person": True,
    "probabilities": [0.05, 0.61, 0.33, 0.01, 0.0],
    "class_labels": ["1", "2", "3", "4", "5"],
    "model_version": "bincount-demo/1",
}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a function that makes the output a terminal of so many columns."""
    real = rich.console.Console

    def open_terminal(columns: int) -> None:
        made = functools.partial(real, force_terminal=True, color_system=None, width=columns)
        monkeypatch.setattr(rich.console, "Console", made)

    return open_terminal


def test_columns_to_spare_give_way_in_their_order(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    head, rows = ("name", "age", "hash"), [("one", "2 h", "0123456"), ("two", "3 h", "")]
    for columns, expected in ((18, "name  age  hash"), (17, "name  age"), (8, "name")):
        terminal(columns)
        print_table(head, rows, "", spare=("hash", "age"))
        assert capsys.readouterr().out.splitlines()[0].rstrip() == expected


def test_what_nothing_can_be_spared_for_goes_on_in_the_next_line(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(12)
    print_table(("name", "what"), [("bincount-demo-staging", "x")], "")
    assert "".join(line[:6].strip() for line in capsys.readouterr().out.splitlines()[1:]) == "bincount-demo-staging"


def test_a_pipe_gets_every_column(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    head, row = ("name", "hash"), ("x" * 40, "y" * 40)
    assert fits(head, [row])
    print_table(head, [row], "", spare=("hash",))
    assert capsys.readouterr().out == "\t".join(row) + "\n"


def test_eighty_columns_show_versions_with_their_scores_and_verdicts(
    make: Make, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(80)
    marks = {"StagingStatus": "Requested", "ProductionStatus": "RolledBack"}
    made = version(make, 12, champion=True, metadata=marks, score=Score(0.5, (0.4, 0.6)))
    head, rows = models.narrow([models.row(made, make.now, serving=False)])
    print_table(head, rows, "", spare=models.SPARE)
    first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert first[:5] == ["version", "status", "macro-F1", "staging", "production"]
    assert second[:8] == ["12", "*", "Approved", "0.500", "[0.400,", "0.600]", "Requested", "RolledBack"]


def test_eighty_columns_show_endpoints_and_answers(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    terminal(80)
    print_table(endpoints.HEAD, [ENDPOINT], "", spare=endpoints.SPARE)
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2
    for cell in (ENDPOINT[0], "InService", "3 -> 4", "Passed", ENDPOINT[-1]):
        assert cell in listed[1]
    answers.print_answers([ANSWER], json=False)
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["photo.jpg", "2", "0.61"]


def test_a_narrow_comparison_keeps_the_difference_whole(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], make: Make
) -> None:
    one = Figure(0.644, (0.557, 0.72), 0.04)
    compared = Difference(-0.0, (-0.1, 0.1), paired=False), "+0.000 [-0.100, +0.100] within chance"
    for columns, score, (difference, told) in (
        (80, "0.644", compared),
        (80, "0.644 [0.557, 0.720]", (None, "")),
        (120, "0.644 [0.557, 0.720]", compared),
    ):
        terminal(columns)
        row = Metric("expected_calibration_error", one, one, difference)
        comparing._print(version(make, 2), version(make, 1), Comparison(True, "both", (row,)))
        line = capsys.readouterr().out.splitlines()[1]
        assert " ".join(line.split()) == f"calibration error {score} {score} {told}".strip()


@pytest.mark.parametrize("verb", [[], ["models"], ["endpoint"], ["data"]], ids=str)
def test_help_says_what_each_verb_does_in_eighty_columns(
    verb: list[str], call: Callable[..., Called], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = call(*verb, "--help").out
    listed = said.partition("Commands:")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(listed) > 1
    assert [line for line in listed if line.endswith("...")] == []
