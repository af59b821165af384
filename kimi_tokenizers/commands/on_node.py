"""What `cluster` runs on a node: it keeps the one file in a private folder, runs it on request and removes it.

It is never imported. `nodes.py` sends this text to the node, where `python3` (3.9 or newer) executes it, so it may use
nothing but the standard library. It must never leave anything behind: the folder goes when the last request
has been served, when standard input ends (which is how a cut connection shows), on a signal, and when time is up.

Standard input brings a line of JSON (`marker`, `size` of the one file in bytes, `seconds` that a request may take), the
one file, and then requests, a line of JSON each. Standard output takes a reply to each: an empty line, then the marker
and JSON on one line. Whatever else a login shell prints there does not begin with the marker.

    {"run": ["status", "--json"], "paths": ["~/models"], "environment": {"EXO_HOME": "exo"}}
        -> {"exit": 0, "stdout": "…", "stderr": "…"}
    {"identify": ["/path", …]}  -> {"machine": "…", "places": [[device, inode], null, …]}
    {"end": true}               -> {"left": null}    or the path of the folder, if it could not be removed
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

MAX_OUTPUT = 4 * 1024 * 1024
MAX_ERRORS = 16 * 1024
GRACE = 5.0  # seconds for a command to end after SIGTERM
IDLE = 3600  # seconds to wait for the next request: another name of this machine may have its turn first


class Stopped(BaseException):
    """A signal came, time is up, or the other side is gone."""


def stop(number: int, _frame: object) -> None:
    raise Stopped(number)


class Folder:
    """A private folder with the one file in it."""

    path = ""

    def keep(self, data: bytes) -> str:
        """Put the one file where there is room for it, and return its path."""
        home = os.path.expanduser("~")
        places = [os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp", os.path.join(home, ".cache"), home, "/dev/shm"]
        problems = []
        for place in filter(os.path.isabs, dict.fromkeys(places)):
            # It is known before it is made, so that no signal can come in between and leave it.
            self.path = os.path.join(place, "kimi-tokenizers-" + os.urandom(16).hex())
            file = os.path.join(self.path, "kimi-tokenizers.pyz")
            try:
                os.mkdir(self.path, 0o700)
                with open(file, "xb") as stream:
                    stream.write(data)
                return file
            except OSError as error:
                problems.append(f"{place}: {error.strerror}")
                self.remove()
        raise OSError("; ".join(problems))

    def remove(self) -> str | None:
        """Remove it. The path, if that failed."""
        shutil.rmtree(self.path, ignore_errors=True)
        return self.path if self.path and os.path.lexists(self.path) else None


def run(file: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run the one file, and end it if the other side goes away."""
    arguments = [*request["run"], "--", *map(os.path.expanduser, request["paths"])]
    child = subprocess.Popen(
        [sys.executable or "python3", "-I", "-B", "-X", "utf8", file, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What it remembers between two runs is here, and so goes, too.
        env={
            **os.environ,
            "KIMI_TOKENIZERS_CACHE": os.path.join(os.path.dirname(file), "cache"),
            **request["environment"],
        },
        start_new_session=True,
    )
    try:
        stdout, stderr = collect(child)
        return {"exit": child.wait(), "stdout": stdout, "stderr": stderr}
    finally:
        end(child)


def collect(child: subprocess.Popen[bytes]) -> list[str]:
    """What a command writes to standard output and standard error, up to the limits."""
    assert child.stdout is not None
    assert child.stderr is not None
    kept = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    limits = dict(zip(kept, (MAX_OUTPUT, MAX_ERRORS)))  # noqa: B905 (Python 3.9 has no `strict`)
    open_ones = set(kept)
    while open_ones:
        for ready in select.select([0, *open_ones], [], [])[0]:
            data = os.read(ready, 65536)
            if ready == 0:  # nothing is sent while a request is served: it is the end of it
                raise Stopped
            if not data:
                open_ones.discard(ready)
            kept[ready] += data[: max(0, limits[ready] - len(kept[ready]))]
    return [bytes(data).decode("utf-8", "surrogateescape") for data in kept.values()]


def end(child: subprocess.Popen[bytes]) -> None:
    """End a command that has not ended. (`sync` can be ended anywhere: what it does is safe against crashes.)"""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + GRACE
        while child.poll() is None and time.monotonic() < until:
            try:
                os.killpg(child.pid, number)
            except OSError:
                break
            time.sleep(0.05)
    child.wait()


def identify(paths: list[str]) -> dict[str, Any]:
    """Which machine this is, as long as it is up, and which directories the paths lead to."""
    places: list[list[int] | None] = []
    for path in paths:
        try:
            status = os.stat(path)
            places.append([status.st_dev, status.st_ino])
        except (OSError, ValueError):
            places.append(None)
    return {"machine": machine(), "places": places}


def machine() -> str:
    """A name that no other machine has: of this start of the kernel. (Cloned machines can share all other names.)"""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return stream.read().strip()
    except (OSError, ValueError):
        pass
    try:
        return subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="ascii",
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""


def serve() -> None:
    """Serve the requests that standard input brings."""
    stream = sys.stdin.buffer
    header = json.loads(stream.readline())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    folder = Folder()

    def reply(value: dict[str, Any]) -> None:
        sys.stdout.buffer.write(b"\n" + (header["marker"] + json.dumps(value)).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()
        signal.alarm(IDLE)

    try:
        signal.alarm(header["seconds"])
        data = stream.read(header["size"])
        if len(data) < header["size"]:
            return
        try:
            file = folder.keep(data)
        except OSError as error:
            reply({"no_room": str(error)})
            return
        reply({"ready": True})
        while True:
            line = stream.readline()
            if not line.endswith(b"\n"):
                return
            signal.alarm(header["seconds"])
            request = json.loads(line)
            if "run" in request:
                reply(run(file, request))
            elif "identify" in request:
                reply(identify(request["identify"]))
            else:
                reply({"left": folder.remove()})
                return
    except (Stopped, BrokenPipeError):
        pass
    finally:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        folder.remove()


if __name__ == "__main__":
    serve()
