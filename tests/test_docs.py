"""The documentation is complete, and what it shows is what the program prints today."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import click
import pytest

from check_mccluster.app import cli
from check_mccluster.app.options import check_options
from check_mccluster.checks import registry
from conftest import FIXTURES, ROOT

NAMES = registry.names()


@pytest.fixture(scope="module")
def docs():
    """The tool that makes the documentation, as a module."""
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands() -> list[str]:
    return cli.cli.list_commands(click.Context(cli.cli))


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def everything() -> str:
    return "\n".join(page.read_text() for page in pages())


def test_every_page_and_the_manual_are_what_the_tool_would_write(docs, monkeypatch):
    monkeypatch.chdir(ROOT)
    stale = [
        str(path.relative_to(ROOT))
        for path, text in docs.targets().items()
        if not path.exists() or path.read_text() != text
    ]
    assert not stale, f"run tools/docs.py: {stale}"


@pytest.mark.parametrize("name", NAMES)
def test_every_check_has_a_page_with_findings_options_figures_and_examples(name):
    text = (ROOT / "docs" / "checks" / f"{name}.md").read_text()
    check = registry.load(name)
    assert check.question in text
    for kind in check.kinds:
        assert f"| `{kind.key}` | {kind.default.name} |" in text
    for label, _ in check.figures:
        assert f"| `{label}` |" in text
    for option in check.options:
        assert f"`{option.flag}" in text
    examples = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    assert any("[exit" not in example for example in examples), "no example that is OK"
    assert any("[exit" in example for example in examples), "no example that is not OK"


@pytest.mark.parametrize("name", NAMES)
def test_the_performance_data_of_every_fixture_is_documented(name, call):
    known = [
        re.compile(re.sub(r"\\{[a-z]+\\}", r"\\S+", re.escape(label)) + "$")
        for label, _ in registry.load(name).figures
    ]
    for meta in sorted(FIXTURES.glob("snapshots/*/*/meta.json")):
        document = json.loads(call(name, "--json", "--from", meta.parent).out)
        for figure in document["figures"]:
            assert any(each.match(figure["label"]) for each in known), figure["label"]


def test_every_finding_says_what_it_means_and_what_to_do():
    for key, (kind, _) in registry.kinds().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", key)
        assert kind.meaning.endswith("."), key
        assert len(kind.next_step) > 15, key
        assert "|" not in kind.next_step, f"{key}: a pipe would begin performance data"


def test_every_command_is_named_in_the_documentation():
    text = everything()
    for name in commands():
        assert f"`{name}`" in text or f"`check_mccluster {name}" in text or f"`{name} " in text, (
            name
        )


def test_every_option_of_every_check_is_documented():
    text = everything()
    for name in NAMES:
        for option in check_options(registry.load(name)):
            for flag in option.opts:
                assert f"{flag}" in text, f"{name} {flag}"


def test_the_documentation_names_no_finding_that_does_not_exist():
    keys = registry.kinds()
    for page in pages():
        for key in re.findall(r"--severity ([a-z-]+)=", page.read_text()):
            assert key in keys, f"{page.name}: {key}"
        for key in re.findall(r"^\| `([a-z]+(?:-[a-z]+)+)` \| [A-Z]+ \|", page.read_text(), re.M):
            assert key in keys, f"{page.name}: {key}"


def test_links_between_pages_lead_somewhere():
    for page in pages():
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("what", ["demo", "short-tests", "tests"])
def test_the_readme_has_its_command_lines_each_a_single_line(what):
    text = (ROOT / "README.md").read_text()
    block = re.search(rf"<!-- command: {what} -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert block
    assert len(block.group(1).splitlines()) == 1


def test_manual_speaks_of_limits_and_filters_for_all_checks():
    text = (ROOT / "man" / "check_mccluster.1").read_text()
    section = text.partition(".SH OPTIONS OF EVERY CHECK")[2].partition(".SH ")[0]
    assert "the check's help says which" in section
    assert "Pacemaker's, DRBD's or both" in section
    assert "copies" not in section


def test_the_drawing_of_the_readme_is_readable_by_itself_in_light_and_dark():
    from lxml import etree

    text = (ROOT / "docs" / "mesh.svg").read_text()
    drawing = etree.fromstring(text.encode())
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    assert "docs/mesh.svg" in (ROOT / "README.md").read_text()
    names = drawing.xpath("//*[@class='name']/text()")
    assert sorted(names) == ["app01", "app02", "app03", "storage01", "storage02", "storage03"]
