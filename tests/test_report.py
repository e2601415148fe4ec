"""The page of ``report``: what is on it, that nothing escapes into it, that a browser shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import html

from build_drbd import away, connection, device, resource, view
from check_mccluster.checks import overview
from check_mccluster.checks.cluster import together
from check_mccluster.judge import engine
from check_mccluster.judge.mesh import links
from check_mccluster.judge.picture import picture
from check_mccluster.model.drbd import ConnectionState
from check_mccluster.present.html import Page, page
from check_mccluster.verdict.view import Asked, Judgement
from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"


@pytest.fixture
def report(call):
    """``report("six-nodes-healthy", …)``: the page of these snapshots, parsed."""

    def run(*places: str):
        options = [option for place in places for option in ("--from", SNAPSHOTS / place)]
        outcome = call("report", "-o", "-", *options)
        assert outcome.code == 0, outcome.out
        return parsed(outcome.out)

    return run


def parsed(text: str):
    """The document, after what holds for every page."""
    document = html.document_fromstring(text)
    assert text.startswith("<!DOCTYPE html>\n")
    assert "None" not in document.text_content()
    for name in ("script", "link", "img", "iframe", "object", "base"):
        assert document.find(f".//{name}") is None
    assert not document.xpath("//@src | //@href | //@onclick | //@onload | //@style")
    assert "url(" not in text
    assert "@import" not in text
    policy = document.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none';")
    assert len(document.findall(".//h1")) == 1
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))
    for mesh in document.iter("svg"):
        for each in mesh.get("aria-labelledby").split():
            assert document.get_element_by_id(each).text
    for table in document.iter("table"):
        heads = len(table.findall(".//thead//th"))
        assert table.find("caption") is not None
        assert {len(row) for row in table.iterfind(".//tbody/tr")} == {heads}
    return document


def rows(document, caption: str) -> list[list[str]]:
    (table,) = [t for t in document.iter("table") if t.findtext("caption") == caption]
    return [[cell.text_content() for cell in row] for row in table.iterfind(".//tbody/tr")]


def drawn(document) -> dict[str, str]:
    """The words of every half of a line, with its class."""
    halves = document.xpath("//line[contains(@class, 'half')]")
    return {each.findtext("title"): each.get("class").split()[1] for each in halves}


def title(document) -> str:
    return document.findtext(".//h1")


# -- recorded ----------------------------------------------------------------------------------


def test_a_healthy_cluster_of_six_nodes(report):
    document = report("six-nodes-healthy")
    assert title(document) == "OK: nothing is wrong"
    assert rows(document, "Nodes of r0")[0] == [
        "app01",
        "Primary",
        "volume 0 Diskless client",
        "itself",
    ]
    connections = rows(document, "Connections of r0")
    assert len(connections) == 15
    assert connections[0] == [
        "app01-app02",
        "app01: Connected, Established",
        "app02: Connected, Established",
    ]
    assert len(drawn(document)) == 30
    assert set(drawn(document).values()) == {"OK"}
    assert document.find(".//svg/desc").text == "nothing is wrong."
    assert [row[0] for row in rows(document, "Nodes")] == ["app01", "app02", "app03"]
    timings = rows(document, "As the check timing compares them")
    assert timings[0][0] == "app01"
    assert all(cell.endswith(" s") for cell in timings[0][1:])
    losses = rows(document, "The gravest first")
    assert "app01" in [row[0] for row in losses]
    assert len(document.findall(".//details")) == 6


def test_quorum_lost_tells_the_fault_the_step_and_the_half_that_waits(report):
    document = report("storage-servers-lost")
    assert title(document) == "CRITICAL: 1 fault"
    (fault,) = document.xpath("//article")
    assert "r0/0: quorum lost" in fault.findtext("h3/span") + fault.find("h3").text_content()
    assert (
        "To do: no node reaches storage02, storage03: power, network; on storage02"
        in fault.text_content()
    )
    assert drawn(document)["r0 app01-storage02: Connecting on app01"] == "WARNING"
    assert drawn(document)["r0 app01-storage02: not asked on storage02"] == "unasked"
    (row,) = [r for r in rows(document, "Connections of r0") if r[0] == "app01-storage02"]
    assert row[1:] == ["app01: Connecting", "storage02: not asked"]
    assert "app01-storage02 Connecting on app01" in document.find(".//svg/desc").text
    assert ["app02", "online (WARNING)", "0", "DC"] in rows(document, "Nodes")


def test_split_brain_is_standalone_in_colour_and_in_words(report):
    document = report("split-brain")
    assert title(document) == "CRITICAL: 2 faults"
    assert drawn(document)["r1 storage01-storage02: StandAlone on storage01"] == "CRITICAL"
    assert rows(document, "Connections of r1")[0][1] == "storage01: StandAlone"
    assert "Nothing is known of Pacemaker from here." in document.text_content()


def test_two_partitions_are_shown_apart(report):
    document = report("app02-cut-off-while-active")
    heads = [each.text for each in document.iter("h3")]
    assert "As seen from app02" in heads
    text = document.text_content()
    assert "The partition has quorum; designated controller app03." in text
    assert "The partition has NO QUORUM; designated controller app02." in text


@pytest.mark.parametrize(
    "place", sorted(SNAPSHOTS.glob("*/*/meta.json")), ids=lambda p: p.parts[-3]
)
def test_every_recorded_node_makes_a_page(report, place: Path):
    document = report(str(place.parent.relative_to(SNAPSHOTS)))
    assert re.match(r"(OK|WARNING|CRITICAL|UNKNOWN): ", title(document))


def test_an_answer_that_is_refused_is_told_where_it_is_missing(report):
    text = report("six-nodes-healthy-as-nagios/app01").text_content()
    assert re.search(r"app01: [^\n]+ \((UNKNOWN|CRITICAL)\)", text)
    assert "OK: nothing is wrong" not in text


# -- constructed -------------------------------------------------------------------------------


def judged(seen) -> Judgement:
    return Judgement(seen, engine.report(overview.CHECK, seen, Asked()), (), True)


def page_of(*seen: Judgement) -> str:
    report = together(seen, {}, Asked())
    return page(Page(picture(seen, report), report, {}, links(seen), ()))


def large(*down: frozenset[int]) -> str:
    """Constructed: 32 replicas, all of which were asked; *down* are pairs that do not connect."""
    seen = []
    for here in range(1, 33):
        peers = [
            (away if frozenset((here, n)) in down else connection)(f"n{n:02}")
            for n in range(1, 33)
            if n != here
        ]
        mesh = resource(*peers, node_id=here - 1, devices=(device(),))
        seen.append(judged(view(mesh, node=f"n{here:02}")))
    return page_of(*seen)


def test_thirty_two_nodes_draw_every_connection_and_list_the_one_in_trouble():
    document = parsed(large(frozenset((2, 7))))
    halves = drawn(document)
    assert len(halves) == 2 * 496
    assert [words for words, kind in halves.items() if kind != "OK"] == [
        "r0 n02-n07: Connecting on n02",
        "r0 n02-n07: Connecting on n07",
    ]
    assert rows(document, "Connections of r0") == [
        ["n02-n07", "n02: Connecting", "n07: Connecting"]
    ]
    assert "495 more are in order." in document.text_content()
    assert len(document.xpath("//circle")) == 32


def test_the_two_ends_may_say_different_things():
    one = judged(view(resource(connection("b"), devices=(device(),)), node="a"))
    alone = connection("a", state=ConnectionState.STANDALONE)
    other = judged(view(resource(alone, devices=(device(),)), node="b"))
    assert drawn(parsed(page_of(one, other))) == {
        "r0 a-b: Connected, Established on a": "OK",
        "r0 a-b: StandAlone on b": "CRITICAL",
    }


def test_hostile_names_stay_text():
    evil = "</style></title><script>alert('x')</script>\"&\x1b"
    mesh = resource(connection(evil), devices=(device(),))._replace(name=f"r{evil}")
    text = page_of(judged(view(mesh, node=f"n{evil}")))
    document = parsed(text)
    assert "<script" not in text
    assert "\x1b" not in text
    assert f"Resource r{evil[:-1]}?" in [each.text for each in document.iter("h3")]


def test_a_place_that_takes_no_file_is_one_line(call, tmp_path):
    place = tmp_path / "missing" / "page.html"
    outcome = call("report", "-o", place, "--from", SNAPSHOTS / "split-brain" / "storage01")
    assert outcome.code == 3
    assert outcome.out == f"CHECK_MCCLUSTER UNKNOWN - {place}: No such file or directory\n"


# -- a browser ---------------------------------------------------------------------------------


@pytest.mark.daemon
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("place", ["six-nodes-healthy", "storage-servers-lost", "split-brain"])
def test_chromium_lays_the_page_out_within_its_width(call, tmp_path, place, width):
    chromium = shutil.which("chromium")
    assert chromium is not None, "apt-get install chromium"
    target = tmp_path / "page.html"
    assert call("report", "-o", target, "--from", SNAPSHOTS / place).code == 0
    # the page forbids scripts: what measures it comes in place of the policy
    text = target.read_text()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', text)
    assert policy is not None
    measured = text.replace(policy[0], "").replace(
        "</body>",
        "<script>const d = document.documentElement; document.title = `wide=${d.scrollWidth}"
        " window=${innerWidth} svg=${Math.round(document.querySelector('svg')"
        ".getBoundingClientRect().height)} text=${Math.min(...[...document.querySelectorAll("
        "'svg text')].map(e => Math.floor(e.getBoundingClientRect().height)))}`</script></body>",
    )
    # headless windows are not narrower than 500 pixels: a frame is
    target.with_name("inner.html").write_text(measured)
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<iframe src="inner.html" width="{width}" height="800" onload="document.title ='
        ' this.contentDocument.title"></iframe>'
    )
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=3000",
            "--dump-dom",
            outer.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    found = re.search(r"<title>wide=(\d+) window=(\d+) svg=(\d+) text=(\d+)<", done.stdout)
    assert found is not None, done.stdout[-500:] + done.stderr[-500:]
    wide, window, height, text_height = map(int, found.groups())
    assert window == width
    assert wide <= window
    assert height > 150
    assert text_height >= 11  # words in the drawing, on a telephone too
