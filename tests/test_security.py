"""SECURITY.md: every promise names tests that are there, and the README promises no more."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
PROMISES = [line for line in TEXT.splitlines() if line.startswith("| **")]
PROOFS = sorted(set(re.findall(r"`((?:tests|scripts)/[^`]+)`", TEXT)))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[4:40])
def test_a_promise_names_what_proves_it(promise: str) -> None:
    assert re.findall(r"`(?:tests|scripts)/[^`]+`", promise.split("|")[2])


@pytest.mark.parametrize("proof", PROOFS)
def test_what_is_named_is_there(proof: str) -> None:
    name, _, test = proof.partition("::")
    path = ROOT / name
    assert path.exists()
    assert not test or re.search(rf"^def {re.escape(test)}\(", path.read_text("utf-8"), re.MULTILINE)
    assert test or path.suffix == ".py" or path.is_dir()


def test_the_readme_promises_no_more() -> None:
    """Each guarantee of the README is a promise here, in the same words."""
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.split("## What is guaranteed\n")[1].split("\n## ")[0].split("\n\nEvery command")[0]
    assert "SECURITY.md" in section
    guaranteed = re.findall(r"^- \*\*(.+?)\*\*", section, re.MULTILINE)
    promised = [re.findall(r"\*\*(.+?)\*\*", promise)[0] for promise in PROMISES]
    assert guaranteed
    assert [words for words in guaranteed if words not in promised] == []
