"""The packages of Debian, RHEL and SLES: built, looked into, installed on a clean root, removed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import FIXTURES, ROOT
from packages import VERSION, System, clean_tree, readme_lines, run

pytestmark = [
    pytest.mark.package,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

NODE = FIXTURES / "snapshots/six-nodes-healthy/app01"
PLUGIN = "/usr/lib/nagios/plugins/check_mccluster"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

DEBIAN_FILES = (
    "etc/check_mccluster/cluster.toml",
    "etc/sudoers.d/check_mccluster",
    "usr/bin/check_mccluster",
    "usr/lib/nagios/plugins/check_mccluster",
    "usr/lib/ocf/resource.d/mccluster/drbd-no-primary",
    "usr/lib/python3/dist-packages/check_mccluster/__init__.py",
    "usr/share/bash-completion/completions/check_mccluster",
    "usr/share/doc/check-mccluster/changelog.gz",
    "usr/share/doc/check-mccluster/checks/README.md.gz",
    "usr/share/doc/check-mccluster/copyright",
    "usr/share/doc/check-mccluster/examples/collect/mccluster-collect",
    "usr/share/doc/check-mccluster/examples/icinga2/services.conf",
    "usr/share/fish/vendor_completions.d/check_mccluster.fish",
    "usr/share/man/man1/check_mccluster.1.gz",
    "usr/share/zsh/vendor-completions/_check_mccluster",
)

RPM_FILES = (
    "/etc/check_mccluster/cluster.toml",
    "/etc/sudoers.d/check_mccluster",
    "/usr/bin/check_mccluster",
    "/usr/lib/ocf/resource.d/mccluster/drbd-no-primary",
    "/usr/share/bash-completion/completions/check_mccluster",
    "/usr/share/check_mccluster/check_mccluster/__init__.py",
    "/usr/share/check_mccluster/click/__init__.py",
    "/usr/share/check_mccluster/nagiosplugin/__init__.py",
    "/usr/share/fish/vendor_completions.d/check_mccluster.fish",
    "/usr/share/man/man1/check_mccluster.1",
    "/usr/share/zsh/site-functions/_check_mccluster",
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> System:
    """A Debian 12 with nothing installed."""
    return System.make(tmp_path_factory.mktemp("debian") / "root")


@pytest.fixture(scope="module")
def debian_package(bare, tmp_path_factory) -> Path:
    """Built by the README's lines on the clean root: the build requirements are complete."""
    system = bare.copy(tmp_path_factory.mktemp("build") / "root")
    clean_tree(system.path / "root/check_mccluster")
    lines = readme_lines("debian")
    assert "dpkg-buildpackage" in lines
    system.run("sh", "-e", "-c", f"cd /root/check_mccluster\n{lines}")
    assert system.run("check_mccluster", "--version") == f"check_mccluster {VERSION}\n"
    return system.path / f"root/check-mccluster_{VERSION}_all.deb"


@pytest.fixture(scope="module")
def system(bare, debian_package) -> System:
    """The clean root with all that the package depends on, a monitoring user and a cluster."""
    requires = run("dpkg-deb", "-f", debian_package, "Depends").stdout
    names = [re.split(r"[ :]", each.strip())[0] for each in requires.split(",")]
    wanted = [name for name in names if name != "python3-tomli"]
    bare.run("apt-get", "-q", "install", "sudo", *wanted)
    bare.run("useradd", "--system", "--home-dir", "/nonexistent", "nagios")
    bare.add_cluster(NODE)
    return bare


def judged(system: System, check: str, program: str) -> None:
    """*check* as nagios: on a recording, and on the cluster with sudo, the same words."""
    recorded = system.call(program, check, "--from", "/srv/snapshot", user="nagios")
    assert (recorded.returncode, recorded.stderr) == (0, "")
    assert recorded.stdout.startswith(f"{check.upper()} OK - ")
    live = system.call(program, check, "--sudo", "--node", "app01", user="nagios")
    assert (live.returncode, live.stdout, live.stderr) == (0, recorded.stdout, "")


def denied(system: System, program: str) -> None:
    """Without --sudo the tools answer nobody: the sudoers file is what made the difference."""
    assert "UNKNOWN" in system.call(program, "nodes", "--node", "app01", user="nagios").stdout


CHECKS = ("nodes", "quorum", "links", "drbd-quorum", "timing", "failover")


def test_the_debian_package_has_every_file_and_lintian_nothing_to_say(debian_package):
    listing = run("dpkg-deb", "-c", debian_package).stdout
    names = [line.split()[5].removeprefix("./") for line in listing.splitlines()]
    assert [name for name in DEBIAN_FILES if name not in names] == []
    assert "usr/bin/drbd-no-primary" not in names
    assert [name for name in names if "ansible" in name] == []
    assert re.search(r"^-r--r----- root/root .* \./etc/sudoers\.d/check_mccluster$", listing, re.M)
    assert re.search(r"plugins/check_mccluster -> ../../../bin/check_mccluster$", listing, re.M)
    lintian = "lintian --allow-root --display-info --pedantic --fail-on error,warning"
    changes = next(debian_package.parent.glob("*.changes"))
    said = run(*lintian.split(), changes, env={"PATH": PATH}).stdout.splitlines()
    assert [line for line in said if not line.startswith("N: ")] == []
    overrides = (ROOT / "debian/check-mccluster.lintian-overrides").read_text().splitlines()
    assert [line.startswith("#") for line in overrides] == [True, False], "each with its reason"


def test_the_debian_package_is_installed_upgraded_removed_and_purged(
    system, debian_package, tmp_path
):
    before = system.files()
    shutil.copy(debian_package, system.path / "tmp/first.deb")
    system.run("apt-get", "-q", "install", "/tmp/first.deb")
    for check in CHECKS:
        judged(system, check, PLUGIN)
    denied(system, PLUGIN)
    agent = "/usr/lib/ocf/resource.d/mccluster/drbd-no-primary"
    assert '<parameter name="drbd_resource"' in system.run(agent, "meta-data")
    assert "parsed OK" in system.run("visudo", "-c")
    assert system.call(
        "sudo", "-n", "/usr/sbin/cibadmin", "--erase", "--force", user="nagios"
    ).returncode

    config = "etc/check_mccluster/cluster.toml"
    mine = '[severity]\nnode-standby = "ok"\n'
    system.write(config, mine)
    shutil.copy(next_version(clean_tree(tmp_path / "tree")), system.path / "tmp/next.deb")
    keep = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
    system.run("apt-get", "-q", *keep, "install", "/tmp/next.deb")
    installed = system.run("dpkg-query", "-W", "-f", "${Version}", "check-mccluster")
    assert installed == f"{VERSION}+next"
    assert system.read(config) == mine
    assert "# of the next version" in system.read(f"{config}.dpkg-dist")
    assert system.mode("etc/sudoers.d/check_mccluster") == 0o440
    judged(system, "nodes", "/usr/bin/check_mccluster")

    system.run("apt-get", "-q", "remove", "check-mccluster")
    assert system.read(config) == mine
    assert not (system.path / "usr/bin/check_mccluster").exists()
    system.run("apt-get", "-q", "purge", "check-mccluster")
    assert sorted(system.files() - before) == []
    assert sorted(before - system.files()) == []


def next_version(tree: Path) -> Path:
    """The package of a later version, which also ships another configuration file."""
    changelog = tree / "debian/changelog"
    first = changelog.read_text().split("\n\n -- ", 1)[1].splitlines()[0]
    entry = f"check-mccluster ({VERSION}+next) unstable; urgency=medium\n\n  * Next.\n\n -- {first}"
    changelog.write_text(f"{entry}\n\n{changelog.read_text()}")
    with (tree / "contrib/config/cluster.toml").open("a") as file:
        file.write("# of the next version\n")
    run("dpkg-buildpackage", "-b", "-us", "-uc", "-d", cwd=tree, env={"PATH": PATH})
    return tree.parent / f"check-mccluster_{VERSION}+next_all.deb"


# RPM. Debian has rpmbuild and rpm, and its Python has the name that both distributions use.


@pytest.fixture(scope="module", params=["rhel9", "sles15"])
def rpm(request, package_tools, tmp_path_factory) -> Path:
    """The package of a distribution, made with the README's line."""
    folder = tmp_path_factory.mktemp(request.param)
    tree = clean_tree(folder / "tree")
    line = readme_lines("rpm").strip()
    assert line.startswith("tools/rpm rhel9 /tmp/rpm")
    words = line.partition("#")[0].split()
    run(words[0], request.param, folder / "rpm", package_tools / "python", cwd=tree)
    (found,) = (each for each in (folder / "rpm").glob("*.rpm") if not each.match("*.src.rpm"))
    return found


def test_an_rpm_has_every_file_at_the_distributions_places_and_rpmlint_nothing_to_say(
    rpm, package_tools
):
    rhel = ".el9." in rpm.name
    architecture = run("rpm", "--eval", "%{_arch}").stdout.strip() if rhel else "noarch"
    assert rpm.name == f"check_mccluster-{VERSION}-1{'.el9' if rhel else ''}.{architecture}.rpm"
    names = run("rpm", "-qlp", rpm).stdout.splitlines()
    plugin = f"/usr/{'lib64' if rhel else 'lib'}/nagios/plugins/check_mccluster"
    assert [name for name in (*RPM_FILES, plugin) if name not in names] == []
    assert ("/usr/share/check_mccluster/tomli/__init__.py" in names) == rhel
    assert any(name.endswith("/contrib/collect/mccluster-collect") for name in names)
    assert any(name.endswith("/docs/permissions.md") for name in names)
    assert [name for name in names if "/lxml/" in name or name.endswith(".so")] == []
    listing = run("rpm", "-qlvp", rpm).stdout
    assert re.search(r"^-r--r----- .* /etc/sudoers\.d/check_mccluster$", listing, re.M)
    config = run("rpm", "-qcp", rpm).stdout.split()
    assert config == ["/etc/check_mccluster/cluster.toml", "/etc/sudoers.d/check_mccluster"]
    python = "python3" if rhel else "python311"
    requires = run("rpm", "-qp", "--requires", rpm).stdout.splitlines()
    interpreter = "/usr/bin/python3" if rhel else "/usr/bin/python3.11"
    own = {each for each in requires if not each.startswith(("rpmlib", "config("))}
    assert own == {interpreter, f"{python} >= 3.9", f"{python}-lxml"}
    lint = [package_tools / "rpmlint", "--strict", "-c", ROOT / "rpm/rpmlint.toml"]
    sources = rpm.parent.glob("*.src.rpm")
    answer = run(*lint, rpm, *sources, ROOT / "rpm/check_mccluster.spec").stdout
    assert re.search(r"^ 2 packages and 1 specfiles checked; 0 errors, 0 warnings", answer, re.M)


def test_an_rpm_is_installed_upgraded_and_removed(rpm, system):
    (system.path / "usr/share/licenses").mkdir(exist_ok=True)  # of these distributions' base
    before = system.files()
    manage = ("rpm", "--root", str(system.path), "--dbpath", "/var/lib/rpm", "--nodeps")
    run(*manage, "-i", rpm)
    plugin = PLUGIN.replace("/lib/", "/lib64/") if ".el9." in rpm.name else PLUGIN
    for check in CHECKS:
        judged(system, check, plugin)
    denied(system, plugin)
    agent = "/usr/lib/ocf/resource.d/mccluster/drbd-no-primary"
    assert '<parameter name="drbd_resource"' in system.run(agent, "meta-data")
    assert "parsed OK" in system.run("visudo", "-c")
    where = "import click, nagiosplugin, sys; print(click.__file__, nagiosplugin.__file__)"
    script = system.read("usr/bin/check_mccluster").replace("sys.exit(main())", where)
    system.write("tmp/where.py", script)
    answer = system.run("/usr/bin/python3", "-s", "/tmp/where.py").split()
    folder = "/usr/share/check_mccluster"
    assert answer == [f"{folder}/{name}/__init__.py" for name in ("click", "nagiosplugin")]

    mine = '[severity]\nnode-standby = "ok"\n'
    system.write("etc/check_mccluster/cluster.toml", mine)
    run(*manage, "-U", "--replacepkgs", "--replacefiles", rpm)
    assert system.read("etc/check_mccluster/cluster.toml") == mine
    assert system.mode("etc/sudoers.d/check_mccluster") == 0o440

    run(*manage, "-e", "check_mccluster")
    # What an administrator wrote stays: rpm knows no purge.
    kept = {"etc/check_mccluster", "etc/check_mccluster/cluster.toml.rpmsave"}
    assert system.files() - before <= kept
    assert before - system.files() == set()
    assert system.read("etc/check_mccluster/cluster.toml.rpmsave") == mine
    shutil.rmtree(system.path / "etc/check_mccluster")


# pipx, with the README's lines on this machine


def test_pipx_installs_it_and_takes_it_away_again(tmp_path):
    lines = readme_lines("pipx")
    assert "pipx install" in lines
    tree = clean_tree(tmp_path / "tree")
    program = Path("/usr/local/bin/check_mccluster")
    plugin = Path(PLUGIN)
    assert not program.exists(), "something else is installed here"
    assert not plugin.exists(), "something else is installed here"
    try:
        run("sh", "-e", "-c", lines, cwd=tree)
        version = run(plugin, "--version", env={"PATH": PATH}).stdout
        assert version == f"check_mccluster {VERSION}\n"
        first = run(plugin, "nodes", "--from", NODE).stdout
        assert first.startswith("NODES OK - 3 of 3 nodes online, DC app02 | ")
        assert Path("/usr/local/bin/drbd-no-primary").exists()
        pages = list(Path("/opt/pipx").rglob("share/man/man1/check_mccluster.1"))
        assert len(pages) == 1
    finally:
        plugin.unlink(missing_ok=True)
        environment = {"PATH": PATH, "PIPX_HOME": "/opt/pipx", "PIPX_BIN_DIR": "/usr/local/bin"}
        subprocess.run(["pipx", "uninstall", "check-mccluster"], env=environment, check=False)
    assert not program.exists()


# Completion, loaded by each shell from the folder where a package puts it


@pytest.fixture
def completion(tmp_path):
    """Writes a shell's script to a file; the program is on the PATH."""

    def write(shell: str, name: str) -> Path:
        script = tmp_path / name
        program = Path(shutil.which("check_mccluster") or "")
        assert program.is_file()
        script.write_text(run(ROOT / "tools/completion", shell, program.with_name("python")).stdout)
        return script

    return write


def test_bash_loads_the_completion_by_name(completion):
    script = completion("bash", "check_mccluster")
    asked = "COMP_WORDS=(check_mccluster drbd-q) COMP_CWORD=1"
    call = f"source {script}; {asked}; _check_mccluster_completion check_mccluster"
    assert run("bash", "-c", f'{call}; echo "${{COMPREPLY[@]}}"').stdout == "drbd-quorum\n"
    assert "complete -o nosort -F" in script.read_text()


def test_fish_loads_the_completion_by_name(completion):
    script = completion("fish", "check_mccluster.fish")
    answer = run(
        "fish", "--no-config", "-c", f"source {script}; complete -C 'check_mccluster drbd-q'"
    )
    assert answer.stdout.split("\t")[0].strip() == "drbd-quorum"


def test_zsh_answers_the_first_time_it_is_asked(completion, tmp_path):
    """Autoloaded from a folder of fpath; a real line editor on a pseudo terminal."""
    folder = completion("zsh", "_check_mccluster").parent
    talk = f"""
        zmodload zsh/zpty
        zpty shell "PS1='> ' zsh -f -i"
        zpty -w shell 'fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D'
        zpty -w -n shell $'check_mccluster drbd-q\\t'
        sleep 3
        zpty -w shell ''
        zpty -r -m shell answer '*drbd-quorum*' && print -r -- $answer
    """
    answer = subprocess.run(
        ["zsh", "-f", "-c", talk], capture_output=True, text=True, timeout=60, check=False
    )
    assert "check_mccluster drbd-quorum" in re.sub(
        r"\x1b\[[0-9;?]*[a-zA-Z]|\x08.", "", answer.stdout
    )
