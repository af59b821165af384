"""Does the package work here? Every packaged file against its SHA-256, bytecode against its source, and known answers.

The files can be checked wherever Python runs; the answers need the packages that tokenize. Where these are missing, as
on an operator's machine, the result says that the answers were not checked.
"""

from __future__ import annotations

import json
import marshal
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from importlib.util import MAGIC_NUMBER, cache_from_source, find_spec
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import prompt_fingerprint, same_code, token_fingerprint
from kimi_tokenizers.version import __version__

_NEEDED = ("tiktoken", "transformers", "jinja2")  # to give an answer
_PACKAGES = ("tiktoken", "transformers", "tokenizers", "jinja2", "mlx-lm")

# A conversation with everything in it, and what Kimi-K2.6 is to read.
_TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}},
}
_CALL = {"id": "functions.get_weather:0", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
_MESSAGES = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "reasoning_content": "Ask.", "tool_calls": [_CALL]},
    {"role": "tool", "tool_call_id": "functions.get_weather:0", "content": "晴"},
]
_PROMPT = (
    "<|im_system|>tool_declare<|im_middle|># Tools\n\n## functions\nnamespace functions {\n"
    "type get_weather = (_: {\n  city?: string\n}) => any;\n}\n<|im_end|>"
    "<|im_user|>user<|im_middle|>Weather?<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|><think>Ask.</think><|tool_calls_section_begin|><|tool_call_begin|>"
    "functions.get_weather:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|><|im_end|>"
    "<|im_system|>tool<|im_middle|>## Return of functions.get_weather:0\n晴<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|><think>"
)

# The same for Kimi-K3; the control tokens in it are markup, but for those that the user wrote.
_K3_MESSAGES = [{"role": "user", "content": "Weather? <|sep|>"}, *_MESSAGES[1:]]
_K3_TEXT_SHA256 = "f928d8a6cfe3d48842284a889c3ed4d3ac0cb3f7967a78b5c6d615c5cb761628"
_K3_IDS_SHA256 = "c22f5053349e12ac9f7a3af58745d045d8cc1085c422d5c0a05c4718589cee6d"


@dataclass
class Verification:
    """What was checked, and what is wrong.

    Attributes:
        versions: package -> version, of this environment.
        files: number of packaged files checked.
        answers: number of known answers checked.
        fingerprints: line -> {"tokens", "prompts"} (see `fingerprint`).
        problems: what is wrong, for people; empty when all that was checked is well.
        not_checked: what could not be checked here, and why, for people; empty when everything was.
    """

    versions: dict[str, str] = field(default_factory=dict)
    files: int = 0
    answers: int = 0
    fingerprints: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)


def versions() -> dict[str, str]:
    """The versions that decide how the tokenizer behaves here; packages that are not installed are left out."""
    result = {"kimi-tokenizers": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            result[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return result


def verify() -> Verification:
    """Check packaged files, then known answers of every line, if they can be checked here."""
    result = Verification(versions=versions())
    try:
        _check_files(result)
        result.problems += _foreign_bytecode()
    except KimiTokenizersError as error:
        result.problems.append(str(error))
    objection = "a damaged tokenizer is not run" if result.problems else _why_no_answers()
    if objection:
        result.not_checked.append(f"the known answers ({objection})")
        return result
    try:
        for problem in _wrong_answers():
            result.answers += 1
            result.problems += [problem] if problem else []
    except (KimiTokenizersError, ImportError) as error:  # of what is installed, something does not work
        result.problems.append(f"The known answers could not be checked to the end: {error}")
    return result


def _check_files(result: Verification) -> None:
    for overlay in catalogue.overlays().values():
        for file in overlay.files.values():
            result.files += 1
            try:
                file.read()
            except KimiTokenizersError as error:
                result.problems.append(str(error))
        if not result.problems:
            result.fingerprints[overlay.line] = {
                "tokens": token_fingerprint(overlay),
                "prompts": prompt_fingerprint(overlay),
            }


def _foreign_bytecode() -> Iterator[str]:
    """What is wrong with bytecode that Python executes in the place of the package's sources, here and now."""
    package = Path(__file__).resolve().parent.parent
    folders = (package, package / "overlays")  # in a clone the second is a link
    for path in sorted({path.resolve() for folder in folders for path in folder.resolve().rglob("*.py")}):
        bytecode = Path(cache_from_source(str(path)))
        try:
            data, source, status = bytecode.read_bytes(), path.read_bytes(), path.stat()
        except OSError:
            continue  # there is none
        dated = struct.pack("<III", 0, int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
        if data[:4] != MAGIC_NUMBER or (data[4:8] == bytes(4) and data[4:16] != dated):
            continue  # Python makes it anew
        if not _is_compiled_from(source, data[16:]):
            yield f"{str(bytecode)!r} is not what {path.name} says, and would run in its place. Remove it."


def _is_compiled_from(source: bytes, bytecode: bytes) -> bool:
    try:
        code = marshal.loads(bytecode)
        return same_code(code, compile(source, code.co_filename, "exec", dont_inherit=True))
    except (ValueError, TypeError, EOFError, AttributeError, SyntaxError):
        return False


def _why_no_answers() -> str:
    """Why this environment cannot give answers; "" if it can."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        return f"they need {', '.join(_NEEDED)}; not installed here: {', '.join(missing)}"
    return "they need Python 3.10 or newer" if sys.version_info < (3, 10) else ""


def _wrong_answers() -> Iterator[str]:
    """For each known answer what is wrong with it here, "" if nothing."""
    from kimi_tokenizers.tokenizer import known_answers_of, load

    for line, overlay in catalogue.overlays().items():  # one tokenizer at a time: each holds some 60 MB
        tokenizer = load(overlay.models[0])
        if not known_answers_of(line):
            yield f"{line}: there are no known answers to check with. Reinstall kimi-tokenizers."
        for home, control, text, ids in known_answers_of(line):
            if not control and home != line:
                continue  # plain text is the same for all
            found = tokenizer.encode(text, allow_special_tokens=control)
            yield "" if tuple(found) == ids else f"{line}: {text!r} encodes to {found}, expected {list(ids)}."
            back: Any = tokenizer.decode(list(ids))
            yield "" if back == text else f"{line}: {list(ids)} decodes to {back!r}, expected {text!r}."
        if overlay.default:
            prompt = tokenizer.apply_chat_template(_MESSAGES, tools=[_TOOL])
            yield "" if prompt == _PROMPT else f"{line}: the chat template renders {prompt!r}, expected {_PROMPT!r}."
        if overlay.encoder:
            prompt = tokenizer.apply_chat_template(_K3_MESSAGES, tools=[_TOOL])
            written = json.dumps(tokenizer.encode(prompt))
            sums = [sha256(text.encode()).hexdigest() for text in (prompt, written)]
            yield "" if sums == [_K3_TEXT_SHA256, _K3_IDS_SHA256] else f"{line}: renders {prompt!r}, ids {written}."
