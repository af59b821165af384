"""`count`: the tokens of files or standard input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kimi_tokenizers.commands.output import emit, emit_report
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.tokenizer import encoding


class InputError(KimiTokenizersError):
    """A file to be counted that cannot be read or is not UTF-8 text."""


@dataclass(frozen=True)
class Count:
    """Size of one text.

    Attributes:
        path: the file's, "-" for standard input.
        tokens: number of token ids.
        characters: number of Unicode characters.
        bytes: number of bytes in UTF-8.
    """

    path: str
    tokens: int
    characters: int
    bytes: int


def run(arguments: argparse.Namespace) -> int:
    """Print the count of each file as soon as it is known, and their total."""
    files = arguments.files or ["-"]
    if "-" in files and sys.stdin is not None and sys.stdin.isatty():
        emit("counting what is typed; Ctrl-D ends it", sys.stderr)
    counts = []
    with Waiting("counting", len(files)) as waiting:
        for item in count(files, arguments.model, control_tokens=not arguments.plain, progress=waiting.next):
            counts.append(item)
            if not arguments.json:
                emit(f"{item.tokens:>12,}  {item.path}")
    total = sum(item.tokens for item in counts)
    if arguments.json:
        emit_report(True, model=arguments.model, tokens=total, files=[asdict(item) for item in counts])
    elif len(counts) > 1:
        emit(f"{total:>12,}  total")
    return 0


def count(
    files: Sequence[str],
    model_id: str,
    *,
    control_tokens: bool = True,
    progress: Callable[[str], None] = lambda file: None,
) -> Iterator[Count]:
    """Count the tokens of each file; "-" is standard input.

    Args:
        control_tokens: whether control tokens in the text count as one token each, as exo treats them.
        progress: called with the name of each file before it is counted.

    Raises:
        InputError: a file cannot be read or is not UTF-8.
    """
    for file in files:  # said before anything heavy is imported
        _check_exists(file)
    model = encoding(model_id)
    for file in files:
        progress(file)
        data = _read(file)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file!r} is not UTF-8 text: byte {error.start:,} is 0x{data[error.start]:02x}. "
                "Convert it first, e.g. with `iconv -f LATIN1 -t UTF-8`."
            ) from error
        ids = model.encode(text, allowed_special="all") if control_tokens else model.encode_ordinary(text)
        yield Count(file, len(ids), len(text), len(data))


def _check_exists(file: str) -> None:
    if file == "-" and sys.stdin is None:
        raise InputError("There is no standard input to count. Give the path of a text file.")
    try:
        if file != "-":
            Path(file).stat()  # not opened: what is read only once, like a pipe, must be left whole
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: str, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"Cannot read {file!r}: {reason}. Give the path of a text file, or - for standard input.")
