"""JSON in a Kimi-K3 prompt, made of values that a caller gave: exact, or a `ConversationError` that says where.

Python's `json` would write NaN, turn keys that are no text into text, and end in a RecursionError or a TypeError that
does not say which message it is about.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

try:
    from .kimi_tiktoken import ConversationError
except ImportError:  # inside the package, where that file has its own name
    from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError

_DEEPEST = 256


def compact(value: Any, where: str) -> str:
    """JSON without spaces, keys sorted at every depth. `where` begins the message of an error."""
    _check(value, where)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def spaced(value: Any, where: str) -> str:
    """JSON with `, ` and `: `, keys as they come."""
    _check(value, where)
    return json.dumps(value, ensure_ascii=False)


def parsed(text: str, where: str) -> tuple[bool, Any]:
    """A text that may be JSON: (True, its value), or (False, None) if it is none."""
    try:
        return True, json.loads(text, parse_constant=lambda name: _not_json(name, where))
    except json.JSONDecodeError:
        return False, None
    except (RecursionError, MemoryError):
        raise _too_deep(where) from None
    except ConversationError:
        raise
    except ValueError as error:  # a number with more digits than Python reads
        raise ConversationError(f"{where} cannot be read: {error}.") from error


def type_name(value: Any) -> str:
    """JSON's name for the type of a value that has been checked."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if value is None:
        return "null"
    return "object" if isinstance(value, Mapping) else "array"


def _not_json(name: str, where: str) -> Any:
    raise ConversationError(f"{where} holds {name}, which is not JSON. Use null, or a text.")


def _too_deep(where: str) -> ConversationError:
    return ConversationError(f"{where} is nested more than {_DEEPEST} levels deep, or contains itself. Flatten it.")


def _check(value: Any, where: str, depth: int = 0) -> None:
    """Raise ConversationError for what JSON cannot say."""
    if depth > _DEEPEST:
        raise _too_deep(where)
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        _check_digits(value, where)
    elif isinstance(value, float):
        if not math.isfinite(value):
            _not_json(str(float(value)), where)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConversationError(f"{where} has the key {short(key)}, but keys must be text.")
            _check(item, where, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, where, depth + 1)
    else:
        raise ConversationError(
            f"{where} holds {short(value)}, which JSON has no form for. Give text, numbers, true, false, null, lists "
            "and objects."
        )


def _check_digits(value: int, where: str) -> None:
    try:
        int.__repr__(value)
    except ValueError as error:
        raise ConversationError(f"{where} holds a number that cannot be written: {error}.") from error


def short(value: Any) -> str:
    """A value for people; its own class may do anything when asked for its text."""
    if isinstance(value, int) and abs(value) >= 10**60:
        return "a very large number"
    if isinstance(value, (str, bytes, int, float, type(None))):
        return repr(value[:60] if isinstance(value, (str, bytes)) else value)[:60]
    return f"an object of type {type(value).__name__[:80]}"
