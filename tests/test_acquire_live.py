"""Live: stand-in tools (small shell scripts) in a directory, run as the real ones would be."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from build_tools import (
    CFGTOOL,
    CIB,
    CMAPCTL,
    CRM_MON,
    DRBD_RESOURCES,
    DRBD_STATUS,
    DRBD_STATUS_AGAIN,
    QUORUMTOOL,
)
from check_mccluster.acquire.live import Live
from check_mccluster.acquire.source import (
    AcquireError,
    ModuleUnfit,
    OutputTooLarge,
    Source,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from check_mccluster.acquire.tools import Tool
from processes import gone

FOREVER = 600


class Machine:
    """A directory of stand-in tools, and a root directory with the kernel's files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "bin"
        self.root = path / "root"
        self.bin.mkdir()
        self.root.mkdir()

    def tool(self, name: str, script: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\ncd {self.path}\n{script}\n")
        path.chmod(0o755)
        return path

    def module(self, version: str) -> None:
        folder = self.root / "sys/module/drbd"
        folder.mkdir(parents=True)
        (folder / "version").write_text(f"{version}\n")

    def live(self, seconds: float = 30, **options) -> Live:
        return Live(deadline=time.monotonic() + seconds, root=self.root, **options)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    return machine


def everything(source: Source, tool: Tool) -> tuple[bytes, int, str]:
    stream = source.open(tool)
    output = stream.read()
    ending = stream.finish()
    return output, ending.exit_code, ending.stderr


def refusal(source: Source, tool: Tool, kind: type[AcquireError]) -> str:
    """What is said when the tool's output cannot be had."""
    with pytest.raises(kind) as error:
        everything(source, tool)
    return error.value.detail


def pid_in(path: Path) -> int:
    return int(path.read_text())


def test_output_exit_code_and_stderr_are_told(machine):
    machine.tool("crm_mon", 'echo "<crm_mon>"; echo "Not connected" >&2; echo "$@"; exit 102')
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"<crm_mon>\n-r -1 -X\n", 102, "Not connected\n")


def test_reads_piece_by_piece_to_the_end(machine):
    machine.tool("crm_mon", "printf abcdefg")
    with machine.live() as live:
        stream = live.open(CRM_MON)
        pieces = []
        while piece := stream.read(2):
            pieces.append(piece)
        assert b"".join(pieces) == b"abcdefg"
        assert max(map(len, pieces)) == 2
        assert stream.read(2) == b""
        assert stream.read() == b""
        assert stream.finish().exit_code == 0


def test_binary_rubbish_passes_through(machine):
    (machine.path / "rubbish").write_bytes(bytes(range(256)) * 2000)
    machine.tool("crm_mon", "cat rubbish; printf '\\377' >&2")
    with machine.live() as live:
        assert everything(live, CRM_MON) == (bytes(range(256)) * 2000, 0, "\ufffd")


def test_finish_discards_what_was_not_read(machine):
    machine.tool("crm_mon", "head -c 300000 /dev/zero; exit 3")
    with machine.live() as live:
        stream = live.open(CRM_MON)
        assert stream.read(1) == b"\0"
        assert stream.finish().exit_code == 3
        assert stream.read() == b""


def test_a_tool_that_closes_its_output_early_is_waited_for(machine):
    machine.tool("crm_mon", "echo all; exec >&- 2>&-; sleep 0.2; exit 7")
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"all\n", 7, "")


def test_a_tool_ended_by_a_signal_has_a_negative_exit_code(machine):
    machine.tool("crm_mon", "kill -SEGV $$")
    with machine.live() as live:
        assert everything(live, CRM_MON)[:2] == (b"", -signal.SIGSEGV)
        assert live.runs()[0].outcome == "ended by signal 11"


def test_exit_codes_survive_a_parent_that_ignored_its_children(machine):
    machine.tool("crm_mon", "exit 102")
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with machine.live() as live:
            assert everything(live, CRM_MON) == (b"", 102, "")
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_opening_again_replays_nothing(machine):
    machine.tool("crm_mon", "echo run >> runs; echo text")
    with machine.live() as live:
        live.prepare((CRM_MON,))
        assert live.open(CRM_MON).read() == b"text\n"
        assert live.open(CRM_MON).read() == b""
    assert (machine.path / "runs").read_text() == "run\n"


def test_children_get_no_input_and_the_c_locale(machine, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    machine.tool("crm_mon", 'cat; echo "$LC_ALL ${LANGUAGE-unset} $TZ"')
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"C unset UTC\n", 0, "")


def test_children_of_a_crm_shadow_shell_read_the_cluster_and_not_the_copy(machine, monkeypatch):
    for name in ("CIB_shadow", "CIB_shadow_dir", "CIB_file", "CIB_server", "CIB_passwd"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PCMK_ipc_type", "posix")
    machine.tool("crm_mon", 'env | grep -E "^(CIB|PCMK)_"')
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"PCMK_ipc_type=posix\n", 0, "")


def test_a_tool_outside_a_poor_path_is_found_by_its_configured_path(machine, monkeypatch):
    tool = machine.tool("no-such-tool", "echo found")
    monkeypatch.setenv("PATH", "/nonexistent")
    with machine.live(paths={"crm_mon": str(tool)}) as live:
        assert everything(live, CRM_MON) == (b"found\n", 0, "")
        assert [(run.command, run.outcome) for run in live.runs()] == [
            (f"{tool} -r -1 -X", "exit 0")
        ]


def test_a_configured_path_without_a_file_is_named(machine):
    machine.tool("crm_mon", "echo not this one")
    with machine.live(paths={"crm_mon": "/nonexistent/crm_mon"}) as live:
        assert refusal(live, CRM_MON, ToolMissing) == (
            "crm_mon is not installed (no file at its configured path /nonexistent/crm_mon)"
        )


def test_relative_folders_of_the_path_are_not_searched(machine, monkeypatch):
    machine.tool("no-such-tool", "echo dangerous")
    monkeypatch.chdir(machine.bin)
    monkeypatch.setenv("PATH", ".::bin")
    tool = Tool("no-such-tool", (), "none")
    with machine.live() as live, pytest.raises(ToolMissing) as error:
        live.open(tool)
    assert error.value.detail == "no-such-tool is not installed"


def test_a_missing_tool_is_told_when_it_is_opened(machine):
    tool = Tool("no-such-tool", ("--now",), "none")
    with machine.live() as live:
        live.prepare((tool,))
        with pytest.raises(ToolMissing, match=r"^no-such-tool is not installed$"):
            live.open(tool)
        assert [(run.command, run.outcome, run.seconds) for run in live.runs()] == [
            ("no-such-tool --now", "not installed", None)
        ]


def test_a_file_that_may_not_be_executed_is_denied(machine):
    tool = machine.tool("crm_mon", "")
    tool.chmod(0o644)
    with machine.live(paths={"crm_mon": str(tool)}) as live:
        assert refusal(live, CRM_MON, ToolDenied) == f"this user may not execute {tool}"


def test_a_file_that_is_no_program_is_denied(machine):
    (machine.bin / "crm_mon").write_bytes(b"\x7fELF rubbish")
    (machine.bin / "crm_mon").chmod(0o755)
    with machine.live() as live, pytest.raises(ToolDenied, match="Exec format error"):
        live.open(CRM_MON)


def test_a_hanging_tool_and_its_children_are_killed_at_the_deadline(machine):
    machine.tool("crm_mon", f"echo '<crm'; sleep {FOREVER} & echo $! >child; echo $$ >parent; wait")
    with machine.live(0.5) as live:
        stream = live.open(CRM_MON)
        assert stream.read(4) == b"<crm"
        with pytest.raises(ToolTimeout) as error:
            stream.read()
        assert error.value.detail == "crm_mon -r -1 -X did not answer within 0.5 s"
        with pytest.raises(ToolTimeout):
            stream.finish()
        assert [run.outcome for run in live.runs()] == ["killed at the deadline"]
        # Reaped, so not even a zombie.
        assert not Path(f"/proc/{pid_in(machine.path / 'parent')}").exists()
        assert gone(pid_in(machine.path / "child"))


def test_a_grandchild_that_keeps_the_output_open_does_not_hold_us_up(machine):
    machine.tool("crm_mon", f"echo all; sleep {FOREVER} & echo $! >child; exit 0")
    with machine.live(0.5) as live:
        stream = live.open(CRM_MON)
        with pytest.raises(ToolTimeout):
            stream.read()
    assert gone(pid_in(machine.path / "child"))


def test_a_grandchild_that_keeps_only_stderr_open_is_not_waited_for(machine):
    machine.tool("crm_mon", f"sleep {FOREVER} >&- & echo $! >child; echo why >&2; echo all")
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"all\n", 0, "why\n")
        assert gone(pid_in(machine.path / "child"))


def test_a_hanging_tool_uses_up_no_other_tools_time(machine):
    machine.tool("crm_mon", f"exec sleep {FOREVER}")
    # More than a pipe holds, so it must be taken while the other is waited for.
    machine.tool("cibadmin", "head -c 1000000 /dev/zero; exit 5")
    with machine.live(3) as live:
        live.prepare((CRM_MON, CIB))
        with pytest.raises(ToolTimeout):
            live.open(CRM_MON).read()
        assert everything(live, CIB) == (bytes(1000000), 5, "")
        assert [run.outcome for run in live.runs()] == ["killed at the deadline", "exit 5"]


def test_output_that_was_complete_in_time_is_read_after_the_deadline(machine):
    machine.tool("crm_mon", "echo done; echo $$ >parent")
    machine.tool("cibadmin", f"echo half; exec sleep {FOREVER}")
    with machine.live(0.5) as live:
        live.prepare((CRM_MON, CIB))
        time.sleep(0.7)  # as a reader that computes without reading
        assert everything(live, CRM_MON) == (b"done\n", 0, "")
        with pytest.raises(ToolTimeout):
            live.open(CIB).read()


def test_nothing_is_started_after_the_deadline(machine):
    machine.tool("crm_mon", "touch started")
    with machine.live(0) as live:
        assert refusal(live, CRM_MON, ToolTimeout) == "no time was left to run crm_mon -r -1 -X"
    assert not (machine.path / "started").exists()


def test_output_over_the_limit_is_refused_and_the_tool_killed(machine):
    machine.tool("flood", "echo $$ >parent; exec cat /dev/zero")
    flood = Tool("flood", (), "flood.txt", limit=2**20)
    with machine.live() as live:
        stream = live.open(flood)
        with pytest.raises(OutputTooLarge) as error:
            stream.read()
        assert error.value.detail == "flood printed more than 1 MiB, which is not read"
        assert not Path(f"/proc/{pid_in(machine.path / 'parent')}").exists()
        assert [run.outcome for run in live.runs()] == ["killed: more output than 1 MiB"]


def test_output_as_large_as_the_limit_is_read(machine):
    machine.tool("flood", "head -c 1048576 /dev/zero")
    with machine.live() as live:
        assert everything(live, Tool("flood", (), "flood.txt", limit=2**20))[0] == bytes(2**20)


def test_huge_stderr_is_cut_and_blocks_nobody(machine):
    machine.tool("crm_mon", "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo all")
    with machine.live() as live:
        assert everything(live, CRM_MON) == (b"all\n", 0, "x" * 65536)


def test_closing_ends_what_was_not_read(machine):
    machine.tool("crm_mon", f"echo $$ >parent; exec sleep {FOREVER}")
    before = set(Path("/proc/self/fd").iterdir())
    with machine.live() as live:
        live.prepare((CRM_MON,))
        while not (machine.path / "parent").exists() or not (machine.path / "parent").read_text():
            time.sleep(0.01)
    assert not Path(f"/proc/{pid_in(machine.path / 'parent')}").exists()
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert [run.outcome for run in live.runs()] == ["killed: not needed any more"]


def test_two_readings_are_two_runs_and_the_second_starts_late(machine):
    machine.module("9.2.18")
    machine.tool("drbdsetup", "echo run >>runs; cat runs")
    with machine.live() as live:
        live.prepare((DRBD_STATUS, DRBD_STATUS_AGAIN))
        assert everything(live, DRBD_STATUS)[0] == b"run\n"
        live.wait(0.05)
        assert (machine.path / "runs").read_text() == "run\n"
        assert everything(live, DRBD_STATUS_AGAIN)[0] == b"run\nrun\n"


def test_a_wait_ends_at_the_deadline(machine):
    with machine.live(0.3) as live:
        live.wait(FOREVER)


def test_no_tool_runs_that_would_load_the_module(machine):
    machine.tool("drbdsetup", "touch started")
    with machine.live() as live:
        assert live.drbd_module() == (True, None)
        with pytest.raises(ModuleUnfit, match=r"^the DRBD kernel module is not loaded$"):
            live.open(DRBD_STATUS)
        assert live.runs()[0].outcome == "not run: the DRBD kernel module is not loaded"
    assert not (machine.path / "started").exists()


def test_the_kernels_own_module_is_named(machine):
    machine.tool("drbdsetup", "touch started")
    machine.module("8.4.11")
    with machine.live() as live, pytest.raises(ModuleUnfit) as error:
        live.open(DRBD_STATUS)
    assert error.value.detail == (
        "the loaded DRBD kernel module is 8.4.11, the kernel's own 8.4 and not DRBD 9: "
        "drbdsetup would run drbdsetup-84"
    )
    assert not (machine.path / "started").exists()


def test_a_missing_drbdsetup_is_told_before_a_missing_module(machine):
    with machine.live(paths={"drbdsetup": "/nonexistent/drbdsetup"}) as live:
        assert refusal(live, DRBD_STATUS, ToolMissing).startswith("drbdsetup is not installed")


def test_a_module_without_a_version_file_is_asked_in_proc(machine):
    (machine.root / "sys/module/drbd").mkdir(parents=True)
    (machine.root / "proc").mkdir()
    (machine.root / "proc/drbd").write_text(
        "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 211FB288A383ED945B83420 \n"
    )
    assert machine.live().drbd_module() == (True, "8.4.11")


def test_a_loaded_module_of_unknown_version_is_not_called_missing(machine):
    (machine.root / "sys/module/drbd").mkdir(parents=True)
    machine.tool("drbdsetup", "echo '[]'")
    with machine.live() as live:
        assert live.drbd_module() == (False, None)
        assert everything(live, DRBD_STATUS)[0] == b"[]\n"


def test_expected_resources_are_asked_once(machine):
    machine.tool("drbdadm", 'echo run >>runs; test "$*" = sh-resources; printf "r0 r1\\nr2\\n"')
    with machine.live() as live:
        assert live.expected_drbd_resources(DRBD_RESOURCES) == ("r0", "r1", "r2")
        assert live.expected_drbd_resources(DRBD_RESOURCES) == ("r0", "r1", "r2")
    assert (machine.path / "runs").read_text() == "run\n"


def test_a_prepared_drbdadm_is_not_run_twice(machine):
    machine.tool("drbdadm", "echo run >>runs; echo r0")
    with machine.live() as live:
        live.prepare((DRBD_RESOURCES,))
        assert live.expected_drbd_resources(DRBD_RESOURCES) == ("r0",)
    assert (machine.path / "runs").read_text() == "run\n"


def test_no_configured_resource_is_not_the_same_as_not_known(machine):
    machine.tool("drbdadm", "echo 'no resources defined!' >&2")
    with machine.live() as live:
        assert live.expected_drbd_resources(DRBD_RESOURCES) == ()


@pytest.mark.parametrize("script", ["echo r0; exit 10", f"echo r0; exec sleep {FOREVER}"])
def test_expected_resources_are_not_known_if_drbdadm_fails(machine, script):
    machine.tool("drbdadm", script)
    with machine.live(0.5) as live:
        assert live.expected_drbd_resources(DRBD_RESOURCES) is None


def test_expected_resources_are_not_known_without_drbdadm(machine):
    with machine.live(paths={"drbdadm": "/nonexistent/drbdadm"}) as live:
        assert live.expected_drbd_resources(DRBD_RESOURCES) is None


def test_node_and_time(machine):
    live = machine.live()
    assert live.node == os.uname().nodename
    assert live.time.utcoffset().total_seconds() == 0
    assert not live.recorded
    assert machine.live(node="app01").node == "app01"


# sudo, with a stand-in that runs its arguments


def test_sudo_runs_the_absolute_path_without_asking(machine):
    sudo = machine.tool("sudo", 'printf "%s " "$@"')
    tool = machine.tool("crm_mon", "")
    tool.chmod(0o600)  # root may run what this user may not
    with machine.live(sudo=True) as live:
        assert everything(live, CRM_MON)[0] == f"-n {tool} -r -1 -X ".encode()
        assert live.runs()[0].command == f"{sudo} -n {tool} -r -1 -X"


def test_drbdadm_needs_no_sudo(machine):
    machine.tool("sudo", "echo no")
    machine.tool("drbdadm", "echo r0")
    with machine.live(sudo=True) as live:
        assert live.expected_drbd_resources(DRBD_RESOURCES) == ("r0",)
        assert live.runs()[0].command == f"{machine.bin / 'drbdadm'} sh-resources"


def test_missing_sudo_is_named(machine):
    machine.tool("crm_mon", "")
    with machine.live(sudo=True, paths={"sudo": "/nonexistent/sudo"}) as live:
        assert refusal(live, CRM_MON, ToolDenied) == (
            "sudo is not installed, so crm_mon -r -1 -X cannot be run with it"
        )


@pytest.mark.parametrize(
    ("tool", "arguments"), [(CRM_MON, "-r -1 -X"), (QUORUMTOOL, "-s"), (CMAPCTL, '""')]
)
def test_a_refusal_of_sudo_names_the_missing_line(machine, tool, arguments):
    machine.tool("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    path = machine.tool(tool.name, "")
    user = pwd.getpwuid(os.geteuid()).pw_name
    with machine.live(sudo=True) as live:
        stream = live.open(tool)
        assert stream.read() == b""
        with pytest.raises(ToolDenied) as error:
            stream.finish()
    assert error.value.detail == (
        f"sudo refused to run {tool.command}; "
        f"sudoers needs: {user} ALL=(root) NOPASSWD: {path} {arguments}"
    )


def test_a_failure_of_the_tool_is_not_taken_for_one_of_sudo(machine):
    machine.tool("sudo", "echo 'sudo: unable to resolve host app01' >&2; shift; exec $*")
    machine.tool("corosync-cfgtool", "echo 'Could not initialize' >&2; exit 1")
    with machine.live(sudo=True) as live:
        assert everything(live, CFGTOOL) == (
            b"",
            1,
            "sudo: unable to resolve host app01\nCould not initialize\n",
        )


def test_sudo_has_a_terminal_but_not_as_input_or_output(machine):
    machine.tool("sudo", "test -t 0 || test -t 1 || test -t 2 || echo none; echo seen >/dev/tty")
    machine.tool("crm_mon", "")
    with machine.live(sudo=True) as live:
        assert everything(live, CRM_MON) == (b"none\n", 0, "")


# sudo for real: an unprivileged user, whose child is root's


@pytest.fixture(scope="module")
def sudo_user():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if shutil.which("sudo") is None or shutil.which("useradd") is None:
        pytest.skip("needs sudo and useradd")
    name = f"mccluster-test-{os.getpid()}"
    subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)
    try:
        yield pwd.getpwnam(name)
    finally:
        # A child of the killed sudo may still wait to be reaped by process 1.
        subprocess.run(["userdel", "--force", name], check=True, stderr=subprocess.DEVNULL)


@pytest.fixture
def open_machine(monkeypatch):
    """A machine that every user may enter; pytest's own directories are closed."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        machine = Machine(Path(path))
        monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
        yield machine


@pytest.fixture(params=["use_pty", "!use_pty"])
def sudoers(request, sudo_user, open_machine):
    """Lets the user run the stand-in crm_mon, in both of sudo's ways to run a command."""
    path = Path("/etc/sudoers.d") / sudo_user.pw_name
    path.write_text(
        f"Defaults:{sudo_user.pw_name} {request.param}\n"
        f"{sudo_user.pw_name} ALL=(root) NOPASSWD: {open_machine.bin}/crm_mon -r -1 -X\n"
    )
    path.chmod(0o440)
    yield path
    path.unlink()


def as_user(user, function) -> str:
    """What *function* returns when it runs as *user*, in a process of its own."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            answer = function()
        except BaseException as error:
            answer = repr(error)
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return answer


@pytest.mark.root
@pytest.mark.parametrize("below_nohup", [False, True])
def test_what_sudo_runs_as_root_is_gone_after_the_deadline(
    open_machine, sudo_user, sudoers, below_nohup
):
    script = "echo $$ >parent; echo $PPID >sudo; id -u; wait"
    open_machine.tool("crm_mon", f"sleep {FOREVER} & echo $! >child; {script}")

    def run() -> str:
        if below_nohup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with open_machine.live(2, sudo=True) as live:
            stream = live.open(CRM_MON)
            first = stream.read(2).decode()
            try:
                stream.read()
            except ToolTimeout as error:
                return f"{first}{error.detail}"
        return "no timeout"

    assert as_user(sudo_user, run) == "0\ncrm_mon -r -1 -X did not answer within 2.0 s"
    for name in ("parent", "child", "sudo"):
        assert gone(pid_in(open_machine.path / name)), name


@pytest.mark.root
def test_what_sudo_runs_as_root_ends_by_itself(open_machine, sudo_user, sudoers):
    open_machine.tool("crm_mon", "id -u; echo $LC_ALL; echo why >&2; exit 102")

    def run() -> str:
        with open_machine.live(sudo=True) as live:
            return repr(everything(live, CRM_MON))

    assert as_user(sudo_user, run) == r"(b'0\nC\n', 102, 'why\n')"


@pytest.mark.root
def test_sudo_refuses_what_sudoers_does_not_name(open_machine, sudo_user, sudoers):
    open_machine.tool("cibadmin", "")

    def run() -> str:
        with open_machine.live(sudo=True) as live:
            try:
                return repr(everything(live, CIB))
            except ToolDenied as error:
                return error.detail

    assert as_user(sudo_user, run) == (
        "sudo refused to run cibadmin --query; sudoers needs: "
        f"{sudo_user.pw_name} ALL=(root) NOPASSWD: {open_machine.bin}/cibadmin --query"
    )


# -- standard input, and a directory of its own -------------------------------------------------

FILTER = Tool("filter", (), "filter.txt")
SCRATCHER = Tool("scratcher", (), "scratcher.txt", scratch="SCRATCH_DIR")


def test_a_tool_reads_what_it_is_given_and_then_the_end(machine):
    machine.tool("filter", "cat; echo end")
    with machine.live() as live:
        live.give(FILTER, b"<cib/>")
        assert everything(live, FILTER) == (b"<cib/>end\n", 0, "")


def test_a_tool_that_is_given_nothing_has_an_empty_input(machine):
    machine.tool("filter", "cat; echo end")
    with machine.live() as live:
        assert everything(live, FILTER) == (b"end\n", 0, "")


def test_an_input_larger_than_every_pipe_is_written_while_the_output_is_read(machine):
    machine.tool("filter", "cat")
    data = os.urandom(3 * 2**20)
    with machine.live() as live:
        live.give(FILTER, data)
        assert everything(live, FILTER) == (data, 0, "")


def test_an_input_that_is_not_read_does_not_hold_up_the_tool(machine):
    machine.tool("filter", "echo no thanks >&2; exit 3")
    with machine.live() as live:
        live.give(FILTER, bytes(3 * 2**20))
        assert everything(live, FILTER) == (b"", 3, "no thanks\n")


def test_an_input_that_is_never_read_ends_at_the_deadline(machine):
    machine.tool("filter", f"exec sleep {FOREVER}")
    with machine.live(0.5) as live:
        live.give(FILTER, bytes(3 * 2**20))
        detail = refusal(live, FILTER, ToolTimeout)
    assert detail == "filter did not answer within 0.5 s"


def test_a_directory_of_its_own_is_private_and_gone_afterwards(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    machine.tool(
        "scratcher", 'echo x > "$SCRATCH_DIR/shadow.1"; stat -c "%a %U" "$SCRATCH_DIR"; id -un'
    )
    with machine.live() as live:
        output, code, _ = everything(live, SCRATCHER)
        mode, owner, user = output.decode().split()
        assert (mode, owner, code) == ("700", user, 0)
        (folder,) = tmp_path.glob("check_mccluster-*")
        assert (folder / "shadow.1").read_text() == "x\n"
    assert not folder.exists()


def test_without_a_place_for_its_directory_the_tool_is_not_run(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    machine.tool("scratcher", "echo ran")
    with machine.live() as live:
        detail = refusal(live, SCRATCHER, ToolDenied)
    assert detail == (
        f"scratcher needs a temporary directory: {tmp_path / 'none'}: No such file or directory"
    )
