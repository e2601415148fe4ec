"""status --watch: what is drawn, what changed, what came and went, and how it scrolls."""

from __future__ import annotations

from datetime import timedelta

from build import NOW, cluster, node, offline, report, view_of
from check_mccluster.judge.engine import with_faults
from check_mccluster.judge.picture import Picture, picture
from check_mccluster.present.layout import Line, Span, render
from check_mccluster.present.watching import Change, changes, frame
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Judgement


def seen(*nodes, later=0) -> Picture:
    evidence = view_of("app01", NOW + timedelta(seconds=later), cluster=cluster(nodes))
    judged = with_faults(Judgement(evidence, report("nodes", evidence)))
    return picture((judged,), judged.report)


ALL = (node(), node("app02"), node("app03"))
LOST = (node(), node("app02"), offline("app03"))


def body(*texts: str) -> list[Line]:
    return [(Span(text),) for text in texts]


def drawn(lines, before=(), past=(), height=24, top=0, width=80):
    shown = frame(lines, before, past=past, foot="foot", size=(width, height), top=top)
    lines = [render(line, colour=False) for line in shown.lines]
    assert len(lines) == height
    return lines, shown.top


def written(*arguments, **how):
    """What is drawn, without the room between the body and the bottom of the window."""
    lines, _ = drawn(*arguments, **how)
    return [*lines[: lines.index("")], *lines[-1:]] if "" in lines else lines


def test_fault_that_came_is_told_with_its_time():
    (change,) = changes(seen(*ALL), seen(*LOST, later=5))
    assert (change.time, change.came) == (NOW + timedelta(seconds=5), True)
    assert change.text == "app03 is offline"
    (change,) = changes(seen(*LOST), seen(*ALL, later=5))
    assert (change.came, change.text) == (False, "app03 is offline")


def test_fault_that_is_told_in_other_words_is_no_change():
    pending = (node(), node("app02"), offline("app03", expected_up=False))
    assert changes(seen(*LOST), seen(*pending, later=5)) == ()


def test_last_changes_stay_at_the_bottom_of_the_window():
    past = [Change(NOW, True, State.CRITICAL, f"D{n} is stopped") for n in range(5)]
    past.append(Change(NOW, False, State.WARNING, "D0 is stopped"))
    lines, _ = drawn(body("a"), past=past)
    assert lines == [
        "a",
        *[""] * 19,
        "09:00:00 new: D3 is stopped",
        "09:00:00 new: D4 is stopped",
        "09:00:00 gone: D0 is stopped",
        "foot",
    ]
    assert written(body("a"), past=past, height=10) == ["a", "foot"]


def test_lines_that_changed_have_a_star():
    lines = written(body(" app01 online", " app02 OFFLINE"), body(" app01 online", " app02 online"))
    assert lines == [" app01 online", "*app02 OFFLINE", "foot"]


def test_first_look_has_no_changes_and_the_time_is_none():
    assert written(body(" app01 online")) == [" app01 online", "foot"]
    title = body("OK  nothing is wrong; seen from app01, 2026-11-22 09:00:05 to", "  09:00:09 UTC")
    snapshot = body("  snapshot")
    shown = frame((*title, *snapshot), body("x"), past=(), foot="foot", size=(80, 24))
    assert [line[0].text[:1] + line[0].style for line in shown.lines[:3]] == ["O", " ", " "]


def test_what_does_not_fit_is_scrolled_and_the_window_is_never_left():
    many = body(*(f"line {n}" for n in range(50)))
    lines, top = drawn(many, height=10)
    assert (len(lines), lines[0], lines[8], top) == (10, "line 0", "line 8", 0)
    assert lines[-1] == "41 below (up, down, space, b); foot"
    lines, top = drawn(many, height=10, top=10)
    assert (lines[0], lines[-1]) == (
        "line 10",
        "10 above and 31 below (up, down, space, b); foot",
    )
    lines, top = drawn(many, height=10, top=1_000_000)
    assert (lines[0], lines[8], top) == ("line 41", "line 49", 41)
    assert drawn(many, height=10, top=-1_000_000)[1] == 0


def test_window_of_two_lines_still_shows_something():
    lines, _ = drawn(body("a", "b", "c"), height=2)
    assert lines == ["a", "2 below (up, down, space, b); foot"]


def test_no_line_is_wider_than_the_window():
    past = [Change(NOW, True, State.CRITICAL, "x" * 200)]
    shown, _ = drawn(body("a"), past=past, width=60)
    assert max(map(len, shown)) < 60
