"""The Pythons of this machine: in PATH, of pyenv, of uv, and in GitHub's tool cache. Each is asked who it is.

They are found with another HOME, too: by the shims in PATH, the Python that asks, and the home that the system knows.
"""

from __future__ import annotations

import functools
import glob
import os
import pwd
import subprocess
import sys
from typing import NamedTuple

_ASK = (
    "import platform, sys, zlib; print('%d %d %s %s' % (sys.version_info[:2] + "
    "(platform.python_implementation(), getattr(zlib, 'ZLIB_RUNTIME_VERSION', '?'))))"
)


class Interpreter(NamedTuple):
    """A Python, by its path, and which zlib it compresses with."""

    path: str
    zlib: str


@functools.lru_cache(maxsize=1)
def interpreters() -> dict[tuple[int, int], Interpreter]:
    """Version, as (3, 9), -> the first CPython of that version that works here."""
    found: dict[tuple[int, int], Interpreter] = {}
    for path in _candidates():
        try:
            done = subprocess.run(
                [path, "-S", "-E", "-c", _ASK], capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = done.stdout.split()
        if done.returncode == 0 and len(words) == 4 and words[2] == "CPython":
            found.setdefault((int(words[0]), int(words[1])), Interpreter(path, words[3]))
    return dict(sorted(found.items()))


def _candidates() -> list[str]:
    names = ["python3", *(f"python3.{minor}" for minor in range(6, 16)), "python2.7"]
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    shims = [folder for folder in folders if os.path.basename(folder) == "shims"]  # pyenv's own folders are next
    folders = [folder for folder in folders if folder not in shims]
    homes = [os.path.expanduser("~"), pwd.getpwuid(os.getuid()).pw_dir]
    pyenvs = [os.environ.get("PYENV_ROOT") or "/-", *map(os.path.dirname, shims), *(f"{home}/.pyenv" for home in homes)]
    patterns = [f"{pyenv}/versions/*/bin" for pyenv in pyenvs]
    patterns += [f"{folder}/*/bin" for folder in (_uv_folder(), *(f"{home}/.local/share/uv/python" for home in homes))]
    patterns += [f"{_tool_cache()}/Python/*/*/bin", f"{os.path.dirname(sys.base_prefix)}/*/bin"]
    for pattern in patterns:
        folders += sorted(glob.glob(pattern))
    paths = [sys.executable, *(os.path.join(folder, name) for folder in folders for name in names)]
    return list(dict.fromkeys(os.path.realpath(path) for path in paths if os.access(path, os.X_OK)))


def _uv_folder() -> str:
    try:
        return (
            subprocess.run(["uv", "python", "dir"], capture_output=True, text=True, check=False).stdout.strip() or "/-"
        )
    except OSError:
        return "/-"


def _tool_cache() -> str:
    return os.environ.get("RUNNER_TOOL_CACHE") or "/-"
