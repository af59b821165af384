"""Hostile directories of every kind, and everything that this package does with one: see `exercise`.

All kinds are too many for every run: where a kind is made for several files, one stands for all here, and
`scripts/campaign.py` tries the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hostile.directories import BESIDE, IDS_DIFFER, KINDS, MODEL, OPEN, READ_BACK, TABLES, UNLOADABLE, Place
from hostile.exercise import COMMANDS, PROBE, RECORD, exercise
from sync_directories import OVERLAY

from kimi_tokenizers import sync
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import Model, TokenizerFiles, check_vocabulary
from kimi_tokenizers.resolver import front

OTHERS = (
    *(f"{name} is" for name in BESIDE),
    "chat_template.jinja is",
    "tiktoken.model is",
    "config.json",
    "tool_declaration_ts.py is",
)
OTHERS += tuple(READ_BACK)  # each of these has a test of its own
OTHERS += ("tokenizer.json", "kimi_line.json", "model.safetensors.index.json: ")
CONFIGURED = [f"tokenizer_config.json: {name}" for name in (*IDS_DIFFER, *UNLOADABLE, *TABLES)]
CODE = [name for name in KINDS if "Python" in name or name.startswith(("modules", "packages"))]


@pytest.fixture(scope="module")
def ids(plain: tiktoken.Encoding) -> list[int]:
    return plain.encode(PROBE, allowed_special="all")


@pytest.mark.parametrize("name", [n for n in KINDS if n not in (*OPEN, *CONFIGURED) and not n.startswith(OTHERS)])
def test_commands(tmp_path: Path, ids: list[int], name: str) -> None:
    place = Place(tmp_path)
    assert exercise(place, KINDS[name](place), ids, COMMANDS) == []


@pytest.mark.parametrize("what", READ_BACK)
def test_what_is_read_back(tmp_path: Path, ids: list[int], what: str) -> None:
    wrong = []
    for number, name in enumerate(name for name in KINDS if name.startswith(what)):
        place = Place(tmp_path / str(number))
        found = exercise(place, KINDS[name](place), ids, [READ_BACK[what][1]])
        wrong += [f"{name}: {one}" for one in found]
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in (*CONFIGURED, *CODE) if name not in OPEN])
def test_tokenizers(tmp_path: Path, ids: list[int], name: str) -> None:
    place = Place(tmp_path)
    steps = ("load", "view", "exo on the view") if name in CODE else ("register", "exo on what resolve gave")
    assert exercise(place, KINDS[name](place), ids, steps) == []


def test_where_sync_or_resolve_refuses_status_is_not_overlaid(tmp_path: Path) -> None:
    """Every kind, and in each everything else is as `sync` leaves it."""
    prepared = Place(tmp_path / "prepared").model()
    sync.apply(sync.plan(OVERLAY, prepared))
    shutil.rmtree(prepared / RECORD)  # the builders bring records of their own
    overlaid, wrong = [], []
    for number, (name, build) in enumerate(KINDS.items()):
        model_dir = build(Place(tmp_path / str(number), prepared))
        status = sync.examine(Model(MODEL, model_dir, OVERLAY))
        if "overlaid" in (status.state, status.tokenizer):
            overlaid.append(name)
            wrong += [
                name for work in (partial(sync.plan, OVERLAY, model_dir), partial(_front, model_dir)) if _refuses(work)
            ]
    assert wrong == []
    assert 20 < len(overlaid) < len(KINDS) / 2  # else nothing was proved


def _front(model_dir: Path) -> None:
    with TokenizerFiles(model_dir) as directory:
        check_vocabulary(OVERLAY, directory)
        front(OVERLAY, directory)


def _refuses(work: Callable[[], Any]) -> bool:
    try:
        work()
    except KimiTokenizersError:
        return True
    return False


def test_it_can_fail(tmp_path: Path, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step touched, ran or told what it must not, or gave other ids, `exercise` says so."""

    def spoil(place: Place, model_dir: Path) -> list[int]:
        (place.outside / "foreign" / "config.json").unlink()
        place.canary.write_text("ran")
        (place.models.parent / "told").write_bytes((place.outside / "token").read_bytes())
        return [1]

    monkeypatch.setitem(exercise.__globals__["_STEPS"], "load", spoil)
    place = Place(tmp_path)
    wrong = "\n".join(exercise(place, place.model(), ids, ["load"]))
    for what in ("the ids are [1]", "Python of the directory ran", "outside was changed", "told tells what is private"):
        assert what in wrong
