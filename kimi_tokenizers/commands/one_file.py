"""`kimi-tokenizers.pyz`: this package as one file that Python 3.9 and newer runs, with nothing installed.

It is made out of the package's own files, so the installed command, a clone and the file itself can all make it. Of one
version they make the same bytes, whatever the time, the folder, the umask and the version of Python, provided that
Python's zlib compresses alike (zlib and zlib-ng do not; what is in the file is the same then, too).

It holds all commands. Those that need packages work where these are installed, and say so where they are not.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import OverlayError

if TYPE_CHECKING:
    from importlib.abc import Traversable

NAME = "kimi-tokenizers.pyz"
"""What the file is called."""

_PACKAGE = "kimi_tokenizers"
_SHEBANG = b"#!/usr/bin/env python3\n"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
_SUFFIXES = (".py", ".toml", ".jsonl")
_LICENCES = ("LICENSE", "NOTICE")  # how the names of the files (or folders) with the licences' texts begin
# For tests of other projects, and for tiktoken, which looks for plugins in what is installed.
_LEFT_OUT = ("commands/pytest_plugin.py", "testing.py", "tokenizer/tiktoken_ext")

# Any Python must be able to read it, down to 2.7, so that it can say which one is needed.
_MAIN = b"""\
# kimi-tokenizers in one file. Try: python3 kimi-tokenizers.pyz --help
# The code is under the MIT License. The rank table and the tokenizer configurations are Moonshot AI's or made from
# theirs, Copyright (c) 2025 Moonshot AI, under their Modified MIT License.
import os
import sys

if sys.version_info < (3, 9):
    sys.exit(
        "kimi-tokenizers.pyz needs Python 3.9 or newer, and this is Python %d.%d. Run it with a newer one."
        % sys.version_info[:2]
    )

from kimi_tokenizers.commands import main

sys.exit(main(prog=os.path.basename(sys.argv[0])))
"""


def write_one_file(path: Path) -> None:
    """Write the one file. It appears whole, or not at all; what was at `path` is replaced.

    Raises:
        OverlayError: a packaged file is missing or damaged; or Python source or licences are not there (a frozen app).
        OSError: `path` cannot be written.
    """
    data = one_file()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o755)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def one_file() -> bytes:
    """The content of the one file, some 1.5 MB. Raises OverlayError, as `write_one_file`."""
    stream = io.BytesIO()
    stream.write(_SHEBANG)
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in sorted(_members().items()):
            member = zipfile.ZipInfo(name, _TIME)
            member.create_system = 3  # Unix
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED, 9)
    return stream.getvalue()


def _members() -> dict[str, bytes]:
    """Name in the zip -> content. The overlays' files are verified."""
    root = catalogue.resources(_PACKAGE)
    members = {f"{_PACKAGE}/{name}": file.read_bytes() for name, file in _files(root)}
    for overlay in catalogue.overlays().values():
        for packaged in overlay.files.values():
            members[f"{_PACKAGE}/overlays/{packaged.source}"] = packaged.read()
    licences = _licences(root)
    if not licences or f"{_PACKAGE}/commands/__init__.py" not in members:
        raise OverlayError(
            f"{NAME} cannot be made here: the {'Python source' if licences else 'texts of the licences'} of "
            "kimi-tokenizers are not there. Make it from an installed wheel, or in a clone with scripts/build_pyz.py."
        )
    return {**members, **licences, "__main__.py": _MAIN}


def _files(
    folder: Traversable, prefix: str = "", suffixes: tuple[str, ...] = _SUFFIXES
) -> Iterator[tuple[str, Traversable]]:
    """The files below a folder that belong in the one file, each with its path."""
    for entry in folder.iterdir():
        name = prefix + entry.name
        if name in _LEFT_OUT:
            continue
        if entry.is_dir():
            yield from _files(entry, f"{name}/", suffixes)
        elif entry.name.endswith(suffixes):
            yield name, entry


def _licences(package: Any) -> dict[str, bytes]:
    """The licences' texts, which go with every copy. They lie beside the package, or are installed with it."""
    beside: Traversable = package.parent
    if any(beside.joinpath(name).is_file() for name in ("scripts/build_pyz.py", "__main__.py")):
        entries = [entry for entry in beside.iterdir() if entry.name.startswith(_LICENCES)]
        folders = [file for entry in entries if entry.is_dir() for file in _files(entry, f"{entry.name}/", ("",))]
        texts = [*folders, *((entry.name, entry) for entry in entries if entry.is_file())]
        return {name: file.read_bytes() for name, file in texts}
    try:
        installed = metadata.files("kimi-tokenizers") or []
    except metadata.PackageNotFoundError:
        return {}
    named = {path.as_posix().partition("/licenses/")[2]: path for path in installed}
    return {name: path.read_binary() for name, path in named.items() if name.startswith(_LICENCES)}
