"""A sign of life: on terminals only, after a moment, and gone without a trace."""

from __future__ import annotations

import io
import time

import pytest

from kimi_tokenizers.commands import waiting
from kimi_tokenizers.commands.output import emit
from kimi_tokenizers.commands.waiting import Waiting


class Stream(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("terminal", "term", "drawn"), [(True, "xterm", True), (False, "xterm", False), (True, "dumb", False)]
)
def test_it_is_drawn_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, drawn: bool
) -> None:
    stream = Stream(terminal)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(waiting, "_AFTER", 0.0)
    with Waiting("examining", 4) as sign:
        sign.next("a\nb")
        sign.next("é")
        deadline = time.monotonic() + 10
        while drawn and "25%" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        emit("a line", stream)
    text = stream.getvalue()
    assert ("examining 25%" in text) == drawn
    assert ("\x1b" in text) == drawn
    assert "\n" not in text.replace("a line\n", "")
    if drawn:
        assert "\r\x1b[Ka line\n" in text  # taken away before a line is written
        assert text.endswith("\r\x1b[K") or text.endswith("a line\n")


def test_what_is_done_at_once_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(True)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with Waiting("examining"):
        pass
    assert stream.getvalue() == ""
