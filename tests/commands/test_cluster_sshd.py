"""`cluster` through a real OpenSSH server on loopback, which the test starts as the user it runs as.

One server has a port for each node; what a port leads to is a home and a login shell of its own.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from layouts import write_layout
from sync_directories import snapshot
from test_cluster import FOLDER, Nodes, problems, states

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")

# Stands for the login shell that sshd starts: everything that is particular about a node is set here.
LOGIN = """\
#!/bin/sh
export HOME="$1" TMPDIR="$1/tmp" XDG_DATA_HOME=
unset SSH_CONNECTION SSH_CLIENT
cd "$HOME"
[ -e "$HOME/.profile" ] && . "$HOME/.profile"
exec "$2" -c "$SSH_ORIGINAL_COMMAND"
"""


class Server:
    """An sshd with a port for each node, and an ssh configuration that names them."""

    def __init__(self, folder: Path) -> None:
        self.nodes = Nodes(folder)
        self.folder = folder
        self.login = folder / "login"
        self.login.write_text(LOGIN)
        self.login.chmod(0o755)
        for name in ("host_key", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.ports: dict[str, int] = {}
        self.shells: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def add(self, name: str, shell: str = "sh") -> Path:
        """A node with the given login shell, and its model directory."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.ports[name] = probe.getsockname()[1]
        self.shells[name] = shell
        return self.nodes.add(name)

    def start(self) -> None:
        assert SSHD is not None
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # it insists, when it is root's
        config = [
            *("UsePAM no", "StrictModes no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"),
            *(f'HostKey "{self.folder}/host_key"', f'AuthorizedKeysFile "{self.folder}/key.pub"', "PidFile none"),
            *("AllowTcpForwarding yes", f"AllowUsers {getpass.getuser()}", "ListenAddress 127.0.0.1"),
            *(f"Port {port}" for port in self.ports.values()),
        ]
        for name, port in self.ports.items():
            config += [
                f"Match LocalPort {port}",
                f"  ForceCommand '{self.login}' '{self.folder / name}' {self.shells[name]}",
            ]
        (self.folder / "sshd_config").write_text("\n".join(config) + "\n")
        host_key = (self.folder / "host_key.pub").read_text()
        known = "".join(f"[127.0.0.1]:{port} {host_key}" for port in self.ports.values())
        (self.folder / "known_hosts").write_text(known)
        hosts = "".join(f"Host {name}\n  Port {port}\n" for name, port in self.ports.items())
        (self.folder / "ssh_config").write_text(
            f'{hosts}Host *\n  HostName 127.0.0.1\n  IdentityFile "{self.folder}/key"\n  IdentitiesOnly yes\n'
            f'  UserKnownHostsFile "{self.folder}/known_hosts"\n  GlobalKnownHostsFile none\n'
            f"  User {getpass.getuser()}\n"
        )
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stderr=log)
        for port in self.ports.values():
            self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert self.process is not None
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.1)
        pytest.fail(f"sshd does not listen: {(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", *arguments, "--ssh", self.ssh()]
        return subprocess.run(argv, env=self.nodes.environment(), capture_output=True, text=True, check=False)

    def ssh(self) -> str:
        return f"ssh -F '{self.folder}/ssh_config'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if SSHD is None or shutil.which("ssh") is None:
        pytest.fail("This needs an OpenSSH server and client: apt-get install openssh-server. (.ci/run installs them.)")
    folder = tmp_path / "a folder"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.stop()


def contents(home: Path) -> dict[str, tuple[object, ...]]:
    """Everything in a home, but for what fish keeps there for itself."""
    return {name: value[:2] for name, value in snapshot(home).items() if "fish" not in name and name != ".config"}


def test_every_login_shell(server: Server) -> None:
    shells = [shell for shell in ("sh", "bash", "zsh", "fish", "csh", "tcsh") if shutil.which(shell)]
    assert {"sh", "bash"} <= {*shells}
    for shell in shells:
        server.add(f"node-{shell}", shell)
        (server.folder / f"node-{shell}" / ".profile").write_text("echo 'Welcome to this node!'; echo 'News' >&2\n")
    server.start()
    names = [*server.ports]
    before = {name: contents(server.folder / name) for name in names}
    done = server.run("status", *names)
    assert (done.returncode, done.stderr) == (1, "")
    assert [line.split()[2] for line in done.stdout.splitlines()[1 : 1 + len(names)]] == ["broken"] * len(names)
    assert {name: contents(server.folder / name) for name in names} == before
    done = server.run("sync", *names)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"All equal: {len(names)} nodes, 1 model." in done.stdout
    done = server.run("restore", *names)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {name: contents(server.folder / name) for name in names} == before
    server.nodes.assert_clean(names)


def test_nodes_that_cannot_be_reached_or_have_no_python_stop_no_other(server: Server) -> None:
    for name in ("good", "away", "nopython", "oldpython", "unwritable", "nomodels"):
        server.add(name)
    (server.folder / "nopython" / "bin").mkdir()
    (server.folder / "nopython" / "bin" / "sh").symlink_to("/bin/sh")
    (server.folder / "nopython" / ".profile").write_text('PATH="$HOME/bin"\n')
    old = server.folder / "oldpython" / "python3"
    old.write_text("#!/bin/sh\nread -r marker size\nprintf '\\n%s[3, 8, 18]\\n' \"$marker\"\n")
    old.chmod(0o755)
    (server.folder / "oldpython" / ".profile").write_text('PATH="$HOME:$PATH"\n')
    (server.folder / "unwritable" / ".profile").write_text("TMPDIR=/no/such/place\n")
    shutil.rmtree(server.nodes.models("nomodels"))
    server.start()
    config = server.folder / "ssh_config"
    config.write_text(config.read_text().replace(f"Port {server.ports['away']}", "Port 1"))
    done = server.run("sync", "--json", *server.ports)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    found = problems(report)
    assert sorted(found) == ["away", "nopython", "oldpython"]
    assert "Connection refused" in found["away"]
    assert "no python3" in found["nopython"]
    assert "Python 3.8.18; 3.9 or newer" in found["oldpython"]
    assert states(report) == {
        **{name: [] for name in server.ports},
        **{name: ["overlaid"] for name in ("good", "unwritable")},
    }
    server.nodes.assert_clean([*server.ports])


def test_the_users_own_options_and_names(server: Server) -> None:
    server.add("a")
    server.add("b")
    server.start()
    (server.folder / "known_hosts").write_text("")
    done = server.run("status", "a", "b")
    assert done.returncode == 1
    assert done.stdout.count("Host key verification failed") == 2  # nobody can be asked, and nothing hangs
    argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", "sync"]
    argv += [f"ssh://{getpass.getuser()}@127.0.0.1:{port}" for port in server.ports.values()]
    argv += ["--ssh", f"{server.ssh()} -o StrictHostKeyChecking=accept-new -o 'ProxyJump none'"]
    done = subprocess.run(argv, env=server.nodes.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All equal: 2 nodes" in done.stdout


def test_a_shared_connection_that_stays(server: Server) -> None:
    """With ControlPersist, a process of ssh's own stays behind and keeps standard error open."""
    server.add("a")
    server.start()
    with (server.folder / "ssh_config").open("a") as config:
        # The path of a socket may have some 100 bytes; a test's folder has nearly as many.
        config.write("  ControlMaster auto\n  ControlPersist 30\n  ControlPath ~/.ssh-kimi-%C\n")
    try:
        for _ in range(2):
            begun = time.monotonic()
            done = server.run("status", "a")
            assert "broken" in done.stdout
            assert time.monotonic() - begun < 25
    finally:
        subprocess.run(["ssh", "-F", server.folder / "ssh_config", "-O", "exit", "a"], capture_output=True, check=False)


@pytest.mark.parametrize("how", ["interrupted", "killed", "server killed"])
def test_cut_in_the_middle_every_node_is_left_clean(server: Server, how: str) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        server.add(name)
        for number in range(8):
            write_layout(server.nodes.models(name) / f"{FOLDER}-{number}", "broken")
    server.start()
    argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", "sync", *names, "--ssh", server.ssh()]
    environment = {**server.nodes.environment(), "TMPDIR": "/tmp"}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not all([*(server.folder / name / "tmp").iterdir()] for name in names):
            time.sleep(0.01)
        if how == "server killed":
            assert server.process is not None
            sessions = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, check=True).stdout
            for session in sessions.split():
                os.kill(int(session), signal.SIGKILL)
        else:
            process.send_signal(signal.SIGINT if how == "interrupted" else signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=90)
    assert process.returncode == {"interrupted": 130, "killed": -9, "server killed": 1}[how], stdout + stderr
    assert b"Traceback" not in stderr
    server.nodes.assert_clean(names)
    done = server.run("sync", *names)  # what was done to half is done to the end
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All equal: 4 nodes, 9 models." in done.stdout
