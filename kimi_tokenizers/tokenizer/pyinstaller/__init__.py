"""PyInstaller's hooks for this package: what a frozen app needs of it and PyInstaller cannot see.

PyInstaller finds them through the entry point `pyinstaller40`, so an app that imports this package needs no line about
it in its spec. Nothing else imports this folder, and it must never import PyInstaller: only the hooks do.
"""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folder that PyInstaller searches for hooks."""
    return [str(Path(__file__).parent)]
