"""Server-sent events of a job."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ENDS = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a job."""

    id: str
    kind: str
    """`state` or `progress`."""
    data: dict[str, Any]

    @property
    def ends(self) -> bool:
        """Whether nothing follows."""
        return self.data.get("state") in ENDS


class Lines:
    """Puts lines of a stream together to events."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def take(self, line: str) -> Iterator[Event]:
        if line:
            name, _, value = line.partition(":")
            self.fields[name] = value.removeprefix(" ")
            return
        fields, self.fields = self.fields, {}
        if "data" in fields:
            yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))


def refused(status: int, body: bytes) -> dict[str, Any]:
    """The problem of a stream that was not begun."""
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"type": "/problems/unknown", "status": status, "detail": f"the server answered {status} without saying why"}
