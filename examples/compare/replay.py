#!/usr/bin/env python3
"""Replays WFDB records as traffic, beside two challengers, with the reference beats as later truth; prints the verdicts.

    python3 examples/compare/replay.py --server http://127.0.0.1:5000 --key KEY --records mitdb

The champion is the model that comes with the server. The challengers are its quantised twin, and one that
takes supraventricular beats for fusion beats, and those for supraventricular ones. Needs nothing but Python.
"""

import argparse
import io
import json
import pathlib
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models" / "heartbeat"
MODEL = "heartbeat"


class Server:
    def __init__(self, address, key):
        self.address, self.key = address.rstrip("/"), key

    def ask(self, method, path, body=None, kind="application/json", headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=body, method=method)
        request.add_header("X-Api-Key", self.key)
        if body is not None:
            request.add_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            raise SystemExit(f"{method} {path}: {refused.read().decode()}") from refused


def package(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def challengers():
    """Packages by version."""
    manifest = json.loads((MODELS / "manifest.json").read_text())
    golden = (MODELS / "golden.json").read_bytes()
    network = (MODELS / "model.onnx").read_bytes()
    quantised = (MODELS / "model.int8.onnx").read_bytes()
    # How far the twin's outputs may be from the golden ones is in the manifest, with the file that they belong to.
    twins = [variant for variant in manifest.get("variants", []) if variant["name"] == "model.int8.onnx"]
    twin = {**manifest, "variants": twins or [{"name": "model.int8.onnx", "tolerance": 0.1}]}
    other = {"S": "F", "F": "S"}
    swapped = {**manifest, "labels": [other.get(label, label) for label in manifest["labels"]]}
    swapped["variants"] = [{"name": "model.onnx"}]
    return {
        "int8": package({"manifest.json": json.dumps(twin), "golden.json": golden, "model.int8.onnx": quantised}),
        "s-f": package({"manifest.json": json.dumps(swapped), "golden.json": golden, "model.onnx": network}),
    }


def form(files):
    edge, body = "replay-edge", b""
    for name, content in files:
        head = f'--{edge}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def person(record):
    # Records 201 and 202 of the MIT-BIH database are one person's.
    return "201 and 202" if record in ("201", "202") else record


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="http://127.0.0.1:5000")
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--records", required=True, type=pathlib.Path, help="folder of .hea, .dat and .atr files")
    arguments.add_argument("--name", default="replayed", help="of the experiment; each name can be used once")
    arguments.add_argument("--figure", default="macro_f1", help="that decides")
    wanted = arguments.parse_args()
    records = sorted(path.stem for path in wanted.records.glob("*.atr") if path.with_suffix(".hea").exists())
    if not records:
        raise SystemExit(f"there are no records with an .atr file in {wanted.records}")
    server = Server(wanted.server, wanted.key)

    there = {version["name"] for version in server.ask("GET", f"/v1/models/{MODEL}/versions")["items"]}
    for version, packed in challengers().items():
        if version not in there:
            path = f"/v1/models/{MODEL}/versions?name=package.zip&version={version}&wait_s=300"
            phase = server.ask("POST", path, packed, "application/zip")["phase"]
            if phase["state"] != "ready":
                raise SystemExit(f"{version}: {phase}")
    shadows = [{"version": version, "percent": 100} for version in challengers()]
    rules = {"settings": {"primary": wanted.figure, "comparisons": len(shadows)}}
    body = {"name": wanted.name, "model": MODEL, "shadows": shadows, "rules": rules, "reason": "a replay"}
    server.ask("POST", "/v1/experiments", body)

    predictions = []
    for record in records:
        files = [(f"{record}.{end}", (wanted.records / f"{record}.{end}").read_bytes()) for end in ("hea", "dat")]
        body, kind = form(files)
        answer = server.ask("POST", "/v1/classify", body, kind, {"X-Einthoven-Subject": person(record)})
        predictions.append((record, answer["prediction"]))
        print(f"{record}: {len(answer['beats'])} beats", flush=True)
    for record, prediction in predictions:
        reference = (wanted.records / f"{record}.atr").read_bytes()
        server.ask("POST", f"/v1/predictions/{prediction}/labels", reference, "application/octet-stream")

    # Shadows compute when a core is free.
    path = f"/v1/experiments/{wanted.name}"
    while any(arm["waiting"] for arm in server.ask("GET", path)["here"]):
        time.sleep(0.5)
    for version in challengers():
        found = server.ask("GET", f"{path}/verdict?{urllib.parse.urlencode({'challenger': version})}")
        numbers = found["numbers"]
        print(f"\n{version}: {found['standing']}, {found['design']}, {numbers['labelled']} of {numbers['units']} people labelled")
        print(found["sentence"])
        for row in (found.get("labelled") or {}).get("figures", []):
            one, two = row["champion"], row["challenger"]
            if one is not None and two is not None:
                between = row["interval"]
                span = f"{100 * between['low']:+6.1f} to {100 * between['high']:+6.1f}" if between else ""
                print(f"  {row['figure']:<9} {100 * one:6.1f} {100 * two:6.1f} {100 * (two - one):+6.1f}  {span}")
        for note in found["notes"]:
            print(f"  {note}")


if __name__ == "__main__":
    main()
