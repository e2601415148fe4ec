"""Corosync's tools: ``corosync-quorumtool -s``, ``corosync-cfgtool -s``, ``corosync-cmapctl``.

Every line that these tools print ends in a newline: a last line without one is cut off. A line
that is not understood is never skipped: what it may have said would be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional, Union

from ..model.corosync import Cmap, ConfiguredNode, Link, Links, LinkState, Voter, Votes
from ..model.words import Unrecognised, has_digits, parse
from .errors import LONGEST, ReadError, refuse_twice


def _lines(text: str) -> list[str]:
    if not text.strip():
        raise ReadError("empty output")
    if not text.endswith("\n"):
        raise ReadError("cut off")
    if "\ufffd" in text or "\0" in text:
        raise ReadError("not UTF-8 text")
    lines = text.split("\n")[:-1]
    longest = max(map(len, lines))
    if longest > LONGEST:
        raise ReadError(f"a line of {longest} characters")
    return lines


def _unknown(line: str) -> ReadError:
    words = line.strip()
    return ReadError(f"unknown line {words if len(words) <= 60 else words[:60] + '...'!r}")


def _number(text: str, what: str) -> int:
    if not has_digits(text):
        raise ReadError(f"{what} is {text!r}, not a number")
    return int(text)


def _node_id(text: str, what: str) -> int:
    """A node id, also hexadecimal as ``quorumtool -H`` prints it."""
    if text.startswith("0x") and re.fullmatch("0x[0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    return _number(text, what)


# quorumtool

HEADINGS = ("Quorum information", "Votequorum information", "Membership information")
FACTS = (
    *("Date", "Quorum provider", "Nodes", "Node ID", "Ring ID", "Quorate"),
    *("Expected votes", "Highest expected", "Total votes", "Quorum", "Flags"),
)
VOTES_AND_FLAGS = ("Expected votes", "Total votes", "Quorum", "Flags")
PROVIDERS = ("corosync_votequorum", "corosync_ykd", "Not configured")
"""Corosync starts with no other one, and the tool always names it; only the first counts votes."""
OF_VOTEQUORUM = ("Node ID", "Nodes", *VOTES_AND_FLAGS)


def read_quorumtool(text: str) -> Votes:
    """Read ``corosync-quorumtool -s`` of Corosync 2 and 3.

    :raises ReadError: not its output, a line that it does not print or that is missing, something
        told twice, or fewer members than it counts.
    """
    lines = _lines(text)
    table = next((n for n, line in enumerate(lines) if line.split()[:1] == ["Nodeid"]), len(lines))
    told = list(_facts(lines[:table]))
    refuse_twice((key for key, _ in told), "line")
    facts = dict(told)
    quorate = facts.get("Quorate")
    if quorate is None:
        raise ReadError("no line Quorate")
    if quorate not in ("Yes", "No"):
        raise ReadError(f"Quorate is {quorate!r}, not Yes or No")
    for line in lines[:table]:
        key, colon, _ = line.partition(":")
        if not ((colon and key in FACTS) or _is_heading(line.strip())):
            raise _unknown(line)

    provider = facts.get("Quorum provider")
    if provider not in PROVIDERS:
        raise ReadError(f"Quorum provider is {provider!r}" if provider else "no Quorum provider")

    def count(key: str) -> Optional[int]:
        if key not in facts:
            return None
        number, _, more = facts[key].partition(" ")  # "Quorum:  2 Activity blocked"
        if more and (key, more) != ("Quorum", "Activity blocked"):
            raise ReadError(f"{key} is {facts[key]!r}, not a number")
        return (_node_id if key == "Node ID" else _number)(number, key)

    members, qdevice_votes = _members(lines[table:])
    refuse_twice((member.node_id for member in members), "member")
    expected_rows = count("Nodes")
    # Without votequorum there are neither votes nor a table.
    if provider == PROVIDERS[0] or members or any(key in facts for key in VOTES_AND_FLAGS):
        if expected_rows is not None and len(members) != expected_rows:
            raise ReadError(f"cut off: {len(members)} members, Nodes says {expected_rows}")
        for key in OF_VOTEQUORUM:
            if key not in facts:
                raise ReadError(f"no line {key}")
    total, listed = count("Total votes"), sum(member.votes or 0 for member in members)
    # A device that does not answer casts none.
    if members and total not in {None, listed, listed + (qdevice_votes or 0)}:
        raise ReadError(f"{listed} votes listed, Total votes says {total}")
    return Votes(
        provider=provider,
        quorate=quorate == "Yes",
        node_id=count("Node ID"),
        expected=count("Expected votes"),
        total=total,
        quorum=count("Quorum"),
        flags=frozenset(facts.get("Flags", "").split()),
        members=members,
        qdevice_votes=qdevice_votes,
    )


def _is_heading(words: str) -> bool:
    return words in HEADINGS or not words.strip("-")


def _facts(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, colon, value = line.partition(":")
        if colon:
            yield key, value.strip()


def _members(table: list[str]) -> tuple[tuple[Voter, ...], Optional[int]]:
    """The members, and the votes of the quorum device: the row of node 0.

    Columns: ``Nodeid Votes Name``, and ``Qdevice`` before the name if a device is registered.
    """
    if not table:
        return (), None
    columns = table[0].split()
    has_qdevice = "Qdevice" in columns
    members = []
    qdevice_votes = None
    for line in table[1:]:
        cells = line.split(None, len(columns) - 1)
        if not cells:
            continue
        if len(cells) < 2:
            raise _unknown(line)
        node_id, votes = _node_id(cells[0], "Nodeid"), _number(cells[1], "Votes")
        if node_id == 0:
            qdevice_votes = votes
            continue
        name = cells[-1] if len(cells) == len(columns) else ""
        local = name.endswith("(local)")
        members.append(
            Voter(
                node_id=node_id,
                votes=votes,
                name=name[: -len("(local)")].removesuffix(" ") if local else name,
                local=local,
                qdevice_flags=cells[2] if has_qdevice and len(cells) > 2 else None,
            )
        )
    return tuple(members), qdevice_votes


# cfgtool

PREAMBLE = r"Printing (?:link|ring) status\.|Local node ID [0-9]{1,10}(?:, transport \S+)?|\*\*.*|"
"""Lines before the first link; with two stars a warning: of sctp, for one."""

LINK = r"(?:LINK|RING) ID ([0-9]{1,9})(?: \w*)?"
FIELD = r"\t(\w+)\t= (.*)"
PEER = r"\t\tnodeid:? +(\d+):\t(.+)"
PEER_3_0_0 = (
    r"\t\t(?:nodeid +(?P<id>\d+)|node (?P<place>\d+)):\tlink enabled:(?P<enabled>[01])"
    r"\tlink connected:(?P<connected>[01])"
)


def read_cfgtool(text: str) -> Links:
    """Read ``corosync-cfgtool -s`` of Corosync 1 to 3.

    Corosync 1 and 2, and 3 with ``udpu``, have one status text per ring; ``peer_id`` is then
    ``None``. 3.0.0 numbers the peers by their place in the list, which is no node id either.

    :raises ReadError: not its output, no link, or a link without a state.
    """
    lines = _lines(text)
    first = next((n for n, line in enumerate(lines) if re.fullmatch(LINK, line)), None)
    if first is None:
        # The tool prints its own errors here, on standard output, and may end with 0.
        error = next((line for line in lines if line.startswith("Could not")), "not a status")
        raise ReadError(f"no link: {error}")
    for line in lines[:first]:
        if not re.fullmatch(PREAMBLE, line):
            raise _unknown(line)
    opening = "\n".join(lines[:first])
    local = re.search(r"^Local node ID ([0-9]+)(?:, transport (\S+))?", opening, re.M)
    links = tuple(_links(lines[first:]))
    _check_complete(links, int(local[1]) if local else None)
    return Links(
        node_id=int(local[1]) if local else None,
        transport=local[2] if local else None,
        links=links,
        unrecognised=tuple(one.state for one in links if isinstance(one.state, Unrecognised)),
    )


def _check_complete(links: tuple[Link, ...], local: Optional[int]) -> None:
    """Every link tells of every node, this one as well, in the same order.

    :raises ReadError: if a link tells of less than another, or of one node twice.
    """
    peers: dict[int, list[Optional[int]]] = {}
    for one in links:
        peers.setdefault(one.link, []).append(one.peer_id)
    first, told = next(iter(peers.items()))
    for link, ids in peers.items():
        named = [peer for peer in ids if peer is not None]
        refuse_twice((f"{link} to node {peer}" for peer in named), "link")
        if len(ids) < len(told):
            raise ReadError(f"cut off: link {link} tells of {len(ids)} nodes, not {len(told)}")
        if ids != told:
            raise ReadError(f"link {link} and link {first} tell of other nodes")
        if named and local is not None and local not in named:
            raise ReadError(f"cut off: link {link} does not tell of this node")


def _links(lines: list[str]) -> Iterator[Link]:
    headings = [
        (n, found[1]) for n, found in enumerate(map(re.compile(LINK).fullmatch, lines)) if found
    ]
    refuse_twice((int(number) for _, number in headings), "link")
    ends = [*(n for n, _ in headings[1:]), len(lines)]
    for (start, number), end in zip(headings, ends):
        links = tuple(_states(int(number), lines[start + 1 : end]))
        if not links:
            raise ReadError(f"link {number} without a state")
        yield from links


def _states(link: int, lines: list[str]) -> Iterator[Link]:
    """The link's state to every peer, or the ring's one state."""
    address = None
    places = [found["place"] for found in map(re.compile(PEER_3_0_0).fullmatch, lines) if found]
    refuse_twice((f"{link} to node {place}" for place in places if place), "link")
    for line in lines:
        field = re.fullmatch(FIELD, line)
        peer = re.fullmatch(PEER_3_0_0, line) or re.fullmatch(PEER, line)
        if field and field[1] in ("addr", "id"):
            address = field[2].strip()
        elif field and field[1] == "status":
            yield Link(link, address, None, _ring_state(field[2], link), None, field[2])
        elif peer and peer.re.pattern == PEER_3_0_0:
            connected = peer["connected"] == "1"
            yield Link(
                link=link,
                address=address,
                peer_id=int(peer["id"]) if peer["id"] else None,
                state=LinkState.CONNECTED if connected else LinkState.DISCONNECTED,
                enabled=peer["enabled"] == "1",
                text=line.strip(),
            )
        elif peer:
            words = peer[2].strip()
            yield Link(
                link=link,
                address=address,
                peer_id=int(peer[1]),
                state=_peer_state(words, link, peer[1]),
                enabled=False if words.endswith("(not enabled)") else None,
                text=words,
            )
        elif line.strip() and not line.startswith("**") and line != "\tstatus:":
            raise ReadError(f"link {link}: {_unknown(line)}")


def _ring_state(words: str, ring: int) -> Union[LinkState, Unrecognised]:
    """A ring that counts problems is in service until it is marked FAULTY."""
    if "FAULTY" in words:
        return LinkState.FAULTY
    if words == "OK" or re.search("active with no faults|problem counter", words):
        return LinkState.ACTIVE
    return Unrecognised(words, f"status of ring {ring}")


def _peer_state(words: str, link: int, peer: str) -> Union[LinkState, Unrecognised]:
    word = words.replace("(not enabled)", "").strip()
    if word in ("knet error", "config error"):  # the tool could not ask: nothing says it carries
        return LinkState.DISCONNECTED
    return parse(LinkState, word, f"link {link} to node {peer}")


# cmapctl

KEY = r"(\S+) \((?:[iu](?:8|16|32|64)|flt|dbl|str)\) = ?(.*)"
BINARY = r"\S+ \(bin\)(?: .*)?"
NODE_KEY = r"nodelist\.node\.([0-9]{1,9})\.(\w+)"
MET = r"runtime\.(?:totem\.pg\.mrp\.srp\.)?members\.([0-9]{1,10})\.status"
RING = r"ring([0-9]{1,3})_addr"


def read_cmapctl(text: str) -> Cmap:
    """Read ``corosync-cmapctl``: lines ``key (type) = value``; binary keys have no value.

    :raises ReadError: no such line, or a number that is none.
    """
    lines = _lines(text)
    told = [found for found in map(re.compile(KEY).fullmatch, lines) if found]
    refuse_twice((found[1] for found in told), "key")
    keys = {found[1]: found[2].strip() for found in told}
    if not keys:
        raise ReadError("no line 'key (type) = value'")
    for line in lines:
        if line.strip() and not re.fullmatch(KEY, line) and not re.fullmatch(BINARY, line):
            raise _unknown(line)

    def number(key: str) -> Optional[int]:
        return _number(keys[key], key) if key in keys else None

    def flag(key: str) -> Optional[bool]:
        value = number(key)
        return None if value is None else value != 0

    nodes: dict[int, dict[str, str]] = {}
    for key in keys:
        found = re.fullmatch(NODE_KEY, key)
        if found:
            nodes.setdefault(int(found[1]), {})[found[2]] = key
    places = sorted(nodes)
    local = number("nodelist.local_node_pos")
    # What runs decides; the configuration is only asked where Corosync tells nothing else.
    two_node = flag("runtime.votequorum.two_node")
    return Cmap(
        token_ms=number("runtime.config.totem.token"),
        consensus_ms=number("runtime.config.totem.consensus"),
        token_retransmit_ms=number("runtime.config.totem.token_retransmit"),
        retransmits_before_loss=number("runtime.config.totem.token_retransmits_before_loss_const"),
        nodes=tuple(
            ConfiguredNode(
                node_id=number(nodes[place].get("nodeid", "")),
                name=keys.get(nodes[place].get("name", "")),
                votes=number(nodes[place].get("quorum_votes", "")),
                addresses=tuple(
                    sorted(
                        (int(ring[1]), keys[nodes[place][ring[0]]])
                        for ring in map(re.compile(RING).fullmatch, nodes[place])
                        if ring is not None
                    )
                ),
            )
            for place in places
        ),
        local_position=places.index(local) if local in places else None,
        two_node=flag("quorum.two_node") if two_node is None else two_node,
        wait_for_all=flag("quorum.wait_for_all"),
        expected_votes=number("quorum.expected_votes"),
        qdevice_model=keys.get("quorum.device.model"),
        met=frozenset(int(each[1]) for each in map(re.compile(MET).fullmatch, keys) if each),
    )
