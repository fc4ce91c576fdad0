from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.live import Picture
from pipeline.cli.rows import Branch

if TYPE_CHECKING:
    from pipeline.aws.models import Execution
    from tests.pipeline.cli.conftest import Make

WITHIN = {"Register": Branch("Gate", "True"), "BelowGate": Branch("Gate", "False")}


def draw(execution: Execution | None, width: int = 72, message: str = "", **notes: str) -> str:
    picture = Picture(WITHIN)
    picture.execution, picture.notes, picture.message = execution, notes, message
    console = Console(file=io.StringIO(), width=width)
    console.print(picture.render())
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(re.sub(r"[⠀-⣿]", "@", line).rstrip() for line in lines)


def test_an_execution_that_has_ended(make: Make) -> None:
    trials = make.trial(objective=0.4), make.trial(objective=0.5)
    execution = make.execution(
        make.step("Split", cached_from="arn"),
        make.step("Tune", trials=trials),
        make.step("Gate", outcome="False"),
        make.step("Register", "Waiting"),
        make.step("BelowGate", "Failed", reason="the [bold]score[/] is below 0.7"),
        status="Failed",
    )
    expected = """\
bincount-demo  m08kb4bksw24  Failed  1:30
  ✔ Split         0:30  cached
  ✔ Tune          0:30  2 trials
  ├ ✔ trial 1     0:10  learning_rate 0.001783  -> 0.4
  └ ✔ trial 2     0:10  best  learning_rate 0.001783  -> 0.5
  ✔ Gate          0:30  auc 0.6 is not >= 0.7
  ├ · Register
  └ ✘ BelowGate   0:30  the [bold]score[/] is below 0.7"""
    assert draw(execution, Gate="auc 0.6 is not >= 0.7") == expected


def test_what_runs_turns_and_what_waits_is_open(make: Make) -> None:
    execution = make.execution(make.step("Split"), make.step("Train", "Executing"), make.step("Gate", "Waiting"))
    drawn = draw(execution, message="stopping").splitlines()
    assert [line[:10] for line in drawn[1:4]] == ["  ✔ Split ", "  @ Train ", "  ○ Gate"]
    assert drawn[-1] == "stopping"


def test_a_narrow_terminal_cuts_notes_and_no_names(make: Make) -> None:
    drawn = draw(make.execution(make.step("Evaluate", "Failed", reason="a long reason " * 9)), width=40)
    assert "Evaluate" in drawn
    assert "…" in drawn
    assert max(map(len, drawn.splitlines())) <= 40


def test_before_the_first_answer() -> None:
    assert draw(None) == "starting ..."
