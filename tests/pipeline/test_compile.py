import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import boto3
import pytest

from pipeline.compile import compile_definition, quiet_sdk
from pipeline.errors import UserError
from pipeline.images import ROOT
from pipeline.settings import load_settings

# Compiles where no socket may be opened and no name looked up, and says how often someone tried.
PROGRAM = """
import socket, sys
attempts = []
def refuse(*arguments, **_):
    attempts.append(arguments)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from pipeline.settings import load_settings
from pipeline.compile import compile_definition
sys.stdout.write(compile_definition(load_settings("prod")))
sys.exit(f"tried the network: {attempts}" if attempts else 0)
"""


def start(checkout: Path, folder: Path, seed: str) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(checkout),
        "PYTHONHASHSEED": seed,
        "AWS_PROFILE": "nobody-has-this",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_checkouts_give_the_same_bytes_without_network_credentials_or_noise(tmp_path: Path) -> None:
    for folder in ("pipeline", "steps", "containers"):
        shutil.copytree(ROOT / folder, tmp_path / "a" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(tmp_path / "a", tmp_path / "a longer name")
    runs = []
    for name, seed in (("a", "1"), ("a longer name", "2")):
        elsewhere = tmp_path / f"home of {name}"
        elsewhere.mkdir()
        runs.append(start(tmp_path / name, elsewhere, seed))
    (first, errors, first_code), (second, _, second_code) = [(*run.communicate(), run.returncode) for run in runs]
    assert (first_code, second_code) == (0, 0), errors.decode()
    assert errors == b""
    assert first == second
    assert json.loads(first)["Version"] == "2020-12-01"


def test_the_text_is_readable_and_holds_no_path_of_this_machine() -> None:
    text = compile_definition(load_settings("demo"))
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert str(ROOT) not in text
    assert "null" not in text


def test_compiling_leaves_the_process_as_it_was() -> None:
    environment, root = dict(os.environ), logging.getLogger()
    handlers, level, disabled = list(root.handlers), root.level, logging.root.manager.disable
    filters = list(warnings.filters)
    compile_definition(load_settings("demo"))
    assert dict(os.environ) == environment
    assert (root.handlers, root.level, logging.root.manager.disable) == (handlers, level, disabled)
    assert warnings.filters == filters
    assert boto3.DEFAULT_SESSION is None


def test_nothing_of_the_user_s_aws_reaches_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_PROFILE", "prod-admin")
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", "/nowhere")
    with quiet_sdk("eu-west-1"):
        assert boto3.Session().region_name == "eu-west-1"
        assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE", "SAGEMAKER_USER_CONFIG_OVERRIDE"} & set(os.environ)
    assert os.environ["AWS_SESSION_TOKEN"] == "secret"


def test_outside_a_checkout_the_error_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pipeline.images.content.__defaults__", (tmp_path,))
    monkeypatch.setattr("pipeline.images.image_tag.__defaults__", (tmp_path,))
    monkeypatch.setattr("pipeline.images.image_uri.__defaults__", (tmp_path,))
    with pytest.raises(UserError, match="run this from a checkout"):
        compile_definition(load_settings("demo"))
