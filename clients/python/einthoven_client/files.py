"""Files of a recording, as a form sends them."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Mapping[str, bytes]
"""A path, several of them, or contents by name."""


def record(name: str | os.PathLike[str]) -> list[Path]:
    """All files of a WFDB record, named as WFDB names it: without an ending."""
    stem = Path(name)
    found = sorted(path for path in stem.parent.glob("*") if path.name.startswith(f"{stem.name}."))
    if not any(path.suffix == ".hea" for path in found):
        raise FileNotFoundError(f"there is no {stem}.hea")
    return found


def form(files: Files, stated: Mapping[str, Any]) -> list[tuple[str, tuple[str | None, bytes]]]:
    """The parts of a form: what is stated, and the files."""
    fields = [(name, (None, str(value).encode())) for name, value in stated.items() if value is not None]
    if isinstance(files, Mapping):
        contents = list(files.items())
    else:
        paths = [files] if isinstance(files, (str, os.PathLike)) else list(files)
        contents = [(Path(path).name, Path(path).read_bytes()) for path in paths]
    return [*fields, *(("file", content) for content in contents)]
