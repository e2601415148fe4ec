"""``check_mccluster active``: a plugin that runs only where its service runs.

Where the group is active, the plugin's standard output, standard error and exit code are ours. Not
passed on are exit codes that no monitoring system knows: anything but 0 to 3, and the death by a
signal, are UNKNOWN. Then a line that says so comes first, because the first line is what is shown,
and the plugin's own output follows.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import PurePath
from typing import Any, NoReturn

import click

from ...acquire.plugin_run import Ended, PluginError, run_plugin
from ...inputs.crm_mon import CLUSTER
from ...judge.active import CHECK, activity
from ...present.text import clean, first_line
from ...verdict.finding import State
from ...verdict.view import Asked, Judgement, View, contains_node
from .. import completing
from ..deadline import deadline
from ..options import severity_option, source_options, verbose_option
from ..session import (
    Setup,
    SetupError,
    lasting_of,
    load_config,
    open_source,
    run_check,
    severities_of,
)


class _Active(click.Command):
    """Everything behind the first ``--`` is the plugin's, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        cut = args.index("--") if "--" in args else len(args)
        if cut == len(args):
            self._demand_dashes(args)
        rest = super().parse_args(ctx, args[:cut])
        ctx.params["plugin"] = tuple(args[cut + 1 :])
        return rest

    def _demand_dashes(self, args: list[str]) -> None:
        """A plugin is there, and the ``--`` before it is not.

        :raises click.UsageError: with the line as it should be.
        """
        valued = {
            name
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag and not param.count
            for name in param.opts
        }
        names = [
            number
            for number, word in enumerate(args)
            if not word.startswith("-") and not (number and args[number - 1] in valued)
        ]
        if len(names) > 1:
            own, plugin = " ".join(args[: names[1]]), " ".join(args[names[1] :])
            raise click.UsageError(
                f"'--' is missing before the plugin: check_mccluster active {own} -- {plugin}"
            )


def run(group: str, promoted: bool, plugin: tuple[str, ...], **values: Any) -> NoReturn:
    """Ask Pacemaker, then run the plugin or say why not.

    :raises click.UsageError: if no plugin is named, or a severity needs a memory.
    :raises SetupError: if it cannot begin, or does not know where the service runs.
    """
    if not plugin:
        raise click.UsageError("no plugin is named: check_mccluster active GROUP -- PLUGIN ARGS")
    setup = Setup.take(values)
    verbosity = min(values.pop("verbose"), 3)
    overrides = values.pop("severity")
    if lasting_of(overrides):
        raise click.UsageError("active keeps no state: no KEY=STATE:after=SECONDS")
    asked = Asked(
        values={"group": group, "promoted": promoted},
        severities=severities_of(overrides),
    )
    end = time.monotonic() + setup.timeout
    with deadline(setup.timeout):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            judgement = run_check(CHECK, source, config, setup, asked)
        if not _is_active_here(judgement, group, promoted):
            _say(judgement.report.state, first_line(judgement.report))
            if verbosity:
                from ...present.plugin import long_output

                for line in long_output(judgement.report, judgement.runs, verbosity):
                    click.echo(line)
            sys.exit(judgement.report.state.value)
        try:
            ended = run_plugin(plugin, end)
        except PluginError as error:
            _say(State.UNKNOWN, str(error))
            sys.exit(State.UNKNOWN.value)
        sys.exit(_pass_on(plugin[0], ended))


def _is_active_here(judgement: Judgement, group: str, promoted: bool) -> bool:
    """Whether the plugin has to be run.

    :raises SetupError: if "elsewhere" cannot be told, since the cluster does not know this node.
    """
    cluster = judgement.view[CLUSTER].value
    if cluster is None or judgement.report.state is not State.OK:
        return False
    found = activity(cluster, group, promoted)
    if found is None or not found.nodes:
        return False
    _demand_member(judgement.view)
    return found.is_here(judgement.view)


def _demand_member(view: View) -> None:
    cluster = view[CLUSTER].value
    assert cluster is not None  # noqa: S101
    names = tuple(node.name for node in cluster.nodes)
    if not contains_node(names, view.node):
        raise SetupError(
            f"the cluster has no node {view.node or 'of unknown name'}, only {', '.join(names)}:"
            " say with --node which of them this is"
        )


def _pass_on(program: str, ended: Ended) -> int:
    """Say what the plugin said; its exit code if it is one."""
    name = PurePath(program).name
    code = ended.exit_code
    if code not in [state.value for state in State]:
        how = f"exit code {code}" if code > 0 else f"signal {_signal_name(-code)}"
        _say(State.UNKNOWN, f"{name} ended with {how}, which is not a verdict")
        code = State.UNKNOWN.value
    click.echo(ended.stdout, nl=False)
    click.echo(ended.stderr, nl=False, err=True)
    return code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)  # a real-time signal


def _say(state: State, text: str) -> None:
    click.echo(f"{state.name} - {clean(text)}")


def _options() -> list[click.Parameter]:
    from ..help import version_option

    return [
        click.Argument(
            ["group"],
            metavar="GROUP -- PLUGIN [ARGS]...",
            shell_complete=completing.resources("pacemaker"),
        ),
        click.Option(
            ["--promoted"],
            is_flag=True,
            help="Of a promotable clone: only where it is promoted.",
        ),
        severity_option("tool-missing=ok"),
        *source_options(),
        verbose_option("Where no plugin is run: next step, -vvv commands."),
        version_option(),
    ]


command = _Active(
    "active",
    callback=run,
    params=_options(),
    short_help="Run a plugin only where its service runs.",
    help="""Run PLUGIN where Pacemaker runs GROUP on this node, and pass its verdict on.

    GROUP is a group, resource, clone or bundle. Elsewhere the plugin is not started and the
    answer is OK, standby. If GROUP runs nowhere that is CRITICAL, or WARNING where somebody
    disabled it.""",
    epilog="\b\nExample: check_mccluster active group1 -- /usr/lib/nagios/plugins/check_mailq",
)
