"""The installed client against a running server: `live.py URL RECORD MODEL_FOLDER`, with the owner's key in EINTHOVEN_KEY."""

import asyncio
import json
import sys
from pathlib import Path

from einthoven_client import AsyncEinthoven, Einthoven, Problem, record
from einthoven_client.generated.api.access import create_key
from einthoven_client.generated.api.audit import list_entries
from einthoven_client.generated.api.models import create_model, list_models
from einthoven_client.generated.models import NewApiKey, NewModel

URL, RECORD, MODEL = sys.argv[1:]


def refused(code: str, status: int, call) -> Problem:
    try:
        call()
    except Problem as problem:
        assert (problem.code, problem.status) == (code, status), problem.body
        return problem
    raise AssertionError(f"{code} was expected")


def package(description: str) -> dict[str, bytes]:
    files = {name: (Path(MODEL) / name).read_bytes() for name in ("golden.json", "manifest.json", "model.onnx")}
    manifest = {**json.loads(files["manifest.json"]), "description": description}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def classifies(client: Einthoven) -> None:
    result = client.classify(record(RECORD), subject="p-17")
    assert len(result.beats) > 300 and result.beats[0].class_ == "N", result
    assert result.recording.sampling_rate_hz == 360.0
    job = client.submit(record(RECORD))
    events = list(client.events(job))
    assert events[-1].data["state"] == "done", events
    assert [beat.sample for beat in client.result(job).beats] == [beat.sample for beat in result.beats]


def maps_errors(client: Einthoven) -> None:
    values = "\n".join(["II"] + ["0.1"] * 2000)
    problem = refused("missing_field", 422, lambda: client.classify({"a.csv": values.encode()}, unit="mV"))
    assert problem.errors[0]["pointer"] == "sampling_rate", problem.body
    stranger = Einthoven(URL, key="no-such-key")
    refused("credential_refused", 401, lambda: list(stranger.pages(list_models.sync_detailed)))


def promotes(client: Einthoven) -> None:
    made = create_model.sync_detailed(client=client.api, body=NewModel(name="from-python"))
    assert made.status_code == 201, made.content
    for name in ("1", "2"):
        version = client.add_version("from-python", package(f"number {name}"), version=name)
        assert version.phase.state == "ready", version
        assert client.promote("from-python", name, "a test").champion == name
    assert client.roll_back("from-python").champion == "1"
    names = [model.name for model in client.pages(list_models.sync_detailed, limit=1)]
    events = {entry.event.kind for entry in client.pages(list_entries.sync_detailed, model="from-python")}
    assert {"version_ready", "traffic_changed"} <= events, events
    assert names == sorted(names) and "from-python" in names and len(names) > 2, names


def asks_later(client: Einthoven) -> None:
    """A key that may be used once in two seconds is told to come later, and comes."""
    body = NewApiKey.from_dict({"name": "slow", "grants": ["models.read"], "rate": {"per_second": 0.5, "burst": 1}})
    key = create_key.sync(client=client.api, body=body).key
    with Einthoven(URL, key=lambda: key) as slow:
        for _ in range(2):
            assert list_models.sync_detailed(client=slow.api).status_code == 200
    with Einthoven(URL, key=key, retries=0) as hasty:
        codes = {int(list_models.sync_detailed(client=hasty.api).status_code) for _ in range(3)}
        assert 429 in codes, codes


async def goes_on_meanwhile() -> None:
    async with AsyncEinthoven(URL) as client:
        both = await asyncio.gather(client.classify(record(RECORD)), client.submit(record(RECORD)))
        result = await client.result(both[1])
        assert len(result.beats) == len(both[0].beats)
        names = [model.name async for model in client.pages(list_models.asyncio_detailed)]
        assert "heartbeat" in names


with Einthoven(URL) as client:
    classifies(client)
    maps_errors(client)
    promotes(client)
    asks_later(client)
asyncio.run(goes_on_meanwhile())
print("all of them")
