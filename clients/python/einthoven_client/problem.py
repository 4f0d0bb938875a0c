"""What the server refused."""

from typing import Any, TypeVar

from .generated import models
from .generated.types import Response

T = TypeVar("T")


class Problem(Exception):
    """What the server refused, and why: an RFC 9457 problem."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body.get("detail", ""))
        self.body = body
        self.status: int = body.get("status", 0)
        self.type: str = body.get("type", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])

    @property
    def code(self) -> str:
        """Its stable word, such as `missing_field`."""
        return self.type.rsplit("/", 1)[-1]


def answered(response: Response[Any]) -> Any:
    """What was answered; raises what was refused."""
    if isinstance(response.parsed, models.Problem):
        raise Problem(response.parsed.to_dict())
    if response.status_code >= 400:
        detail = f"the server answered {int(response.status_code)} without saying why"
        raise Problem({"type": "/problems/unknown", "status": int(response.status_code), "detail": detail})
    return response.parsed
