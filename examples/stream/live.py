"""Sends the first lead of a record as live samples and prints its beats as they are found: `live.py URL RECORD`, with the key in
EINTHOVEN_KEY. Needs aiohttp and numpy."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import numpy as np


def first_lead(record):
    """Rate, name and millivolts of the first of two leads of a record in format 212: three bytes hold a sample of each."""
    head, signal, *_ = Path(f"{record}.hea").read_text().splitlines()
    file, _, steps_per_mv, _, zero, *_, name = signal.split()
    bytes_ = np.fromfile(Path(record).with_name(file), np.uint8).astype(np.int32).reshape(-1, 3)
    steps = bytes_[:, 0] + ((bytes_[:, 1] & 15) << 8)
    steps = np.where(steps > 2047, steps - 4096, steps)
    return float(head.split()[2]), name, (steps - int(zero)) / float(steps_per_mv)


async def send(stream, samples, piece):
    """Piece by piece; a device sends each when it has it."""
    for at in range(0, len(samples), piece):
        await stream.send_bytes(samples[at : at + piece].astype("<f4").tobytes())
    await stream.send_json({"end": True})


async def live(url, record):
    rate, lead, samples = first_lead(record)
    key = {"X-Api-Key": os.environ["EINTHOVEN_KEY"]}
    async with aiohttp.ClientSession(headers=key) as session, session.ws_connect(f"{url}/v1/stream") as stream:
        await stream.send_json({"rate": rate, "unit": "mV", "lead": lead, "model": "heartbeat"})
        # Beside reading: whoever does not read what is said is given up.
        sending = asyncio.create_task(send(stream, samples, int(rate / 10)))
        async for message in stream:
            said = message.json()
            if said["type"] == "beat":
                print(f"{said['time_s']:8.3f} s  {said['class'] or 'unreadable'}")
            else:
                print(said)
        await sending
        if stream.close_code != 1000:
            sys.exit(f"the server closed with code {stream.close_code}; docs/streaming.md says why")


asyncio.run(live(*sys.argv[1:]))
