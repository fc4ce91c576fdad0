from __future__ import annotations

import pytest
import typer

from pipeline.cli.spending import confirm
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings


@pytest.fixture
def dear() -> Settings:
    return load_settings("prod", {"tune.trials": 32})


def test_little_is_told_and_not_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    confirm(load_settings("prod"), {}, dry_run=False, yes=False)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("cost: at most $275.62; then $383.94 to $681.78 a month")


def test_much_is_asked_about_where_somebody_can_be_asked(dear: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda _question, **_options: True)
    confirm(dear, {}, dry_run=False, yes=False)
    monkeypatch.setattr(typer, "confirm", lambda _question, **_options: False)
    with pytest.raises(typer.Exit) as refused:
        confirm(dear, {}, dry_run=False, yes=False)
    assert refused.value.exit_code == 1


def test_much_needs_yes_where_nobody_can_be_asked(dear: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="--yes goes on without asking"):
        confirm(dear, {}, dry_run=False, yes=False)
    confirm(dear, {}, dry_run=False, yes=True)
    confirm(dear, {}, dry_run=True, yes=False)
    assert capsys.readouterr().err.count("warning: that may be more than $300.00 (cost.ask_above_usd)") == 3


def test_parameters_count(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="nothing is changed"):
        confirm(load_settings("demo"), {"TrainingInstanceType": "ml.x9.large"}, dry_run=False, yes=False)
    assert "Train, which nobody here has a price for" in capsys.readouterr().err
