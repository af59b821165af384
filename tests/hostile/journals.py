"""Journals of `sync` that others wrote: `JOURNALS`, of its form, and `DAMAGED`, which `sync` never writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

ESCAPES = "\x1b]0;owned\x07\x1b[31m\u202e[/red]\n"
SHA = "0" * 64
PYTHON = "tokenization_kimi.py"
Damage = Callable[[dict[str, Any]], Any]


def journal(**entries: Any) -> dict[str, Any]:
    """A journal with these entries; two underscores in a name stand for a dot."""
    files = {name.replace("__", "."): entry for name, entry in entries.items()}
    return {"format": "kimi-tokenizers journal", "version": 1, "files": files}


def entry(**values: Any) -> dict[str, Any]:
    """An entry that says that a file was there before."""
    state = {"kind": "file", "sha256": SHA, "size": 5, "mode": 0o644, "mtime_ns": 0, "target": ""}
    return {"ours": [], "priors": [state | {"backup": "1-tokenizer_config.json"} | values]}


def absent(**values: Any) -> dict[str, Any]:
    """An entry that says that there was no file, or what else there was that needs no backup."""
    return entry(**{"kind": "absent", "sha256": "", "size": 0, "mode": 0, "backup": "", **values})


def honest() -> dict[str, Any]:
    """What `DAMAGED` damages where no `sync` has left a journal."""
    return journal(tokenization_kimi__py=entry(backup=f"1-{PYTHON}"), kimi_line__json=absent())


_NAME = "tokenizer_config__json"
JOURNALS: dict[str, Any] = {
    "ours names the user's file": journal(**{_NAME: absent() | {"ours": ["@sha256@"]}}),
    "a backup that is not there": journal(**{_NAME: entry()}),
    "a backup of a huge number": journal(**{_NAME: entry(backup="999999999-tokenizer_config.json")}),
    "a time before all times": journal(**{_NAME: entry(mtime_ns=-(1 << 63))}),
    "a link to elsewhere": journal(**{_NAME: absent(kind="link", target="../../outside/token")}),
    "a link of 100,000 characters": journal(**{_NAME: absent(kind="link", target="x" * 100_000)}),
    "a name with escapes": journal(**{ESCAPES: entry()}),
    "10,000 generations": journal(**{_NAME: {"ours": [], "priors": entry()["priors"] * 10_000}}),
}


def prior(**changes: Any) -> Damage:
    """The journal, with something else said of what was there before `tokenization_kimi.py`."""

    def damage(made: dict[str, Any]) -> Any:
        made["files"][PYTHON]["priors"][0].update(changes)
        return made

    return damage


def changed(**changes: Any) -> Damage:
    """The journal, with another entry of `tokenization_kimi.py`."""

    def damage(made: dict[str, Any]) -> Any:
        made["files"][PYTHON].update(changes)
        return made

    return damage


def replaced(before: str, after: str) -> Damage:
    """The journal, with something else in its text."""
    return lambda made: json.dumps(made).replace(before, after).encode()


def link(**changes: Any) -> Damage:
    return prior(**{"kind": "link", "sha256": "", "size": 0, "mode": 0, "target": "x", "backup": "", **changes})


DAMAGED: dict[str, Damage] = {
    "not-json": lambda journal: b"\xff\x00",
    "list": lambda journal: [],
    "another-format": lambda journal: {**journal, "format": "somebody else's"},
    "a-newer-version": lambda journal: {**journal, "version": 2},
    "another-file": lambda journal: {**journal, "files": {"model.safetensors": journal["files"]["kimi_line.json"]}},
    "config.json": lambda journal: {**journal, "files": {"config.json": entry(backup="1-config.json")}},
    "a-way-out": lambda journal: {**journal, "files": {"../x": journal["files"]["kimi_line.json"]}},
    "no-priors": lambda journal: {**journal, "files": {"kimi_line.json": {"ours": [], "priors": []}}},
    "a-mode-of-text": replaced('"mode": ', '"mode": "x", "x": '),
    "deep": lambda journal: b"[" * 200_000,
    "deep-object": lambda journal: b'{"format":' * 100_000,
    "empty": lambda journal: b"",
    "a-number": lambda journal: b"1" * 100_000,
    "a-long-number": replaced('"size": ', '"size": 1' + "0" * 5000),
    "nan": replaced('"version": 1', '"version": NaN'),
    "twice-the-same-key": replaced('"ours": [', '"ours": [], "ours": ['),
    "version-true": lambda journal: {**journal, "version": True},
    "version-float": replaced('"version": 1', '"version": 1.0'),
    "more-keys": lambda journal: {**journal, "more": 1},
    "files-a-list": lambda journal: {**journal, "files": []},
    "ours-a-text": changed(ours=SHA),
    "ours-of-numbers": changed(ours=[1]),
    "ours-huge": changed(ours=[f"{number:064x}" for number in range(10_001)]),
    "ours-twice": changed(ours=[SHA, SHA]),
    "priors-an-object": changed(priors={}),
    "priors-huge": changed(
        priors=[
            {"kind": "link", "sha256": "", "size": 0, "mode": 0, "mtime_ns": 0, "target": f"{number}", "backup": ""}
            for number in range(10_001)
        ]
    ),
    "size-true": prior(size=True),
    "size-huge": prior(size=1 << 40),
    "size-negative": prior(size=-1),
    "mode-huge": prior(mode=0o10000),
    "mode-false": prior(mode=False),
    "time-huge": prior(mtime_ns=10**30),
    "time-negative": prior(mtime_ns=-(10**30)),
    "time-of-a-link": link(mtime_ns=(1 << 63) * 10**9),
    "time-a-float": prior(mtime_ns=1.5),
    "backup-0000000001": prior(backup="0000000001-" + PYTHON),
    "backup-elsewhere": prior(backup="../1-" + PYTHON),
    "backup-of-another": prior(backup="1-tiktoken.model"),
    "backup-none": prior(backup=None),
    "kind-unknown": prior(kind="folder"),
    "kind-a-list": prior(kind=["file"]),
    "an-inode": prior(inode=[1, 2]),
    "target-surrogate": link(target="\ud800"),
    "target-nul": link(target="a\0b"),
    "target-empty": link(target=""),
    "absent-with-a-backup": prior(kind="absent", sha256=""),
    "backup-far-away": prior(backup="../../../outside/token"),
    "size-out-of-range": prior(size=1 << 80),
}
