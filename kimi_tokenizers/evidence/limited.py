"""Somebody else's tokenizer, in a process with limits on memory and time.

What a `tokenizer.json` or a pattern asks of an engine can be without end: padding to 10^9 tokens, a normalizer that
makes a text a thousand times as long, a regular expression that goes back and forth, a panic. So can Python that comes
with a directory. None of that may take this process with it. The other process gets no tokens of the hub and is told to
stay offline; it answers with numbers and text, which are never unpickled. It is no sandbox.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

MEMORY_BYTES = 6 << 30
"""Beyond what the libraries themselves take."""

SECONDS = 120
_REPLY_BYTES = 1 << 28
_MAX_SHOWN = 2000
_SECRET = ("TOKEN", "SECRET", "PASSWORD", "_KEY")  # in names of variables that another process does not get


class LimitedError(Exception):
    """The tokenizer in the other process cannot be had, or has come to its end; for people."""


class Process:
    """A running tokenizer. Raises LimitedError where it cannot be made.

    Args:
        kind: one of `_KINDS`.
        data: for "tokenizers" a tokenizer.json; for "tiktoken" a rank table.
        arguments: for "tiktoken" `pat_str` and `special_tokens`; for the others `directory` and `line`.
        seconds, memory: how long the process may take for one answer, and how many bytes it may use.
    """

    def __init__(
        self,
        kind: str,
        data: bytes = b"",
        arguments: dict[str, Any] | None = None,
        *,
        seconds: float = SECONDS,
        memory: int = MEMORY_BYTES,
    ) -> None:
        self._seconds, self._memory = seconds, memory
        self._lock = threading.Lock()
        self._home = tempfile.TemporaryDirectory(prefix="kimi-tokenizers-home-")
        get_source = getattr(__spec__ and __spec__.loader, "get_source", None)  # pytest's loader of plugins has none
        source = get_source(__name__) if get_source else Path(__file__).read_text("utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", source or ""],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a panic writes there
            cwd=self._home.name,
            env=_environment(self._home.name),
            start_new_session=True,  # what it starts ends with it
        )
        # Not transformers' cache of downloaded Python: the other process makes one of its own.
        path = [entry for entry in map(os.path.abspath, filter(None, sys.path)) if not _has_remote_code(entry)]
        question = {"kind": kind, "path": path, "memory": memory, "arguments": arguments or {}}
        try:
            os.set_blocking(self._stream("stdin").fileno(), False)
            answer = self._ask(json.dumps(question).encode("ascii"), data)
            if answer != b"+":
                raise LimitedError(answer.decode("utf-8", "replace")[:_MAX_SHOWN])
        except BaseException:
            self.close()
            raise

    def encode(self, texts: Sequence[str], control: bool) -> list[list[int] | str]:
        """Ids of texts, or for each why there are none. Raises LimitedError."""
        with self._lock:
            answer = self._ask(json.dumps([control, list(texts)]).encode("ascii"))
        try:
            size = struct.unpack_from("<I", answer)[0]
            sizes = json.loads(answer[4 : 4 + size])
            ids = array.array("I", answer[4 + size :]).tolist()
            if len(sizes) != len(texts):
                raise ValueError("another number of answers")
            result: list[list[int] | str] = []
            at = 0
            for entry in sizes:
                result.append(entry[:300] if isinstance(entry, str) else ids[at : at + entry])
                at += 0 if isinstance(entry, str) else entry
        except (struct.error, ValueError, TypeError, RecursionError) as error:  # it can write what it likes
            self.close()
            raise LimitedError(f"it answered something else ({error})") from error
        return result

    def _ask(self, *frames: bytes) -> bytes:
        until = time.monotonic() + self._seconds
        try:
            for frame in frames:
                self._send(struct.pack("<I", len(frame)) + frame, until)
            size = struct.unpack("<I", self._receive(4, until))[0]
            if not 0 < size <= _REPLY_BYTES:
                raise LimitedError(f"it answered something else ({size:,} bytes)")
            return self._receive(size, until)
        except (OSError, EOFError):
            self.close()
            code = self._process.returncode
            raise LimitedError(
                f"it ended with exit status {code} (it may use {self._memory >> 20:,} MB of memory)"
            ) from None
        except LimitedError:
            self.close()
            raise

    def _send(self, data: bytes, until: float) -> None:
        stream, rest = self._stream("stdin"), memoryview(data)
        while rest:
            self._wait(stream, selectors.EVENT_WRITE, until)
            rest = rest[os.write(stream.fileno(), rest[: 1 << 16]) :]

    def _receive(self, size: int, until: float) -> bytes:
        stream, data = self._stream("stdout"), bytearray()
        while len(data) < size:
            self._wait(stream, selectors.EVENT_READ, until)
            part = os.read(stream.fileno(), min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _wait(self, stream: IO[bytes], event: int, until: float) -> None:
        """Wait for the process, unless it takes too long, or, on systems that set it no limit, too much memory."""
        with selectors.DefaultSelector() as selector:
            selector.register(stream, event)
            while not selector.select(min(0.5, self._seconds)):
                if time.monotonic() > until:
                    raise LimitedError(f"it did not answer within {self._seconds:g} s")
                if sys.platform == "darwin" and _resident(self._process.pid) > self._memory:
                    raise LimitedError(f"it took more than {self._memory >> 20:,} MB of memory")

    def _stream(self, name: str) -> IO[bytes]:
        stream: IO[bytes] = getattr(self._process, name)
        if stream.closed:
            raise EOFError
        return stream

    def close(self) -> None:
        """End the process, and what it has started."""
        if self._process.returncode is None:  # not waited for, so nothing else has its number
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with contextlib.suppress(OSError):
            self._home.cleanup()


def _has_remote_code(entry: str) -> bool:
    return os.path.isdir(os.path.join(entry, "transformers_modules"))


def _environment(home: str) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in _SECRET)
    }
    environment.update(RAYON_NUM_THREADS=str(min(8, os.cpu_count() or 1)), MALLOC_ARENA_MAX="4")
    # What transformers has downloaded before could be executed as well, and it keeps copies of what it executes.
    return {
        **environment,
        "HF_HUB_OFFLINE": "1",
        **dict.fromkeys(("HF_HOME", "HF_HUB_CACHE", "HF_MODULES_CACHE"), home),
    }


def _resident(pid: int) -> int:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False)
    with contextlib.suppress(ValueError):
        return int(done.stdout) * 1024
    return 0


# -- in the other process ------------------------------------------------------------------------------------


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what foreign code prints must not look like an answer
    question = json.loads(_read(sys.stdin.buffer) or b"{}")
    data = _read(sys.stdin.buffer) or b""
    sys.path[:] = question["path"]
    sys.dont_write_bytecode = True
    make, needed = _KINDS[question["kind"]]
    try:
        importlib.import_module(needed)
        _limit(question["memory"])
        encode = make(data, question["arguments"])
    except BaseException as error:  # a panic of Rust is a BaseException
        _write(answers, _said(error).encode("utf-8", "replace"))
        return
    _write(answers, b"+")
    while frame := _read(sys.stdin.buffer):
        control, texts = json.loads(frame)
        found = encode(texts, control)
        sizes = json.dumps([entry if isinstance(entry, str) else len(entry) for entry in found]).encode("ascii")
        ids = array.array("I")
        for entry in found:
            if not isinstance(entry, str):
                ids.extend(entry)
        _write(answers, struct.pack("<I", len(sizes)) + sizes + ids.tobytes())


def _limit(memory: int) -> None:
    """Let this process have so many more bytes than it has now. (Large libraries alone map gigabytes.)"""
    mapped = 0
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))


def _write(stream: BinaryIO, frame: bytes) -> None:
    stream.write(struct.pack("<I", len(frame)) + frame)
    stream.flush()


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    return stream.read(struct.unpack("<I", head)[0]) if len(head) == 4 else None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:_MAX_SHOWN]}"


def each(encode: Any, texts: Sequence[str]) -> list[Any]:
    """Ids of texts one by one, or for each why there are none."""
    result: list[Any] = []
    for text in texts:
        try:
            result.append(list(encode(text)))
        except BaseException as error:  # a panic of Rust is a BaseException
            if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
                raise
            result.append(_said(error))
    return result


def _tokenizers(data: bytes, arguments: dict[str, Any]) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(data.decode("utf-8"))
    plain = Tokenizer(tokenizer.model)  # the same, without any added tokens
    plain.normalizer, plain.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer

    def encode(texts: Sequence[str], control: bool) -> list[Any]:
        engine = tokenizer if control else plain
        try:
            return [found.ids for found in engine.encode_batch_fast(list(texts), add_special_tokens=False)]
        except BaseException:  # which one of them?
            return each(lambda text: engine.encode(text, add_special_tokens=False).ids, texts)

    return encode


def _tiktoken(data: bytes, arguments: dict[str, Any]) -> Any:
    import base64

    import tiktoken

    rows = data.split()
    ranks = dict(zip(map(base64.b64decode, rows[::2]), map(int, rows[1::2])))  # noqa: B905 (as many of both)
    encoding = tiktoken.Encoding("reference", mergeable_ranks=ranks, **arguments)
    encoding.encode("a")  # a table without single bytes is found out here

    def encode(texts: Sequence[str], control: bool) -> list[Any]:
        if control:
            return each(lambda text: encoding.encode(text, allowed_special="all"), texts)
        return each(encoding.encode_ordinary, texts)

    return encode


def _exo(data: bytes, arguments: dict[str, Any]) -> Any:
    """A directory's own tokenizer, as exo loads it: its Python is executed."""
    from kimi_tokenizers.evidence.exo_loading import load_line_like_exo

    model = load_line_like_exo(Path(arguments["directory"]), arguments["line"]).model
    model.encode("a", allowed_special="all")

    def encode(texts: Sequence[str], control: bool) -> list[Any]:
        special: dict[str, Any] = (
            {"allowed_special": "all"} if control else {"allowed_special": set(), "disallowed_special": ()}
        )
        return each(lambda text: array.array("I", model.encode(text, **special)), texts)

    return encode


def _check(data: bytes, arguments: dict[str, Any]) -> Any:
    """The same, only put to exo's rules."""
    from kimi_tokenizers.evidence.checks import check_tokenizer
    from kimi_tokenizers.evidence.exo_loading import load_line_like_exo

    check_tokenizer(load_line_like_exo(Path(arguments["directory"]), arguments["line"]), arguments["line"])


# What makes the tokenizer, and the library whose own memory is not counted.
_KINDS: dict[str, tuple[Any, str]] = {
    "tokenizers": (_tokenizers, "tokenizers"),
    "tiktoken": (_tiktoken, "tiktoken"),
    "exo": (_exo, "kimi_tokenizers.evidence"),
    "check": (_check, "kimi_tokenizers.evidence"),
}


if __name__ == "__main__":
    _main()
