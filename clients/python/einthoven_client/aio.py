"""The client for programs that do other things while they wait."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import httpx

from . import transport
from .events import Event, Lines, refused
from .files import Files, form
from .generated import AuthenticatedClient
from .generated.api.classify import classify_recording
from .generated.api.jobs import get_result
from .generated.api.models import roll_back, set_traffic
from .generated.api.predictions import create_label
from .generated.api.versions import create_version
from .generated.models import Classification, Job, LabelTaken, NewTraffic, RowsClassification, TrafficState, VersionDetail, Why
from .generated.types import UNSET, Response
from .problem import Problem, answered

T = TypeVar("T")
Result = Classification | RowsClassification


class AsyncEinthoven:
    """A server, and who calls it. `api` is what every function of `einthoven_client.generated.api` takes as `client`."""

    def __init__(self, url: str, key: transport.Key = None, *, retries: int = 4, timeout_s: float = 300.0) -> None:
        sending = transport.AsyncRetrying(httpx.AsyncHTTPTransport(), retries)
        self.http = httpx.AsyncClient(transport=sending, **transport.settings(url, key, timeout_s))
        self.api = AuthenticatedClient(base_url=url, token="sent by `auth`").set_async_httpx_client(self.http)

    async def __aenter__(self) -> "AsyncEinthoven":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends its connections."""
        await self.http.aclose()

    async def classify(self, files: Files, *, subject: str | None = None, **stated: Any) -> Result:
        """The beats of a recording, or the classes of rows.

        `stated` is what the files do not say (`rate`, `unit`, `record`) and what is wanted (`lead`, `model`, `version`).
        `subject` is whom the recording is of: the same one gets the same version while an experiment goes on.
        """
        return answered(await self._send(files, subject, stated, wait=True))

    async def submit(self, files: Files, *, subject: str | None = None, **stated: Any) -> Job:
        """The same as a job, for recordings that take long."""
        return answered(await self._send(files, subject, stated, wait=False))

    async def _send(self, files: Files, subject: str | None, stated: dict[str, Any], *, wait: bool) -> Response[Any]:
        headers = {} if subject is None else {"X-Einthoven-Subject": subject}
        parts = form(files, stated)
        response = await self.http.post("/v1/classify", params={"wait": str(wait).lower()}, files=parts, headers=headers)
        return classify_recording._build_response(client=self.api, response=response)

    async def events(self, job: Job | str) -> AsyncIterator[Event]:
        """What happens to a job, from where it is until it ends. A connection that breaks is made again."""
        path = f"/v1/jobs/{job if isinstance(job, str) else job.id}/events"
        headers: dict[str, str] = {}
        while True:
            lines = Lines()
            async with self.http.stream("GET", path, headers=headers) as response:
                if response.status_code == 204:
                    return
                if response.status_code != 200:
                    raise Problem(refused(response.status_code, await response.aread()))
                try:
                    async for line in response.aiter_lines():
                        for event in lines.take(line):
                            headers["Last-Event-ID"] = event.id
                            yield event
                            if event.ends:
                                return
                except httpx.TransportError:
                    continue

    async def result(self, job: Job | str) -> Result:
        """The result of a job, once it has one."""
        async for _ in self.events(job):
            pass
        return answered(await get_result.asyncio_detailed(job if isinstance(job, str) else job.id, client=self.api))

    async def pages(self, operation: Callable[..., Awaitable[Response[Any]]], **query: Any) -> AsyncIterator[Any]:
        """Every item of a list that comes in pages: `client.pages(list_models.asyncio_detailed)`."""
        cursor: Any = UNSET
        while True:
            page = answered(await operation(client=self.api, cursor=cursor, **query))
            for item in page.items:
                yield item
            if not page.next_:
                return
            cursor = page.next_

    async def refer(self, prediction: str, beats: bytes, why: str | None = None) -> LabelTaken:
        """Labels a prediction by a file of reference beats, as WFDB annotation files are (`.atr`)."""
        headers = {"Content-Type": "application/octet-stream"}
        query = {} if why is None else {"why": why}
        response = await self.http.post(f"/v1/predictions/{prediction}/labels", content=beats, headers=headers, params=query)
        return answered(create_label._build_response(client=self.api, response=response))

    async def add_version(self, model: str, files: Files, *, wait_s: int = 120, **stated: Any) -> VersionDetail:
        """Brings a version in and waits for its verdict. `stated` is what its files do not say, such as `recipe` and `labels`."""
        response = await self.http.post(f"/v1/models/{model}/versions", files=form(files, {"wait_s": wait_s, **stated}))
        return answered(create_version._build_response(client=self.api, response=response))

    async def promote(self, model: str, version: str, reason: str | None = None) -> TrafficState:
        """Lets a version answer."""
        body = NewTraffic(champion=version, reason=UNSET if reason is None else reason)
        return answered(await set_traffic.asyncio_detailed(model, client=self.api, body=body))

    async def roll_back(self, model: str, reason: str | None = None) -> TrafficState:
        """Lets what answered before answer again."""
        body = Why(reason=UNSET if reason is None else reason)
        return answered(await roll_back.asyncio_detailed(model, client=self.api, body=body))
