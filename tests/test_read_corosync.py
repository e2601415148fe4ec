"""Corosync's tools: recorded output of 3.1.7, and constructed output of the other dialects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from build_documents import quorumtool
from check_mccluster.model.corosync import (
    Cmap,
    ConfiguredNode,
    Link,
    Links,
    LinkState,
    Voter,
    Votes,
)
from check_mccluster.model.words import Unrecognised
from check_mccluster.read.corosync import read_cfgtool, read_cmapctl, read_quorumtool
from check_mccluster.read.errors import ReadError

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"


def recorded(name: str) -> str:
    return (DOCUMENTS / f"corosync-{name}.txt").read_text()


# corosync-quorumtool -s


APP01 = Voter(1, 1, "app01", True, None)
APP02 = Voter(2, 1, "app02", False, None)
TWO_OF_THREE = Votes(
    provider="corosync_votequorum",
    quorate=True,
    node_id=1,
    expected=3,
    total=2,
    quorum=2,
    flags=frozenset({"Quorate"}),
    members=(APP01, APP02),
    qdevice_votes=None,
)


def test_recorded_votes_of_a_node_alone() -> None:
    assert read_quorumtool(recorded("quorumtool-3.1.7-partitioned-alone")) == Votes(
        provider="corosync_votequorum",
        quorate=False,
        node_id=3,
        expected=3,
        total=1,
        quorum=2,
        flags=frozenset(),
        members=(Voter(3, 1, "app03", True, None),),
        qdevice_votes=None,
    )


@pytest.mark.parametrize("ring", ["1.d", "1084783375/40"])
def test_ring_id_of_both_major_versions(ring: str) -> None:
    assert read_quorumtool(quorumtool(ring=ring)) == TWO_OF_THREE


def test_flags() -> None:
    flags = "2Node Quorate WaitForAll LastManStanding AutoTieBreaker AllowDownscale Qdevice "
    assert read_quorumtool(quorumtool(flags=flags)).flags == frozenset(flags.split())


def test_inquorate() -> None:
    votes = read_quorumtool(quorumtool(quorate="No", quorum="2 Activity blocked", flags=""))
    assert (votes.quorate, votes.quorum, votes.flags) == (False, 2, frozenset())


QDEVICE_TABLE = """\
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW app01 (local)
         2          1         NR app02
         0          {}            Qdevice{}
"""


@pytest.mark.parametrize(
    ("votes", "suffix", "expected"), [("1", "", 1), ("0", " (votes 1)", 0)], ids=["votes", "lost"]
)
def test_quorum_device(votes: str, suffix: str, expected: int) -> None:
    found = read_quorumtool(quorumtool(table=QDEVICE_TABLE.format(votes, suffix)))
    assert found.members == (
        Voter(1, 1, "app01", True, "A,V,NMW"),
        Voter(2, 1, "app02", False, "NR"),
    )
    assert found.qdevice_votes == expected


def test_names_that_are_addresses_and_a_name_that_could_not_be_found() -> None:
    table = (
        "    Nodeid      Votes Name\n1084783375          1 192.0.2.1 (local)\n"
        "         2          0 2001:db8::2\n         3          1 \n"
    )
    assert read_quorumtool(quorumtool(nodes="3", table=table)).members == (
        Voter(1084783375, 1, "192.0.2.1", True, None),
        Voter(2, 0, "2001:db8::2", False, None),
        Voter(3, 1, "", False, None),
    )


def test_hexadecimal_node_ids() -> None:
    text = quorumtool(
        table="    Nodeid      Votes Name\n0x00000001          1 app01 (local)\n"
        "0x0000000a          1 app02\n"
    ).replace("Node ID:          1", "Node ID:          0x00000001")
    found = read_quorumtool(text)
    assert (found.node_id, [one.node_id for one in found.members]) == (1, [1, 10])


def test_without_votequorum_there_are_no_votes_and_no_table() -> None:
    text = quorumtool().replace("corosync_votequorum", "Not configured")
    text = text[: text.index("Votequorum")]
    assert read_quorumtool(text) == Votes(
        provider="Not configured",
        quorate=True,
        node_id=1,
        expected=None,
        total=None,
        quorum=None,
        flags=frozenset(),
        members=(),
        qdevice_votes=None,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty output"),
        ("Cannot initialize CMAP service\n", "no line Quorate"),
        (quorumtool().replace("Quorate:          Yes\n", ""), "no line Quorate"),
        (quorumtool(quorate="Maybe"), "Quorate is 'Maybe', not Yes or No"),
        (quorumtool(quorum="two"), "Quorum is 'two', not a number"),
        (quorumtool(nodes="3"), "cut off: 2 members, Nodes says 3"),
        (quorumtool()[: quorumtool().index("Flags")], "cut off: 0 members, Nodes says 2"),
        (quorumtool()[:-3], "cut off"),
        (
            quorumtool().replace("Total votes: ", "Total vetos: "),
            "unknown line 'Total vetos:      2'",
        ),
        (quorumtool().replace("Total votes:      2\n", ""), "no line Total votes"),
        (
            re.sub("(?m)^(Total votes|Quorum provider): .*\n", "", quorumtool()),
            "no Quorum provider",
        ),
        (
            re.sub(
                "(?s)corosync_votequorum(.*Votequorum information\n).*", r"coro\1", quorumtool()
            ),
            "Quorum provider is 'coro'",
        ),
        (
            re.sub("Total votes: .*\n", "", quorumtool()).replace("votequorum\n", "ykd\n"),
            "no line Total votes",
        ),
        (
            quorumtool().replace("Total votes:      2", "Total votes:"),
            "Total votes is '', not a number",
        ),
        (
            quorumtool().replace("Total votes:      2", "Total votes:      0x7f"),
            "Total votes is '0x7f', not a number",
        ),
        (
            quorumtool().replace("Total votes:      2", "Total votes:      127"),
            "2 votes listed, Total votes says 127",
        ),
        (
            quorumtool().replace("Total votes:      2", "Total votes:      3"),
            "2 votes listed, Total votes says 3",
        ),
        (
            quorumtool().partition("Votequorum information")[0],
            "cut off: 0 members, Nodes says 2",
        ),
        (
            quorumtool().replace("Total votes:      2", "Total votes:  2 x"),
            "Total votes is '2 x', not a number",
        ),
        (
            quorumtool().replace("Flags:", "Nodes:            2\nFlags:"),
            "line Nodes is there twice",
        ),
        (
            quorumtool().replace("         2          1 app02", "         1          1 app02"),
            "member 1 is there twice",
        ),
        (quorumtool().replace("         2          1 app02", "app02"), "unknown line 'app02'"),
        (quorumtool().replace("app02", "app\ufffd"), "not UTF-8 text"),
        ("warning: x\n" + quorumtool(), "unknown line 'warning: x'"),
        ("<crm_mon/>\n", "no line Quorate"),
    ],
)
def test_no_quorumtool_output(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read_quorumtool(text)
    assert str(error.value) == message


# corosync-cfgtool -s


def test_recorded_links_of_a_node_alone() -> None:
    address = "10.77.0.3"
    assert read_cfgtool(recorded("cfgtool-3.1.7-partitioned-alone")) == Links(
        node_id=3,
        transport="knet",
        links=(
            Link(0, address, 1, LinkState.DISCONNECTED, None, "disconnected"),
            Link(0, address, 2, LinkState.DISCONNECTED, None, "disconnected"),
            Link(0, address, 3, LinkState.LOCALHOST, None, "localhost"),
        ),
    )


CFGTOOL_3_1_0 = """\
Printing link status.
Local node ID 1
LINK ID 0
\taddr\t= 192.0.2.1
\tstatus:
\t\tnodeid  1:\tlocalhost
\t\tnodeid  2:\tconnected
LINK ID 1
\taddr\t= 198.51.100.1
\tstatus:
\t\tnodeid  1:\tlocalhost
\t\tnodeid  2:\tdisconnected (not enabled)
"""


def test_two_links_as_3_0_4_to_3_1_0_print_them() -> None:
    assert read_cfgtool(CFGTOOL_3_1_0) == Links(
        node_id=1,
        transport=None,
        links=(
            Link(0, "192.0.2.1", 1, LinkState.LOCALHOST, None, "localhost"),
            Link(0, "192.0.2.1", 2, LinkState.CONNECTED, None, "connected"),
            Link(1, "198.51.100.1", 1, LinkState.LOCALHOST, None, "localhost"),
            Link(1, "198.51.100.1", 2, LinkState.DISCONNECTED, False, "disconnected (not enabled)"),
        ),
    )


@pytest.mark.parametrize("words", ["knet error", "config error"])
def test_link_that_could_not_be_asked_is_not_taken_for_connected(words: str) -> None:
    found = read_cfgtool(CFGTOOL_3_1_0.replace("connected\n", f"{words}\n"))
    assert found.links[1] == Link(0, "192.0.2.1", 2, LinkState.DISCONNECTED, None, words)
    assert found.unrecognised == ()


@pytest.mark.parametrize(
    ("own", "peer", "ids"),
    [("node 0", "node 1", (None, None)), ("nodeid  1", "nodeid  2", (1, 2))],
    ids=["3.0.0", "3.0.3"],
)
def test_links_as_3_0_0_to_3_0_3_print_them(
    own: str, peer: str, ids: tuple[int | None, int | None]
) -> None:
    words = ("link enabled:1\tlink connected:1", "link enabled:0\tlink connected:0")
    first, second = f"{own}:\t{words[0]}", f"{peer}:\t{words[1]}"
    text = (
        "Printing link status.\nLocal node ID 1\nLINK ID 0\n\taddr\t=  192.0.2.1\n\tstatus:\n"
        f"\t\t{first}\n\t\t{second}\n"
    )
    assert read_cfgtool(text).links == (
        Link(0, "192.0.2.1", ids[0], LinkState.CONNECTED, True, first),
        Link(0, "192.0.2.1", ids[1], LinkState.DISCONNECTED, False, second),
    )


def test_one_place_twice_on_a_link_of_3_0_0() -> None:
    """The line of the peer is gone: nobody can know whether it is reached."""
    told = "\t\tnode 0:\tlink enabled:1\tlink connected:1\n"
    text = f"Printing link status.\nLocal node ID 1\nLINK ID 1\n\taddr\t= 192.0.2.1\n{told}{told}"
    with pytest.raises(ReadError, match="link 1 to node 0 is there twice"):
        read_cfgtool(text)


def ring(status: str) -> str:
    return (
        "Printing ring status.\nLocal node ID 1084783375\nRING ID 0\n\tid\t= 192.0.2.1\n"
        f"\tstatus\t= ring 0 active with no faults\nRING ID 1\n\tid\t= 198.51.100.1\n"
        f"\tstatus\t= {status}\n"
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ring 1 active with no faults", LinkState.ACTIVE),
        (
            "Marking ringid 1 interface 198.51.100.1 FAULTY - administrative intervention"
            " required.",
            LinkState.FAULTY,
        ),
        ("Marking seqid 3 ringid 1 interface 198.51.100.1 FAULTY", LinkState.FAULTY),
        (
            "Decrementing problem counter for iface 198.51.100.1 to [1 of 10]",
            LinkState.ACTIVE,
        ),
        ("on holiday", Unrecognised("on holiday", "status of ring 1")),
    ],
)
def test_rings_of_corosync_2(status: str, state: LinkState | Unrecognised) -> None:
    found = read_cfgtool(ring(status))
    assert found == Links(
        node_id=1084783375,
        transport=None,
        links=(
            Link(0, "192.0.2.1", None, LinkState.ACTIVE, None, "ring 0 active with no faults"),
            Link(1, "198.51.100.1", None, state, None, status),
        ),
        unrecognised=(state,) if isinstance(state, Unrecognised) else (),
    )


def test_udpu_of_3_0_has_one_text_per_link() -> None:
    text = (
        "Printing link status.\nLocal node ID 1\nLINK ID 0\n\taddr\t= 192.0.2.1\n\tstatus\t= OK\n"
    )
    assert read_cfgtool(text).links == (Link(0, "192.0.2.1", None, LinkState.ACTIVE, None, "OK"),)


def test_udpu_of_3_1_names_the_transport_once() -> None:
    text = (
        "Local node ID 1, transport udpu\nLINK ID 0 \n\taddr\t= 192.0.2.1\n\tstatus:\n"
        "\t\tnodeid:          1:\tlocalhost\n\t\tnodeid:          2:\tconnected\n"
    )
    found = read_cfgtool(text)
    assert found.transport == "udpu"
    assert found.links[1] == Link(0, "192.0.2.1", 2, LinkState.CONNECTED, None, "connected")


def test_warning_between_the_lines_of_an_sctp_link() -> None:
    text = recorded("cfgtool-3.1.7-partitioned-alone").replace(
        "LINK ID 0 udp\n",
        "LINK ID 0 sctp\n**SCTP is deprecated and will be removed in a future release\n",
    )
    assert read_cfgtool(text) == read_cfgtool(recorded("cfgtool-3.1.7-partitioned-alone"))


def test_unknown_state_of_a_link() -> None:
    found = read_cfgtool(CFGTOOL_3_1_0.replace("connected\n", "dozing\n"))
    word = Unrecognised("dozing", "link 0 to node 2")
    assert found.links[1] == Link(0, "192.0.2.1", 2, word, None, "dozing")
    assert found.unrecognised == (word,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty output"),
        ("Local node ID 1, transport knet\n", "no link: not a status"),
        (
            "Printing ring status.\nCould not initialize corosync configuration API error 2\n",
            "no link: Could not initialize corosync configuration API error 2",
        ),
        (
            "Printing link status.\nLocal node ID 1\n"
            "Could not get the link status, the error is: 6\n",
            "no link: Could not get the link status, the error is: 6",
        ),
        (CFGTOOL_3_1_0[: CFGTOOL_3_1_0.rindex("\t\tnodeid  1")], "link 1 without a state"),
        (CFGTOOL_3_1_0[: CFGTOOL_3_1_0.index("\taddr")], "link 0 without a state"),
        (CFGTOOL_3_1_0[:-5], "cut off"),
        (
            CFGTOOL_3_1_0[: CFGTOOL_3_1_0.rindex("\t\tnodeid  2")],
            "cut off: link 1 tells of 1 nodes, not 2",
        ),
        (
            CFGTOOL_3_1_0.replace("\t\tnodeid  1:\tlocalhost\n", ""),
            "cut off: link 0 does not tell of this node",
        ),
        (
            CFGTOOL_3_1_0.replace("\t\tnodeid  2:", "\t\tnodeid  1:"),
            "link 0 to node 1 is there twice",
        ),
        (CFGTOOL_3_1_0.replace("LINK ID 1", "LINK ID 0"), "link 0 is there twice"),
        (CFGTOOL_3_1_0.replace("LINK ID 1", "LINK ID one"), "link 0: unknown line 'LINK ID one'"),
        (
            CFGTOOL_3_1_0.replace("\taddr", "\t\u2026"),
            "link 0: unknown line '\u2026\\t= 192.0.2.1'",
        ),
        ("[debug] hello\n" + CFGTOOL_3_1_0, "unknown line '[debug] hello'"),
        (CFGTOOL_3_1_0.replace("connected\n", "conn\ufffdected\n", 1), "not UTF-8 text"),
        (CFGTOOL_3_1_0.replace("connected\n", "connected\0\n", 1), "not UTF-8 text"),
        (CFGTOOL_3_1_0 + "\t\tnodeid  3:\n", "link 1: unknown line 'nodeid  3:'"),
        ('[\n{"name": "r0"}\n]\n', "no link: not a status"),
    ],
)
def test_no_cfgtool_output(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read_cfgtool(text)
    assert str(error.value) == message


# corosync-cmapctl


def test_recorded_keys() -> None:
    found = read_cmapctl(recorded("cmapctl-3.1.7-three-nodes"))
    assert found == Cmap(
        token_ms=1650,  # totem.token is 1000: what runs is read, not what is configured
        consensus_ms=1980,
        token_retransmit_ms=392,
        retransmits_before_loss=4,
        nodes=(
            ConfiguredNode(1, "app01", None, ((0, "10.77.0.1"),)),
            ConfiguredNode(2, "app02", None, ((0, "10.77.0.2"),)),
            ConfiguredNode(3, "app03", None, ((0, "10.77.0.3"),)),
        ),
        local_position=0,
        two_node=False,
        wait_for_all=None,
        expected_votes=None,
        qdevice_model=None,
        met=frozenset({1, 2, 3}),
    )
    assert found.local_name == "app01"


def test_keys_that_are_missing_are_none() -> None:
    assert read_cmapctl("totem.token (u32) = 1000\n") == Cmap(
        None, None, None, None, (), None, None, None, None, None
    )


def test_two_nodes_with_votes_and_a_quorum_device() -> None:
    found = read_cmapctl(
        "nodelist.local_node_pos (u32) = 1\n"
        "nodelist.node.0.nodeid (u32) = 1\n"
        "nodelist.node.0.quorum_votes (u32) = 2\n"
        "nodelist.node.1.name (str) = app02\n"
        "nodelist.node.1.ring0_addr (str) = 192.0.2.2\n"
        "quorum.device.model (str) = net\n"
        "quorum.expected_votes (u32) = 3\n"
        "quorum.two_node (u8) = 1\n"
        "quorum.wait_for_all (u8) = 0\n"
    )
    assert found == Cmap(
        token_ms=None,
        consensus_ms=None,
        token_retransmit_ms=None,
        retransmits_before_loss=None,
        nodes=(
            ConfiguredNode(1, None, 2),
            ConfiguredNode(None, "app02", None, ((0, "192.0.2.2"),)),
        ),
        local_position=1,
        two_node=True,
        wait_for_all=False,
        expected_votes=3,
        qdevice_model="net",
    )
    assert found.local_name == "app02"


def test_two_node_mode_in_force_counts_before_the_configured_one() -> None:
    text = "quorum.two_node (u8) = 1\nruntime.votequorum.two_node (u8) = 0\n"
    assert read_cmapctl(text).two_node is False


def test_nodes_are_in_the_order_of_their_numbers_and_may_have_gaps() -> None:
    found = read_cmapctl(
        "nodelist.local_node_pos (u32) = 10\n"
        "nodelist.node.10.name (str) = app11\n"
        "nodelist.node.2.name (str) = app03\n"
    )
    assert [node.name for node in found.nodes] == ["app03", "app11"]
    assert found.local_name == "app11"


@pytest.mark.parametrize("where", ["runtime.members", "runtime.totem.pg.mrp.srp.members"])
def test_members_since_corosync_started_by_either_name(where) -> None:
    """A node that left keeps its keys; one that never joined has none."""
    found = read_cmapctl(
        f"{where}.1.ip (str) = r(0) ip(192.0.2.1) \n"
        f"{where}.1.status (str) = joined\n"
        f"{where}.30.status (str) = left\n"
        f"{where}.4.join_count (u32) = 1\n"
    )
    assert found.met == {1, 30}


def test_values_of_every_type_and_keys_without_one() -> None:
    found = read_cmapctl(
        "a.b (bin)\n"
        "a.empty (str) = \n"
        "resources.system.load_15min.current (dbl) = 0.000000\n"
        "runtime.config.totem.knet_compression_level (i32) = -1\n"
        "runtime.members.1.ip (str) = r(0) ip(192.0.2.1) \n"
        "runtime.config.totem.token (u32) = 3000\n"
    )
    assert found.token_ms == 3000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty output"),
        ("Can't get key x. Error CS_ERR_NOT_EXIST\n", "no line 'key (type) = value'"),
        ("<cib/>\n", "no line 'key (type) = value'"),
        ("runtime.config.totem.token (u32) = 365", "cut off"),
        (
            "totem.token (u32) = 1000\nquorum.two_node (u8: 1\n",
            "unknown line 'quorum.two_node (u8: 1'",
        ),
        ("totem.token (u32) = 1000\ntotem.token (u32) = 2000\n", "key totem.token is there twice"),
        ("nodelist.node.0.name (str) = app\ufffd\n", "not UTF-8 text"),
        (
            "runtime.config.totem.token (u32) = soon\n",
            "runtime.config.totem.token is 'soon', not a number",
        ),
    ],
)
def test_no_cmapctl_output(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read_cmapctl(text)
    assert str(error.value) == message


# damaged lines


@pytest.mark.parametrize("key", ["Nodes", "Expected votes", "Total votes", "Quorum"])
def test_a_figure_of_votequorum_that_is_not_there(key: str) -> None:
    text = recorded("quorumtool-3.1.7-partitioned-alone")
    assert f"\n{key}:" in text
    with pytest.raises(ReadError, match=f"no line {key}"):
        read_quorumtool(re.sub(f"\n{key}:.*", "", text))
    with pytest.raises(ReadError, match=f"unknown line 'X{key}"):
        read_quorumtool(text.replace(f"\n{key}:", f"\nX{key}:"))


def test_a_fact_told_twice() -> None:
    text = recorded("quorumtool-3.1.7-partitioned-alone")
    with pytest.raises(ReadError, match="line Quorate is there twice"):
        read_quorumtool("Quorate: Yes\n" + text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t\tnodeid  2", "\tnodeid  2", "link 0: unknown line 'nodeid  2:"),
        ("LINK ID 0", "INK ID 0", "unknown line 'INK ID 0'"),
        ("LINK ID 1", "LINK ID 0", "link 0 is there twice"),
        ("\t\tnodeid  2", "\t\tnodeid  1", "link 0 to node 1 is there twice"),
        ("connected", "conn\ufffdcted", "not UTF-8 text"),
    ],
)
def test_a_damaged_line_of_cfgtool_is_not_skipped(old: str, new: str, message: str) -> None:
    assert old in CFGTOOL_3_1_0
    with pytest.raises(ReadError, match=message):
        read_cfgtool(CFGTOOL_3_1_0.replace(old, new, 1))


def test_a_key_of_cmap_twice() -> None:
    line = "quorum.two_node (u8) = 1\n"
    with pytest.raises(ReadError, match=r"key quorum\.two_node is there twice"):
        read_cmapctl(line + line)
