"""STAND-IN, to be replaced by the module of the same name that makes the operators' one file.

It has that module's one function and its signature, so that `cluster` can be written and tested against it: a zip of
the package as it lies here, which runs `kimi_tokenizers.commands.main`.
"""

from __future__ import annotations

import shutil
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import kimi_tokenizers

_MAIN = "from kimi_tokenizers.commands import main\n\nraise SystemExit(main())\n"


def write_one_file(path: Path) -> None:
    """Write the one file to `path`."""
    archive = getattr(getattr(kimi_tokenizers, "__loader__", None), "archive", None)
    if archive:  # this is the one file
        shutil.copyfile(archive, path)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        _add(archive, files("kimi_tokenizers"), "kimi_tokenizers")


def _add(archive: zipfile.ZipFile, folder: Any, name: str) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                _add(archive, entry, f"{name}/{entry.name}")
        elif not entry.name.endswith(".pyc"):
            archive.writestr(f"{name}/{entry.name}", entry.read_bytes())
