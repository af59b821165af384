"""A reference's own tables in an engine, in a process with limits on memory and time.

What somebody else's `tokenizer.json` or pattern asks of an engine can be without end: padding to 10^9 tokens, a
normalizer that makes a text a thousand times as long, a regular expression that goes back and forth, a panic. None of
that may take this process with it. The other process is given data and answers with numbers and text.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, BinaryIO

MEMORY_BYTES = 6 << 30
SECONDS = 120
_REPLY_BYTES = 1 << 30
_MAX_SHOWN = 300


class LimitedError(Exception):
    """The engine in the other process cannot be had, or has come to its end; for people."""


class Process:
    """A running engine. Raises LimitedError where it cannot be made.

    Args:
        kind: "tokenizers", whose data is a tokenizer.json; or "tiktoken", whose data is a rank table.
        arguments: for tiktoken `pat_str` and `special_tokens`.
        seconds, memory: how long the process may take for one answer, and how many bytes it may use.
    """

    def __init__(
        self,
        kind: str,
        data: bytes,
        arguments: dict[str, Any] | None = None,
        *,
        seconds: float = SECONDS,
        memory: int = MEMORY_BYTES,
    ) -> None:
        self._seconds, self._memory, self._why = seconds, memory, ""
        self._lock = threading.Lock()
        source = getattr(__spec__.loader, "get_source", lambda name: None)(__name__) if __spec__ else None
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", source or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a panic writes there
            env={**os.environ, "RAYON_NUM_THREADS": str(min(8, os.cpu_count() or 1)), "MALLOC_ARENA_MAX": "4"},
        )
        question = {"kind": kind, "path": sys.path, "memory": memory, "arguments": arguments or {}}
        try:
            answer = self._ask(json.dumps(question).encode("ascii"), data)
        except BaseException:
            self.close()
            raise
        if answer != b"+":
            self.close()
            raise LimitedError(answer.decode("utf-8", "replace")[:_MAX_SHOWN])

    def encode(self, texts: Sequence[str], control: bool) -> list[list[int] | str]:
        """Ids of texts, or for each why there are none. Raises LimitedError."""
        with self._lock:
            answer = self._ask(json.dumps([control, list(texts)]).encode("ascii"))
        size = struct.unpack_from("<I", answer)[0]
        sizes = json.loads(answer[4 : 4 + size])
        ids = array.array("I", answer[4 + size :]).tolist()
        result: list[list[int] | str] = []
        at = 0
        for entry in sizes:
            if isinstance(entry, str):
                result.append(entry[:_MAX_SHOWN])
            else:
                result.append(ids[at : at + entry])
                at += entry
        return result

    def _ask(self, *frames: bytes) -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        answered = threading.Event()
        watch = threading.Thread(target=self._watch, args=(answered,), daemon=True)
        watch.start()
        try:
            for frame in frames:
                _write(self._process.stdin, frame)
            answer = _read(self._process.stdout)
        except OSError:
            answer = None
        finally:
            answered.set()
            watch.join()
        if answer is None:
            self.close()
            code = self._process.returncode
            raise LimitedError(self._why or f"it ended with exit status {code} (it may use {self._memory >> 20:,} MB)")
        return answer

    def _watch(self, answered: threading.Event) -> None:
        """End the process where it takes too long, or, on systems that set it no limit, too much memory."""
        until = time.monotonic() + self._seconds
        while not answered.wait(min(0.5, self._seconds)):
            if time.monotonic() > until:
                self._why = f"it did not answer within {self._seconds:g} s"
            elif sys.platform == "darwin" and _resident(self._process.pid) > self._memory:
                self._why = f"it took more than {self._memory >> 20:,} MB"
            if self._why:
                self._process.kill()
                return

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _resident(pid: int) -> int:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False)
    with contextlib.suppress(ValueError):
        return int(done.stdout) * 1024
    return 0


def _write(stream: BinaryIO | Any, frame: bytes) -> None:
    stream.write(struct.pack("<I", len(frame)) + frame)
    stream.flush()


def _read(stream: BinaryIO | Any) -> bytes | None:
    head = stream.read(4)
    size = struct.unpack("<I", head)[0] if len(head) == 4 else _REPLY_BYTES + 1
    frame = stream.read(size) if size <= _REPLY_BYTES else b""
    return frame if frame and len(frame) == size else None


# -- in the other process ------------------------------------------------------------------------------------


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    question = json.loads(_read(sys.stdin.buffer) or b"{}")
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (question["memory"], question["memory"]))
    sys.path[:] = question["path"]
    sys.dont_write_bytecode = True
    try:
        make = {"tokenizers": _tokenizers, "tiktoken": _tiktoken}[question["kind"]]
        encode = make(_read(sys.stdin.buffer) or b"", question["arguments"])
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


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


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


if __name__ == "__main__":
    _main()
