from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from pipeline.aws import logs
from pipeline.aws.logs import Line
from pipeline.aws.models import Job
from pipeline.errors import UserError
from pipeline.local.store import Store

JOB = Job("training", "train")


@pytest.fixture
def log(store: Store, tmp_path: Path) -> Path:
    body = {"TrainingJobName": "train", "TrainingJobStatus": "InProgress", "CreationTime": 1.0}
    cluster = {"ResourceConfig": {"InstanceCount": 2}}
    store.create("training-job", "train", {**body, **cluster, "_folder": str(tmp_path)})
    (tmp_path / "log.txt").write_text("[algo-1] one\n[algo-2] two\n")
    return tmp_path / "log.txt"


def test_lines_come_from_every_host_and_go_on_from_the_tokens(session: boto3.Session, log: Path) -> None:
    page = logs.read(session, JOB)
    assert page.lines == (Line("algo-1", "one"), Line("algo-2", "two"))
    assert logs.read(session, JOB, page.tokens).lines == ()
    with log.open("a") as file:
        file.write("[algo-2] three\n")
    assert logs.read(session, JOB, page.tokens).lines == (Line("algo-2", "three"),)


def test_following_ends_after_the_last_line(session: boto3.Session, log: Path, store: Store) -> None:
    more = ["[algo-1] three\n", "[algo-1] four\n"]

    def sleep(_: float) -> None:
        with log.open("a") as file:
            file.write(more.pop(0))

    texts = [line.text for line in logs.follow(session, JOB, ended=lambda: not more, sleep=sleep)]
    assert texts == ["one", "two", "three", "four"]


def test_a_job_without_a_log_has_no_lines(session: boto3.Session) -> None:
    assert logs.read(session, Job("processing", "never")).lines == ()


def test_a_tuning_job_prints_nothing_itself(session: boto3.Session) -> None:
    with pytest.raises(UserError, match="ask for the log of one of its trials"):
        logs.read(session, Job("tuning", "tune"))
