"""What `bincount data fetch` can do: objects a second, beside a plain boto3 loop.

A server on loopback, a process of its own, answers each request after the latency of a bucket some hundred kilometres
away, with photos and records of the usual size. The peer is what scripts for this data set do: `download_file`, one
object after the other. With no latency the figure is what the code itself can do, on this machine's cores, of which the
server takes its share.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, compared, show

PHOTOS = 5000
PEER_PHOTOS = 100
LATENCIES = (0.02, 0.0)  # seconds
PHOTO = b"\xff\xd8\xff" + bytes(68_000) + b"\xff\xd9"
RECORD = b'{"EXPECTED_QUANTITY": 2, "BIN_FCSKU_DATA": {}' + b" " * 2_000 + b"}"


def answer(content: bytes, *, body: bool = True) -> bytes:
    """Return an HTTP answer as S3 would give it."""
    tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    head = f'HTTP/1.1 200 OK\r\nETag: "{tag}"\r\nContent-Length: {len(content)}\r\nContent-Type: x/y\r\n\r\n'
    return head.encode() + (content if body else b"")


async def serve(latency: float) -> None:
    """Answer every request with a photo, or a record where its path ends in `.json`, and print the port."""
    answers = {
        (method, json): answer(RECORD if json else PHOTO, body=method == b"GET")
        for method in (b"GET", b"HEAD")
        for json in (True, False)
    }

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                method, path, _ = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
                if latency:
                    await asyncio.sleep(latency)
                writer.write(answers[method, path.endswith(b".json")])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def ours(folder: Path, photos: int) -> float:
    """Return the objects a second of a fetch."""
    from pipeline.aws.fetch_processes import fetch_in_processes, processes
    from pipeline.aws.places import FolderPlace
    from pipeline.data.abid import Item

    items = [Item(str(number), (str(number),)) for number in range(photos)]
    begun = time.perf_counter()
    outcomes = list(fetch_in_processes(items, FolderPlace(folder).root, processes()))
    seconds = time.perf_counter() - begun
    assert len(outcomes) == photos
    assert all(one.size == len(PHOTO) + len(RECORD) for one in outcomes)
    return 2 * photos / seconds


def peer(folder: Path, photos: int) -> float:
    """Return the objects a second of a loop over `download_file`."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    client: Any = boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    begun = time.perf_counter()
    for number in range(photos):
        for key in (f"bin-images/{number}.jpg", f"metadata/{number}.json"):
            client.download_file("aft-vbi-pds", key, str(folder / key.replace("/", "-")))
    return 2 * photos / (time.perf_counter() - begun)


def at_latency(latency: float) -> Figure:
    """Return the figure with a server that answers after so many seconds."""
    command = [sys.executable, "-m", "benchmarks.fetch", "serve", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        os.environ["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
                fetched, looped = ours(Path(one), PHOTOS), peer(Path(two), PEER_PHOTOS)
        finally:
            server.terminate()
    return compared(
        f"fetch, server answers after {1000 * latency:.0f} ms",
        fetched,
        looped,
        "objects/s",
        "boto3 loop",
        bar=None,
        note=f"all 535,234 photos and records: {2 * 535_234 / fetched / 60:.0f} min",
    )


def measure() -> list[Figure]:
    """Return a figure for each latency."""
    return [at_latency(latency) for latency in LATENCIES]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(float(sys.argv[2])))
    else:
        show(measure())
