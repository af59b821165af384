"""Everything that this package does with a model directory, done with a hostile one in a process of its own.

`exercise` says what is wrong with the outcome: an empty list where every promise was kept. What is promised: each step
ends, with a result or with a typed error that can be printed; nothing outside the model directory, the cache and the
view is changed, and nothing private told; no Python of the directory runs; the ids are right, or there are none; and
what `sync` changed, `restore` gives back.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import resource
import signal
import stat
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hostile.directories import FOLDER, HONEST_REPORT, MODEL, SECRET, Place

import kimi_tokenizers as kt
from kimi_tokenizers.commands import main
from kimi_tokenizers.evidence import isolated, load_like_exo

PROBE = "Don't<|im_end|><think>世界 [BOS]the Hello world!\n"
COMMANDS = ("status", "explain", "resolve", "view", "dry run", "sync", "status of the synced", "restore")
TOKENIZERS = ("load", "register", "exo on what resolve gave", "view", "exo on the view")

RECORD = ".kimi-tokenizers"  # how the names begin that are ours

LONGEST = 120  # seconds for all steps: who takes longer is taken for one that never ends
MOST_MEMORY = 3 << 30  # bytes more than at the beginning


def exercise(place: Place, model_dir: Path, ids: Sequence[int], steps: Sequence[str]) -> list[str]:
    """Do the steps with a model directory; what is wrong with what came of them.

    Args:
        ids: the right ids of `PROBE`.
    """
    outside, before = pictured(place.outside), pictured(place.models)
    outcomes, end = _in_a_process(place, model_dir, steps)
    wrong = [f"{name}: {what}" for name, outcome in outcomes.items() for what in _objections(name, outcome, ids)]
    if end != 0:
        unfinished = next((step for step in steps if step not in outcomes), "the end")
        how = "did not end" if end == -signal.SIGALRM else f"ended with {end}"
        wrong.append(f"{unfinished}: {how}")
    if place.canary.exists():
        wrong.append(f"Python of the directory ran: {place.canary.read_text()}")
    if pictured(place.outside) != outside:
        wrong.append(f"outside was changed: {_difference(outside, pictured(place.outside))}")
    if "restore" in outcomes:
        wrong += _not_given_back(before, pictured(place.models))
    wrong += [f"{path} tells what is private" for path in _told(place)]
    return wrong


def pictured(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All below a folder: kind, mode, time, and content or target."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            what: tuple[Any, ...] = (status.st_mode,)
            if stat.S_ISLNK(status.st_mode):
                what += (os.readlink(path),)
            elif stat.S_ISREG(status.st_mode):
                what += (status.st_size, status.st_mtime_ns)
                if status.st_size < 1 << 22:
                    what += (hashlib.sha256(Path(path).read_bytes()).hexdigest(),)
            found[os.path.relpath(path, folder)] = what
    return found


def _not_given_back(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Every file is what it was; where a directory brought a record along, its content is at least somewhere."""
    contents = {what[-1] for what in after.values() if len(what) == 4}
    files = {name: what for name, what in before.items() if len(what) == 4 and not name.endswith("/journal.json")}
    wrong = [f"lost: {name!a}" for name, what in files.items() if what[-1] not in contents]
    if not any(f"/{RECORD}/" in name for name in before):
        users = [
            {name: what for name, what in state.items() if RECORD not in name and ".kept-" not in name}
            for state in (before, after)
        ]
        if users[0] != users[1]:
            wrong.append(f"not given back: {_difference(*users)}")
    return wrong


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return "; ".join(f"{name!a}: {before.get(name)} -> {after.get(name)}" for name in sorted(names)[:3])


def _told(place: Place) -> list[str]:
    """Files elsewhere than outside that hold the secret and that others may read."""
    found = []
    for parent, _, files in os.walk(place.models.parent):
        for path in (Path(parent, name) for name in files):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > 1 << 22 or place.outside in path.parents:
                continue
            if SECRET.encode() in path.read_bytes() and status.st_mode & 0o077:
                found.append(str(path))
    return found


def _objections(name: str, outcome: tuple[str, Any], ids: Sequence[int]) -> list[str]:
    """What is wrong with how one step ended."""
    kind, value = outcome
    if kind == "raised":
        return [f"raised {value}"]
    if kind == "ids":
        return [] if list(value) == list(ids) or name == "resolve" else [f"the ids are {value}, and right are {ids}"]
    longest = max(map(len, (value if kind == "refused" else value[1]).split("\n")))
    if longest > 20_000:
        return [f"it shows a line of {longest:,} characters"]
    if kind == "refused":
        return [f"its error shows {value!a}"] if _moves_a_terminal(value) else []
    status, output = value
    wrong = [] if status in (0, 1) else [f"exit status {status}"]
    wrong += ["a traceback"] if "Traceback" in output else []
    wrong += [f"it shows {output!a}"] if _moves_a_terminal(output.replace("\n", "")) else []
    return wrong + (["it tells what is private"] if SECRET in output else [])


def _moves_a_terminal(text: str) -> bool:
    return any(not character.isprintable() for character in text.replace("\n", ""))


def _in_a_process(place: Place, model_dir: Path, steps: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The outcome of each step that ended, and how the process did."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            _limit(place)
            with open(write, "wb", buffering=0) as stream:
                for step in steps:
                    stream.write(pickle.dumps((step, _outcome(step, place, model_dir))))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    outcomes = {}
    with open(read, "rb") as stream, contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            step, outcome = pickle.load(stream)
            outcomes[step] = outcome
    return outcomes, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _limit(place: Place) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST)
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, hard))
    os.environ["KIMI_TOKENIZERS_CACHE"] = str(place.models.parent / "cache")
    os.environ["HOME"] = str(place.models.parent / "home")
    os.environ["EXO_DEFAULT_MODELS_DIR"] = str(place.models)
    os.fsync = lambda descriptor: None  # no machine goes down here
    os.chdir(place.models.parent)


def _outcome(step: str, place: Place, model_dir: Path) -> tuple[str, Any]:
    try:
        if step not in _STEPS:
            return "command", _command(step, place, model_dir)
        return "ids", list(_STEPS[step](place, model_dir))
    except kt.KimiTokenizersError as error:
        return "refused", str(error)
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {str(error)[:300]}\n{traceback.format_exc()[-600:]}"


def _command(step: str, place: Place, model_dir: Path) -> tuple[int, str]:
    models, view, report = str(place.models), str(place.models.parent / "view"), place.models.parent / "report.json"
    report.with_name("other.json").write_text(json.dumps(HONEST_REPORT))
    arguments = {
        "status": ["status", models],
        "status of the synced": ["status", models],
        "explain": ["explain", str(model_dir)],
        "dry run": ["sync", "--dry-run", models],
        "sync": ["sync", "--all", models],
        "restore": ["restore", models],
        "view": ["view", view, "--from", models],
        "compare": ["status", "--compare", str(report), str(report.with_name("other.json"))],
    }[step]
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 3
    return status, output.getvalue()


def _load(place: Place, model_dir: Path) -> Any:
    return kt.load(MODEL, model_dir).encode(PROBE)


def _register(place: Place, model_dir: Path) -> Any:
    from transformers import AutoTokenizer

    kt.register()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return AutoTokenizer.from_pretrained(model_dir).encode(PROBE, add_special_tokens=False)
        finally:
            # What contradicts the overlay is another model: transformers' own affair from there on, and said to be.
            said = [str(warning.message) for warning in caught if "leaves this directory" in str(warning.message)]
            if said:
                raise kt.KimiTokenizersError(said[0])


def _resolve(place: Place, model_dir: Path) -> Any:
    """No tokenizer yet: of what is in front, only what cannot be imported may be there beside our own files."""
    front = kt.resolve(MODEL, model_dir)
    importable = {str(path.relative_to(front)) for path in front.rglob("*") if path.suffix in (".py", ".pyc", ".so")}
    if importable - {"tokenization_kimi.py", "tool_declaration_ts.py"}:
        raise AssertionError(f"{sorted(importable)} could be imported from what resolve gave")
    return []


def _exo(directory: Path) -> Any:
    with isolated():
        return load_like_exo(directory, wrap=False).encode(PROBE)


def _exo_on_view(place: Place) -> Any:
    view = place.models.parent / "view" / FOLDER
    if not view.is_dir():
        raise kt.KimiTokenizersError("`view` has refused it")
    return _exo(view)


_STEPS: dict[str, Callable[[Place, Path], Any]] = {
    "resolve": _resolve,
    "load": _load,
    "register": _register,
    "exo on what resolve gave": lambda place, model_dir: _exo(kt.resolve(MODEL, model_dir)),
    "exo on the view": lambda place, model_dir: _exo_on_view(place),
}
