"""`models`: which lines and model ids are served, with which files, and how each of these is known to be right."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.commands.output import coloured, emit, emit_report
from kimi_tokenizers.commands.tables import table

# Every word that a manifest may use, in the order in which it is printed.
_KNOWN_BY = {
    "hash": "upstream's own bytes",
    "golden": "what upstream's code gave",
    "reports": "public reports only",
    "none": "not provided",
}


def run(arguments: argparse.Namespace) -> int:
    """Print the lines."""
    lines = [overlay.report() for overlay in catalogue.overlays().values()]
    if arguments.json:
        emit_report(True, lines=lines)
    else:
        for line in lines:
            _say(line)
    return 0


def _say(line: Mapping[str, Any]) -> None:
    emit(coloured(line["line"], "bold"))
    rows = [("  " + model, line["revisions"].get(model, "-")) for model in line["models"]]
    rows += [("  good, too", revision) for revision in line["good_revisions"]]
    rows += [("  broken", revision) for revision in line["broken_revisions"]]
    for word, meaning in _KNOWN_BY.items():
        names = [name.replace("_", " ") if "." not in name else name for name in line["evidence"]]
        known = [shown for shown, by in zip(names, line["evidence"].values()) if by == word]  # noqa: B905 (Python 3.9)
        rows += [("  " + meaning, ", ".join(known))] if known else []
    for row in table(rows):
        emit(row)
