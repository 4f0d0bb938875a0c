"""The installed client against a running server: `live.py URL RECORD MODELS RECORDS`, with the owner's key in EINTHOVEN_KEY.

MODELS is the folder of the repository's models, RECORDS one of WFDB records with reference beats.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from einthoven_client import AsyncEinthoven, Einthoven, Problem, answered, record
from einthoven_client.generated.api.access import create_key
from einthoven_client.generated.api.audit import list_entries
from einthoven_client.generated.api.experiments import get_verdict, start_experiment, stop_experiment
from einthoven_client.generated.api.models import create_model, list_models
from einthoven_client.generated.api.predictions import create_label, get_prediction, list_misclassified, list_predictions
from einthoven_client.generated.models import LabelsMark, NewApiKey, NewExperiment, NewModel

URL, RECORD = sys.argv[1:3]
MODELS, RECORDS = map(Path, sys.argv[3:])
PATIENCE_S = 120


def refused(code: str, status: int, call) -> Problem:
    try:
        call()
    except Problem as problem:
        assert (problem.code, problem.status) == (code, status), problem.body
        return problem
    raise AssertionError(f"{code} was expected")


def package(model: str, **fields) -> dict[str, bytes]:
    files = {name: (MODELS / model / name).read_bytes() for name in ("golden.json", "manifest.json", "model.onnx")}
    manifest = {**json.loads(files["manifest.json"]), **fields}
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
        version = client.add_version("from-python", package("heartbeat-row", description=f"number {name}"), version=name)
        assert version.phase.state == "ready", version
        assert client.promote("from-python", name, "a test").champion == name
    assert client.roll_back("from-python").champion == "1"
    names = [model.name for model in client.pages(list_models.sync_detailed, limit=1)]
    events = {entry.event.kind for entry in client.pages(list_entries.sync_detailed, model="from-python")}
    assert {"version_ready", "traffic_changed"} <= events, events
    assert names == sorted(names) and "from-python" in names and len(names) > 2, names


def labels_and_compares(client: Einthoven) -> None:
    client.add_version("heartbeat", package("heartbeat", labels=["V", "S", "N", "F"]), version="from-python")
    shadows = [{"version": "from-python", "percent": 100}]
    begun = NewExperiment.from_dict({"name": "python", "model": "heartbeat", "shadows": shadows})
    assert start_experiment.sync_detailed(client=client.api, body=begun).status_code == 201
    names = sorted(path.stem for path in RECORDS.glob("*.atr"))
    for name in names:
        answer = client.classify(record(RECORDS / name), subject=name)
        taken = client.refer(answer.prediction, (RECORDS / f"{name}.atr").read_bytes(), why="reference")
        assert taken.matched > 30 and taken.new > 30, taken
        kept = get_prediction.sync(answer.prediction, client=client.api)
        assert kept.id == answer.prediction and len(kept.beats) == len(answer.beats)
    marks = {"marks": [{"at": answer.beats[3].sample, "is": "class", "class": "V"}]}
    taken = create_label.sync(answer.prediction, client=client.api, body=LabelsMark.from_dict(marks))
    assert taken.new == 1, taken
    remembered = {one.id for one in client.pages(list_predictions.sync_detailed, limit=2, model="heartbeat")}
    assert answer.prediction in remembered and len(remembered) >= len(names)
    wrong = {one.prediction for one in client.pages(list_misclassified.sync_detailed, model="heartbeat", limit=50)}
    assert answer.prediction in wrong

    # Shadows compute when a core is free.
    end = time.monotonic() + PATIENCE_S
    while (verdict := get_verdict.sync("python", client=client.api, challenger="from-python")).numbers.both < len(names):
        assert time.monotonic() < end, verdict
        time.sleep(0.05)
    assert verdict.numbers.labelled == len(names) and "Too early" in verdict.sentence, verdict
    assert not stop_experiment.sync("python", client=client.api, reason="seen").running
    refused("no_such_experiment", 404, lambda: answered(get_verdict.sync_detailed("none", client=client.api)))


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
    """The client that does not block: the same words, several at once, tokens that expire."""
    async with AsyncEinthoven(URL) as client:
        both = await asyncio.gather(client.classify(record(RECORD)), client.submit(record(RECORD)))
        result = await client.result(both[1])
        assert len(result.beats) == len(both[0].beats)
        names = [model.name async for model in client.pages(list_models.asyncio_detailed)]
        assert "heartbeat" in names
        events = [event async for event in client.events(both[1])]
        assert events == [] or events[-1].ends
        version = await client.add_version("from-python", package("heartbeat-row", description="number 3"), version="3")
        assert version.phase.state == "ready", version
        assert (await client.promote("from-python", "3", "a test")).champion == "3"
        assert (await client.roll_back("from-python", "a test")).champion == "1"
        name = sorted(RECORDS.glob("*.atr"))[0]
        answer = await client.classify(record(name.with_suffix("")))
        assert (await client.refer(answer.prediction, name.read_bytes())).matched > 30
        try:
            await client.promote("from-python", "9")
            raise AssertionError("version 9 is not there")
        except Problem as problem:
            assert (problem.code, problem.status) == ("no_such_version", 404), problem.body
    body = NewApiKey.from_dict({"name": "slow-async", "grants": ["models.read"], "rate": {"per_second": 0.5, "burst": 1}})
    with Einthoven(URL) as client:
        key = create_key.sync(client=client.api, body=body).key
    asked = []
    async with AsyncEinthoven(URL, key=lambda: asked.append(0) or key) as slow:
        for _ in range(2):
            assert (await list_models.asyncio_detailed(client=slow.api)).status_code == 200
    assert len(asked) == 2, "asked anew for every call"


with Einthoven(URL) as client:
    classifies(client)
    maps_errors(client)
    promotes(client)
    labels_and_compares(client)
    asks_later(client)
asyncio.run(goes_on_meanwhile())
print("all of them")
