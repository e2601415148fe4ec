"""Is everything on this node in order? All the other checks in one verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..judge import mapping
from ..judge.check import Check, Option
from ..judge.engine import report as report_of
from ..judge.engine import worst_first
from ..judge.finding import Fault, Figure, Finding, Line, Report, State, finding, worst
from ..judge.inputs import DRBD_RESOURCE_MISSING, TOOL_MISSING, no_match
from ..judge.pacemaker import NONE, base_id, ids_of, known_ids
from ..judge.view import Answer, Asked, Input, View
from ..registry import single_checks

_DRBD_ONLY = frozenset({"consistency", "timing"})


def fitting(view: View) -> tuple[Check, ...]:
    """The checks that fit this node: by the tools that are installed or ought to be."""
    # cibadmin comes with crm_mon: where only one of the two is there, something is wrong.
    no_pacemaker = _not_installed(view.cluster) and _not_installed(view.cib)
    no_drbd = _not_installed(view.drbd)
    chosen = single_checks()
    if no_pacemaker and not no_drbd:
        return tuple(check for check in chosen if check.name.startswith("drbd-"))
    if no_drbd and not no_pacemaker:
        return tuple(
            check
            for check in chosen
            if not check.name.startswith("drbd-") and check.name not in _DRBD_ONLY
        )
    return chosen


def _not_installed(answer: Answer[Any]) -> bool:
    """Whether the tool is missing and nothing says that it should be there."""
    kinds = {problem.kind for problem in answer.problems}
    return TOOL_MISSING in kinds and DRBD_RESOURCE_MISSING not in kinds


# -- one fault, one message --------------------------------------------------------------------


@dataclass(frozen=True)
class _Cause:
    """What a finding explains.

    :param keys: findings that can be a cause. :param anyway: findings that follow from it whatever
        they name. :param same_node: findings that follow if they name a node of the cause.
    :param all_nodes: findings that follow if they name no other node.
    :param same_resource: findings that follow if they are about the same Pacemaker resource, or
        what is around or inside it; ``here``: if they name a node of the cause, too.
    :param above: findings that follow if they are about a Pacemaker resource on the DRBD resource
        of the cause. :param same_drbd: if they are about that DRBD resource itself.
    :param beneath: if they are about a DRBD resource under the Pacemaker resource of the cause.
    """

    keys: frozenset[str]
    anyway: frozenset[str] = frozenset()
    same_node: frozenset[str] = frozenset()
    all_nodes: frozenset[str] = frozenset()
    same_resource: frozenset[str] = frozenset()
    here: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    same_drbd: frozenset[str] = frozenset()
    beneath: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FAILOVER = "no-candidate candidates-low here-not-ready"
_PAST = _words("node-barred fail-count failed-action")
_WITHOUT_QUORUM = (
    "dc-missing node-offline node-unclean quorum-margin peer-unreachable resource-stopped"
    " resource-transition resource-on-lost-node clone-down clone-degraded promoted-missing"
    f" not-running primary-none {_FAILOVER}"
)
_CAUSES = (
    _Cause(
        _words("quorum-lost"),
        anyway=_words(_WITHOUT_QUORUM),
        same_node=_words("peer-connecting primary-without-service"),
        all_nodes=_words("mesh-isolated"),
    ),
    _Cause(
        _words("dc-missing"),
        anyway=_words(_WITHOUT_QUORUM),
        same_node=_words("peer-connecting primary-without-service"),
    ),
    _Cause(
        _words("drbd-quorum-lost copies-none"),
        anyway=_words("here-not-ready"),
        same_node=_words("peer-connecting peer-standalone mesh-isolated copies-low"),
        same_drbd=_words("io-suspended io-failing"),
        above=_words(
            "resource-stopped resource-failed resource-blocked resource-transition not-running"
            " node-barred fail-count failed-action started-without-io no-candidate candidates-low"
        ),
    ),
    _Cause(_words("cluster-maintenance"), anyway=_words(_FAILOVER)),
    _Cause(
        _words("fencing-no-device"),
        anyway=_words(
            "resource-stopped clone-down clone-degraded promoted-missing not-running primary-none"
            f" {_FAILOVER}"
        ),
    ),
    _Cause(
        _words("node-offline node-unclean"),
        anyway=_words("quorum-margin"),
        same_node=_words(
            "peer-unreachable link-down peer-connecting copies-low resource-on-lost-node"
            f" clone-degraded {_FAILOVER}"
        ),
        all_nodes=_words("mesh-isolated"),
    ),
    _Cause(
        _words("node-pending node-shutdown node-standby node-standby-onfail node-maintenance")
        | _words("node-health-red"),
        same_node=_words(_FAILOVER),
    ),
    _Cause(
        _words("resource-disabled"),
        same_resource=_words("not-running"),
        beneath=_words("primary-none"),
    ),
    _Cause(
        _words("resource-stopped clone-down"),
        same_resource=_words("not-running no-candidate candidates-low") | _PAST,
        same_node=_words("here-not-ready"),
        beneath=_words("primary-none"),
    ),
    _Cause(
        _words("resource-failed resource-blocked resource-failure-ignored clone-degraded"),
        same_resource=_words("not-running"),
        here=_PAST,
    ),
    _Cause(_words("node-barred leftover-ban"), same_node=_words(_FAILOVER)),
    _Cause(
        _words("disk-lost disk-failed disk-inconsistent disk-outdated disk-syncing"),
        same_node=_words("copies-low"),
    ),
    _Cause(_words("sync-stalled sync-target"), same_node=_words("copies-low")),
    _Cause(_words("mesh-isolated"), same_node=_words("copies-low")),
    _Cause(_words("peer-unreachable"), same_node=_words("peer-connecting")),
    _Cause(_words("peer-standalone peer-connecting"), same_node=_words("copies-low")),
)
"""In the order in which they explain: the first that fits takes the rest."""


def faults(view: View, findings: Sequence[Finding]) -> list[Fault]:
    """Fold consequences into their causes; gravest fault first."""
    left = list(findings)
    found: list[Fault] = []
    for rule in _CAUSES:
        for cause in [each for each in left if each.key in rule.keys]:
            if cause not in left:
                continue
            left.remove(cause)
            follows = _following(view, rule, cause, left)
            left = [each for each in left if each not in follows]
            found.append(Fault(cause, tuple(follows)))
    found += [Fault(each) for each in left]
    position = {each: index for index, each in enumerate(findings)}
    # A grave cause comes before a cause with grave consequences.
    return sorted(found, key=lambda f: (-f.state.rank, -f.cause.state.rank, position[f.cause]))


def _following(
    view: View, rule: _Cause, cause: Finding, findings: Sequence[Finding]
) -> list[Finding]:
    """Those of *findings* that *cause* explains; nodes lost with it count as its own."""
    around = _around(view, cause.object)
    drbd = cause.object.partition("/")[0]
    above = mapping.above(view, drbd) if rule.above else frozenset()
    beneath = {pair.drbd for pair in mapping.pairs(view) if pair.resource in around}
    sure = [
        each
        for each in findings
        if each.key in rule.anyway
        or (each.key in rule.same_resource and each.object in around)
        or (each.key in rule.above and each.object in above)
        or (each.key in rule.same_drbd and each.object.partition("/")[0] == drbd)
        or (each.key in rule.beneath and each.object.partition("/")[0] in beneath)
    ]
    nodes = {*cause.nodes}
    for each in sure:
        if each.key not in rule.above:
            nodes.update(each.nodes)
    return [
        each
        for each in findings
        if each in sure
        # A finding without nodes concerns the cluster as a whole.
        or (each.key in rule.same_node and (not each.nodes or nodes & {*each.nodes}))
        or (each.key in rule.all_nodes and nodes >= {*each.nodes})
        or (each.key in rule.here and each.object in around and nodes & {*each.nodes})
    ]


def _around(view: View, name: str) -> frozenset[str]:
    """The ids of a resource, of what it is in and of what is in that."""
    for resource in view.cluster.value.resources if view.cluster.value is not None else ():
        ids = ids_of(resource)
        if base_id(name) in ids:
            return ids
    return frozenset({name})


# -- the check ---------------------------------------------------------------------------------


def _split(view: View, asked: Asked) -> tuple[Asked, Asked, bool, bool]:
    """The filter for Pacemaker's and for DRBD's checks, and whether each side is asked at all."""
    if not asked.patterns:
        return asked, asked, True, True
    ids = known_ids(view.cluster.value) if view.cluster.value is not None else frozenset()
    drbd = frozenset(resource.name for resource in view.drbd.value or ())
    known = {p for p in asked.patterns if any(Asked((p,)).wants(name) for name in ids)}
    of_drbd = tuple(p for p in asked.patterns if any(Asked((p,)).wants(name) for name in drbd))
    drbd_unknown = view.drbd.value is None and not _not_installed(view.drbd)
    if drbd_unknown or _not_installed(view.cluster):
        # Nobody can tell that what is unknown is none of DRBD's.
        of_drbd = tuple(p for p in asked.patterns if p in of_drbd or p not in known)
    of_pacemaker = tuple(p for p in asked.patterns if p not in of_drbd or p in known)
    return (
        replace(asked, patterns=of_pacemaker),
        replace(asked, patterns=of_drbd),
        bool(of_pacemaker),
        bool(of_drbd),
    )


def reports(view: View, asked: Asked) -> Iterator[tuple[Check, Report]]:
    """The report of every check that fits this node and is not skipped."""
    skip = {*asked.values.get("skip", ()), *view.config.overview_skip}
    asked = replace(asked, values={})
    pacemaker, drbd, has_pacemaker, has_drbd = _split(view, asked)
    narrowed = _narrowed(view, drbd)
    for check in fitting(view):
        if check.name in skip:
            continue
        if check.filters == "drbd":
            if has_drbd:
                yield check, report_of(check, narrowed, replace(drbd, patterns=()))
        elif check.filters == "both":
            judged = report_of(check, view, asked)
            # Asked for resources that do not stand on DRBD: nothing to compare.
            if not asked.patterns or all(f.key != "mapping-none" for f in judged.findings):
                yield check, judged
        elif check.filters == "pacemaker":
            if has_pacemaker:
                yield check, report_of(check, view, pacemaker)
        else:
            yield check, report_of(check, view, replace(asked, patterns=()))


def _narrowed(view: View, drbd: Asked) -> View:
    """The view with DRBD's resources filtered, as the checks of DRBD filter them for themselves."""
    resources = view.drbd.value
    if resources is None or not drbd.patterns:
        return view
    wanted = tuple(resource for resource in resources if drbd.wants(resource.name))
    missing = () if wanted else (no_match(drbd),)
    others = tuple(resource for resource in resources if resource not in wanted)
    drbd_answer = Answer(wanted or None, (*view.drbd.problems, *missing))
    return replace(view, drbd=drbd_answer, drbd_others=others)


def judge(view: View, asked: Asked) -> Report:
    """Every check that fits this node; each fault once, at its cause."""
    parts = list(reports(view, asked))
    everything = list(dict.fromkeys(each for _, judged in parts for each in judged.findings))
    if not parts:
        return Report((finding(NONE, "overview", "every check that fits this node is skipped"),))
    roots = faults(view, everything)
    causes = {
        each: f"{fault.cause.key} {fault.cause.object}" for fault in roots for each in fault.follows
    }
    lines = _lines(parts, causes)
    states = [line.state for line in lines]
    return Report(
        tuple(replace(each, follows=causes.get(each, "")) for each in everything),
        f"{len(lines)} checks, all OK: {_essence(parts)}",
        tuple(
            Figure(f"checks_{state.name.lower()}", states.count(state), minimum=0)
            for state in State
        ),
        tuple(dict.fromkeys(each for _, judged in parts for each in judged.looked_at)),
        tuple(fault.text for fault in roots if fault.state is not State.OK),
        tuple(lines),
    )


def _lines(reports: Sequence[tuple[Check, Report]], causes: Mapping[Finding, str]) -> list[Line]:
    """One line a check; a finding that an earlier check told is not told again."""
    told: set[Finding] = set()
    lines = []
    for check, judged in reports:
        fresh = [each for each in worst_first(judged) if each not in told]
        told.update(judged.findings)
        texts = [
            f"{each.text} (follows from: {causes[each]})" if each in causes else each.text
            for each in fresh
        ]
        state = worst([each.state for each in judged.findings])
        text = "; ".join(texts) or ("as above" if judged.findings else judged.summary)
        lines.append(Line(check.name, state, text))
    return lines


def _essence(reports: Sequence[tuple[Check, Report]]) -> str:
    """What is most worth knowing when all is well."""
    summaries = {check.name: judged.summary for check, judged in reports}
    said = ""
    for name in ("placement", "nodes", "drbd-quorum", "drbd-role"):
        longer = "; ".join(text for text in (said, summaries.get(name)) if text)
        said = longer if len(longer) <= _ESSENCE else said
    return said


_ESSENCE = 100
"""So many characters of it fit the first line."""


CHECK = Check(
    name="overview",
    question="Is everything on this node in order?",
    needs=(),
    hints=tuple(Input),
    rule=judge,
    kinds=(),
    figures=tuple(
        (f"checks_{state.name.lower()}", f"checks that are {state.name}") for state in State
    ),
    options=(
        Option(
            "--skip",
            "A check to leave out (repeatable).",
            "check",
            multiple=True,
            metavar="CHECK",
        ),
    ),
    filters="both",
    example="check_mccluster overview --skip links",
)
