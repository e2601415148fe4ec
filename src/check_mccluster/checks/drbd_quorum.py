"""Can data be read and written here, and how much may still fail?

Long because quorum, copies, and I/O that is suspended or stands still are one question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD, DRBD_AGAIN, SHOW
from ..judge.facts.drbd import (
    MINIMUM_REDUNDANCY,
    MOST_SINGLE_FIGURES,
    NEVER_ATTACHED,
    Copies,
    ballot,
    can_read,
    copies,
    needed_votes,
    never_attached,
    peer_devices,
    shown,
    volume_name,
)
from ..judge.facts.in_flight import counters, in_flight
from ..judge.facts.mending import (
    all_gone_step,
    attach_step,
    connection_step,
    copy_step,
    half_step,
    missing_words,
    no_good_copy_step,
    own_copy_step,
    resource_step,
)
from ..model.drbd import (
    KIB,
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    Role,
)
from ..model.words import state_name
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import WHEN_DONE, join, of_many, on_all, pasted, size

LOST = Kind(
    "drbd-quorum-lost",
    State.CRITICAL,
    "The volume has lost its quorum: no I/O is possible, a Primary will fail or freeze.",
    "drbdadm status {resource}; bring back the nodes that hold copies, or the network to them",
)
SUSPENDED = Kind(
    "io-suspended",
    State.CRITICAL,
    "I/O is frozen: by an administrator, without data, for fencing, or without quorum.",
    "By an administrator, when the work is done: drbdadm resume-io {resource}; without data or"
    " quorum: bring back the nodes that hold copies; for fencing: journalctl -k -g fence-peer",
)
FAILING = Kind(
    "io-failing",
    State.CRITICAL,
    "The resource was forced to Secondary: I/O fails for every process that has it open.",
    "on {node}: findmnt shows the mount, fuser -vm with its path who holds it: stop that, unmount:"
    " I/O works again once nobody has it open; if not: drbdadm down {resource}; drbdadm up"
    " {resource}",
)
NO_COPY = Kind(
    "copies-none",
    State.CRITICAL,
    "No UpToDate copy can be reached from here, the local disk included.",
    "on every storage server: drbdadm status {resource}; bring back one that was UpToDate, and its"
    " connection: drbdadm connect {resource}. Outdated is whole but old, Inconsistent is unusable",
)
FEW_COPIES = Kind(
    "copies-low",
    State.WARNING,
    "Fewer UpToDate copies can be reached than there are replicas. CRITICAL when one is left and"
    " there should be three or more.",
    "on {node}: drbdadm status {resource}; if it is not reached: ping {node}, then there: drbdadm"
    " up {resource}; if it is Connected, see its disk: journalctl -k -g drbd",
)
STALLED = Kind(
    "io-stalled",
    State.CRITICAL,
    "Requests are in flight, and between two readings neither they nor the counters moved: a"
    " hung disk or peer, which shows in no state word.",
    "on {node}: journalctl -k -g drbd; does its disk hang? iostat -x 1",
)
OFF = Kind(
    "quorum-off",
    State.WARNING,
    "The option quorum is off although the resource has three or more nodes: a cut-off Primary"
    " goes on writing.",
    "Set 'quorum majority;' in the options of {resource} on every node, then see what would change:"
    " drbdadm --dry-run adjust {resource}",
)


_RANGE_STEP = "Every copy is good: the range of -w or -c asks for another number; correct it"
_NO_QUORUM = "quorum is lost"
_CAUSE_UNKNOWN = "cause not told by this drbd-utils"


def _suspended(resource: DrbdResource) -> Optional[str]:
    """Why I/O is frozen; ``None`` if it is not."""
    causes = [
        word
        for flag, word in (
            (resource.suspended_user, "by an administrator (suspend-io)"),
            (resource.suspended_no_data, "no data is accessible"),
            (resource.suspended_fencing, "a fencing handler runs"),
            (resource.suspended_quorum, _NO_QUORUM),
        )
        if flag
    ]
    if causes:
        return " and ".join(causes)
    return _CAUSE_UNKNOWN if resource.suspended else None


def _without_data(view: View, resource: DrbdResource) -> str:
    """Which volume has no data, and which is frozen only with it."""
    if not resource.suspended_no_data or len(resource.devices) < 2:
        return ""
    have = {d.volume: copies(view, resource, d).up_to_date for d in resource.devices}
    bare = [volume_name(resource, volume) for volume, good in have.items() if not good]
    rest = [volume_name(resource, volume) for volume, good in have.items() if good]
    if not bare or not rest:
        return ""
    return f", of {join(bare)}; {join(rest)} is frozen with it"


def _gone(view: View, resource: DrbdResource) -> tuple[tuple[str, ...], str, str]:
    """Where no data is accessible: the nodes of the copies, why they are out of reach, the step."""
    for device in resource.devices:
        have = copies(view, resource, device)
        if have.up_to_date or not have.missing:
            continue
        down = [c for c in resource.connections if c.name in have.missing and not c.is_connected]
        rest = [name for name in have.missing if all(name != c.name for c in down)]
        states: dict[str, list[str]] = {}
        for each in down:
            states.setdefault(state_name(each.state), []).append(each.name)
        words = [f"{join(names)} {state}" for state, names in states.items()]
        near = [c.name for c in down if _reached_by_another(view, resource, c)]
        if near:
            words[-1] += f", other resources reach {'it' if len(down) == 1 else join(near)}"
        words += missing_words(view, resource, device, rest)
        step = _no_copy_step(view, resource, device, have)
        if near and len(near) == len(down):
            step = resource_step(view, resource, near)
        return have.missing, f" ({'; '.join(words)})", step
    return (), "", ""


def _reached_by_another(view: View, resource: DrbdResource, peer: Connection) -> bool:
    """Whether the host and its network are up, and only this connection to it is not."""
    return peer.state is not ConnectionState.STANDALONE and any(
        connection.is_connected and connection.name == peer.name
        for other in (*(view[DRBD].value or ()), *view.drbd_others)
        if other.name != resource.name
        for connection in other.connections
    )


def _knows_disks(resource: DrbdResource, device: Device) -> bool:
    """Whether every disk state of the volume is a known word."""
    states = [
        device.disk_state,
        *(p.peer_disk_state for _, p in peer_devices(resource, device.volume)),
    ]
    return all(isinstance(state, DiskState) for state in states)


def _volume(
    view: View, asked: Asked, resource: DrbdResource, device: Device, have: Copies
) -> Iterator[Finding]:
    count, due = len(have.up_to_date), len(have.replicas)
    unread = bool(count) and not can_read(view, resource, have)
    if unread and device.quorum is not False:
        yield _unread(view, resource, device, have)
        return
    if 0 < count >= due and device.quorum is not False and not asked.has_limits:
        return
    name = volume_name(resource, device.volume)
    reach = f"{count} of {due} copies UpToDate and reachable"
    without = missing_words(view, resource, device, have.missing)
    missing = f", not {'; not '.join(without)}" if without else ""
    bare = never_attached(view, resource)

    def say(
        kind: Kind, text: str, state: Optional[State] = None, step: str = "", reason: str = ""
    ) -> Finding:
        return finding(
            kind,
            subject.volume(resource.name, device.volume),
            f"{name}: {text}",
            state=state,
            nodes=have.missing,
            resource=resource.name,
            step=attach_step(resource, device, view.here) if bare else step,
            reason=NEVER_ATTACHED if bare else reason,
        )

    def few(state: Optional[State]) -> Finding:
        step = _copies_step(view, resource, device, have) if have.missing else ""
        return say(FEW_COPIES, reach + missing, state, step)

    if device.quorum is False:
        frozen = _io_words(resource, device)
        if resource.connections and all(c.is_connected for c in resource.connections):
            frozen += "every peer is connected, "
        step = _quorum_step(view, resource, device, have)
        asks = _too_few(view, resource, device, have)
        if unread:
            # What may not be read has no vote here either.
            frozen += f"{_UNREAD}: {join(have.up_to_date)}, "
            step = _unread(view, resource, device, have).next_step
        text = f"quorum lost on {view.here}, {frozen}{asks}{reach}{missing}"
        yield say(LOST, text, step=step, reason=MINIMUM_REDUNDANCY if asks else "")
        return
    if not _knows_disks(resource, device):
        return
    if count == 0:
        # Frozen because of that: the other finding says it.
        if not resource.suspended_no_data:
            text = f"no UpToDate copy can be reached from {view.here}"
            # Whoever wrote last and is out of reach made the others old: one fault with that.
            away = _away(resource) if _whole_copies(view, resource, device) else ()
            if away:
                text += f", not connected: {join(away)}"
            reasons = [words for words in without if ": " in words]
            if reasons:
                text += f" ({'; '.join(reasons)})"
            one = say(NO_COPY, text, step=_no_copy_step(view, resource, device, have))
            yield one._replace(nodes=tuple(dict.fromkeys((*have.missing, *away))))
    elif asked.has_limits:
        state = asked.limited_state(count)
        if state is not State.OK:
            if have.missing:
                yield few(state)
            else:
                text = f"{reach}, outside the range asked for"
                yield say(FEW_COPIES, text, state, _RANGE_STEP)
    else:
        last = count == 1 and due >= 3
        yield few(State.CRITICAL if last else None)


_UNREAD = "allow-remote-read no"


def _unread(view: View, resource: DrbdResource, device: Device, have: Copies) -> Finding:
    """Good copies that are reached, and of which an option lets this node read none.

    They do not count for its quorum either (drbd_state.c).
    """
    peers, name = join(have.up_to_date), pasted(resource.name)
    title = volume_name(resource, device.volume)
    text = f"{title}: {view.here} has no disk and may read no copy ({_UNREAD}: {peers})"
    step = (
        f"on {view.here}: set allow-remote-read yes in the net section of {name} for {peers}, then:"
        f" drbdadm --dry-run adjust {name}; where that is all: drbdadm net-options {name}"
    )
    about = subject.volume(resource.name, device.volume)
    return finding(NO_COPY, about, text, nodes=(view.here,), resource=resource.name, step=step)


def _too_few(view: View, resource: DrbdResource, device: Device, have: Copies) -> str:
    """Whether the votes are there, and only good copies are too few; for within a list."""
    options = shown(view, resource.name)
    votes = ballot(view, resource, device, have)
    if options is None or votes is None or votes.present < votes.needed:
        return ""
    needed = needed_votes(options.quorum_minimum_redundancy, len(have.replicas))
    if needed is None or len(have.up_to_date) >= needed:
        return ""
    return f"quorum-minimum-redundancy asks for {needed} good copies, "


def _io_words(resource: DrbdResource, device: Device) -> str:
    """What becomes of I/O without quorum: frozen, or refused to a Primary; for within a list."""
    if resource.suspended:
        return f"I/O is frozen{_frozen_with(resource, device)}, "
    return "I/O fails, " if resource.suspended is False and resource.role is Role.PRIMARY else ""


def _frozen_with(resource: DrbdResource, device: Device) -> str:
    """Other volumes of the resource that are frozen only because this one is.

    I/O is suspended for a resource as a whole, while each volume has a quorum of its own.
    """
    lost = [d.volume for d in resource.devices if d.quorum is False]
    good = [volume_name(resource, d.volume) for d in resource.devices if d.quorum is not False]
    return f", that of {join(good)} with it" if good and device.volume == lost[0] else ""


def _quorum_step(view: View, resource: DrbdResource, device: Device, have: Copies) -> str:
    """How the quorum comes back: by connections, or by disks where no connection is missing."""
    name = pasted(resource.name)
    down = [each for each in resource.connections if not each.is_connected]
    lost = [each for each in down if each.name in have.missing] or down
    if lost:
        step = _back_step(view, resource, have, lost)
        if lost[0].name in have.missing:
            step += half_step(resource, device, have)
        return step + _of_the_primary(view, resource)
    if have.missing:
        return _copies_step(view, resource, device, have)
    return (
        f"on {view.here}: drbdsetup show {name} --show-defaults: quorum and"
        " quorum-minimum-redundancy ask for more than there is; wait some seconds if this node was"
        " just started"
    )


def _copies_step(view: View, resource: DrbdResource, device: Device, have: Copies) -> str:
    """How the first copy that is missing comes back, for all whose disks are lost alike."""
    first = have.missing[0]
    step = copy_step(view, resource, device, first)
    states = {c.name: p.peer_disk_state for c, p in peer_devices(resource, device.volume)}
    if states.get(first) in _LOST_DISKS:
        alike = [name for name in have.missing if states.get(name) is states.get(first)]
        step = on_all(step, first, alike)
    away = any(c.name == first and not c.is_connected for c in resource.connections)
    return step + (half_step(resource, device, have) if away else "")


_LOST_DISKS = (DiskState.DISKLESS, DiskState.FAILED)


def _back_step(view: View, resource: DrbdResource, have: Copies, lost: Sequence[Connection]) -> str:
    """How connections that are down come back, those in the same state together."""
    alike = [each.name for each in lost[1:] if each.state is lost[0].state]
    gave_up = lost[0].state is ConnectionState.STANDALONE
    if alike and not gave_up and {*have.replicas} == {lost[0].name, *alike}:
        return all_gone_step(view, resource, (lost[0].name, *alike))
    return connection_step(view, resource, lost[0], *alike)


def _of_the_primary(view: View, resource: DrbdResource) -> str:
    """A Primary elsewhere may have lost the same copies, and with them its service."""
    primary = [c.name for c in resource.connections if c.peer_role is Role.PRIMARY]
    options = shown(view, resource.name)
    then = options.on_no_quorum if options is not None else None
    if not primary or then is None:
        return ""
    return (
        f"; on {join(primary)} (Primary): drbdadm status {pasted(resource.name)}: quorum:no there"
        f" means that its I/O {'is frozen' if then == 'suspend-io' else 'fails'} (on-no-quorum"
        f" {then})"
    )


def _no_copy_step(view: View, resource: DrbdResource, device: Device, have: Copies) -> str:
    """A newer copy may be out of reach: first its connection, and nothing by force before."""
    away = [c for c in resource.connections if c.name in have.replicas and not c.is_connected]
    # What gave up here is connected here; the others are looked for.
    away.sort(key=lambda each: each.state is not ConnectionState.STANDALONE)
    if away:
        return _back_step(view, resource, have, away)
    step = own_copy_step(view, resource, device)
    if "resume-sync" in step or have.unknown:
        return step
    whole = _whole_copies(view, resource, device)
    name = pasted(resource.name)
    if not whole and len(have.replicas) > 1 and _all_half(view, resource, device, have):
        return no_good_copy_step(have.replicas)
    if not whole:
        return copy_step(view, resource, device, have.missing[0]) if have.missing else ""
    return _first_the_primary(resource, whole) + (
        f"on {join(whole)}: journalctl -k -g drbd tells which copy was written last"
        f"{_alike(view, resource, device)}. Every server is connected, so no newer copy can come"
        f" back: with care, on that one alone: drbdadm primary --force {name}; then: drbdadm"
        f" secondary {name}"
    )


def _alike(view: View, resource: DrbdResource, device: Device) -> str:
    """Which whole copies are alike, by the marks of this node's own."""
    if device.disk_state not in _WHOLE:
        return ""
    peers = [(c, p) for c, p in peer_devices(resource, device.volume) if _is_whole(p)]
    same = [c.name for c, p in peers if c.is_connected and p.out_of_sync_kib == 0]
    apart = [
        f"{c.name} differs by {size(p.out_of_sync_kib * KIB)}"
        for c, p in peers
        if c.is_connected and p.out_of_sync_kib
    ]
    words = [f"{join([view.here, *same])} are alike"] if same else []
    return f" ({', '.join([*words, *apart])} by the marks of {view.here})" if peers else ""


def _first_the_primary(resource: DrbdResource, whole: Sequence[str]) -> str:
    """A Primary that reaches the copies again makes them good by itself, while it is one."""
    name = pasted(resource.name)
    primary = [c.name for c in resource.connections if c.peer_role is Role.PRIMARY]
    if primary:
        return (
            f"on {join(primary)}, which is Primary: drbdadm status {name}; bring its connections to"
            f" {join(whole)} back. If they stay Outdated: stop its service; "
        )
    away = _away(resource)
    if away:
        return (
            f"on {join(away)}: drbdadm status {name}; if it is Primary, bring its connections back."
            " If the copies stay Outdated and nobody is Primary: "
        )
    return ""


def _away(resource: DrbdResource) -> tuple[str, ...]:
    """Peers that are not connected."""
    return tuple(each.name for each in resource.connections if not each.is_connected)


def _whole_copies(view: View, resource: DrbdResource, device: Device) -> list[str]:
    """Nodes whose copy is old and whole."""
    here = [view.here] if device.disk_state in _WHOLE else []
    return here + [c.name for c, p in peer_devices(resource, device.volume) if _is_whole(p)]


def _all_half(view: View, resource: DrbdResource, device: Device, have: Copies) -> bool:
    """Whether every copy is Inconsistent for sure: no connection that is down can help then."""
    states = {c.name: p.peer_disk_state for c, p in peer_devices(resource, device.volume)}
    states[view.here] = device.disk_state
    return all(states.get(name) is DiskState.INCONSISTENT for name in have.replicas)


_WHOLE = (DiskState.OUTDATED, DiskState.CONSISTENT)


def _is_whole(peer: PeerDevice) -> bool:
    return peer.peer_disk_state in _WHOLE


def _stalled(view: View, resource: DrbdResource, device: Device) -> Iterator[Finding]:
    again = view.named(DRBD_AGAIN, resource.name)
    later = next((d for d in again.devices if d.volume == device.volume), None) if again else None
    if again is None or later is None:
        return
    count, waits = in_flight(resource, device)
    if not count:
        return
    if counters(resource, device) == counters(again, later):
        name = volume_name(resource, device.volume)
        text = f"{name}: nothing moves on {view.here}, requests in flight: {count}"
        if waits:
            text += f" (they wait for {join(waits)})"
        peers = tuple(c.name for c in resource.connections if c.name in waits)
        yield finding(
            STALLED,
            subject.volume(resource.name, device.volume),
            text,
            nodes=peers or (view.here,),
            resource=resource.name,
        )


def _judge_one(
    view: View, asked: Asked, resource: DrbdResource, each: Sequence[Copies]
) -> Iterator[Finding]:
    name = resource.name
    lost = any(device.quorum is False for device in resource.devices)
    why = _suspended(resource)
    # Frozen only because quorum is lost: that finding says it.
    if why is not None and not (lost and why in (_NO_QUORUM, _CAUSE_UNKNOWN)):
        gone: tuple[str, ...] = ()
        words = step = reason = ""
        if resource.suspended_user:
            step = f"on {view.here}, {WHEN_DONE}: drbdadm resume-io {pasted(name)}"
        elif resource.suspended_no_data:
            gone, words, step = _gone(view, resource)
        elif resource.suspended_fencing and _away(resource):
            gone = _away(resource)
            words = f" ({join(gone)} not connected)"
            step = (
                f"on {view.here}: journalctl -k -g fence-peer tells what it said; I/O goes on once"
                f" {join(gone)} is back or fenced; where it is surely off: drbdadm resume-io"
                f" {pasted(name)}"
            )
            reason = "fence-peer"
        text = (
            f"{name}: I/O on {view.here} is suspended: {why}{words}{_without_data(view, resource)}"
        )
        yield finding(
            SUSPENDED,
            subject.drbd(name),
            text,
            nodes=gone or (view.here,),
            step=step,
            reason=reason,
        )
    if resource.force_io_failures:
        text = f"{name}: I/O on {view.here} is forced to fail (secondary --force)"
        yield finding(FAILING, subject.drbd(name), text, nodes=(view.here,))
    for device, have in zip(resource.devices, each):
        yield from _volume(view, asked, resource, device, have)
        # Requests that wait for a known cause are no riddle.
        if why is None and device.quorum is not False:
            yield from _stalled(view, resource, device)
    options = shown(view, name)
    nodes = len(resource.connections) + 1
    if options is not None and options.quorum_is_on is False and nodes >= 3:
        yield finding(OFF, subject.drbd(name), f"{name}: quorum is off with {nodes} nodes")


def _margin(view: View, resource: DrbdResource, device: Device, have: Copies) -> Optional[int]:
    """Replicas that may still be lost before the quorum is; ``None`` where nobody can say."""
    votes = ballot(view, resource, device, have)
    if votes is None:
        return None
    return 0 if device.quorum is False else max(0, votes.present - votes.needed)


def _words(view: View, resource: DrbdResource, device: Device, have: Copies) -> str:
    margin = _margin(view, resource, device, have)
    may = f", can lose {margin}" if margin is not None else ""
    due = f"at least {len(have.replicas)}" if have.unknown else str(len(have.replicas))
    name = volume_name(resource, device.volume)
    return f"{name}: {len(have.up_to_date)} of {due} copies{may}"


_MOST_ALIKE = 2
"""More volumes that lack the same copies in the same words are one finding."""


def _together(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, with many volumes of one peer that is gone as one; what is said comes first."""
    alike: dict[tuple[str, State, tuple[str, ...]], list[Finding]] = {}
    for each in findings:
        if each.kind is FEW_COPIES:
            said = each.text.partition(": ")[2]
            alike.setdefault((said, each.state, each.nodes), []).append(each)
    for each in findings:
        said = each.text.partition(": ")[2]
        same = alike.get((said, each.state, each.nodes), []) if each.kind is FEW_COPIES else []
        if len(same) <= _MOST_ALIKE:
            yield each
        elif each is same[0]:
            yield each._replace(text=of_many([one.object for one in same], said, "volumes"))


def judge(view: View, asked: Asked) -> Report:
    """Quorum, I/O and copies of each volume."""
    resources = view[DRBD].value
    if resources is None:
        return Report()
    known = [(r, [copies(view, r, d) for d in r.devices]) for r in resources]
    volumes = [(r, d, have) for r, each in known for d, have in zip(r.devices, each)]
    figures = [
        Figure(
            "copies_min",
            min((len(have.up_to_date) for _, _, have in volumes), default=None),
            minimum=0,
            limited=True,
        )
    ]
    for resource, device, have in volumes if len(volumes) <= MOST_SINGLE_FIGURES else ():
        name = volume_name(resource, device.volume)
        margin = _margin(view, resource, device, have)
        most = len(have.replicas) or None
        figures.append(
            Figure(
                f"{name}_copies",
                len(have.up_to_date),
                "",
                0,
                most,
                warning=f"{most}:" if most else "",
                critical="2:" if most and most >= 3 else "1:",
            )
        )
        figures.append(Figure(f"{name}_replicas", len(have.replicas), "", 0))
        if margin is not None:
            figures.append(Figure(f"{name}_votes_margin", margin, "", 0))
    if len(volumes) > 2:
        full = sum(1 for _, _, have in volumes if not have.missing)
        summary = f"{len(volumes)} volumes, {full} with all copies"
    else:
        summary = "; ".join([_words(view, *each) for each in volumes])
    findings = [one for r, each in known for one in _judge_one(view, asked, r, each)]
    return Report(
        tuple(_together(findings)),
        summary or "no volumes",
        tuple(figures),
        Lines(lambda: (f"copies of {_words(view, *each)}" for each in volumes)),
    )


CHECK = Check(
    name="drbd-quorum",
    question="Can data be read and written here, and how much may still fail?",
    needs=(DRBD,),
    uses=(DRBD_AGAIN,),
    hints=(SHOW,),
    rule=judge,
    kinds=(LOST, SUSPENDED, FAILING, NO_COPY, FEW_COPIES, STALLED, OFF),
    figures=(
        ("copies_min", "reachable UpToDate copies of the volume that has the fewest"),
        ("{volume}_copies", "UpToDate copies that can be reached from here"),
        ("{volume}_replicas", "nodes that should hold a copy"),
        ("{volume}_votes_margin", "replicas that can be lost before quorum is lost"),
    ),
    options=(
        Option(
            "--sample",
            "Read twice, this many seconds apart, and report I/O that does not move.",
            "seconds",
            metavar="SECONDS",
        ),
    ),
    number="the reachable UpToDate copies of each volume; the ranges replace copies-low",
    filters="drbd",
    settings=("drbd",),
    example="check_mccluster drbd-quorum --sample 2",
)
