"""`cluster`: many nodes at once. The ssh is a script here, which does to a connection what can happen to one.

`test_cluster_sshd.py` goes through a real OpenSSH server.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import write_layout
from sync_directories import small_disk, snapshot

from kimi_tokenizers.commands import answers, cluster, on_node
from kimi_tokenizers.commands.nodes import REMOTE_COMMAND, objection
from kimi_tokenizers.commands.one_file import write_one_file
from kimi_tokenizers.errors import NodeError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "moonshotai--Kimi-K2.6"
MODEL = "moonshotai/Kimi-K2.6"

# What stands for ssh: every node is a home below $NODES, and the first word of its name is what happens to it.
FAKE_SSH = """\
#!/bin/sh
echo "$*" >> "$NODES/asked"
while [ "$1" != -- ]; do shift; done
node=$2 command=$3
export HOME="$NODES/$node" TMPDIR="$NODES/$node/tmp" XDG_DATA_HOME= NODE="$node"
cd "$HOME" 2>/dev/null || cd /
case "$node" in
  refused*) echo 'ssh: connect to host refused port 22: Connection refused' >&2; exit 255 ;;
  evil*) printf 'ssh: \\033]0;title\\007\\033[31m\\342\\200\\256no\\n' >&2; exit 255 ;;
  hanging*) exec sleep 1000 ;;
  unfinished*) sh -c "$command" | head -c 60; sleep 1000 ;;
  cut-at-once*) head -c 100000 > /dev/null; exit 255 ;;
  cut*) exec 3<&0; trap 'exit 255' TERM
    cat <&3 | sh -c "$command" | { head -c 60; kill -TERM $$; } & wait ;;
  garbage*) cat > /dev/null & head -c 100000 /dev/urandom; exit 0 ;;
  huge*) yes 'a line that no node of ours has ever written' | head -c 100000000 ;;
  loud*) yes 'an error' | head -c 100000000 >&2; exit 255 ;;
  silent*) exit 0 ;;
  nopython*) mkdir -p "$HOME/bin"; ln -sf /bin/sh "$HOME/bin/sh"; PATH="$HOME/bin" sh -c "$command" ;;
  oldpython*) read -r marker size; printf '\\n%s[3, 8, 18]\\n' "$marker" ;;
  deaf*) sh -c "$command" < /dev/null ;;
  banner*) printf 'Welcome\\033[2J!\\nno newline at its end'; sh -c "$command"; echo bye ;;
  locale*) LC_ALL=xx_YY.weird LANG=xx_YY sh -c "$command" ;;
  latin*) LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=ascii sh -c "$command" ;;
  login*) . "$HOME/login"; sh -c "$command" ;;
  answers*) read -r marker size
    printf '\\n%s[3, 11, 7]\\n\\n%s{"ready": true}\\n\\n%s%s\\n' "$marker" "$marker" "$marker" "$(cat "$HOME/answer")"
    cat > /dev/null ;;
  *) sh -c "$command" ;;
esac
"""


class Nodes:
    """Homes of nodes, and an ssh that leads to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ssh = folder / "ssh of ours"
        self.ssh.write_text(FAKE_SSH)
        self.ssh.chmod(0o755)

    def add(self, name: str, layout: str | None = "broken") -> Path:
        """A node, and its model directory."""
        (self.folder / name / "tmp").mkdir(parents=True)
        model_dir = self.models(name) / FOLDER
        return write_layout(model_dir, layout) if layout else model_dir

    def models(self, name: str) -> Path:
        return self.folder / name / (".local/share/exo/models" if sys.platform == "linux" else ".exo/models")

    def environment(self) -> dict[str, str]:
        ours = {"NODES": str(self.folder), "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder)}
        return {**{k: v for k, v in os.environ.items() if not k.startswith(("EXO_", "XDG_"))}, **ours}

    def argv(self, *arguments: str) -> list[str]:
        ssh = f"'{self.ssh}' -o 'Some Option'"
        return [sys.executable, "-m", "kimi_tokenizers", "cluster", *arguments, "--ssh", ssh]

    def run(self, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        # A timeout that is long enough for a busy machine, and bounds what a hanging node costs the others.
        done = subprocess.run(
            self.argv(*arguments), env=self.environment(), capture_output=True, check=False, timeout=300, **settings
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def report(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        done = self.run(*arguments, "--json")
        assert done.stdout.isascii(), done.stdout
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    def asked(self) -> list[str]:
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def assert_clean(self, names: Sequence[str], seconds: float = 15.0) -> None:
        """No node keeps a temporary file. One that was cut off may need a moment."""
        until = time.monotonic() + seconds
        left: list[Path] = []
        while time.monotonic() < until:
            left = [path for name in names for path in (self.folder / name / "tmp").iterdir()]
            if not left:
                break
            time.sleep(0.1)
        assert left == []
        assert [*self.folder.glob("kimi-tokenizers*")] == []  # ours, on this side


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    return Nodes(tmp_path)


def states(report: dict[str, Any]) -> dict[str, list[str]]:
    return {node["node"]: [model["state"] for model in node["models"]] for node in report["nodes"]}


def problems(report: dict[str, Any]) -> dict[str, str]:
    return {node["node"]: node["problem"] for node in report["nodes"] if node["problem"]}


# -- what it is for ----------------------------------------------------------------------------------------


def test_status_sync_and_restore(nodes: Nodes) -> None:
    for name in ("a", "b"):
        nodes.add(name)
    before = {name: snapshot(nodes.folder / name) for name in ("a", "b")}
    status, report = nodes.report("status", "a", "b")
    assert (status, report["ok"], states(report)) == (1, False, {"a": ["broken"], "b": ["broken"]})
    status, report = nodes.report("sync", "--dry-run", "a", "b")
    assert (status, report["dry_run"]) == (1, True)  # all is not well yet
    assert any("tiktoken.model" in file for file in report["nodes"][0]["done"][0]["files"])
    assert {name: snapshot(nodes.folder / name) for name in ("a", "b")} == before
    status, report = nodes.report("sync", "a", "b")
    assert (status, report["ok"], states(report)) == (0, True, {"a": ["overlaid"], "b": ["overlaid"]})
    assert (report["schema"], report["compared"], report["differences"]) == (1, 2, [])
    done = nodes.run("status", "a", "b")
    assert done.returncode == 0
    assert "All equal: 2 nodes, 1 model." in done.stdout
    status, report = nodes.report("restore", "a", "b")
    assert (status, states(report)) == (0, {"a": ["broken"], "b": ["broken"]})
    for name in ("a", "b"):
        after = snapshot(nodes.folder / name)
        assert {path: value[:2] for path, value in after.items()} == {p: v[:2] for p, v in before[name].items()}


def test_the_table_says_what_differs_and_what_to_do(nodes: Nodes) -> None:
    nodes.add("a")
    nodes.add("b", "good")
    write_layout(nodes.models("b") / "moonshotai--Kimi-K2-Thinking", "broken", "kimi-k2-thinking")
    done = nodes.run("status", "a", "b")
    assert (done.returncode, done.stderr) == (1, "")
    rows = [line.split() for line in done.stdout.splitlines()[:4]]
    assert rows[0] == ["NODE", "MODEL", "STATE", "TOKENS", "PROMPTS"]
    assert [row[:3] for row in rows[1:]] == [
        ["a", MODEL, "broken"],
        ["b", "moonshotai/Kimi-K2-Thinking", "broken"],
        ["b", MODEL, "overlaid"],
    ]
    assert f"{MODEL}: the nodes differ in whether it would load" in done.stdout
    assert "not there: a" in done.stdout
    assert "All equal" not in done.stdout
    assert "To mend it: kimi-tokenizers cluster sync" in done.stdout


def test_one_connection_a_node_and_the_users_own_options(nodes: Nodes) -> None:
    nodes.add("a", "broken")
    nodes.run("sync", "a", "a")
    assert nodes.asked() == [f"-o Some Option -- a {REMOTE_COMMAND}"]


def test_localhost_needs_no_ssh(nodes: Nodes) -> None:
    model_dir = nodes.add("here")
    argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", "sync", "localhost", "--ssh", "/no/ssh"]
    argv += ["--models-dir", str(model_dir.parent)]
    done = subprocess.run(argv, env=nodes.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "overlaid" in done.stdout
    assert "nothing to compare" in done.stdout
    nodes.assert_clean(["here"])


def test_it_runs_from_the_one_file_too(nodes: Nodes) -> None:
    for name in ("a", "b"):
        nodes.add(name)
    one_file = nodes.folder / "kimi-tokenizers.pyz"
    write_one_file(one_file)
    argv = [sys.executable, "-I", "-S", str(one_file), *nodes.argv("sync", "a", "b")[3:]]
    done = subprocess.run(argv, env=nodes.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "All equal: 2 nodes, 1 model." in done.stdout


def test_progress_is_shown_on_a_terminal_and_gone_afterwards(nodes: Nodes) -> None:
    nodes.add("a")
    master, terminal = pty.openpty()
    done = subprocess.run(
        nodes.argv("status", "a", "silent"),
        env=nodes.environment(),
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=False,
    )
    os.close(terminal)
    with open(master, "rb", buffering=0) as stream:
        shown = stream.read(4096)
    assert done.returncode == 1
    assert b"1 of 2 nodes" in shown
    assert shown.endswith(b"\r\x1b[K")


def test_where_exo_has_its_models_on_the_nodes(nodes: Nodes) -> None:
    for name in ("a", "b"):
        nodes.add(name, None)
        write_layout(nodes.folder / name / "it's $HOME; `here`" / FOLDER, "broken")
    odd = "it's $HOME; `here`"
    status, report = nodes.report("status", "a", "b", "--models-dir", odd)
    assert states(report) == {"a": ["broken"], "b": ["broken"]}
    assert nodes.report("status", "a", "b", "--models-dir", f"~/{odd}")[1]["nodes"][0]["models"]
    status, report = nodes.report("sync", "a", "b", "--env", f"EXO_DEFAULT_MODELS_DIR=~/{odd}")
    assert (status, states(report)) == (0, {"a": ["overlaid"], "b": ["overlaid"]})
    status, report = nodes.report("status", "a", "b", "--env", "EXO_DEFAULT_MODELS_DIR=/no/such")
    assert (status, report["ok"]) == (1, False)
    assert states(report) == {"a": [], "b": []}


# -- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("", "-oProxyCommand=touch x", "--", "-", "a b", "a\nb", "a\tb", "a\x1b[31m", "a\x00b", "a\x7f", "a\u202eb"),
        *("user@-oProxyCommand=x", "ssh://-oProxyCommand=x", "$(touch x)", "a;b", "a`b`", "a|b", "a&b", "'", '"', "*"),
        *("\\", "x" * 256),
    ],
)
def test_what_is_no_name_of_a_node_never_reaches_ssh(nodes: Nodes, name: str) -> None:
    assert objection(name) is not None
    if "\x00" not in name and name != "--":
        done = nodes.run("status", "--ssh", "x", "good", "--", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert not set(done.stderr) & {"\x1b", "\u202e", "\x7f"}
        assert nodes.asked() == []


@pytest.mark.parametrize(
    "name",
    [
        *("studio", "user@studio.local", "10.0.0.1", "::1", "fe80::1%en0", "user.name+x@[::1]", "ssh://me@host:2222"),
        *("ssh://host:22/", "my_mac", "Jürgens-Mac.local", "me@studio"),
    ],
)
def test_what_ssh_takes_for_a_name_is_one(name: str) -> None:
    assert objection(name) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["mend", "a"],
        ["status", "a", "--ssh", ""],
        ["status", "a", "--ssh", "'ssh"],
        ["status", "a", "--dry-run"],
        ["status", "a", "--force"],
        ["status", "a", "--models-dir", ""],
        ["status", "a", "--timeout", "0"],
        ["status", "a", "--timeout", "nan"],
        *(["status", "a", "--env", setting] for setting in ("EXO_HOME", "=x", "PATH=/x", "LD_PRELOAD=/x", "A\nB=c")),
    ],
)
def test_wrong_usage(nodes: Nodes, arguments: list[str]) -> None:
    argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", *arguments]
    done = subprocess.run(argv, env=nodes.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_an_ssh_that_is_not_there(nodes: Nodes) -> None:
    nodes.ssh.unlink()
    status, report = nodes.report("status", "a", "b")
    assert status == 1
    assert "cannot be started: No such file or directory" in problems(report)["b"]


# -- what can go wrong on the way --------------------------------------------------------------------------

FAULTS = {
    "refused": "Connection refused",
    "hanging": "did not answer within",
    "unfinished": "did not answer within",
    "cut-at-once": "ssh could not connect",
    "cut": "The connection was cut",
    "garbage": "before it had answered",
    "huge": "more than 8,388,608 bytes",
    "loud": "8,388,608 bytes",
    "silent": "ended with status 0 before it had answered",
    "nopython": "has no python3",
    "oldpython": "Python 3.8.18; 3.9 or newer is needed",
    "deaf": "before it had answered",
}


def test_a_fault_is_a_row_that_says_so_and_stops_no_other_node(nodes: Nodes) -> None:
    for name in ("first", *FAULTS, "last"):
        nodes.add(name)
    status, report = nodes.report("sync", "first", *FAULTS, "last", "--timeout", "10")
    assert (status, report["ok"]) == (1, False)
    found = problems(report)
    assert {name: FAULTS[name] in found.get(name, "") for name in FAULTS} == dict.fromkeys(FAULTS, True), found
    assert {**states(report)}.items() >= {"first": ["overlaid"], "last": ["overlaid"]}.items()
    nodes.assert_clean(["first", *FAULTS, "last"])


def test_what_a_node_says_is_escaped(nodes: Nodes) -> None:
    nodes.add("evil")
    done = nodes.run("status", "evil", "evil2")
    assert done.returncode == 1
    assert not set(done.stdout) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b]0;title\\x07\\x1b[31m\\u202eno" in done.stdout


def deep() -> str:
    return "[" * 100_000 + "]" * 100_000


HOSTILE_REPORTS = [
    *("null", "[]", "{}", "1", '"x"', "NaN", "{", deep(), '{"schema": 1}', '{"schema": 1, "ok": true}', "9" * 100_000),
    *(
        '{"schema": 2, "ok": true, "problems": [], "models": []}',
        '{"schema": 1, "ok": 1, "problems": [], "models": []}',
    ),
    '{"schema": 1, "ok": true, "problems": [1], "models": []}',
    '{"schema": 1, "ok": true, "problems": [], "models": [1]}',
    '{"schema": 1, "ok": true, "problems": [], "models": {"a": 1}}',
]


def fine_model(**changes: Any) -> dict[str, Any]:
    prints = {"tokens": "a" * 64, "prompts": "b" * 64}
    model = {"model": MODEL, "path": "/x", "detail": "", "state": "healthy", "would_load": True, "fingerprints": prints}
    return {**model, **changes}


def report_of(*models: Any, **changes: Any) -> str:
    return json.dumps({"schema": 1, "ok": True, "problems": [], "models": [*models], **changes})


@pytest.mark.parametrize(
    "stdout",
    HOSTILE_REPORTS
    + [
        report_of(fine_model(**{key: value}))
        for key, value in [
            *(
                ("model", None),
                ("model", 1),
                ("model", []),
                ("path", {}),
                ("detail", 1),
                ("state", "fine"),
                ("state", []),
            ),
            *(("would_load", 1), ("would_load", "yes"), ("fingerprints", []), ("fingerprints", {"tokens": "a" * 64})),
            ("fingerprints", {"tokens": "\x1b[31m" * 13, "prompts": "b" * 64}),
        ]
    ]
    + [report_of(*[fine_model()] * 1001)],
)
def test_a_report_of_another_form_is_refused(stdout: str) -> None:
    with pytest.raises(NodeError):
        answers.as_report({"exit": 0, "stdout": stdout, "stderr": ""})


@pytest.mark.parametrize(
    "answer", [None, [], "x", {}, {"exit": "0", "stdout": report_of()}, {"exit": 2, "stdout": report_of()}]
)
def test_an_answer_of_another_form_is_refused(answer: Any) -> None:
    for check in (answers.as_report, lambda value: answers.as_done(value, "sync"), answers.as_identity):
        with pytest.raises(NodeError):
            check(answer)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON_VALUES, st.sampled_from(["model", "path", "detail", "state", "would_load", "fingerprints", "files"]))
def test_whatever_a_report_says_it_is_of_its_form_or_refused(value: Any, key: str) -> None:
    outputs = [json.dumps(value), report_of(value), report_of(fine_model(**{key: value})), report_of(problems=value)]
    for answer in (value, *({"exit": 1, "stdout": stdout, "stderr": value} for stdout in outputs)):
        for check in (answers.as_report, lambda given: answers.as_done(given, "sync"), answers.as_identity):
            with contextlib.suppress(NodeError):
                check(answer)


@given(st.text(min_size=1))
def test_a_name_that_is_taken_holds_nothing_that_a_shell_or_ssh_could_take_for_more(name: str) -> None:
    if objection(name) is None:
        assert name.isprintable()
        assert not set(name) & set(" \"'`$;&|<>(){}*?!#\\^")
        assert not name.startswith("-")


def test_a_node_that_contradicts_itself_is_not_well() -> None:
    answer = {"exit": 1, "stdout": report_of(fine_model()), "stderr": ""}
    assert answers.as_report(answer)[1] == ["its `status` says that something is wrong, but not what"]
    assert answers.as_report({**answer, "exit": 0})[1] == []


@pytest.mark.parametrize(
    "answer", ["{}", "[" * 100_000, "1" * 1_000_000, '{"exit": NaN}', '"\\ud800"', '{"exit": 0, "stdout": 1}']
)
def test_whatever_a_node_answers_there_is_a_row(nodes: Nodes, answer: str) -> None:
    nodes.add("answers", None)
    (nodes.folder / "answers" / "answer").write_text(answer)
    status, report = nodes.report("status", "answers")
    assert status == 1
    assert problems(report)["answers"]


def test_cells_of_what_a_node_reports_are_escaped(nodes: Nodes) -> None:
    nodes.add("answers", None)
    model = fine_model(model="\x1b]0;x\x07\u202e", detail="\x9b31m\x7f", would_load=False)
    answer = json.dumps({"exit": 1, "stdout": report_of(model, problems=["\x1b[2J"]), "stderr": ""})
    (nodes.folder / "answers" / "answer").write_text(answer)
    done = nodes.run("status", "answers", "--timeout", "5")
    assert done.returncode == 1
    assert all(line.isprintable() for line in done.stdout.splitlines()), done.stdout
    assert "\\x1b]0;x\\x07\\u202e" in done.stdout
    nodes.report("status", "answers", "--timeout", "5")


# -- odd nodes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish", "csh", "tcsh"])
def test_any_login_shell_understands_the_remote_command(shell: str) -> None:
    if shell not in ("sh", "bash") and shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine; .ci/run installs fish and tcsh")
    program = b"print('here', m)\n"
    stdin = b"marker %d\n%s" % (len(program), program)
    done = subprocess.run([shell, "-c", REMOTE_COMMAND], input=stdin, capture_output=True, check=True)
    assert done.stdout.split(b"\n")[1].startswith(b"marker[3, ")
    assert done.stdout.endswith(b"\nhere marker\n")


def test_nodes_with_a_banner_or_an_odd_locale(nodes: Nodes) -> None:
    names = ["banner", "locale", "latin", "plain"]
    for name in names:
        nodes.add(name)
    status, report = nodes.report("sync", *names)
    assert problems(report) == {}
    assert (status, states(report)) == (0, {name: ["overlaid"] for name in names})


def test_a_path_that_is_no_text(nodes: Nodes) -> None:
    nodes.add("latin", None)
    folder = os.path.join(os.fsencode(nodes.folder), b"latin", b"m\xff\xe9")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system has no such names")
    write_layout(Path(os.fsdecode(folder)) / FOLDER, "broken")
    status, report = nodes.report("sync", "latin", "--models-dir", os.fsdecode(b"m\xff\xe9"))
    assert (status, states(report)) == (0, {"latin": ["overlaid"]})
    assert nodes.run("status", "latin", "--models-dir", os.fsdecode(b"m\xff\xe9")).returncode == 0


def test_the_one_file_goes_where_there_is_room_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy, small = tmp_path / "home" / ".cache", tmp_path / "small"
    roomy.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(small))
    kept = on_node.Folder()
    with small_disk(small, 65536) as mounted:  # where nobody may mount, it is a place that cannot be written to
        if not mounted:
            small.rmdir()
        monkeypatch.setattr(os.path, "isabs", lambda place: place.startswith(str(tmp_path)))
        file = kept.keep(b"x" * 1_000_000)
        assert Path(file).parent.parent == roomy
        assert Path(file).parent.stat().st_mode & 0o777 == 0o700
        assert not small.exists() or [*small.iterdir()] == []
        assert kept.remove() is None
        assert [*roomy.iterdir()] == []
        monkeypatch.setattr(os.path, "isabs", lambda place: place == str(small))
        with pytest.raises(OSError, match="small: No "):
            kept.keep(b"x" * 1_000_000)


def test_names_of_one_machine_are_said_and_not_synced_at_the_same_time(nodes: Nodes) -> None:
    nodes.add("a")
    for name in ("b", "c"):
        (nodes.folder / name).symlink_to("a")
    status, report = nodes.report("sync", "a", "b")
    assert (report["one_machine"], report["compared"], status) == ([["a", "b"]], 1, 1)
    done = nodes.run("sync", "a", "b", "c", "c")
    assert "One machine with the same model directories: a, b, c" in done.stdout
    assert "All equal" not in done.stdout
    nodes.add("d", "broken")
    status, report = nodes.report("sync", "a", "b", "d")
    assert (status, report["one_machine"], report["compared"]) == (0, [["a", "b"]], 2)


def test_names_of_one_machine_wait_for_each_other() -> None:
    task = cluster.Task("sync", ["ssh"], {}, [], 1.0)
    one = answers.Examined("a", machine="m", places=frozenset({(1, 2), (1, 3)}))
    other = answers.Examined("b", machine="m", places=frozenset({(1, 3), (1, 4)}))
    elsewhere = answers.Examined("c", machine="n", places=frozenset({(1, 3)}))
    order = []
    with contextlib.ExitStack() as first, contextlib.ExitStack() as third:
        cluster._hold(one, task, first)
        cluster._hold(elsewhere, task, third)

        def second() -> None:
            with contextlib.ExitStack() as held:
                cluster._hold(other, task, held)
                order.append("second")

        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.5)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


def test_three_hundred_nodes(nodes: Nodes) -> None:
    there = [f"node{number}" for number in range(30)]
    for name in there:
        nodes.add(name)
    names = [f"refused{number}" for number in range(135)] + there + [f"silent{number}" for number in range(135)]
    status, report = nodes.report("status", *names)
    assert [node["node"] for node in report["nodes"]] == names
    assert (status, len(problems(report)), report["compared"]) == (1, 270, 30)
    assert report["not_loading"] == there
    nodes.assert_clean(there)


# -- interrupted, and output that goes nowhere -------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_in_the_middle_every_node_is_left_clean(nodes: Nodes, number: signal.Signals) -> None:
    names = ["a", "b", "hanging", "unfinished"]
    for name in names:
        nodes.add(name)
    with subprocess.Popen(
        nodes.argv("sync", *names), env=nodes.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not [*(nodes.folder / "unfinished" / "tmp").iterdir()]:
            time.sleep(0.01)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, b"", b"")
    nodes.assert_clean(names)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False).stdout
    assert str(nodes.folder) not in listed


def test_killed_in_the_middle_every_node_is_left_clean(nodes: Nodes) -> None:
    names = ["a", "b", "c"]
    for name in names:
        nodes.add(name)
    with subprocess.Popen(nodes.argv("sync", *names), env={**nodes.environment(), "TMPDIR": "/tmp"}) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not [*(nodes.folder / "b" / "tmp").iterdir()]:
            time.sleep(0.01)
        process.kill()
    nodes.assert_clean(names)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full disk to write to")
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_full_disk_is_an_error_and_no_trace(nodes: Nodes, json_too: list[str]) -> None:
    nodes.add("a")
    with open("/dev/full", "wb") as full:
        argv = nodes.argv("status", "a", *json_too)
        done = subprocess.run(argv, env=nodes.environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("kimi-tokenizers: the output cannot be written: No space left on device.")


def test_a_reader_that_has_gone(nodes: Nodes) -> None:
    nodes.add("a")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        nodes.argv("status", "a"), env=nodes.environment(), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_that_shows_no_unicode(nodes: Nodes) -> None:
    nodes.add("a")
    environment = {**nodes.environment(), "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(nodes.argv("status", "a"), env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\\u2026" in done.stdout
