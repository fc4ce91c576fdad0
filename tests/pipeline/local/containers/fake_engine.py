"""An engine program for tests: containers are processes, their state a folder (FAKE_ENGINE), `have` the images in it.

Each call's arguments go to `calls.jsonl`. As with a real engine, a container outlives a killed `run`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_ENGINE"])


def _of(name: str) -> dict[str, object] | None:
    file = STATE / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def run(arguments: list[str]) -> int:
    flags: list[str] = []
    while arguments[0].startswith("--"):
        flags.append(arguments.pop(0))
    image, rest = arguments[0], arguments[1:]
    if "broken" in image:
        print("Error: no room for another container", file=sys.stderr)
        return 125
    values = [flag.partition("=")[::2] for flag in flags]
    named = dict(values)
    mounts = [value for name, value in values if name == "--mount"]
    base = next(re.search(r'source=([^"]+)"', value) for value in mounts if "target=/opt/ml" in value)
    assert base is not None
    variables = [value for name, value in values if name == "--env"]
    environment = {"PATH": os.environ["PATH"]}
    for variable in variables:
        name, given, value = variable.partition("=")
        environment[name] = value if given else os.environ[name]
    command = [part.replace("/opt/ml", base[1]) for part in (named.get("--entrypoint", sys.executable), *rest)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    labels = dict(value.split("=", 1) for name, value in values if name == "--label")
    file = STATE / f"{named['--name']}.json"
    file.write_text(json.dumps({"pid": process.pid, "labels": labels}))
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    file.unlink(missing_ok=True)
    return 128 - code if code < 0 else code


def inspect(form: str, names: list[str]) -> int:
    for name in names:
        found = _of(name)
        if found is None:
            return 1
        labels = found["labels"]
        assert isinstance(labels, dict)
        states = {"{{.State.Running}}": "true", "{{.State.Status}}": "running", "{{.State.Pid}}": str(found["pid"])}
        print(states.get(form) or f"{name} {labels['bincount.base']}")
    return 0


def end(names: list[str], number: int) -> int:
    for name in names:
        found = _of(name)
        if found is not None:
            os.killpg(int(str(found["pid"])), number)
    return 0


def main(arguments: list[str]) -> int:  # noqa: C901 - a case a verb
    with (STATE / "calls.jsonl").open("a") as calls:
        print(json.dumps(arguments), file=calls)
    match arguments:
        case ["--version"]:
            print("podman version 0")
        case ["image", "inspect", uri]:
            if uri not in (STATE / "have").read_text().split():
                return 1
            print('[{"Id": "1"}]')
        case ["container", "inspect", "--format", form, *names]:
            return inspect(form, names)
        case ["ps", *_, filter]:
            home = filter.partition("bincount.home=")[2]
            for file in STATE.glob("bincount-*.json"):
                if json.loads(file.read_text())["labels"]["bincount.home"] == home:
                    print(file.stem)
        case ["stop", "--time", seconds, *names]:
            end(names, signal.SIGTERM)
            time.sleep(min(float(seconds), 0.5))
        case ["kill", _, *names]:
            return end(names, signal.SIGKILL)
        case ["rm", "--force", *names]:
            for name in names:
                (STATE / f"{name}.json").unlink(missing_ok=True)
        case ["run", *rest]:
            return run(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
