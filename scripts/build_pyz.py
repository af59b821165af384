"""Build `kimi-tokenizers.pyz`, the one file for operators: the same commit gives the same bytes.

    python3 scripts/build_pyz.py                 writes kimi-tokenizers.pyz here
    python3 scripts/build_pyz.py OUT             writes OUT; if that is a folder, kimi-tokenizers.pyz in it

It needs nothing but Python 3.9, and prints the path and the SHA-256. The bytes depend on the commit and on how Python's
zlib compresses, and on nothing else; zlib-ng, which some builds of Python use, compresses otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True  # a clone stays as it is

from kimi_tokenizers.commands import one_file  # noqa: E402
from kimi_tokenizers.commands.output import emit, escape_errors  # noqa: E402
from kimi_tokenizers.errors import KimiTokenizersError  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the one file for operators.")
    parser.add_argument("out", nargs="?", type=Path, default=Path(), metavar="OUT", help="file or folder")
    out: Path = parser.parse_args().out
    path = out / one_file.NAME if out.is_dir() else out
    try:
        one_file.write_one_file(path)
    except (KimiTokenizersError, OSError) as error:
        emit(f"build_pyz.py: {path} was not written: {error}", sys.stderr)
        return 1
    emit(f"{path}: SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
