"""Structured logs: a line of JSON an event, without payloads."""

from __future__ import annotations

import json


def log(event: str, **fields: object) -> None:
    """Write a line; fields that are None are left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    print(json.dumps({"event": event, **told}, default=str), flush=True)
