"""What can become of an upstream repo, and how it is told: the changes, their gravity, a finding for each repo."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kimi_tokenizers.escaping import escaped


class Change(enum.Enum):
    """What became of a repo; the value is the command's exit status. `SEVERITY` says which is worse."""

    UNCHANGED = 0
    CHANGED = 10  # files changed, the vocabulary is the same
    SLOW_GONE = 11  # the slow tokenizer went; the overlay covers it
    VOCABULARY = 12  # vocabulary or control tokens changed: a new overlay is needed, and the guard will refuse
    GONE = 13  # the repo, or its `main`, is not there
    GATED = 14  # the hub wants another token
    OFFLINE = 15  # the hub did not answer
    UNTRUSTED = 16  # it answered with something that is no honest listing


MEANING = {
    Change.UNCHANGED: "unchanged",
    Change.CHANGED: "changed, the vocabulary is the same",
    Change.SLOW_GONE: "the slow tokenizer is gone; the overlay covers it",
    Change.VOCABULARY: "vocabulary or control tokens changed: needs a new overlay, the guard will refuse",
    Change.GONE: "the repo is gone",
    Change.GATED: "the repo is gated: the hub wants another token",
    Change.OFFLINE: "the hub could not be asked",
    Change.UNTRUSTED: "the hub's answer is not to be trusted",
}
SEVERITY = (
    Change.UNCHANGED,
    Change.CHANGED,
    Change.SLOW_GONE,
    Change.OFFLINE,
    Change.GATED,
    Change.GONE,
    Change.UNTRUSTED,
    Change.VOCABULARY,
)


@dataclass
class Finding:
    """What became of one repo.

    Attributes:
        since: the revision that `main` was compared with, and the repo it belongs to.
        commit: that of `main`, "" where it could not be had.
        added, removed, changed: names of tokenizer files.
        details: for people.
    """

    model: str
    line: str
    since: str
    change: Change = Change.UNCHANGED
    commit: str = ""
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        meaning = MEANING[self.change]
        return {**asdict(self), "change": self.change.name.lower(), "status": self.change.value, "meaning": meaning}


def worst_change(findings: Sequence[Finding]) -> Change:
    """The worst change of several."""
    return max((finding.change for finding in findings), key=SEVERITY.index, default=Change.UNCHANGED)


def upstream_markdown(findings: Sequence[Finding]) -> str:
    """The findings for a bot to post."""
    change = worst_change(findings)
    lines = [f"## Upstream: {MEANING[change]}", "", "| model | what | files |", "| --- | --- | --- |"]
    for finding in findings:
        files = [f"{sign}`{_plain(name)}`" for sign, names in (("+", finding.added), ("−", finding.removed), ("~", finding.changed)) for name in names]  # fmt: skip  # noqa: E501
        lines.append(f"| {_plain(finding.model)} | {MEANING[finding.change]} | {' '.join(files) or '–'} |")
    details = [f"- {_plain(finding.model)}: {_plain(detail)}" for finding in findings for detail in finding.details]
    return "\n".join([*lines, *([""] if details else []), *details]) + "\n"


def _plain(text: str) -> str:
    """Text from the hub with nothing in it that Markdown, or the reader of a bot's post, would act on."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", escaped(text)).replace("@", "\uff20")[:1000]
