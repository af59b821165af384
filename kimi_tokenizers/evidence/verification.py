"""Does the package work here? Every packaged file against its SHA-256, and known answers in this environment."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import prompt_fingerprint, token_fingerprint
from kimi_tokenizers.version import __version__

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


@dataclass
class Verification:
    """What was checked, and what is wrong.

    Attributes:
        versions: package -> version, of this environment.
        files: number of packaged files checked.
        answers: number of known answers checked.
        fingerprints: line -> {"tokens", "prompts"} (see `fingerprint`).
        problems: what is wrong, for people; empty when all is well.
    """

    versions: dict[str, str] = field(default_factory=dict)
    files: int = 0
    answers: int = 0
    fingerprints: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


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
    """Check packaged files, then known answers of every line."""
    result = Verification(versions=versions())
    try:
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
        if not result.problems:  # a damaged tokenizer must not be run
            for problem in _wrong_answers():
                result.answers += 1
                result.problems += [problem] if problem else []
    except KimiTokenizersError as error:
        result.problems.append(str(error))
    return result


def _wrong_answers() -> Iterator[str]:
    """For each known answer what is wrong with it here, "" if nothing."""
    from kimi_tokenizers.tokenizer import every_known_answer, known_answers_of, load

    tokenizers = {line: load(overlay.models[0]) for line, overlay in catalogue.overlays().items()}
    for line in tokenizers:
        if not known_answers_of(line):
            yield f"{line}: there are no known answers to check with. Reinstall kimi-tokenizers."
    for line, control, text, ids in every_known_answer():
        found = tokenizers[line].encode(text, allow_special_tokens=control)
        yield "" if tuple(found) == ids else f"{line}: {text!r} encodes to {found}, expected {list(ids)}."
        back: Any = tokenizers[line].decode(list(ids))
        yield "" if back == text else f"{line}: {list(ids)} decodes to {back!r}, expected {text!r}."
    prompt = tokenizers["kimi-k2.6"].apply_chat_template(_MESSAGES, tools=[_TOOL])
    yield "" if prompt == _PROMPT else f"kimi-k2.6: the chat template renders {prompt!r}, expected {_PROMPT!r}."
