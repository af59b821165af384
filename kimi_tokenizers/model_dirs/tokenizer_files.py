"""What a model directory says of itself: its small tokenizer files, read with care.

It only reads, never opens a weight file, and knows nothing of overlays.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from kimi_tokenizers.errors import ModelDirError, TokenizerConfigError

TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"

# Of every small file; the largest known, a tokenizer_config.json with a template in it, has 20 KB.
SMALL_FILE_BYTES = 16 * 1024 * 1024


def checked_dir(model_dir: str | os.PathLike[str]) -> Path:
    """`model_dir` as a path. Raises ModelDirError where it is not a directory that can be read."""
    try:
        path = Path(model_dir)
        if not stat.S_ISDIR(path.stat().st_mode):
            raise NotADirectoryError(20, "Not a directory")
        os.listdir(path)
    except (OSError, ValueError, TypeError) as error:  # ValueError: a NUL in the path; TypeError: no path at all
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelDirError(
            f"The model directory {str(model_dir)[:300]!r} cannot be used: {reason}. Give the folder that holds the "
            "model's config.json, or leave model_dir out to use the packaged files alone."
        ) from error
    return path


def read_small(path: Path, limit: int = SMALL_FILE_BYTES) -> bytes | None:
    """Content of a small file; None where there is none.

    Raises:
        ModelDirError: it is not a regular file, cannot be read, or has more than `limit` bytes.
    """
    try:
        # Without O_NONBLOCK a FIFO in the place of the file would block for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelDirError(f"Cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ModelDirError(f"{str(path)!r} is not a regular file. Remove it or put the model's own file there.")
        with open(descriptor, "rb", closefd=False) as file:
            data = b"" if status.st_size > limit else file.read(limit + 1)
    except OSError as error:
        if isinstance(error, ModelDirError):
            raise
        raise ModelDirError(f"Cannot read {str(path)!r}: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if max(status.st_size, len(data)) > limit:
        raise ModelDirError(
            f"{str(path)!r} has more than {limit:,} bytes, too many for a file of its kind. "
            "Restore the model's own file."
        )
    return data


def read_text(path: Path) -> str | None:
    """A small UTF-8 text file; None where there is none. Raises ModelDirError."""
    data = read_small(path)
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelDirError(f"{str(path)!r} is not UTF-8 text: {error}. Restore the model's own file.") from error


def read_object(path: Path) -> dict[str, Any] | None:
    """A small file that holds a JSON object; None where there is none. Raises TokenizerConfigError, ModelDirError."""
    data = read_small(path)
    if data is None:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TokenizerConfigError(f"{str(path)!r} is not JSON: {error}. Restore the model's own file.") from error
    if not isinstance(value, dict):
        raise TokenizerConfigError(
            f"{str(path)!r} holds a JSON {type(value).__name__}, not an object. Restore the model's own file."
        )
    return value


def control_token_table(config: dict[str, Any] | None, path: Path) -> dict[str, Any]:
    """`added_tokens_decoder` of a tokenizer_config.json; empty where there is none. Raises TokenizerConfigError."""
    table = (config or {}).get("added_tokens_decoder") or {}
    if not isinstance(table, dict):
        raise TokenizerConfigError(
            f"`added_tokens_decoder` in {str(path)!r} is a JSON {type(table).__name__}, not an object. "
            "Restore the model's own file."
        )
    return table


def chat_template(model_dir: Path) -> str | None:
    """The directory's own chat template: `chat_template.jinja`, else the one inside `tokenizer_config.json`.

    Of several named templates inside it, the one that transformers uses, "default".
    """
    template = read_text(model_dir / CHAT_TEMPLATE)
    if template is None:
        inside = (read_object(model_dir / TOKENIZER_CONFIG) or {}).get("chat_template")
        for entry in inside if isinstance(inside, list) else ():
            if isinstance(entry, dict) and entry.get("name") == "default":
                inside = entry.get("template")
        template = inside if isinstance(inside, str) else None
    return template
