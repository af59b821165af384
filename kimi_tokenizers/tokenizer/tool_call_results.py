"""What a parser of tool calls hands back: those that can be read, and what is wrong with the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kimi_tokenizers.errors import ToolCallError

__all__ = ["Calls", "ToolCallError", "short"]

_log = logging.getLogger("kimi_tokenizers")


class Calls(list[dict[str, Any]]):
    """Tool calls as mlx-lm's server takes them, and in `problems` what was left out and why."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []

    def add(self, read: Callable[..., dict[str, Any]], *arguments: Any) -> None:
        """Add what `read` returns, or the ToolCallError that it raises."""
        try:
            self.append(read(*arguments))
        except ToolCallError as error:
            self.problems.append(str(error))

    def checked(self, text: str, expected: str) -> Calls:
        """Itself; the problems are logged where there are calls, and are the error where there is none."""
        if self:
            for problem in self.problems:
                _log.warning("A tool call was left out: %s", problem)
            return self
        if self.problems:
            raise ToolCallError(f"No tool call found that can be read. {' '.join(self.problems[:5])}")
        raise ToolCallError(f"No tool call found in {short(text)}; expected `{expected}`.")


def short(text: str, most: int = 80) -> str:
    """The beginning of a text, with everything escaped that cannot be printed."""
    return repr(text[:most]) + ("…" if len(text) > most else "")
