"""The rules by which exo 0.3.70 finds a model on disk or downloads it, for the tests.

It is the other half of `kimi_tokenizers.evidence.exo_loading`: what has happened to a model directory before
exo loads from it. It downloads to the default models dir, one file after the other.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from kimi_tokenizers.model_dirs import exo

FILE_LIST_SECONDS = 24 * 3600
"""For how long a cached list of a repo's files is used without asking again."""

Skip = Callable[[str, str], bool]
"""Takes model id and file name; true if the file need not be there. exo has no such hook: this is
what an exo maintainer would add, with `kimi_tokenizers.provides`."""

_opener = build_opener(ProxyHandler({}))


def _skip_nothing(model_id: str, file: str) -> bool:
    return False


@dataclass(frozen=True)
class Progress:
    """How far a download is: file -> bytes that are there, bytes that there are to be.

    exo adds both up for what it shows, and a shard counts as downloaded when every file is.
    """

    target: Path
    files: Mapping[str, tuple[int, int]]

    @property
    def is_complete(self) -> bool:
        return all(there == total for there, total in self.files.values())


def ensure_model(
    model_id: str,
    hub_url: str,
    env: Mapping[str, str],
    *,
    skip: Skip = _skip_nothing,
    platform: str | None = None,
) -> Path:
    """The directory of a model, downloaded first unless a complete one is found.

    Raises FileNotFoundError for a listed file that the hub does not have, OSError if it is offline.
    """
    found = exo.find_model(model_id, env, platform)
    if found is not None:
        return found
    return download_shard(model_id, hub_url, env, skip=skip, platform=platform).target


def download_shard(
    model_id: str,
    hub_url: str,
    env: Mapping[str, str],
    *,
    skip: Skip = _skip_nothing,
    skip_late: Skip = _skip_nothing,
    platform: str | None = None,
) -> Progress:
    """Download what is not there of the files that a repo lists.

    `skip` is asked before sizes and progress are computed, `skip_late` only where a file would be
    fetched: then the file still counts as one that is to come.
    """
    target = exo.default_models_dir(env, platform) / exo.folder_name(model_id)
    file_list = _file_list(model_id, hub_url, exo.file_list_cache(model_id, env, platform))
    sizes = {name: size for name, size in file_list.items() if not skip(model_id, name)}
    for name in sizes:
        if not skip_late(model_id, name):
            _ensure_file(f"{hub_url}/{model_id}/resolve/main/{quote(name)}", target / name)
    there = {name: (target / name).stat().st_size if (target / name).exists() else 0 for name in sizes}
    return Progress(target, {name: (there[name], size) for name, size in sizes.items()})


def listed_files(model_id: str, hub_url: str, cache: Path) -> list[str]:
    """The names of a repo's files, from a cached list if it is younger than a day."""
    return list(_file_list(model_id, hub_url, cache))


def _file_list(model_id: str, hub_url: str, cache: Path) -> dict[str, int]:
    """File -> size, as the hub lists them."""
    if not (cache.exists() and time.time() - cache.stat().st_mtime < FILE_LIST_SECONDS):
        data = _get(f"{hub_url}/api/models/{model_id}/tree/main?recursive=true")
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_bytes(data)
    entries: list[dict[str, Any]] = json.loads(cache.read_text(encoding="utf-8"))
    return {entry["path"]: entry["size"] for entry in entries if entry["type"] == "file"}


def _ensure_file(url: str, path: Path) -> None:
    if path.exists() and not _removed_as_outdated(url, path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(_get(url))
    os.replace(partial, path)


def _removed_as_outdated(url: str, path: Path) -> bool:
    """Remove a file whose size is not the remote one's; keep it if that cannot be found out."""
    try:
        if path.stat().st_size == _remote_size(url):
            return False
        path.unlink()  # asks for write permission on the directory, not on the file
    except (OSError, HTTPException):  # offline, 404, cannot remove
        return False
    return True


def _remote_size(url: str) -> int:
    with _opener.open(Request(url, method="HEAD")) as response:
        return int(response.headers["Content-Length"])


def _get(url: str) -> bytes:
    try:
        with _opener.open(url) as response:
            data: bytes = response.read()
            return data
    except HTTPError as error:
        if error.code == 404:
            raise FileNotFoundError(f"File not found: {url}") from error
        raise
