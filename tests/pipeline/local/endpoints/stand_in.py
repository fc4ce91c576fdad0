"""A server as small as can be: Python's own, with the mode in MODE of its environment.

good; crash (ends at once); never (not ready); slow (late /ping); stubborn (ignores SIGTERM); 500, 415 (what it
answers); mute (closes without an answer); dies (ends when it is asked); huge (7 MiB).
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODE = os.environ.get("MODE", "good")
BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
BORN = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = MODE != "never" and (MODE != "slow" or time.monotonic() - BORN > 0.5)
        self._answer(200 if ready else 503, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if MODE == "dies":
            os._exit(3)
        if MODE == "mute":
            self.close_connection = True
            return
        if MODE == "hangs":
            time.sleep(30)
        if MODE == "huge":
            self._answer(200, bytes(7 * 2**20))
            return
        told = {
            "version": os.environ.get("MODEL_VERSION"),
            "model": sorted(path.name for path in (BASE / "model").iterdir()),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "size": len(body),
            "pid": os.getpid(),
            "aws": sorted(name for name in os.environ if name.startswith("AWS_SECRET")),
        }
        status = int(MODE) if MODE.isdigit() else 200
        self._answer(status, json.dumps(told if status == 200 else {"error": "not a picture"}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "seen")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if sys.argv[1:] != ["serve"]:
    sys.exit("the service starts a server with the argument serve")
if MODE == "crash":
    sys.exit("no such operator: Conv9")
if MODE == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
ThreadingHTTPServer((os.environ["SERVER_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
