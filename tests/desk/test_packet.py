"""The handover packet and the canned replies: what an agent reads, each statement with its entry."""

from collections.abc import Sequence

import pytest

from bot.desk.canned import read_canned
from bot.desk.cases import Case
from bot.desk.packet import Packet, build_packet, say_evidence, shorten
from bot.domain import Entry, Reason, Speaker
from bot.errors import SettingsInvalid
from bot.log_memory import MemoryLog
from bot.pages.desk.render import mood_beside
from tests.desk.people import ANA, CHAT, ask, escalate, reply


async def packet_of(log: MemoryLog) -> tuple[Packet, Sequence[Entry]]:
    entries = await log.after(CHAT)
    case = Case(id=CHAT, customer=ANA)
    for entry in entries:
        case.add(entry)
    return build_packet(case, entries), entries


@pytest.fixture
async def packet() -> Packet:
    log = MemoryLog()
    await log.open(CHAT, ANA)
    first = await ask(log, "My bill of 3 Nov is £48.20 but it should be £30. Account LK-20481, postcode SW1A 1AA.")
    await reply(log, first, "See the article. [1]", intent="billing_question", frustration=0.2, polarity=0.1)
    second = await ask(log, "that does not help at all, call me on 020 7946 0958")
    await reply(log, second, "I'm sorry.", intent="billing_question", frustration=0.7, polarity=-0.6)
    await escalate(log, "a human now")
    return (await packet_of(log))[0]


async def test_it_says_why_with_the_evidence(packet):
    assert packet.reason == "Asked for a person"
    assert packet.evidence == "“a human now”"


async def test_it_says_what_is_needed_and_what_was_tried(packet):
    assert [statement.seq for statement in packet.need] == [1, 5]
    assert [statement.seq for statement in packet.tried] == [2, 4]


async def test_it_lists_the_facts_that_were_given_so_that_nobody_asks_again(packet):
    facts = " | ".join(statement.text for statement in packet.facts)
    for given in ("£48.20", "£30", "LK-20481", "SW1A 1AA", "3 Nov", "020 7946 0958"):
        assert given in facts


async def test_it_draws_the_mood_with_the_entry_of_each_point(packet):
    assert [(point.seq, point.frustration) for point in packet.moods] == [(1, 0.2), (3, 0.7)]


async def test_every_statement_leads_to_an_entry_that_says_it():
    log = MemoryLog()
    await escalate(log, "I want the refund of £99.10 for order A-12345 that you promised")
    packet, entries = await packet_of(log)
    for statement in (*packet.need, *packet.facts):
        text = next(entry.text for entry in entries if entry.seq == statement.seq)
        assert statement.text.partition(": ")[2] in text or statement.text in text


async def test_a_card_number_or_password_is_not_repeated():
    log = MemoryLog()
    await escalate(log, "my card is 4111 1111 1111 1111 and my password is hunter2secret, help")
    packet, _ = await packet_of(log)
    assert "4111" not in " ".join(statement.text for statement in packet.facts)


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [], {"reason": 7, "evidence": "x", "note": None}, {"evidence": {"value": "high"}}]
)
async def test_an_escalation_of_another_shape_breaks_nothing(odd):
    log = MemoryLog()
    await escalate(log, "human", escalation=odd)
    packet, _ = await packet_of(log)
    assert packet.reason
    assert packet.evidence == ""


def test_evidence_is_the_words_or_the_value_against_its_threshold():
    assert say_evidence({"value": 0.812, "threshold": 0.65}) == "0.81 (threshold 0.65)"
    assert say_evidence({"words": "a human", "value": None}) == "“a human”"


def test_a_long_statement_is_cut_at_a_word():
    assert shorten("word " * 100).endswith("word…")
    assert len(shorten("word " * 100)) <= 161


async def test_a_message_of_an_agent_that_commits_us_is_told():
    log = MemoryLog()
    await escalate(log)
    entries = list(await log.after(CHAT))
    said = Entry(
        **{name: getattr(entries[0], name) for name in ("conversation", "id", "kind", "data", "at")},
        seq=9,
        speaker=Speaker.AGENT,
        text="I see the fee. I will refund it today.",
    )
    case = Case(id=CHAT, customer=ANA)
    assert [s.text for s in build_packet(case, [*entries, said]).promised] == ["I will refund it today."]


def test_whoever_may_be_in_danger_is_not_called_calm():
    assert [mood_beside(reason, 0.0) for reason in (Reason.CRISIS, Reason.ASKED)] == ["", "calm"]
    assert mood_beside(Reason.CRISIS, 0.9) == "upset"


def test_canned_replies_are_filled_in():
    values = {"agent": "Zoe", "company": "Larkfield", "assistant": "Lark"}
    filled = read_canned().filled(values)
    assert filled[0].text.startswith("Hello, I'm Zoe from Larkfield.")
    assert not any("{" in one.text for one in filled)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello {customer}", "{customer} cannot be filled in"),
        ("Hello {", "write a brace itself twice"),
        ("{0}", "{0} cannot"),
    ],
)
def test_a_variable_that_nobody_fills_in_is_refused_at_start(tmp_path, text, told):
    path = tmp_path / "canned.yaml"
    path.write_text(f"replies:\n  - name: hello\n    text: '{text}'\n", encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        read_canned(path)
    assert told in str(refused.value)
