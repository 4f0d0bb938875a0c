"""A client for an Einthoven server, sync and async.

    from einthoven_client import Einthoven, record
    with Einthoven("http://127.0.0.1:5000") as client:
        result = client.classify(record("100"))

Every operation of the server is in `einthoven_client.generated.api`, made from the server's own document; call it with
`client.api`, and give what it answered to `answered` to have refusals raised. What takes several calls, or files, has a word of its own here.
"""

from .aio import AsyncEinthoven
from .blocking import Einthoven
from .files import Files, record
from .problem import Problem, answered

__all__ = ["AsyncEinthoven", "Einthoven", "Files", "Problem", "answered", "record"]
