"""`cluster`: status, sync and restore of many nodes at once, over ssh, and how they differ."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers.commands import answers, cluster_report
from kimi_tokenizers.commands.answers import Examined
from kimi_tokenizers.commands.nodes import Connection, StoppedError, objection
from kimi_tokenizers.commands.one_file import write_one_file
from kimi_tokenizers.commands.output import redraw, wipe
from kimi_tokenizers.errors import NodeError

AT_ONCE = 8
"""Connections at a time. sshd, and so a jump host, turns some away from the eleventh that is not logged in yet."""

ENVIRONMENT = (
    *("EXO_DEFAULT_MODELS_DIR", "EXO_HOME", "EXO_MODELS_DIRS", "EXO_MODELS_READ_ONLY_DIRS"),
    *("HOME", "XDG_DATA_HOME"),
)
"""The variables that decide where exo keeps models; `model_dirs` reads these and no others."""


def run(arguments: argparse.Namespace) -> int:
    """Examine, sync or restore every node, and print what came of it."""
    task = _task(arguments)
    nodes = list(dict.fromkeys(arguments.nodes))
    examined = _all_nodes(nodes, task)
    result = cluster_report.Result(task.action, examined, dry_run=task.dry_run)
    if arguments.json:
        cluster_report.print_json(result)
    else:
        cluster_report.print_table(result, _again(arguments, "sync"))
    return 0 if result.ok() else 1


@dataclass
class Task:
    """What to do on every node. `taken` maps a model directory to what is held while `sync` works in it."""

    action: str
    ssh: Sequence[str]
    environment: dict[str, str]
    paths: Sequence[str]
    timeout: float
    dry_run: bool = False
    force: bool = False
    one_file: bytes = b""
    stop: threading.Event = field(default_factory=threading.Event)
    taken: dict[tuple[str, int, int], threading.Lock] = field(default_factory=dict)

    def request(self, command: str, *options: str) -> dict[str, Any]:
        return {"run": [command, "--json", *options], "paths": list(self.paths), "environment": self.environment}


def _task(arguments: argparse.Namespace) -> Task:
    """The arguments, checked before any node is asked."""
    for node in arguments.nodes:
        why = objection(node)
        if why is not None:
            arguments.wrong_usage(f"{node[:80]!a} is no name of a node: {why}")
    if arguments.dry_run and arguments.action != "sync":
        arguments.wrong_usage("--dry-run goes with sync only")
    if arguments.force and arguments.action == "status":
        arguments.wrong_usage("--force goes with sync and restore only")
    try:
        ssh = shlex.split(arguments.ssh)
    except ValueError as error:
        arguments.wrong_usage(f"--ssh {arguments.ssh!a} cannot be split into words: {error}")
    if not ssh or not ssh[0]:
        arguments.wrong_usage("--ssh needs a command")
    if (
        any("\0" in text for text in (arguments.ssh, *arguments.models_dir, *arguments.env))
        or "" in arguments.models_dir
    ):
        arguments.wrong_usage("an empty path, or a NUL character in an argument")
    environment = {}
    for setting in arguments.env:
        name, equals, value = setting.partition("=")
        if not equals or name not in ENVIRONMENT:
            arguments.wrong_usage(
                f"--env {setting[:80]!a}: it takes NAME=VALUE, and what decides where exo keeps models is "
                + ", ".join(ENVIRONMENT)
            )
        environment[name] = value
    return Task(
        arguments.action,
        ssh,
        environment,
        arguments.models_dir,
        arguments.timeout,
        dry_run=arguments.dry_run,
        force=arguments.force,
    )


def _again(arguments: argparse.Namespace, action: str) -> str:
    """The command line that does something else with the same nodes."""
    words = ["cluster", action]
    words += ["--ssh", arguments.ssh] if arguments.ssh != "ssh" else []
    words += [word for path in arguments.models_dir for word in ("--models-dir", path)]
    words += [word for setting in arguments.env for word in ("--env", setting)]
    return f"{arguments.program} " + shlex.join([*words, *dict.fromkeys(arguments.nodes)])


# -- all nodes -------------------------------------------------------------------------------------------


def _all_nodes(nodes: Sequence[str], task: Task) -> list[Examined]:
    """Every node, in the order given. However it ends, every connection is ended, and so every node left clean."""
    with _interrupted_by_signals():
        task.one_file = _one_file()
        pool = ThreadPoolExecutor(min(AT_ONCE, len(nodes)))
        try:
            futures = [pool.submit(_one_node, node, task) for node in nodes]
            _follow(futures)
            return [future.result() for future in futures]
        finally:
            task.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _one_file() -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="kimi-tokenizers-") as folder:
            path = Path(folder, "kimi-tokenizers.pyz")
            write_one_file(path)
            return path.read_bytes()
    except OSError as error:
        raise NodeError(f"The file that is sent to the nodes cannot be made here: {error}.") from error


@contextlib.contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP are taken for Ctrl-C: ssh has no terminal here that would end it."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _follow(futures: Sequence[Future[Examined]]) -> None:
    """Wait for all nodes; on a terminal, say how many are done."""
    seen = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    for number, _ in enumerate(as_completed(futures), 1):
        if seen:
            with contextlib.suppress(OSError):
                redraw(f"{number} of {len(futures)} nodes")
    with contextlib.suppress(OSError):
        wipe()


# -- one node --------------------------------------------------------------------------------------------


def _one_node(node: str, task: Task) -> Examined:
    """Examine a node and do there what is to be done. What goes wrong is in the result, and stops no other node."""
    examined = Examined(node)
    try:
        connection = Connection(node, task.ssh, task.one_file, task.timeout, task.stop)
    except (OSError, StoppedError) as error:  # NodeError, and where this machine has no more processes or files
        examined.problem = str(error)
        return examined
    examined.python = connection.python
    with contextlib.ExitStack() as held:  # what is held is released when the connection has ended
        try:
            _examine(connection, examined, task, held)
            connection.close()
        except (OSError, StoppedError) as error:
            examined.problem = str(error)
        finally:
            connection.abort()
    return examined


def _examine(connection: Connection, examined: Examined, task: Task, held: contextlib.ExitStack) -> None:
    examined.report, examined.problems = answers.as_report(connection.ask(task.request("status")))
    paths = [model["path"] for model in examined.models]
    examined.machine, examined.places = answers.as_identity(connection.ask({"identify": paths}))
    if task.action == "status" or not examined.models:
        return
    options = ["--dry-run"] * task.dry_run + ["--force"] * task.force
    _hold(examined, task, held)
    answer = connection.ask(task.request(task.action, *options))
    examined.done, problems = answers.as_done(answer, task.action)
    examined.report, examined.problems = answers.as_report(connection.ask(task.request("status")))
    examined.problems = list(dict.fromkeys([*problems, *examined.problems]))


def _hold(examined: Examined, task: Task, held: contextlib.ExitStack) -> None:
    """Wait until no other name of the same machine is at work in the same model directories, and keep it so."""
    for key in sorted((examined.machine, *place) for place in examined.places):  # the same order for all: no deadlock
        lock = task.taken.setdefault(key, threading.Lock())
        while not lock.acquire(timeout=0.1):
            if task.stop.is_set():
                raise StoppedError
        held.callback(lock.release)
