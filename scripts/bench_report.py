"""What `bench.py` found, against the goals: tables, chart and JSON."""

from __future__ import annotations

import html
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kimi_tokenizers.evidence import versions

ROOT = Path(__file__).resolve().parent.parent

# Row -> contestant -> a figure of every round: seconds, or MB of peak memory.
Cells = dict[str, dict[str, list[float]]]

COLUMNS = {
    "fast": "ours, `fast`",
    "ours": "ours",
    "tiktoken": "tiktoken",
    "upstream": "upstream, re-created",
    "tokenizers": "tokenizers",
    "splintr": "splintr's `kimi_k2`",
    "kitoken": "kitoken",
    "fastokens": "fastokens",
    "tokie": "tokie",
    "then": "before splintr",
}


class Goal(NamedTuple):
    """A ratio that is wanted, of two cells of one group; with no other cell, seconds that are wanted.

    With a reason, missing it is no failure of the run.
    """

    row: str
    who: str
    other_row: str
    other: str
    limit: float
    reason: str = ""  # why it is out of reach

    def values(self, cells: Cells) -> list[float]:
        """The ratio, or the seconds, of every round; none where a cell was not measured."""
        ours, theirs = cells.get(self.row, {}).get(self.who), cells.get(self.other_row, {}).get(self.other)
        if ours and not self.other:
            return ours
        return [one / other for one, other in zip(ours, theirs, strict=True)] if ours and theirs else []


LOADED = "peak memory, loaded"
BESIDE = "peak memory, loaded, beside transformers"
ALL_HI = 'encode "hi"'
WITHOUT = ", without an engine"
RENDER = "render 1,600 with tools"

GOALS = [
    Goal("load", "fast", "load", "tiktoken", 0.35),
    *(Goal("load again", who, "", "", 0.010) for who in ("fast", "ours")),
    *(
        Goal(
            f"encode {size}",
            "fast",
            f"encode {size}",
            "tiktoken",
            0.2,
            "splintr by itself takes 0.3 here, and a second core gains no more than Python's integers take",
        )
        for size in ("400 KB", "10 MB")
    ),
    Goal(ALL_HI, "fast", '`encode_ordinary` of "hi"', "tiktoken", 0.5),
    *(
        Goal(
            f"render and encode {messages}{grown}",
            "fast",
            f"render {messages}",
            "fast",
            1.2,
            "" if grown else "splintr alone takes 0.2 to 0.3 of what rendering takes; see Chat, below",
        )
        for messages in ("1,600 messages", "1,600 with tools", "1,600 of Kimi-K3")
        for grown in (", grown", "")
    ),
    Goal(
        LOADED,
        "fast",
        "peak memory before loading, beside transformers",
        "tiktoken",
        1.0,
        "splintr keeps tables of its own, which take 30 MB, where this allows none at all",
    ),
    Goal(LOADED, "fast", BESIDE, "tiktoken", 1.0),
    *(Goal(f"{row}{WITHOUT}", "ours", f"{row}{WITHOUT}", "then", 1.0) for row in ("load", "encode 400 KB")),
    Goal(f"tokenizer(text), 400 KB{WITHOUT}", "ours", f"tokenizer(text), 400 KB{WITHOUT}", "then", 1.0),
    Goal(f"{ALL_HI}, 1,000 times{WITHOUT}", "ours", f"{ALL_HI}, 1,000 times{WITHOUT}", "then", 1.0),
    Goal(f"{RENDER}{WITHOUT}", "ours", f"{RENDER}{WITHOUT}", "then", 0.6),
    Goal("cold process to first ids", "fast", "cold process to first ids", "tiktoken", 0.5),
    Goal(
        "cold process to first ids",
        "ours",
        "cold process to first ids",
        "tiktoken",
        0.5,
        "without splintr, it waits for tiktoken's tables as well",
    ),
    *(
        Goal(
            "stream 64,000 ids, mlx-lm's class",
            who,
            "stream 8,000 ids, mlx-lm's class",
            who,
            10,
            "the class asks for the whole line at each id; a decode that only adds a word to a string takes 40 times "
            "as long, too",
        )
        for who in ("fast", "ours")
    ),
]

# What the chart for the README shows: row -> title.
CHARTED = {
    "cold process to first ids": "From nothing to the first ids",
    "load": "Loading",
    "encode 20 characters": "Encoding 20 characters",
    "encode 10 MB": "Encoding 10 MB",
    "batch of 1,000 lines": "A batch of 1,000 lines",
    "decode 1 MB": "Decoding 1 MB",
    "count 1 GB": "Counting 1 GB",
}
COLOURS = {
    "fast": "#1e8449",
    "ours": "#2471a3",
    "tiktoken": "#7f8c8d",
    "upstream": "#c0392b",
    "tokenizers": "#8e44ad",
}


def shown(row: str, figures: list[float]) -> str:
    value = statistics.median(figures)
    if "memory" in row:
        return f"{value:.0f} MB"
    for unit, factor in (("s", 1), ("ms", 1e3)):
        if value * factor >= 1:
            return f"{value * factor:.{2 if value * factor < 10 else 1 if value * factor < 100 else 0}f} {unit}"
    return f"{value * 1e6:.{1 if value < 1e-4 else 0}f} µs"


@dataclass(frozen=True)
class Verdict:
    """What became of a goal: the median, and between what half of the rounds lay."""

    goal: Goal
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, goal: Goal, values: list[float]) -> Verdict:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        return cls(goal, statistics.median(values), low, high)

    @property
    def missed(self) -> bool:
        """By more than the noise, and nothing says why. Two trees that are alike differ by a twentieth at times."""
        return self.low > self.goal.limit * 1.05 and not self.goal.reason

    @property
    def words(self) -> str:
        if self.value <= self.goal.limit:
            return "reached"
        if self.goal.reason:
            return f"out of reach: {self.goal.reason}"
        return "**missed**" if self.missed else "missed by less than the noise"


@dataclass(frozen=True)
class Report:
    """Everything that one run found."""

    cells: Cells
    differing: Mapping[str, list[str]]
    verdicts: list[Verdict]
    machine: str

    @property
    def missed(self) -> bool:
        return any(verdict.missed for verdict in self.verdicts)

    def markdown(self) -> str:
        """The goals, and then every row."""
        return "\n\n".join(filter(None, (self._goals(), self._rows(), self._notes())))

    def _goals(self) -> str:
        if not self.verdicts:
            return ""
        lines = ["| | compared with | ratio (half of the rounds) | goal | |", "| --- | --- | --- | --- | --- |"]
        for verdict in self.verdicts:
            goal = verdict.goal
            other, ratio, limit = "–", "–", f"{goal.limit * 1000:g} ms"
            if goal.other:
                other = COLUMNS[goal.other] + ("" if goal.other_row == goal.row else f", {goal.other_row}")
                other += f": {shown(goal.other_row, self.cells[goal.other_row][goal.other])}"
                ratio, limit = f"{verdict.value:.2f} ({verdict.low:.2f}–{verdict.high:.2f})", f"{goal.limit:g}"
            lines.append(
                f"| {goal.row}, {COLUMNS[goal.who]}: {shown(goal.row, self.cells[goal.row][goal.who])} "
                f"| {other} | {ratio} | {limit} | {verdict.words} |"
            )
        return "\n".join(lines)

    def _rows(self) -> str:
        """One contestant in a column; "–" for what it does not offer. What only goals ask for is left out."""
        rows = {row: found for row, found in self.cells.items() if "then" not in found}
        columns = [name for name in COLUMNS if any(name in found for found in rows.values())]
        lines = [
            "| | " + " | ".join(COLUMNS[name] + ("\\*" if name in self.differing else "") for name in columns) + " |",
            "| --- |" + " ---: |" * len(columns),
        ]
        for row, found in rows.items():
            entries = (shown(row, found[name]) if name in found else "–" for name in columns)
            lines.append(f"| {row} | {' | '.join(entries)} |")
        return "\n".join(lines) if rows else ""

    def _notes(self) -> str:
        return "\n".join(
            f"\\* {COLUMNS[name]} gives other ids: {', '.join(titles)}." for name, titles in self.differing.items()
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "versions": versions(),
            "machine": self.machine,
            "other ids": dict(self.differing),
            "goals": [
                {
                    **verdict.goal._asdict(),
                    **{name: rounded(getattr(verdict, name)) for name in ("value", "low", "high")},
                    "verdict": verdict.words.strip("*"),
                }
                for verdict in self.verdicts
            ],
            "rows, in seconds, and MB of peak memory": {
                row: {name: summary(figures) for name, figures in found.items()} for row, found in self.cells.items()
            },
        }


def report(cells: Cells, differing: Mapping[str, list[str]], machine: str, goals: Iterable[Goal] = GOALS) -> Report:
    verdicts = [Verdict.of(goal, values) for goal in goals if (values := goal.values(cells))]
    return Report(cells, differing, verdicts, machine)


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def summary(figures: list[float]) -> dict[str, float]:
    named = {"median": statistics.median(figures), "min": min(figures), "max": max(figures)}
    return {**{name: rounded(value) for name, value in named.items()}, "rounds": len(figures)}


def svg(cells: Cells) -> str:
    """A chart of some rows: what a user would take instead, as multiples of this package with its engine."""
    rows, y = [], 44
    for row, title in CHARTED.items():
        found = cells.get(row, {})
        if "fast" not in found:
            continue
        rows.append(f'<text x="12" y="{y + 12}" font-weight="bold">{html.escape(title)}</text>')
        y += 19
        for name in filter(found.__contains__, COLOURS):
            multiple = statistics.median(a / b for a, b in zip(found[name], found["fast"], strict=True))
            width = min(multiple, 12.0) * 36
            number = f"{multiple:.2f}" + (" (cut off)" if multiple > 12 else "")
            rows.append(
                f'<text x="150" y="{y + 10}" text-anchor="end">{COLUMNS[name].replace("`", "")}</text>'
                f'<rect x="158" y="{y}" width="{width:.1f}" height="12" rx="2" fill="{COLOURS[name]}"/>'
                f'<text x="{164 + width:.1f}" y="{y + 10}">{number}</text>'
            )
            y += 16
        y += 9
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y}" viewBox="0 0 720 {y}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">'
        f'<rect width="720" height="{y}" fill="white"/>'
        '<text x="12" y="24" font-size="15">Time as a multiple of kimi-tokenizers[fast] (shorter is faster)</text>'
        + "\n".join(rows)
        + "</svg>\n"
    )


def between(path: Path, name: str, content: str) -> None:
    """Put `content` between the two marks of that name in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{path.name} has no place for the table: put {begin} and {end} there.")
    path.write_text(f"{before}{begin}\n{content}\n{end}{after}", encoding="utf-8")


def save(result: Report, root: Path = ROOT) -> None:
    """Put the tables into CONTRIBUTING.md, and chart and figures beside the script."""
    between(root / "CONTRIBUTING.md", "bench", result.markdown())
    figures = json.dumps(result.as_json(), indent=1, ensure_ascii=False)
    (root / "scripts" / "bench.json").write_text(figures + "\n", encoding="utf-8")
    (root / "scripts" / "bench.svg").write_text(svg(result.cells), encoding="utf-8")
