"""Checks for other projects' tests: does a tokenizer give the known answers, and does it keep exo's rules?

Every check is one function that returns nothing or raises `CheckError`, an `AssertionError` that says what was found
and what was expected. `check_model_dir` does all of them; `pytest --kimi-model-dir DIR` runs it as tests.

>>> check_encoding(lambda text: tokenizer.encode(text))
>>> check_model_dir("models/moonshotai--Kimi-K2.6")
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence import (
    CheckError,
    check_decoding,
    check_encoding,
    check_exo_rules,
    check_like_exo,
    check_tokenizer,
    known_answers,
    open_reference,
)
from kimi_tokenizers.model_dirs import check_vocabulary, checked_dir, identify, read_small
from kimi_tokenizers.tokenizer import KnownAnswer, every_known_answer, known_answers_of, load

__all__ = [
    "KNOWN_ANSWERS",
    "CheckError",
    "KnownAnswer",
    "check_decoding",
    "check_encoding",
    "check_exo_rules",
    "check_model_dir",
    "check_tokenizer",
    "checks_of_model_dir",
    "known_answers",
]

KNOWN_ANSWERS = every_known_answer()


def check_model_dir(
    model_dir: str | os.PathLike[str], model_id: str | None = None, *, trust_remote_code: bool = False
) -> None:
    """Everything that can be checked about a model directory; see `checks_of_model_dir`. Raises CheckError."""
    for check in checks_of_model_dir(model_dir, model_id, trust_remote_code=trust_remote_code).values():
        check()


def checks_of_model_dir(
    model_dir: str | os.PathLike[str], model_id: str | None = None, *, trust_remote_code: bool = False
) -> dict[str, Callable[[], None]]:
    """The checks of a model directory, by name; nothing is written to it.

    - `vocabulary`: what it says of itself does not contradict the line's vocabulary (the guard);
    - `overlay`: with the overlay in front it tokenizes right and keeps exo's rules;
    - `data`: its own rank table or tokenizer.json gives the known answers;
    - `exo`: exo's loading steps work on it as it is, and what they give is right. Its Python is executed for that, in a
      process of its own; so this check is there only if that Python is the overlay's, byte for byte, or is trusted.

    Args:
        model_id: `owner/name`; by default what the directory's name and files say.
        trust_remote_code: execute Python that comes with the directory.

    Raises:
        CheckError: nothing says that it is a directory of a Kimi model.
        ModelDirError: it cannot be read.
    """
    path = checked_dir(model_dir)
    overlay = catalogue.get(model_id) if model_id else identify(path)
    if overlay is None:
        raise CheckError(f"Nothing in {str(path)!r} says that it is a Kimi model. Give its model id as well.")
    line, model = overlay.line, model_id or overlay.models[0]
    checks: dict[str, Callable[[], None]] = {
        "vocabulary": lambda: _guarded(lambda: check_vocabulary(overlay, path)),
        "overlay": lambda: _guarded(lambda: _check_overlaid(model, path, line)),
    }
    if any((path / name).exists() for name in ("tiktoken.model", "tokenizer.json")):
        checks["data"] = lambda: _guarded(lambda: _check_data(path, line))
    # exo executes a model directory's Python for ids with this in them only.
    if "kimi-k2" in model.lower() and (
        trust_remote_code
        or all(read_small(path / name) == overlay.read(name) for name in overlay.always_ours if name.endswith(".py"))
    ):
        checks["exo"] = lambda: _check_exo(path, line)
    return checks


def _guarded(check: Callable[[], None]) -> None:
    """Errors that say that the directory is wrong, as CheckError."""
    try:
        check()
    except CheckError:
        raise
    except KimiTokenizersError as error:
        raise CheckError(str(error)) from error


def _check_overlaid(model_id: str, path: Path, line: str) -> None:
    check_tokenizer(load(model_id, path), line)


def _check_data(path: Path, line: str) -> None:
    reference = open_reference(str(path), line)
    if reference.encode is None:
        raise CheckError(f"{str(path)!r}: {' '.join(reference.notes)}")
    for control in (True, False):
        answers = [answer for answer in known_answers_of(line) if answer.control == control]
        found = reference.encode([answer.text for answer in answers], control) or []
        for answer, ids in zip(answers, found, strict=True):
            if ids != list(answer.ids):
                raise CheckError(
                    f"{str(path)!r} ({reference.kind}): {answer.text!r} encodes to {ids}, expected {list(answer.ids)}. "
                    "`kimi-tokenizers parity` shows where it begins."
                )


def _check_exo(path: Path, line: str) -> None:
    problems = check_like_exo(path, line)
    if problems:
        raise CheckError(f"exo's loading steps on {str(path)!r}: {' '.join(problems)}")
