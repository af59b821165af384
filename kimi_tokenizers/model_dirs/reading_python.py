"""Python that comes with a model directory, read in a process of its own and never executed.

A file can be written so that Python's parser takes minutes or gigabytes over it, or ends its whole process (a deep
expression does, up to Python 3.10). So the parser runs elsewhere, with limits on size, time and memory, and where it
gives up, that is the answer. It needs the standard library alone: the other process is given this file's text.
"""

from __future__ import annotations

import ast
import base64
import binascii
import contextlib
import functools
import json
import marshal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from types import CodeType
from typing import Any

SOURCE_BYTES = 256 * 1024
"""Longer Python is not read. Upstream's has 13 KB, and the packaged one 66 KB."""

SECONDS = 20
_MEMORY_BYTES = 1 << 30  # the worst that was found takes 240 MB and 3 s


@dataclass
class Outline:
    """What reading a module shows of a class that it should have.

    Attributes:
        unread: why it was not read; everything else is then empty.
        error: the SyntaxError, as Python writes it.
        imported: the modules from which its own statements import names.
        bound: whether something binds the class; None where that only shows when it runs.
        made_of: what the class is derived from, or what else its name is bound to.
    """

    unread: str = ""
    error: str = ""
    imported: list[str] = field(default_factory=list)
    bound: bool | None = None
    made_of: str = ""


def outline(source: bytes, name: str) -> Outline:
    """Read a module and look for the class `name` in it."""
    if len(source) > SOURCE_BYTES:
        return Outline(f"it has more than {SOURCE_BYTES // 1024} KB")
    found = _ask({"source": base64.b64encode(source).decode("ascii"), "name": name})
    if not isinstance(found, dict):
        return Outline(f"Python gave up on it, within {SECONDS} s or for its depth")
    return Outline(**found)


def assigned_text(source: bytes, names: list[str]) -> str | None:
    r"""The string that is assigned to one of these names, underscores and case aside: a literal, or `"|".join([…])` of
    literals. None where there is none, or where the source cannot be read."""
    if len(source) > SOURCE_BYTES:
        return None
    found = _ask({"source": base64.b64encode(source).decode("ascii"), "assigned": names})
    return found if isinstance(found, str) else None


def is_compiled_from(source: bytes, bytecode: bytes, optimize: int) -> bool:
    """Whether bytecode of this very Python is what it makes of a source. What cannot be read is not."""
    if max(len(source), len(bytecode)) > 2 * SOURCE_BYTES:
        return False
    values = {"source": source, "bytecode": bytecode}
    encoded: dict[str, Any] = {key: base64.b64encode(value).decode("ascii") for key, value in values.items()}
    return _ask({**encoded, "optimize": optimize}) is True


def _ask(question: dict[str, Any]) -> Any:
    """The other process's answer; None where it has none, whatever became of it."""
    text = _own_text()
    if not text or not sys.executable:
        return None
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", text],
            input=json.dumps(question).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, RecursionError, subprocess.TimeoutExpired):
        return None


@functools.lru_cache(maxsize=1)
def _own_text() -> str | None:
    loader = __spec__.loader if __spec__ is not None else None
    text = getattr(loader, "get_source", lambda name: None)(__name__)
    return text if isinstance(text, str) else None


# -- in the other process ------------------------------------------------------------------------------------


def _main() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    question = json.load(sys.stdin)
    source = base64.b64decode(question["source"])
    if "bytecode" in question:
        answer: Any = _same(source, base64.b64decode(question["bytecode"]), question["optimize"])
    elif "assigned" in question:
        answer = _assigned(source, question["assigned"])
    else:
        answer = asdict(_outline(source, question["name"]))
    sys.stdout.write(json.dumps(answer))


def _outline(source: bytes, name: str) -> Outline:
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError) as error:  # ValueError: a NUL in it
        return Outline(error=f"{type(error).__name__}: {error}")
    imported = [node.module or "" for node in statements if isinstance(node, ast.ImportFrom)]
    for node in reversed(statements):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return Outline(imported=imported)
        if name in _bound(node):
            if isinstance(node, (ast.If, ast.Try, ast.For, ast.While, ast.With)):
                return Outline(imported=imported)
            return Outline(imported=imported, bound=True, made_of=" ".join(_made_of(node)))
    return Outline(imported=imported, bound=False)


def _assigned(source: bytes, names: list[str]) -> str | None:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign):
            continue
        targets = [getattr(target, "id", getattr(target, "attr", "")) for target in node.targets]
        if not any(target.lower().strip("_") in names for target in targets):
            continue
        value, joint = node.value, ""
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "join":
            joint, value = ast.literal_eval(value.func.value), value.args[0]
        found = ast.literal_eval(value)
        return found if isinstance(found, str) else str(joint).join(found)
    return None


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a statement binds in its module."""
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    names = []
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names += [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
    return names


def _made_of(node: ast.stmt) -> list[str]:
    """The names that a class is derived from, or that another binding takes its value from."""
    if isinstance(node, ast.ClassDef):
        return [ast.unparse(base) for base in node.bases]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.name for alias in node.names]
    return [ast.unparse(node)]


def _same(source: bytes, bytecode: bytes, optimize: int) -> bool:
    try:
        theirs = marshal.loads(bytecode)
    except (ValueError, EOFError, TypeError, binascii.Error):
        return False
    if not isinstance(theirs, CodeType):
        return False
    return same_code(theirs, compile(source, theirs.co_filename, "exec", dont_inherit=True, optimize=optimize))


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of code do the same. Where they were compiled does not count.

    Python's own `==` compares constants strictly; what else it leaves out depends on its version.
    """
    names = [name for name in dir(one) if name.startswith("co_") and name not in ("co_filename", "co_lnotab")]
    for name in names:
        values = getattr(one, name), getattr(other, name)
        if name == "co_consts":
            codes = [[value for value in constants if isinstance(value, CodeType)] for constants in values]
            if len(codes[0]) != len(codes[1]) or not all(map(same_code, *codes)):
                return False
        elif not callable(values[0]) and values[0] != values[1]:
            return False
    return one == other


if __name__ == "__main__":
    _main()
