from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import functions
from pipeline.cli.invoking import is_error

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

EVENTS = Path(__file__).parents[2] / "events" / "predict"
Call = Callable[..., "Called"]


@pytest.fixture
def answering(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the function answers; under `event` stands what it got."""
    answer: dict[str, Any] = {"result": {"predicted_label": "3"}}

    def function(_: object, name: str, event: Any) -> dict[str, Any]:
        assert name == "bincount-predict"
        return {**answer, "event": event}

    monkeypatch.setattr(functions, "call", function)
    return answer


def test_the_answer_is_printed_as_json(answering: dict[str, Any], call: Call, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"image_url": "https://a/ü"}')
    called = call("invoke", "event.json")
    assert called.code == 0
    assert json.loads(called.out) == {**answering, "event": {"image_url": "https://a/ü"}}


@pytest.mark.parametrize(("status", "code"), [(200, 0), (400, 1), (504, 1)])
def test_an_error_is_printed_too_and_is_the_exit_code(
    status: int, code: int, answering: dict[str, Any], call: Call
) -> None:
    answering["statusCode"] = status
    called = call("invoke", EVENTS / "http-v2-json.json")
    assert (called.code, json.loads(called.out)["statusCode"], called.err) == (code, status, "")


def test_a_dash_reads_stdin(answering: dict[str, Any], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}')))
    assert json.loads(call("invoke", "-").out)["event"] == {"a": 1}


@pytest.mark.parametrize("text", ["", "{", "\\xff", "[" * 100_000])
def test_what_is_no_json_is_one_line(text: str, answering: dict[str, Any], call: Call, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(text.encode().decode("unicode_escape").encode("latin-1"))
    called = call("invoke", "event.json")
    assert called.code == 1
    assert called.err.startswith("error: event.json holds no JSON: ")
    assert len(called.err.splitlines()) == 1


def test_a_file_that_is_not_there_and_a_folder(answering: dict[str, Any], call: Call, tmp_path: Path) -> None:
    assert "No such file or directory: none.json" in call("invoke", "none.json").err
    assert "Is a directory" in call("invoke", tmp_path).err


def test_a_result_with_a_status_of_its_own_kind_is_no_error() -> None:
    assert not is_error({"statusCode": "500"})
    assert not is_error({})


def test_the_functions_own_process_answers_here(home: Path, call: Call) -> None:
    called = call("invoke", EVENTS / "direct-image-base64.json")
    assert called.code == 1
    assert "nothing is deployed" in json.loads(called.out)["error"]
    assert json.loads(call("invoke", EVENTS / "rest-v1-photo.json").out)["statusCode"] == 424
