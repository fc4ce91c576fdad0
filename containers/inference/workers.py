"""The threads that decode photos and run the model, and the bound on what waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import thread_time
from typing import Any, TypeVar, TypeVarTuple

import numpy as np
import numpy.typing as npt

from containers.inference.model import Model
from containers.inference.payload import Kind, from_json, from_multipart
from containers.inference.refusals import RefusedError, busy, of_photo
from steps.common.images import PhotoError

QUEUE_PER_THREAD = 32  # requests: some seconds of work, where the service waits 60 for an answer
DECODE_SECONDS = 2.0  # of a core, for the photos of one request: one of 50 million pixels takes most of it

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")
Answer = dict[str, Any]


class Workers:
    """A pool of threads for some cores. The event loop only moves bytes, so that /ping answers at once under load."""

    def __init__(self, threads: int) -> None:
        # One more than there are cores: while a worker waits for the interpreter, another computes. With 8 connections
        # two cores then idle 7 % of the time, 10 % without; two more gain nothing.
        self.pool = ThreadPoolExecutor(threads + 1, "worker")
        self._limit = QUEUE_PER_THREAD * threads
        self._queued = 0

    async def answer(self, model: Model, kind: Kind, content_type: bytes, body: bytes) -> Answer | list[Answer]:
        """Return the answer to a request's body: an object for one photo, a list where several may come.

        Raises:
            RefusedError: 400 or 415 for the body or a photo in it, 503 where too many requests wait already.
        """
        with self._turn():
            if kind == "photo":
                return await self._one(model, body)
            if kind == "multipart":
                return await self._batch(model, await self._run(from_multipart, content_type, body))
            photos, several = await self._run(from_json, body)
            return await self._batch(model, photos) if several else await self._one(model, photos[0])

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._queued >= self._limit:
            raise busy("too many requests wait")
        self._queued += 1
        try:
            yield
        finally:
            self._queued -= 1

    async def _one(self, model: Model, photo: bytes) -> Answer:
        try:
            return await self._run(partial(model.answer, photo, alone=self._queued == 1))
        except PhotoError as error:
            raise of_photo(error) from None

    async def _batch(self, model: Model, photos: list[bytes]) -> list[Answer]:
        """Decode all photos side by side and answer them in one run; the first that is unusable refuses them all."""
        prepare = _within(DECODE_SECONDS, model.prepare)
        jobs = [self._run(prepare, photo) for photo in photos]
        prepared: list[npt.NDArray[np.uint8]] = []
        for number, result in enumerate(await asyncio.gather(*jobs, return_exceptions=True), start=1):
            if isinstance(result, PhotoError):
                raise of_photo(result, number)
            if isinstance(result, BaseException):
                raise result
            prepared.append(result)
        return await self._run(model.classify, prepared)

    async def _run(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)


def _within(seconds: float, function: Callable[[bytes], Result]) -> Callable[[bytes], Result]:
    """Return the function, for several threads, that refuses further calls when its calls have taken some time."""
    spent = 0.0

    def call(photo: bytes) -> Result:
        nonlocal spent
        if spent > seconds:
            raise RefusedError(400, "the photos take too long to decode: send fewer at once, or smaller ones")
        began = thread_time()
        try:
            return function(photo)
        finally:
            spent += thread_time() - began

    return call
