"""What a cold start of the predict function costs beyond importing boto3: `python -m benchmarks.predict_function`.

Fresh interpreters take turns. One imports boto3; the other imports the function and has it answer a photo, from a
server on loopback that stands for the endpoint and answers at once.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks import serving
from benchmarks.figures import Figure, at_most, medians, show
from benchmarks.machine import ROOT

ROUNDS = 15
BAR = 80  # milliseconds
BOTO3 = """
import time
begun = time.perf_counter()
import boto3
print(time.perf_counter() - begun)
"""
FUNCTION = """
import json, sys, time
event = json.load(sys.stdin)
begun = time.perf_counter()
from predict.handler import handler
answer = handler(event, None)
seconds = time.perf_counter() - begun
assert answer["result"] == {"predicted_label": "3"}, answer
print(seconds)
"""


class _Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer every photo alike."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"predicted_label": "3"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", f"{len(body)}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def endpoint() -> Iterator[str]:
    """Serve on loopback and give the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def milliseconds(program: str, event: bytes, url: str) -> float:
    """Return what a program in a fresh interpreter says it took, in an environment like Lambda's."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "lambda"),
        "ENDPOINT_NAME": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], input=event, env=environment, check=True, stdout=subprocess.PIPE
    )
    return 1000 * float(done.stdout.split()[-1])


def measure() -> list[Figure]:
    """Return what the function takes beyond boto3's import."""
    photo: Path = serving.photo()
    event = json.dumps({"image_base64": base64.b64encode(photo.read_bytes()).decode()}).encode()
    with endpoint() as url:
        milliseconds(FUNCTION, event, url)  # writes the bytecode, which Lambda's packages are read without
        taken = medians(
            ROUNDS,
            boto3=lambda: milliseconds(BOTO3, b"", url),
            function=lambda: milliseconds(FUNCTION, event, url),
        )
    note = f"import and first answer {taken['function']:.0f} ms, `import boto3` alone {taken['boto3']:.0f} ms"
    what = "Predict function, fresh interpreter: beyond boto3's import"
    return [at_most(what, taken["function"] - taken["boto3"], "ms", BAR, note)]


if __name__ == "__main__":
    show(measure())
