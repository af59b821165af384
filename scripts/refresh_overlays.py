"""For maintainers: bring sizes and hashes in `overlays/*/overlay.toml` up to the files they name.

Run it after a change to a packaged file. Running it twice changes nothing. With --check it only says what it would
change, and exits with 1 if there is anything.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path

OVERLAYS = Path(__file__).resolve().parent.parent / "overlays"
ENTRY = re.compile(r'(source = "(?P<source>[^"]+)"\nsize = )(?P<size>\d+)(\nsha256 = ")(?P<sha256>[0-9a-f]{64})')


def refreshed(manifest: str) -> str:
    """The text of a manifest with the size and SHA-256 of every file as it lies in `overlays/`."""

    def entry(match: re.Match[str]) -> str:
        data = (OVERLAYS / match["source"]).read_bytes()
        return f"{match[1]}{len(data)}{match[4]}{hashlib.sha256(data).hexdigest()}"

    return ENTRY.sub(entry, manifest)


def main() -> int:
    parser = argparse.ArgumentParser(description="Bring the overlays' manifests up to the files they name.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a manifest is out of date")
    check = parser.parse_args().check
    stale = 0
    for path in sorted(OVERLAYS.glob("*/overlay.toml")):
        old = path.read_text(encoding="utf-8")
        new = refreshed(old)
        if new == old:
            print(f"{path.parent.name}: unchanged")
            continue
        stale += 1
        if not check:
            path.write_text(new, encoding="utf-8")
        print(f"{path.parent.name}: {'out of date' if check else 'refreshed'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
