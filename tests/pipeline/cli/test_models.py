from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import deployment, inspection, registry
from pipeline.aws.models import Score, Version
from pipeline.cli.models import HEAD, age, narrow, row

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called, Make


def version(make: Make, number: int = 3, **members: Any) -> Version:
    known: dict[str, Any] = {
        "group": "bincount-demo",
        "number": number,
        "arn": f"arn:x:{number}",
        "status": "Approved",
        "created": make.ago(7300 * number),
        "model_data": f"s3://b/{number}/model.tar.gz",
        "image": "i",
        "champion": False,
        "note": None,
        "score": Score(0.5, (0.4, 0.6)),
        "evaluation": None,
        "lineage": {"commit": "0123456789abcdef", "data": "d1", "execution": "arn:x/execution/m08kb4bksw24"},
        "metadata": {},
    }
    return Version(**{**known, **members})


@pytest.fixture
def registered(home: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        "bincount-demo": [version(make, 2), version(make, 1)],
        "bincount-local": [version(make, 1, group="bincount-local")],
    }
    monkeypatch.setattr(inspection, "groups", lambda *_: list(held))
    monkeypatch.setattr(registry, "versions", lambda _, group: held[group])
    monkeypatch.setattr(deployment, "serving", lambda _, group, __: 2 if group == "bincount-demo" else None)


def test_a_row_has_score_verdicts_and_lineage(make: Make) -> None:
    metadata = {"StagingStatus": "Passed", "ProductionStatus": "RolledBack"}
    assert row(version(make, 1, champion=True, metadata=metadata), make.now, serving=False) == (
        "1 *",
        "bincount-demo",
        "Approved",
        "0.500 [0.400, 0.600]",
        "Passed",
        "RolledBack",
        "2 h",
        "0123456789",
        "d1",
        "m08kb4bksw24",
    )
    bare = row(version(make, score=None, lineage={}), make.now, serving=True)
    assert bare[3:] == ("", "", "serves", "6 h", "", "", "")
    assert row(version(make, score=Score(0.25)), make.now, serving=False)[3] == "0.250"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (200_000, "2 d")]
)
def test_age(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text


def test_models_lists_every_group_the_newest_first(registered: None, call: Callable[..., Called]) -> None:
    rows = [line.split("\t")[:2] for line in call("models").lines]
    assert rows == [["1", "bincount-demo"], ["1", "bincount-local"], ["2", "bincount-demo"]]
    assert [line.split("\t")[5] for line in call("models").lines] == ["", "", "serves"]
    only = json.loads(call("models", "--profile", "local", "--json").out)
    assert [(one["group"], one["number"]) for one in only] == [("bincount-local", 1)]


def test_no_version_is_no_error(home: Path, call: Callable[..., Called]) -> None:
    assert (called := call("models")).code == 0
    assert called.out == ""
    assert "no profile 'lcal' (did you mean local?)" in call("models", "--profile", "lcal").err


def test_a_terminal_gets_shorter_words_and_no_group_where_there_is_one(make: Make) -> None:
    first, second = (
        row(version(make, number, status="PendingManualApproval"), make.now, serving=False) for number in (1, 2)
    )
    head, rows = narrow([first, second])
    assert head == tuple(name for name in HEAD if name != "group")
    assert (rows[0][1], rows[0][6]) == ("Pending", "0123456")
    other = row(version(make, 1, group="bincount-local"), make.now, serving=False)
    assert narrow([first, other])[0] == HEAD
    assert narrow([])[1] == []


def test_options_before_the_verb_are_not_dropped_in_silence(home: Path, call: Callable[..., Called]) -> None:
    called = call("models", "--profile", "demo", "show", 1)
    assert called.code == 1
    assert called.err == "error: give options behind the verb: `bincount models show ...`\n"
