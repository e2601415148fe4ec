#!/usr/bin/env python3
"""Write Grafana's pages: contrib/grafana/*.json.

    tools/grafana.py [--check]

Needs grafana-foundation-sdk: pip install -e '.[grafana]'. One page shows a cluster, the other all
of them. Where DRBD has more than 300 volumes on peers, the metrics have figures of resources and
counts by state in place of each volume's own, and the queries take those.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "contrib" / "grafana"

GREEN, YELLOW, RED, PURPLE, BLUE, GREY = "green", "yellow", "red", "purple", "blue", "text"
Words = dict[str, tuple[str, str]]

STATES: Words = {
    "0": ("OK", GREEN),
    "1": ("WARNING", YELLOW),
    "2": ("CRITICAL", RED),
    "3": ("UNKNOWN", PURPLE),
}
NODE_STATES: Words = {
    "0": ("online", GREEN),
    "1": ("maintenance", BLUE),
    "2": ("standby", YELLOW),
    "3": ("pending", YELLOW),
    "4": ("shutdown", YELLOW),
    "5": ("offline", RED),
    "6": ("unclean", RED),
}
YES_NO: Words = {"0": ("no", GREY), "1": ("yes", BLUE)}
QUORUM: Words = {"0": ("lost", RED), "1": ("yes", GREEN)}
LOOKED: Words = {"0": ("a tool failed", RED), "1": ("yes", GREEN)}
FAULT_STATES: Words = {
    "warning": ("WARNING", YELLOW),
    "critical": ("CRITICAL", RED),
    "unknown": ("UNKNOWN", PURPLE),
}

ONE = 'cluster="$cluster"'
TOLD = 'spoken="yes"'


class Query(NamedTuple):
    """A query and what its series are called."""

    expr: str
    legend: str = ""


def numbered(metric: str, which: str, known: Sequence[str]) -> str:
    """The state of objects as a number: the place of the word that is in force."""
    comma = ", " if which else ""
    parts = [f'{n} * {metric}{{{which}{comma}state="{word}"}}' for n, word in enumerate(known)]
    return " or ".join(parts)


def verdict(by: str, which: str) -> str:
    """The verdict of nodes as a number of :data:`STATES`, of several the gravest."""
    known = ("ok", "warning", "critical", "unknown")
    return f"max by ({by}) ({numbered('mccluster_overview_state', which, known)})"


def node_state(which: str) -> str:
    """The state of Pacemaker's nodes as a number of :data:`NODE_STATES`."""
    known = [word for word, _ in NODE_STATES.values()]
    return f"max by (node) ({numbered('mccluster_node_state', which, known)})"


COPIES = (
    "min by ({by}) (mccluster_drbd_resource_copies_min{{{which}}}"
    " or mccluster_drbd_copies{{{which}}})"
)


# -- panels ------------------------------------------------------------------------------------


def source() -> model.DataSourceRef:
    """The data source that is chosen on the page."""
    return model.DataSourceRef(type_val="prometheus", uid="$datasource")


def query(one: Query, *, instant: bool, name: str = "A", rows: bool = False) -> Any:
    """A panel's query."""
    made = prometheus.Dataquery().expr(one.expr).legend_format(one.legend).ref_id(name)
    made = made.datasource(source())
    if rows:
        made = made.format(PromQueryFormat.TABLE)
    return made.instant() if instant else made.range()


def words(known: Words) -> list[Any]:
    """Values as coloured words."""
    options = {
        value: model.ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(known.items())
    }
    return [model.ValueMap(options=options)]


def steps(*found: tuple[Optional[float], str]) -> Any:
    """Colours from a value on."""
    made = [model.Threshold(value=value, color=colour) for value, colour in found]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(made)


def place(x: int, y: int, width: int, height: int) -> model.GridPos:
    """Where a panel is: the page has 24 columns."""
    return model.GridPos(h=height, w=width, x=x, y=y)


Place = tuple[int, int, int, int]


def tile(
    title: str,
    about: str,
    expr: str,
    where: Place,
    *,
    known: Optional[Words] = None,
    least: tuple[tuple[Optional[float], str], ...] = ((None, GREY),),
    unit: str = "none",
) -> Any:
    """One figure, coloured by its words or its thresholds."""
    made = (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(source())
        .grid_pos(place(*where))
        .unit(unit)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .color_mode(common_model.BigValueColorMode.BACKGROUND)
        .no_value("not known")
        .thresholds(steps(*least))
        .with_target(query(Query(expr), instant=True))
    )
    return made.mappings(words(known)) if known else made


def line(
    title: str, about: str, queries: tuple[Query, ...], where: Place, *, unit: str = "none"
) -> Any:
    """Figures over time."""
    made = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(source())
        .grid_pos(place(*where))
        .unit(unit)
        .min(0)
        .fill_opacity(10)
    )
    for number, one in enumerate(queries):
        made = made.with_target(query(one, instant=False, name=chr(ord("A") + number)))
    return made


def words_over_time(title: str, about: str, one: Query, known: Words, where: Place) -> Any:
    """A state as words over time, a row for each object."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(about)
        .datasource(source())
        .grid_pos(place(*where))
        .mappings(words(known))
        .thresholds(steps((None, GREY)))
        .show_value(common_model.VisibilityMode.AUTO)
        .row_height(0.8)
        .legend(common.VizLegendOptions().show_legend(False))
        .with_target(query(one, instant=False))
    )


def rows(
    title: str,
    about: str,
    queries: tuple[Query, ...],
    where: Place,
    columns: dict[str, str],
    *,
    values: Optional[dict[str, Words]] = None,
    links: Optional[dict[str, str]] = None,
) -> Any:
    """A table of labels, and of values where there are several queries.

    :param columns: a field with its heading, in order; what is not listed is hidden.
    :param values: fields with the words of their values. :param links: fields with an address.
    """
    order = {field: index for index, field in enumerate(columns)}
    made = (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(source())
        .grid_pos(place(*where))
        .no_value("none")
        .thresholds(steps((None, GREY)))
    )
    for number, one in enumerate(queries):
        made = made.with_target(query(one, instant=True, name=chr(ord("A") + number), rows=True))
    made = made.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    made = made.with_transformation(
        model.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": list(columns)}}
        )
    )
    made = made.with_transformation(
        model.DataTransformerConfig(
            id_val="organize", options={"indexByName": order, "renameByName": columns}
        )
    )
    for field, known in (values or {}).items():
        colours = [
            model.DynamicConfigValue(
                id_val="mappings",
                value=[
                    {
                        "type": "value",
                        "options": {
                            value: {"text": text, "color": colour, "index": index}
                            for index, (value, (text, colour)) in enumerate(known.items())
                        },
                    }
                ],
            ),
            model.DynamicConfigValue(
                id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"}
            ),
        ]
        made = made.override_by_name(columns[field], colours)
    for field, address in (links or {}).items():
        link = model.DynamicConfigValue(
            id_val="links", value=[{"title": "The cluster", "url": address}]
        )
        made = made.override_by_name(columns[field], [link])
    return made


# -- pages -------------------------------------------------------------------------------------


def page(title: str, uid: str, about: str) -> Any:
    """A page without panels."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["mccluster", "pacemaker", "drbd"])
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )


FAULTS = {"state": "State", "object": "Object", "key": "Fault", "node": "Node", "check": "Check"}
AT_LEAST_ONE = ((None, RED), (1, GREEN))


def cluster_page() -> Any:
    """One cluster."""
    made = page(
        "Pacemaker and DRBD: a cluster",
        "mccluster-cluster",
        "One cluster as check_mccluster sees it from its nodes.",
    ).with_variable(
        dashboard.QueryVariable("cluster")
        .label("Cluster")
        .datasource(source())
        .query("label_values(mccluster_last_run_timestamp_seconds, cluster)")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    single = "min(%s)"
    panels = [
        *(
            tile(
                "Verdict",
                "The gravest of all nodes.",
                f"max({verdict('cluster', ONE)})",
                (0, 0, 4, 4),
                known=STATES,
            ),
            tile(
                "Quorum",
                "Of the partition that is worst off.",
                single % f"mccluster_quorate{{{ONE}}}",
                (4, 0, 4, 4),
                known=QUORUM,
            ),
            tile(
                "Votes to spare",
                "Before the quorum is.",
                single % f"mccluster_votes_margin{{{ONE}}}",
                (8, 0, 4, 4),
                least=AT_LEAST_ONE,
            ),
            tile(
                "Nodes that could take over",
                "Of the service that has the fewest.",
                single % f"mccluster_failover_candidates{{{ONE}}}",
                (12, 0, 4, 4),
                least=AT_LEAST_ONE,
            ),
            tile(
                "UpToDate copies in reach",
                "Of the volume and the node that have the fewest.",
                single % COPIES.format(by="cluster", which=ONE),
                (16, 0, 4, 4),
                least=((None, RED), (1, YELLOW), (2, GREEN)),
            ),
            tile(
                "Maintenance",
                "Whether Pacemaker leaves everything as it is.",
                f"max(mccluster_maintenance_mode{{{ONE}}})",
                (20, 0, 4, 4),
                known=YES_NO,
            ),
        ),
        rows(
            "Faults",
            "Each once, whatever number of nodes see it; what follows from a fault is part of it."
            " On a node: check_mccluster explain FAULT",
            (
                Query(
                    f"max by (state, check, key, object, node) (mccluster_fault{{{ONE}, {TOLD}}})"
                ),
            ),
            (0, 4, 24, 7),
            FAULTS,
            values={"state": FAULT_STATES},
        ),
        words_over_time(
            "Verdict of each node",
            "A gap is a node whose metrics are gone.",
            Query(verdict("instance", ONE), "{{instance}}"),
            STATES,
            (0, 11, 12, 8),
        ),
        words_over_time(
            "Pacemaker's nodes",
            "The word that matters most, by the node that sees the worst.",
            Query(node_state(ONE), "{{node}}"),
            NODE_STATES,
            (12, 11, 12, 8),
        ),
        words_over_time(
            "Where resources run",
            "Pacemaker's word; above 500 resources only of those that are not well.",
            Query(
                f"max by (resource, node) (mccluster_resource_active{{{ONE}}})",
                "{{resource}} on {{node}}",
            ),
            {"1": ("runs", GREEN)},
            (0, 19, 12, 9),
        ),
        rows(
            "Fail-counts",
            "1000000 is INFINITY: the resource may not run there.",
            (Query(f"max by (resource, node) (mccluster_resource_failures{{{ONE}}})"),),
            (12, 19, 12, 9),
            {"resource": "Resource", "node": "Node", "Value": "Fail-count"},
        ),
        line(
            "Disks by state",
            "Volumes of all nodes by the state of their own disk.",
            (
                Query(
                    f"sum by (state) (mccluster_drbd_volumes{{{ONE}}})"
                    f" or count by (state) (mccluster_drbd_disk_state{{{ONE}}})",
                    "{{state}}",
                ),
            ),
            (0, 28, 8, 8),
        ),
        line(
            "Connections by state",
            "Each connection is counted at both of its ends.",
            (
                Query(
                    f"sum by (state) (mccluster_drbd_connections{{{ONE}}})"
                    f" or count by (state) (mccluster_drbd_connection_state{{{ONE}}})",
                    "{{state}}",
                ),
            ),
            (8, 28, 8, 8),
        ),
        line(
            "UpToDate copies in reach",
            "Of the volume and the node that have the fewest.",
            (Query(COPIES.format(by="resource", which=ONE), "{{resource}}"),),
            (16, 28, 8, 8),
        ),
        line(
            "Out of sync",
            "With the peer that differs most.",
            (
                Query(
                    f"max by (resource) (mccluster_drbd_resource_out_of_sync_bytes{{{ONE}}}"
                    f" or mccluster_drbd_out_of_sync_bytes{{{ONE}}})",
                    "{{resource}}",
                ),
            ),
            (0, 36, 8, 8),
            unit="bytes",
        ),
        line(
            "Time that a resync still takes",
            "As the node with the target disk reckons.",
            (
                Query(
                    "max by (instance, resource, volume)"
                    f" (mccluster_drbd_sync_remaining_seconds{{{ONE}}} > 0)",
                    "{{resource}}/{{volume}} on {{instance}}",
                ),
            ),
            (8, 36, 8, 8),
            unit="s",
        ),
        line(
            "Written to disks",
            "Not known above 300 volumes on peers.",
            (
                Query(
                    "sum by (instance, resource)"
                    f" (rate(mccluster_drbd_written_bytes_total{{{ONE}}}[$__rate_interval])"
                    " unless on (instance, resource) mccluster_drbd_resource_copies_min)",
                    "{{resource}} on {{instance}}",
                ),
            ),
            (16, 36, 8, 8),
            unit="Bps",
        ),
        line(
            "Detection times",
            "Corosync has to notice a lost node later than DRBD does.",
            (
                Query(f"min(mccluster_corosync_detection_seconds{{{ONE}}})", "Corosync"),
                Query(f"max(mccluster_drbd_detection_seconds{{{ONE}}})", "DRBD"),
            ),
            (0, 44, 8, 7),
            unit="s",
        ),
        line(
            "How long a look takes",
            "On each node.",
            (
                Query(
                    f"max by (instance) (mccluster_last_run_duration_seconds{{{ONE}}})",
                    "{{instance}}",
                ),
            ),
            (8, 44, 8, 7),
            unit="s",
        ),
        rows(
            "What nodes can tell",
            "When each has looked, whether every tool answered, what has no series of its own.",
            (
                Query(
                    f"max by (instance) (time() - mccluster_last_run_timestamp_seconds{{{ONE}}})"
                ),
                Query(f"max by (instance) (mccluster_last_run_success{{{ONE}}})"),
                Query(f"sum by (instance) (mccluster_left_out{{{ONE}}})"),
            ),
            (16, 44, 8, 7),
            {
                "instance": "Node",
                "Value #A": "Seconds ago",
                "Value #B": "Complete",
                "Value #C": "Left out",
            },
            values={"Value #B": LOOKED},
        ),
    ]
    for panel in panels:
        made = made.with_panel(panel)
    return made


def fleet_page() -> Any:
    """All clusters; a row leads to the page of its cluster."""
    made = page(
        "Pacemaker and DRBD: all clusters",
        "mccluster-fleet",
        "Every cluster that check_mccluster looks at, the gravest first.",
    )
    to_cluster = "/d/mccluster-cluster?var-cluster=${__value.text}&var-datasource=${datasource}"
    state = verdict("cluster", "")
    panels = [
        *(
            tile(title, about, expr, (x, 0, 6, 4), least=least)
            for x, title, about, expr, least in (
                (
                    0,
                    "Clusters",
                    "Whose metrics are there.",
                    "count(count by (cluster) (mccluster_last_run_timestamp_seconds))",
                    ((None, GREY),),
                ),
                (
                    6,
                    "Critical",
                    "Clusters with a critical fault.",
                    f"count({state} == 2) or vector(0)",
                    ((None, GREEN), (1, RED)),
                ),
                (
                    12,
                    "Warning or unknown",
                    "Clusters with no graver fault.",
                    f"count({state} == 1 or {state} == 3) or vector(0)",
                    ((None, GREEN), (1, YELLOW)),
                ),
                (
                    18,
                    "In maintenance",
                    "Clusters in which nothing fails over.",
                    "count(max by (cluster) (mccluster_maintenance_mode) == 1) or vector(0)",
                    ((None, GREEN), (1, BLUE)),
                ),
            )
        ),
        rows(
            "Clusters",
            "The gravest of all their nodes.",
            (
                Query(f"sort_desc({state})"),
                Query(
                    "count by (cluster) (max by (cluster, key, object, node)"
                    f" (mccluster_fault{{{TOLD}}}))"
                ),
                Query("count by (cluster) (mccluster_last_run_timestamp_seconds)"),
                Query("min by (cluster) (mccluster_votes_margin)"),
                Query("min by (cluster) (mccluster_failover_candidates)"),
                Query(COPIES.format(by="cluster", which="")),
                Query("max by (cluster) (mccluster_maintenance_mode)"),
                Query("max by (cluster) (time() - mccluster_last_run_timestamp_seconds)"),
            ),
            (0, 4, 24, 10),
            {
                "cluster": "Cluster",
                "Value #A": "Verdict",
                "Value #B": "Faults",
                "Value #C": "Nodes seen",
                "Value #D": "Votes to spare",
                "Value #E": "Could take over",
                "Value #F": "Copies in reach",
                "Value #G": "Maintenance",
                "Value #H": "Oldest look, seconds",
            },
            values={"Value #A": STATES, "Value #G": YES_NO},
            links={"cluster": to_cluster},
        ),
        rows(
            "Faults",
            "Each once for its cluster.",
            (
                Query(
                    "max by (cluster, state, check, key, object, node)"
                    f" (mccluster_fault{{{TOLD}}})",
                ),
            ),
            (0, 14, 24, 9),
            {"cluster": "Cluster", **FAULTS},
            values={"state": FAULT_STATES},
            links={"cluster": to_cluster},
        ),
        words_over_time(
            "Verdict of each cluster",
            "The gravest of all its nodes.",
            Query(state, "{{cluster}}"),
            STATES,
            (0, 23, 16, 9),
        ),
        line(
            "Left out",
            "Objects without series of their own, because there are too many.",
            (Query("sum by (cluster, what) (mccluster_left_out)", "{{cluster}} {{what}}"),),
            (16, 23, 8, 9),
        ),
    ]
    for panel in panels:
        made = made.with_panel(panel)
    return made


def files() -> dict[Path, str]:
    """Every file with its text."""
    return {
        FOLDER / f"{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"
        for name, made in (("cluster", cluster_page()), ("fleet", fleet_page()))
    }


if __name__ == "__main__":
    from generated import write_or_check

    write_or_check(files())
