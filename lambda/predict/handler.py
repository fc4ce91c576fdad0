"""The function's entry: reads the event, gets the photo, asks the endpoint, answers."""

from __future__ import annotations

import json
import os
import time
import traceback
from typing import Any

from predict import answers, endpoint, events, pictures
from predict.errors import RefusalError
from predict.events import Held, Named

_LONGEST_CAUSE = 300


def handler(event: object, _context: object) -> dict[str, Any]:
    """Answer an event; every failure is an answer too, see README.md."""
    began, http = time.monotonic(), events.is_http(event)
    try:
        answer = answers.success(predict(event), http=http)
        _log(began, 200)
    except RefusalError as refusal:
        answer = answers.failure(refusal, http=http)
        _log(began, refusal.status, refusal)
    except Exception:  # raised on, Lambda would answer with the stack
        print(traceback.format_exc(), flush=True)
        answer = answers.failure(RefusalError(500, "the function failed; its log says why"), http=http)
    return answer


def predict(event: object) -> dict[str, Any]:
    """Return `{"endpoint", "input", "result"}` for an event. Raises RefusalError."""
    asked = events.parse(event)
    name = os.environ.get("ENDPOINT_NAME", "")
    if not name:
        raise RefusalError(424, "the function has no endpoint: ENDPOINT_NAME is not set, or nothing is deployed")
    photo = _photo(asked)
    result = endpoint.ask(name, photo, pictures.content_type(photo))
    return {"endpoint": name, "input": _repeated(asked), "result": result}


def _photo(asked: Named | Held) -> bytes:
    """Return the photo; what fetches it is imported only where it does, for the sake of cold starts."""
    if isinstance(asked, Held):
        return asked.photo
    if asked.way == "s3_uri":
        from predict import s3

        return s3.read(asked.place, _listed("ALLOWED_BUCKETS", ""))
    from predict.fetch import Rules, fetch

    return fetch(asked.place, Rules(_listed("ALLOWED_SCHEMES", "https")))


def _listed(variable: str, default: str) -> frozenset[str]:
    return frozenset(part.strip() for part in os.environ.get(variable, default).split(",") if part.strip())


def _repeated(asked: Named | Held) -> dict[str, str]:
    """Return what was asked for, as the answer repeats it: no payload, no signature."""
    if isinstance(asked, Held):
        return {asked.way: f"{len(asked.photo)} bytes"}
    if asked.way == "s3_uri":
        return {asked.way: asked.place}
    from predict.urls import shown

    return {asked.way: shown(asked.place)}


def _log(began: float, status: int, refusal: RefusalError | None = None) -> None:
    line: dict[str, Any] = {"status": status, "seconds": round(time.monotonic() - began, 3)}
    if refusal is not None:
        cause = refusal.__cause__
        line |= {"error": refusal.message, "cause": repr(cause)[:_LONGEST_CAUSE] if cause else None}
    print(json.dumps(line), flush=True)
