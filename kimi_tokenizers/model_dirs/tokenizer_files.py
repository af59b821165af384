"""What a model directory says of itself: its tokenizer files, each read once and with care.

`TokenizerFiles` is the only way from a model directory to the bytes that decide anything: whoever checks something and
whoever uses it hold the same object, so what was checked is what is used, however often a downloader renames files
meanwhile. It only reads, never opens a weight file, and knows nothing of overlays.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kimi_tokenizers.errors import FolderError, ModelDirError, TokenizerConfigError
from kimi_tokenizers.model_dirs.configuration import chat_templates
from kimi_tokenizers.model_dirs.folder import Folder

TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
MORE_TEMPLATES = "additional_chat_templates"
"""A folder of named templates, each a file `name.jinja`, that transformers reads beside the chat template."""

# Of every small file; the largest known, a tokenizer_config.json with a template in it, has 20 KB.
SMALL_FILE_BYTES = 16 * 1024 * 1024

# The converted rank table of the line has 19.6 MB.
TOKENIZER_JSON_BYTES = 32 * 1024 * 1024

_TEMPLATE_BYTES = 1024 * 1024
_MOST_TEMPLATES = 100
_DEEPEST = 100  # objects and lists within one another

# Of JSON: what takes three bytes in a file can take 250 in memory. The line's tokenizer.json has 1.1 million.
_MOST_VALUES = 3_000_000

# Without O_NONBLOCK a FIFO in the place of a file would block for ever.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class TokenizerFiles:
    """The tokenizer files of one model directory, as they were when each was first asked for.

    The directory is opened once, and files are opened through it. Each is read at most once, when it is first asked
    for, and only after its kind and size have been looked at; what it held is kept. A link is followed, because Hugging
    Face's cache consists of them.

    Use it in a `with` block.

    Attributes:
        path: the directory, for messages; nothing is opened by it.
        names: what lies in the directory, sorted.
        status: the directory's own, which says which directory it is.
    """

    def __init__(self, model_dir: str | os.PathLike[str] | Folder) -> None:
        """Open a model directory, or take one that is open. Raises ModelDirError where it cannot be read."""
        self._read: dict[str, bytes | str | None] = {}  # a text: why it cannot be read
        self._private: set[str] = set()
        self._objects: dict[str, dict[str, Any] | None] = {}
        try:
            self._folder = model_dir.again() if isinstance(model_dir, Folder) else Folder.open(Path(model_dir))
            self.path = self._folder.path
            with contextlib.ExitStack() as opened:
                opened.enter_context(self._folder)
                self.names = tuple(self._folder.names())
                self.status = os.fstat(self._folder.descriptor)
                opened.pop_all()
        except (OSError, ValueError, TypeError) as error:  # ValueError: a NUL in the path; TypeError: no path at all
            reason = getattr(error, "strerror", None) or str(error)
            named = str(model_dir.path if isinstance(model_dir, Folder) else model_dir)[:300]
            raise ModelDirError(
                f"The model directory {named!r} cannot be used: {reason}. Give the folder that holds "
                "the model's config.json, or leave model_dir out to use the packaged files alone."
            ) from error

    def __enter__(self) -> TokenizerFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()

    def folder(self) -> Folder:
        """The directory, opened once more: for what else is in it."""
        return self._folder.again()

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[OpenFile | None]:
        """A file that is read without being kept: a large one. None where there is none. Raises as `read`."""
        limit = TOKENIZER_JSON_BYTES if name == "tokenizer.json" else SMALL_FILE_BYTES
        folder, _, last = name.rpartition("/")
        with contextlib.ExitStack() as opened:
            inside = opened.enter_context(self._folder.folder(folder)) if folder else self._folder
            limit = _TEMPLATE_BYTES if last.endswith(".jinja") else limit
            yield opened.enter_context(_opened(self.path / name, limit, last, inside.descriptor))

    def read(self, name: str) -> bytes | None:
        """Content of a small file; None where there is none.

        Raises:
            ModelDirError: it is not a regular file, cannot be read, or is larger than a file of its kind can be.
        """
        if name not in self._read:
            try:
                with self.opened(name) as file:
                    self._read[name] = None if file is None else file.read()
                    if file is not None and not file.status.st_mode & stat.S_IROTH:
                        self._private.add(name)
            except (ModelDirError, FolderError) as error:
                self._read[name] = str(error)
        content = self._read[name]
        if isinstance(content, str):
            raise ModelDirError(content)
        return content

    def is_private(self, name: str) -> bool:
        """Whether a file that was read is not for everybody to read."""
        return name in self._private

    def text(self, name: str) -> str | None:
        """A small UTF-8 text file; None where there is none. Raises ModelDirError."""
        return _text(self.read(name), self.path / name)

    def object(self, name: str) -> dict[str, Any] | None:
        """A small file that holds a JSON object; None where there is none. The object is not to be changed.

        Raises:
            TokenizerConfigError: it holds something else.
            ModelDirError: as `read`.
        """
        if name not in self._objects:
            self._objects[name] = _object(self.read(name), self.path / name)
        return self._objects[name]

    def control_token_table(self) -> dict[str, Any]:
        """`added_tokens_decoder` of the tokenizer_config.json; empty where there is none.

        Raises:
            TokenizerConfigError, ModelDirError: as `object`.
        """
        table = (self.object(TOKENIZER_CONFIG) or {}).get("added_tokens_decoder") or {}
        if not isinstance(table, dict):
            raise TokenizerConfigError(
                f"`added_tokens_decoder` in {str(self.path / TOKENIZER_CONFIG)!r} is a JSON {type(table).__name__}, "
                "not an object. Restore the model's own file."
            )
        return table

    def saved_tokens(self) -> dict[str, Any]:
        """What was changed of the line's tokens before a tokenizer was saved, as its `kimi_line.json` lists it."""
        value = self.object("kimi_line.json") or {}
        kinds = {"saved_tokens": dict, "saved_special_tokens": list}
        return {key: value[key] for key, kind in kinds.items() if isinstance(value.get(key), kind)}

    def more_templates(self) -> list[str]:
        """The files in the folder of named templates, with the folder's name, sorted. A link to a folder is none.

        Raises:
            ModelDirError: there are too many, or the folder cannot be read.
        """
        if MORE_TEMPLATES not in self.names:
            return []
        try:
            with self._folder.folder(MORE_TEMPLATES) as folder:
                names = [name for name in folder.names() if name.endswith(".jinja")]
        except (FolderError, FileNotFoundError):  # a file, a link; gone
            return []
        except OSError as error:
            raise ModelDirError(f"Cannot read {str(self.path / MORE_TEMPLATES)!r}: {error.strerror}.") from error
        if len(names) > _MOST_TEMPLATES:
            raise ModelDirError(
                f"{str(self.path / MORE_TEMPLATES)!r} holds {len(names):,} templates, more than the {_MOST_TEMPLATES} "
                "that are read. Restore the model's own folder."
            )
        return [f"{MORE_TEMPLATES}/{name}" for name in names]

    def template_files(self) -> dict[str, str]:
        """Chat templates in files of their own, by name: `chat_template.jinja`, which is the one called "default", and
        those in `additional_chat_templates`. Raises ModelDirError."""
        paths = {"default": CHAT_TEMPLATE}
        paths.update((path.split("/")[1][: -len(".jinja")], path) for path in self.more_templates())
        found = {name: self.text(path) for name, path in paths.items() if name != "file"}
        return chat_templates({name: text for name, text in found.items() if text is not None})

    def chat_templates(self) -> dict[str, str]:
        """The directory's own chat templates by name: those in files, else those inside its tokenizer_config.json."""
        return self.template_files() or chat_templates((self.object(TOKENIZER_CONFIG) or {}).get("chat_template"))


class OpenFile(NamedTuple):
    """A regular file of a size that can be read. `status` is that of the very file that `read` reads."""

    path: Path
    status: os.stat_result
    limit: int
    descriptor: int

    def read(self) -> bytes:
        """Its content. Raises ModelDirError."""
        try:
            with open(self.descriptor, "rb", closefd=False) as file:
                data = file.read(self.limit + 1)
        except OSError as error:
            raise ModelDirError(f"Cannot read {str(self.path)!r}: {error.strerror}.") from error
        if len(data) > self.limit:  # it has grown
            raise _too_large(self.path, len(data), self.limit)
        return data


@contextlib.contextmanager
def _opened(path: Path, limit: int, name: str | None = None, folder: int | None = None) -> Iterator[OpenFile | None]:
    """A regular file of at most `limit` bytes, opened by `path`, or by `name` in an open `folder`; None for no file."""
    try:
        descriptor = os.open(path if name is None else name, _READ, dir_fd=folder)
    except FileNotFoundError as error:
        if folder is not None and os.fstat(folder).st_nlink == 0:  # then nothing can be found in it
            raise ModelDirError(f"Cannot read {str(path)!r}: its folder was removed meanwhile.") from error
        yield None
        return
    except (OSError, ValueError) as error:
        raise ModelDirError(f"Cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ModelDirError(f"{str(path)!r} is not a regular file. Remove it or put the model's own file there.")
        if status.st_size > limit:
            raise _too_large(path, status.st_size, limit)
        yield OpenFile(path, status, limit, descriptor)
    finally:
        os.close(descriptor)


def _too_large(path: Path, size: int, limit: int) -> ModelDirError:
    return ModelDirError(
        f"{str(path)!r} has {size:,} bytes, more than {limit:,} bytes, too many for a file of its kind. "
        "Restore the model's own file."
    )


def read_small(path: Path, limit: int = SMALL_FILE_BYTES) -> bytes | None:
    """Content of a small file that is not a tokenizer file of a model directory; None where there is none.

    Raises:
        ModelDirError: it is not a regular file, cannot be read, or has more than `limit` bytes.
    """
    with _opened(path, limit) as file:
        return None if file is None else file.read()


def read_text(path: Path) -> str | None:
    """A small UTF-8 text file; None where there is none. Raises ModelDirError."""
    return _text(read_small(path), path)


def _text(data: bytes | None, path: Path) -> str | None:
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelDirError(f"{str(path)!r} is not UTF-8 text: {error}. Restore the model's own file.") from error


def parse_json(data: bytes | str, **hooks: Any) -> Any:
    """JSON from somebody else. Raises ValueError, also for what is nested too deeply or has too many values.

    Integers are of at most 1,000 digits: Python's time for longer ones is quadratic.

    Args:
        hooks: as `json.loads` has them.
    """
    if not isinstance(data, (bytes, str)):
        raise TypeError(f"there is no text but a {type(data).__name__}")  # as json.loads does
    marks: Any = (b"[", b"{", b",") if isinstance(data, bytes) else ("[", "{", ",")
    if sum(map(data.count, marks)) > _MOST_VALUES:
        raise ValueError(f"it has more than {_MOST_VALUES:,} values")
    try:
        value = json.loads(data, **{"parse_int": _integer, **hooks})
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(_DEEPEST):
        level = [item for parent in level for item in (parent.values() if isinstance(parent, dict) else parent)]
        level = [item for item in level if isinstance(item, (dict, list))]
    if level:
        raise ValueError("it is nested too deeply")
    return value


def _integer(text: str) -> int:
    if len(text) > 1000:
        raise ValueError(f"it has an integer of {len(text):,} digits")
    return int(text)


def _object(data: bytes | None, path: Path) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        value = parse_json(data)
    except ValueError as error:
        raise TokenizerConfigError(f"{str(path)!r} is not JSON: {error}. Restore the model's own file.") from error
    if not isinstance(value, dict):
        raise TokenizerConfigError(
            f"{str(path)!r} holds a JSON {type(value).__name__}, not an object. Restore the model's own file."
        )
    return value
