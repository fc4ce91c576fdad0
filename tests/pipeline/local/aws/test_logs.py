from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.store import Store

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(session: boto3.Session) -> Any:
    return session.client("logs")


@pytest.fixture
def log(store: Store, tmp_path: Path) -> Path:
    """Return the log file of the running job `train` of two hosts."""
    body = {
        "TrainingJobName": "train",
        "TrainingJobStatus": "InProgress",
        "CreationTime": 1.5,
        "_folder": str(tmp_path),
    }
    store.create("training-job", "train", {**body, "ResourceConfig": {"InstanceCount": 2}})
    (tmp_path / "log.txt").write_text("[algo-1] one\n[algo-2] zwei\n[algo-1] three\nfour\n[algo-1] half")
    return tmp_path / "log.txt"


def _read(logs: Any, host: str = "algo-1", **request: Any) -> tuple[list[str], str, str]:
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName=f"train/{host}-1500", **request)
    return (
        [event["message"] for event in answer["events"]],
        answer["nextForwardToken"],
        answer["nextBackwardToken"],
    )


def test_a_stream_a_host(logs: Any, log: Path) -> None:
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="train/")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["train/algo-1-1500", "train/algo-2-1500"]
    assert _read(logs, startFromHead=True)[0] == ["one", "three", "four"]
    assert _read(logs, "algo-2", startFromHead=True)[0] == ["zwei"]


def test_a_reader_follows_a_growing_file(logs: Any, log: Path, store: Store) -> None:
    _, token, _ = _read(logs, startFromHead=True)
    assert _read(logs, nextToken=token)[:2] == ([], token)
    with log.open("a") as file:
        file.write(" a line\n[algo-2] drei\n[algo-1] last")
    lines, token, _ = _read(logs, nextToken=token)
    assert lines == ["half a line"]
    store.update("training-job", "train", TrainingJobStatus="Completed")
    assert _read(logs, nextToken=token)[0] == ["last"]


def test_limits_page_forwards_and_backwards(logs: Any, log: Path) -> None:
    lines, token, _ = _read(logs, startFromHead=True, limit=2)
    assert lines == ["one", "three"]
    assert _read(logs, nextToken=token, limit=2)[0] == ["four"]
    lines, _, back = _read(logs, limit=1)
    assert lines == ["four"]
    assert _read(logs, nextToken=back, limit=1)[0] == ["three"]


def test_a_huge_log_comes_in_pieces_without_loss(logs: Any, log: Path, store: Store) -> None:
    store.update("training-job", "train", TrainingJobStatus="Completed")
    texts = [f"{number:07d}-{'x' * 90}" for number in range(25_000)] + ["y" * 3_000_000, "", "end"]
    log.write_text("".join(f"[algo-1] {text}\n" for text in texts))
    collected, token = [], None
    while True:
        place: dict[str, Any] = {"nextToken": token} if token else {"startFromHead": True}
        lines, new, _ = _read(logs, **place)
        if new == token:
            break
        collected += lines
        token = new
    assert "".join(line.strip() for line in collected) == "".join(texts)
    assert collected[:25_000] == texts[:25_000]
    assert _read(logs)[0][-1] == "end"


def test_carriage_returns_and_bytes_that_are_no_text_do_no_harm(logs: Any, log: Path) -> None:
    log.write_bytes(b"[algo-1] 10%\r20%\r\n[algo-1] \xff\xfe\n")
    assert _read(logs, startFromHead=True)[0] == ["10%\r20%", "\ufffd\ufffd"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"logGroupName": "/aws/lambda/x"}, "log group does not exist"),
        ({"logStreamName": "other/algo-1-1500"}, "log stream does not exist"),
        ({"logStreamName": "train/algo-3-1500"}, "log stream does not exist"),
        ({"nextToken": "f/-1"}, "nextToken is invalid"),
    ],
)
def test_wrong_places_are_refused(logs: Any, log: Path, request_: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        logs.get_log_events(**{"logGroupName": GROUP, "logStreamName": "train/algo-1-1500", **request_})
