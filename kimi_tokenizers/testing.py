"""Checks for other projects' tests: does a tokenizer give the known answers, and does it keep exo's rules?

Every check is one function that returns nothing or raises `CheckError`, an `AssertionError` that says what was found
and what was expected. `check_model_dir` does all of them; `pytest --kimi-model-dir=DIR` runs it as tests. What could
not be checked is never called fine: it is a `NotCheckedError`, or a `NotCheckedWarning` where only a part could not.

>>> check_encoding(lambda text: tokenizer.encode(text))
>>> check_model_dir("models/moonshotai--Kimi-K2.6")
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.evidence import (
    CheckError,
    check_decoding,
    check_encoding,
    check_exo_rules,
    check_like_exo,
    check_tokenizer,
    known_answers,
    open_reference,
    private_copy,
)
from kimi_tokenizers.model_dirs import Model, TokenizerFiles, check_vocabulary, completeness, identify, importable
from kimi_tokenizers.tokenizer import KnownAnswer, every_known_answer, known_answers_of, load

__all__ = [
    "KNOWN_ANSWERS",
    "CheckError",
    "KnownAnswer",
    "NotCheckedError",
    "NotCheckedWarning",
    "check_decoding",
    "check_encoding",
    "check_exo_rules",
    "check_model_dir",
    "check_tokenizer",
    "checks_of_model_dir",
    "known_answers",
]

KNOWN_ANSWERS = every_known_answer()


class NotCheckedError(KimiTokenizersError):
    """A check that could not be made: nothing is known to be wrong, and nothing was found to be right."""


class NotCheckedWarning(UserWarning):
    """A part of a check that could not be made."""


def check_model_dir(
    model_dir: str | os.PathLike[str], model_id: str | None = None, *, trust_remote_code: bool = False
) -> None:
    """Everything that can be checked about a model directory; see `checks_of_model_dir`.

    Raises:
        CheckError: a check failed; or exo would not load the directory as it is.

    Warns:
        NotCheckedWarning: what could not be checked.
    """
    for name, check in checks_of_model_dir(model_dir, model_id, trust_remote_code=trust_remote_code).items():
        try:
            check()
        except NotCheckedError as error:
            warnings.warn(f"{name}: {error}", NotCheckedWarning, stacklevel=2)


def checks_of_model_dir(
    model_dir: str | os.PathLike[str], model_id: str | None = None, *, trust_remote_code: bool = False
) -> dict[str, Callable[[], None]]:
    """The checks of a model directory, by name; nothing is written to it.

    - `vocabulary`: what it says of itself does not contradict the line's vocabulary (the guard);
    - `overlay`: with the overlay in front it tokenizes right and keeps exo's rules;
    - `data`: its own rank table or tokenizer.json gives the known answers; `NotCheckedError` where it has neither;
    - `exo`: exo would load the directory as it is, and what it loads is right. What `status` knows without executing
      anything comes first. Then exo's loading steps are taken, in a process of their own and on a copy of the tokenizer
      files, never on the directory itself. They execute its Python: only if that is the overlay's, byte for byte, or is
      trusted. Where it is upstream's known one, which is not executed, it is a `NotCheckedError`; any other Python, and
      any other module that exo would import from the directory, cannot be called fine, and fails.

    Args:
        model_id: `owner/name`; by default what the directory's name and files say.
        trust_remote_code: execute Python that comes with the directory: every `.py` at its top. Packages, compiled
            modules and bytecode are not taken along, which is a `NotCheckedWarning` where exo would import them.

    Raises:
        CheckError: nothing says that it is a directory of a Kimi model.
        ModelDirError: it cannot be read.
    """
    with TokenizerFiles(model_dir) as directory:
        path = directory.path
        overlay = catalogue.get(model_id) if model_id else identify(directory)
    if overlay is None:
        raise CheckError(
            f"Nothing in {str(path)!r} says that it is a Kimi model. Give its model id as well (--kimi-model)."
        )
    line, model = overlay.line, model_id or overlay.models[0]
    checks: dict[str, Callable[[], None]] = {
        "vocabulary": lambda: _guarded(lambda: _check_vocabulary(overlay, path)),
        "overlay": lambda: _guarded(lambda: _check_overlaid(model, path, line)),
    }
    checks["data"] = lambda: _guarded(lambda: _check_data(path, line))
    checks["exo"] = lambda: _check_exo(Model(model, path, overlay), trusted=trust_remote_code)
    return checks


def _guarded(check: Callable[[], None]) -> None:
    """Errors that say that the directory is wrong, as CheckError."""
    try:
        check()
    except (CheckError, NotCheckedError):
        raise
    except KimiTokenizersError as error:
        raise CheckError(str(error)) from error


def _check_vocabulary(overlay: Overlay, path: Path) -> None:
    with TokenizerFiles(path) as directory:
        check_vocabulary(overlay, directory)


def _check_overlaid(model_id: str, path: Path, line: str) -> None:
    check_tokenizer(load(model_id, path), line)


def _check_data(path: Path, line: str) -> None:
    if not any((path / name).exists() for name in ("tiktoken.model", "tokenizer.json")):
        raise NotCheckedError("not checked: there is neither a tiktoken.model nor a tokenizer.json of its own.")
    reference = open_reference(str(path), line)
    if reference.encode is None:
        raise CheckError(f"{str(path)!r}: {' '.join(reference.notes)}")
    for control in (True, False):
        answers = [answer for answer in known_answers_of(line) if answer.control == control]
        if not answers:
            raise CheckError(f"There are no known answers of {line} to check with. Reinstall kimi-tokenizers.")
        found = reference.encode([answer.text for answer in answers], control) or []
        for answer, ids in zip(answers, found, strict=True):
            if ids != list(answer.ids):
                raise CheckError(
                    f"{str(path)!r} ({reference.kind}): {answer.text!r} encodes to {ids}, expected {list(answer.ids)}. "
                    "`kimi-tokenizers parity` shows where it begins."
                )


def _check_exo(model: Model, *, trusted: bool) -> None:
    path = model.path
    status = sync.examine(model)
    if status.tokenizer == "refused" or (status.tokenizer == "broken" and not trusted):
        shown = f" exo shows: {status.error}" if status.error and status.error not in status.detail else ""
        raise CheckError(f"exo would not load {str(path)!r}: {status.detail}.{shown} {_mending(model, status)}")
    indexes = completeness(path).indexes
    if status.state == "incomplete" and (indexes or status.would_load is None):
        raise CheckError(f"exo would not load {str(path)!r} as it is: {status.detail}. Download the rest of it first.")
    modules = importable(path)
    if modules and not trusted:
        raise CheckError(
            f"Whether exo would load {str(path)!r} is not known: {status.detail}. Nothing of it was executed "
            "(--kimi-trust-remote-code)."
        )
    _take_exos_steps(model, status, trusted=trusted)
    left_out = [name for name in modules if not name.endswith(".py")]
    if left_out:
        _warn(f"exo would import {', '.join(left_out)} from {str(path)!r}, which were not taken along")
    if status.state == "incomplete":
        _warn(f"whether the weights in {str(path)!r} are complete, as no index names them")


def _take_exos_steps(model: Model, status: sync.ModelStatus, *, trusted: bool) -> None:
    """Take exo's loading steps on a copy of the tokenizer files, if the Python among them may be executed."""
    path, overlay = model.path, model.overlay
    with TokenizerFiles(path) as directory:
        if trusted or _is_ours(overlay, directory):
            with private_copy(overlay, directory, trusted=trusted) as copy:
                problems = check_like_exo(copy, overlay.line)
            if problems:
                raise CheckError(f"exo's loading steps on {str(path)!r}: {' '.join(problems)}")
            return
    if any(origin == "unknown" for name, origin in status.files.items() if name.endswith(".py")):
        raise CheckError(
            f"Whether exo would load {str(path)!r} is not known: its Python is neither upstream's known one nor ours, "
            f"and it is not executed unless it is trusted (--kimi-trust-remote-code). {_mending(model, status)}"
        )
    raise NotCheckedError(
        f"not checked: exo's loading steps, which execute the Python in {str(path)!r}. It is known, and not ours "
        f"of this version ({status.state}: {status.detail}). --kimi-trust-remote-code takes the steps."
    )


def _warn(what: str) -> None:
    warnings.warn(f"not checked: {escaped(what)}.", NotCheckedWarning, stacklevel=3)


def _is_ours(overlay: Overlay, directory: TokenizerFiles) -> bool:
    try:
        return all(directory.read(name) == overlay.read(name) for name in overlay.always_ours if name.endswith(".py"))
    except KimiTokenizersError:
        return False


def _mending(model: Model, status: sync.ModelStatus) -> str:
    advised = sync.advice(model, status)
    if advised is None:
        return ""
    return f"{advised.what} Run: {sync.typed((advised.command[0], str(model.path)))}".strip()
