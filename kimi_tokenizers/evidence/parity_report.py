"""What a comparison with a reference found: a report, its parts, and the first differences of each."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Difference:
    """One difference.

    Attributes:
        part: "rank table", "control tokens", "pattern", "known answers", "corpus" or "generated text".
        where: rank, id, position in the pattern; or file and offset, or kind and number of a text.
        text: the stretch of text that the two sides encode differently.
        ours, theirs: table entries; or the pieces of `text`, one for each of `our_ids` and `their_ids`.
    """

    part: str
    where: str
    text: str = ""
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    our_ids: list[int] = field(default_factory=list)
    their_ids: list[int] = field(default_factory=list)


@dataclass
class Part:
    """What was compared of one kind.

    Attributes:
        compared: number of entries or texts.
        characters: of all texts.
        tokens: of all texts, ours.
        differences: number of entries that differ, or of stretches of text that are encoded differently.
    """

    compared: int = 0
    characters: int = 0
    tokens: int = 0
    differences: int = 0


@dataclass
class Report:
    """The outcome of a comparison. `shown` are the first differences of every part."""

    reference: str
    kind: str
    model: str
    line: str
    seed: int
    versions: dict[str, str]
    engine: str = ""  # the class of ours that encoded
    parts: dict[str, Part] = field(default_factory=dict)
    shown: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def characters(self) -> int:
        return sum(part.characters for part in self.parts.values())

    @property
    def differences(self) -> int:
        return sum(part.differences for part in self.parts.values())

    @property
    def ok(self) -> bool:
        """Whether ids were compared, and nothing differs."""
        return not self.differences and any(part.characters for part in self.parts.values())
