"""A tokenizer whose Python comes with a model directory, in a process of its own.

Only called where the user has said that this Python may run. What comes back is read as numbers and text, never
unpickled. The process gets no tokens of the hub and is told to stay offline; it is no sandbox.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from kimi_tokenizers.errors import KimiTokenizersError

_MAX_REPLY = 1 << 30  # bytes
_CHECK_SECONDS = 600
_SECRET = ("TOKEN", "SECRET", "PASSWORD", "_KEY")  # in names of variables that another process does not get


class ForeignTokenizerError(KimiTokenizersError):
    """The directory's own tokenizer cannot be loaded, or has broken off."""


class Process:
    """A running foreign tokenizer. Raises ForeignTokenizerError where it cannot be loaded."""

    def __init__(self, model_dir: Path, line: str = "kimi-k2.6") -> None:
        environment = {k: v for k, v in os.environ.items() if not any(word in k.upper() for word in _SECRET)}
        environment.update(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), HF_HUB_OFFLINE="1")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from kimi_tokenizers.evidence.foreign import serve; serve()",
                os.path.abspath(model_dir),
                line,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        hello = self._reply()
        if hello[:1] != b"+":
            self.close()
            raise ForeignTokenizerError(
                f"The tokenizer of {str(model_dir)!r} cannot be loaded: {hello[1:].decode('utf-8', 'replace')[:500]}"
            )
        self.kind = f"its own Python, in a separate process: {hello[1:].decode('utf-8', 'replace')[:100]}"

    def encode(self, texts: Sequence[str], control: bool) -> list[list[int] | str]:
        """Ids of texts, or for each why there are none."""
        result: list[list[int] | str] = []
        for text in texts:
            with self._lock:
                reply = self._ask(b"c" if control else b"p", text.encode("utf-8", "surrogatepass"))
            if reply[:1] == b"+":
                ids = array.array("I")
                ids.frombytes(reply[1 : 1 + (len(reply) - 1) // 4 * 4])
                result.append(ids.tolist())
            else:
                result.append(reply[1:].decode("utf-8", "replace")[:500])
        return result

    def _ask(self, mode: bytes, data: bytes) -> bytes:
        assert self._process.stdin
        try:
            self._process.stdin.write(mode + struct.pack("<I", len(data)) + data)
            self._process.stdin.flush()
        except OSError as error:
            raise ForeignTokenizerError(f"The directory's own tokenizer has ended: {error}.") from error
        return self._reply()

    def _reply(self) -> bytes:
        assert self._process.stdout
        head = self._process.stdout.read(4)
        size = struct.unpack("<I", head)[0] if len(head) == 4 else _MAX_REPLY + 1
        reply = self._process.stdout.read(size) if size <= _MAX_REPLY else b""
        if not reply or len(reply) != size:
            self.close()
            raise ForeignTokenizerError("The directory's own tokenizer has ended, or answered something else.")
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def serve() -> None:
    """The process's side: load the directory in `sys.argv[1]` as exo does, then answer until standard input ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the foreign code prints must not look like an answer
    sys.dont_write_bytecode = True
    from kimi_tokenizers.evidence import exo_loading

    try:
        tokenizer = exo_loading.load_line_like_exo(Path(sys.argv[1]), sys.argv[2])
        model = tokenizer.model
        model.encode("a", allowed_special="all")
    except BaseException as error:
        _send(replies, b"-" + f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        return
    _send(replies, b"+" + type(tokenizer).__name__.encode("utf-8", "replace"))
    requests = sys.stdin.buffer
    while mode := requests.read(1):
        text = requests.read(struct.unpack("<I", requests.read(4))[0]).decode("utf-8", "surrogatepass")
        try:
            if mode == b"c":
                ids = model.encode(text, allowed_special="all")
            else:
                ids = model.encode(text, allowed_special=set(), disallowed_special=())
            reply = b"+" + array.array("I", ids).tobytes()
        except BaseException as error:
            reply = b"-" + f"{type(error).__name__}: {error}".encode("utf-8", "replace")
        _send(replies, reply)


def _send(stream: BinaryIO, data: bytes) -> None:
    stream.write(struct.pack("<I", len(data)) + data)
    stream.flush()


def check_like_exo(copy: Path, line: str) -> list[str]:
    """What exo's loading steps and rules find wrong with tokenizer files, tried in a process of its own; [] if nothing.

    Args:
        copy: a folder with the tokenizer files and nothing else, as `private_copy` makes it.
    """
    code = (
        "import json, sys; from pathlib import Path\n"
        "from kimi_tokenizers.evidence import check_tokenizer, load_line_like_exo\n"
        "try:\n"
        "    tokenizer = load_line_like_exo(Path(sys.argv[1]), sys.argv[2])\n"
        "    check_tokenizer(tokenizer, sys.argv[2])\n"
        "    problems = []\n"
        "except BaseException as error:\n"
        "    problems = [f'{type(error).__name__}: {error}'[:2000]]\n"
        "print('\\n' + json.dumps(problems))"
    )
    with tempfile.TemporaryDirectory(prefix="kimi-tokenizers-home-") as home:
        environment = {k: v for k, v in os.environ.items() if not any(word in k.upper() for word in _SECRET)}
        environment.update(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), HF_HUB_OFFLINE="1")
        # What transformers has downloaded before could be executed as well, and it keeps copies of what it executes.
        environment.update(PYTHONDONTWRITEBYTECODE="1", HF_HOME=home, HF_HUB_CACHE=home, HF_MODULES_CACHE=home)
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, os.path.abspath(copy), line],
                cwd=home,  # `-c` imports from there first
                capture_output=True,
                text=True,
                errors="replace",
                env=environment,
                timeout=_CHECK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [f"loading did not end within {_CHECK_SECONDS} s"]
    try:
        return [str(problem) for problem in json.loads(done.stdout.splitlines()[-1])]
    except (ValueError, IndexError, TypeError):
        return [f"loading ended with exit status {done.returncode}: {done.stderr[-500:]}"]
