from __future__ import annotations

from typing import Any

import boto3

from pipeline.local.aws.answers import OPERATIONS, public
from pipeline.local.aws.sessions import MODULES, load


def test_every_answered_operation_is_one_of_the_service(session: boto3.Session) -> None:
    make_client: Any = session.client  # typed for names known beforehand
    for service in MODULES:
        client = make_client(service)
        load(service)
        answered = {name for of, name in OPERATIONS if of == service}
        assert answered
        assert answered <= set(client.meta.service_model.operation_names)
    assert {service for service, _ in OPERATIONS} == set(MODULES)


def test_a_document_shows_no_private_member_and_its_reason_on_one_line() -> None:
    document = {"Name": "a", "_pids": [1], "Gone": None, "FailureReason": "one\n  two" + "x" * 5000}
    shown = public(document)
    assert set(shown) == {"Name", "FailureReason"}
    assert shown["FailureReason"].startswith("one two")
    assert len(shown["FailureReason"]) == 1024
