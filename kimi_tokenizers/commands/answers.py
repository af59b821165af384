"""What a node answered, believed only as far as its form goes.

A node may be broken, or not ours any more. Of what it sends, only the keys that are used are kept, each of the type and
size that it has where everything is fine; anything else is a NodeError. It must never be printed but through `escaped`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kimi_tokenizers.errors import NodeError
from kimi_tokenizers.model_dirs import parse_json
from kimi_tokenizers.sync import REPORT_SCHEMA

MAX_TEXT = 4096
MAX_ITEMS = 1000

_STATES = ("healthy", "overlaid", "broken", "drifted", "refused", "incomplete")
_PRINT = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelDone:
    """What `sync` or `restore` did with one model: the files it wrote (or would), why it skipped it, what is wrong.

    `warning` is wrong with the directory, and not changed by a sync.
    """

    model: str
    path: str
    files: tuple[str, ...]
    skipped: str | None
    problem: str | None
    warning: str | None = None


@dataclass
class Examined:
    """Everything known of one node.

    Attributes:
        problem: why it could not be examined to the end; None if it was.
        python: the version of its `python3`; empty if it did not get that far.
        report: its status, after what was done; with the keys of `status --json` that are compared or shown.
        problems: what it says is wrong besides its models.
        done: what `sync` or `restore` did; None if neither was run.
        machine: a name of the running machine; empty if it has none.
        places: device and inode of its model directories.
    """

    node: str
    problem: str | None = None
    python: str = ""
    report: Mapping[str, Any] = field(default_factory=lambda: {"models": []})
    problems: Sequence[str] = ()
    done: Sequence[ModelDone] | None = None
    machine: str = ""
    places: frozenset[tuple[int, int]] = frozenset()

    @property
    def models(self) -> Sequence[Mapping[str, Any]]:
        models: Sequence[Mapping[str, Any]] = self.report["models"]
        return models

    def failed(self) -> bool:
        """Whether something is wrong with what was done or examined there, its models' states aside."""
        done = self.done or ()
        return bool(self.problem or self.problems or not self.models or any(one.problem or one.warning for one in done))


def json_of(text: str | bytes) -> Any:
    """JSON from a node. Raises ValueError, also for what is nested too deeply or has numbers that nothing here has."""
    return parse_json(text, parse_int=_small, parse_constant=_small)


def _small(text: str) -> int:
    """An int. To read one of millions of digits takes minutes."""
    if len(text) > 20 or not text.lstrip("-").isdigit():
        raise ValueError(f"{text[:20]} is no number that could be meant")
    return int(text)


def as_report(answer: Any) -> tuple[Mapping[str, Any], list[str]]:
    """The status that a node answered, and what it says is wrong besides. Raises NodeError."""
    value = _output(answer, "status")
    models = [_model(one) for one in _items(value, "models", dict)]
    problems = [_text(one, "a problem") for one in _items(value, "problems", str)]
    if not value["ok"] and models and not problems and all(model["would_load"] for model in models):
        problems = ["its `status` says that something is wrong, but not what"]
    return {"models": models}, problems


def as_done(answer: Any, command: str) -> tuple[list[ModelDone], list[str]]:
    """What `sync` or `restore` did on a node, and what it says is wrong besides. Raises NodeError."""
    value = _output(answer, command)
    done = []
    for one in _items(value, "models", dict):
        files = [
            f"{_get(file, 'name', _text)} ({_get(file, 'action', _text)})"
            for file in _items(one, "files", dict)
            if file.get("action") not in ("keep", "nothing")
        ]
        texts = [_get(one, key, _text) for key in ("model", "path")]
        reasons = [_get(one, key, _text_or_none) for key in ("skipped", "problem")]
        warning = _text_or_none(one.get("warning"), "'warning'")
        done.append(ModelDone(texts[0] or "", texts[1] or "", tuple(files), reasons[0], reasons[1], warning))
    problems = [_text(one, "a problem") for one in _items(value, "problems", str)]
    if not value["ok"] and not problems and not any(one.problem or one.warning for one in done):
        problems = [f"its `{command}` says that something is wrong, but not what"]
    return done, problems


def as_identity(answer: Any) -> tuple[str, frozenset[tuple[int, int]]]:
    """Which machine a node is, and device and inode of its model directories. Raises NodeError."""
    if not isinstance(answer, dict):
        raise _strange("its identity")
    places = set()
    for place in _items(answer, "places", object):
        if place is not None:
            if not (isinstance(place, list) and [*map(type, place)] == [int, int]):
                raise _strange("the place of a model directory")
            places.add((place[0], place[1]))
    return _get(answer, "machine", _text), frozenset(places)


def _output(answer: Any, command: str) -> dict[str, Any]:
    """The JSON that a command printed on a node."""
    if not isinstance(answer, dict) or type(answer.get("exit")) is not int:
        raise _strange(f"`{command}`")
    said = answer.get("stderr")
    lines = [line for line in (said if isinstance(said, str) else "").splitlines() if line.strip()]
    why = f" It said: {lines[-1][:300]}" if lines else ""
    try:
        value = json_of(answer["stdout"])
    except (KeyError, TypeError, ValueError) as error:
        raise NodeError(f"`{command}` ended with status {answer['exit']} and printed no report.{why}") from error
    if not isinstance(value, dict) or value.get("schema") != REPORT_SCHEMA or type(value.get("ok")) is not bool:
        raise NodeError(f"`{command}` printed something that is no report.{why}")
    if answer["exit"] not in (0, 1):
        raise NodeError(f"`{command}` ended with status {answer['exit']}.{why}")
    if answer["exit"] == 1:
        value["ok"] = False
    return value


def _model(value: Mapping[str, Any]) -> dict[str, Any]:
    state = value.get("state")
    loads = value.get("would_load")
    if state not in _STATES or not (loads is None or type(loads) is bool):
        raise _strange("the state of a model")
    return {
        **{key: _get(value, key, _text) for key in ("model", "path", "detail")},
        "state": state,
        "would_load": loads,
        "next": _text_or_none(value.get("next"), "'next'"),
        "fingerprints": _get(value, "fingerprints", _prints),
    }


def _prints(value: Any, what: str) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _strange(what)
    prints = {key: _get(value, key, _text) for key in ("tokens", "prompts")}
    if not all(_PRINT.fullmatch(one) for one in prints.values()):
        raise _strange(what)
    return prints


def _get(value: Mapping[str, Any], key: str, check: Callable[[Any, str], _T]) -> _T:
    if key not in value:
        raise _strange(repr(key))
    return check(value[key], repr(key))


def _items(value: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    items = value.get(key)
    if not isinstance(items, list) or len(items) > MAX_ITEMS or not all(isinstance(one, kind) for one in items):
        raise _strange(repr(key))
    return items


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise _strange(what)
    return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"


def _text_or_none(value: Any, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _strange(what: str) -> NodeError:
    return NodeError(f"What it answered is not of the form it should have ({what}). Is its python3 what it should be?")
