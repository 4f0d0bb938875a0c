"""Who calls, and calls that the server asks to send again later: it was busy, or they came too often."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import httpx

LONGEST_S = 60.0

Key = str | Callable[[], str] | None
"""An API key or a token, or what gives the newest one; `EINTHOVEN_KEY` of the environment where there is none."""


class Bearer(httpx.Auth):
    """Sends the key with every request, asked for anew each time."""

    def __init__(self, key: Key) -> None:
        self.key = key

    def _signed(self, request: httpx.Request) -> httpx.Request:
        key = self.key() if callable(self.key) else self.key
        key = os.environ.get("EINTHOVEN_KEY", "") if key is None else key
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        yield self._signed(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        yield self._signed(request)


def later_s(response: httpx.Response) -> float | None:
    """Seconds after which to send it again, where that was asked for. What may have been done is not sent again."""
    after = response.headers.get("Retry-After", "")
    if response.status_code in (429, 503) and after.isdigit() and float(after) <= LONGEST_S:
        return float(after)
    return None


class Retrying(httpx.BaseTransport):
    """Sends again what was answered 429 or 503 with `Retry-After`."""

    def __init__(self, inner: httpx.BaseTransport, retries: int) -> None:
        self.inner, self.retries = inner, retries

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        for _ in range(self.retries):
            response = self.inner.handle_request(request)
            after = later_s(response)
            if after is None:
                return response
            response.close()
            time.sleep(after)
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


class AsyncRetrying(httpx.AsyncBaseTransport):
    """The same for who does not block."""

    def __init__(self, inner: httpx.AsyncBaseTransport, retries: int) -> None:
        self.inner, self.retries = inner, retries

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        for _ in range(self.retries):
            response = await self.inner.handle_async_request(request)
            after = later_s(response)
            if after is None:
                return response
            await response.aclose()
            await asyncio.sleep(after)
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def settings(url: str, key: Key, timeout_s: float) -> dict[str, Any]:
    """What both kinds of client are made with."""
    return {"base_url": url, "auth": Bearer(key), "timeout": timeout_s}
