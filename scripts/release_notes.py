"""For maintainers: the notes of a release, which are its section of CHANGELOG.md.

    release_notes.py TAG        print the section of the version that the tag names; `release.yml` runs it first

Exit status 1, with the reason, where there must be no release: the tag is not `v` and the version of the package, or
the changelog has no section for it, has it twice, has nothing in it, or gives no date (as in "## 0.1.0 (2026-12-01)").
"""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kimi_tokenizers.commands.output import emit, emit_lines, escape_errors  # noqa: E402
from kimi_tokenizers.version import __version__  # noqa: E402

HEADING = re.compile(r"^## +(?P<version>\S+)(?: +\((?P<date>[^)\n]*)\))? *$", re.MULTILINE)


class Refused(Exception):  # noqa: N818 (it is an answer, not a fault)
    """A reason not to release."""


def notes(tag: str, version: str, changelog: str) -> str:
    """The section of the changelog for a tag, without its heading. Raises Refused."""
    if tag != f"v{version}":
        raise Refused(f"The tag is {tag!r}, but the package is version {version}: it has to be tagged 'v{version}'.")
    headings = list(HEADING.finditer(changelog))
    ours = [number for number, heading in enumerate(headings) if heading["version"] == version]
    if len(ours) != 1:
        raise Refused(f"CHANGELOG.md has {len(ours)} sections '## {version} (DATE)'; it has to have one.")
    heading = headings[ours[0]]
    try:
        date.fromisoformat(heading["date"] or "")
    except ValueError:
        raise Refused(
            f"CHANGELOG.md says {heading[0].strip()!r}, which gives no date; write '## {version} (YYYY-MM-DD)'."
        ) from None
    end = headings[ours[0] + 1].start() if ours[0] + 1 < len(headings) else len(changelog)
    section = changelog[heading.end() : end].strip()
    if not section:
        raise Refused(f"The section '## {version}' of CHANGELOG.md is empty; say what is new.")
    return section + "\n"


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        emit("usage: release_notes.py TAG", sys.stderr)
        return 2
    try:
        emit_lines(notes(argv[0], __version__, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except Refused as refused:
        emit(f"release_notes.py: {refused}", sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main(sys.argv[1:]))
