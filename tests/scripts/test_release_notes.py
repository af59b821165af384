"""What a release says of itself, and the tags that make none."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from conftest import ROOT

import kimi_tokenizers

SCRIPT = ROOT / "scripts" / "release_notes.py"
spec = importlib.util.spec_from_file_location("release_notes", SCRIPT)
assert spec is not None
assert spec.loader is not None
release_notes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release_notes)

CHANGELOG = """\
# Changelog

## 0.3.0 (unreleased)

- To come.

## 0.2.0 (2026-12-01)

Two lines,
and a list:

- One. ## not a heading
### Details
- Two.

## 0.1.10 (2026-11-30)

- Ten.

## 0.1.1 (soon)

- One.

## 0.1.0 (2026-11-25)
"""


def test_the_notes_are_the_section_of_the_tag() -> None:
    expected = "Two lines,\nand a list:\n\n- One. ## not a heading\n### Details\n- Two.\n"
    assert release_notes.notes("v0.2.0", "0.2.0", CHANGELOG) == expected
    assert release_notes.notes("v0.1.10", "0.1.10", CHANGELOG) == "- Ten.\n"


@pytest.mark.parametrize(
    ("tag", "version", "reason"),
    [
        ("v0.2.1", "0.2.0", "The tag is 'v0.2.1', but the package is version 0.2.0"),
        ("0.2.0", "0.2.0", "has to be tagged 'v0.2.0'"),
        ("main", "0.2.0", "has to be tagged"),
        ("v0.2.0\n", "0.2.0", "has to be tagged"),
        ("v0.2", "0.2", "has 0 sections"),
        ("v0.1.2", "0.1.2", "has 0 sections"),
        ("v0.3.0", "0.3.0", "no date"),
        ("v0.1.1", "0.1.1", "no date"),
        ("v0.1.0", "0.1.0", "is empty"),
    ],
)
def test_there_is_no_release(tag: str, version: str, reason: str) -> None:
    with pytest.raises(release_notes.Refused, match=reason):
        release_notes.notes(tag, version, CHANGELOG)


def test_a_version_that_the_changelog_has_twice() -> None:
    with pytest.raises(release_notes.Refused, match="has 2 sections"):
        release_notes.notes("v0.2.0", "0.2.0", CHANGELOG + "\n## 0.2.0 (2026-12-02)\n\n- Again.\n")


@pytest.mark.parametrize(("arguments", "status"), [(["v0.0.0"], 1), ([], 2), (["v1", "v2"], 2)])
def test_refusals_are_an_exit_status_and_print_no_notes(arguments: list[str], status: int) -> None:
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr
    assert "release_notes.py" in done.stderr


def test_this_versions_section_is_there() -> None:
    """It may have no date yet."""
    version = kimi_tokenizers.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8").replace("(unreleased)", "(2026-11-25)")
    assert release_notes.notes(f"v{version}", version, changelog)
