"""On behalf of a customer: agents see and change what is that customer's, confirmed, once, and all of it is recorded."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.accounts import Account
from bot.audit import Ruling
from bot.clerk import Clerk
from bot.desk.behalf import Behalf, Known
from bot.desk.board import Board
from bot.desk.cases import Case
from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.domain import ConversationId, CustomerId, Draft, Escalation, Evidence, Kind, Reading, Reason, Speaker
from bot.errors import DeskRefused
from bot.llm.stream import ToolRequest
from bot.log_memory import MemoryLog
from bot.sql.audit import SqlAudit
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store
from bot.staff import Agent, Role
from bot.tickets import TicketStatus
from bot.tools.errands import Errands
from bot.tools.other_errands import ERRANDS
from tests.desk.people import MAX, QUEUE, ZOE, agent
from tests.tools.talk import MOBILE_ONLY, TWO_LINES, build_toolbox

CHAT = ConversationId("chat")


@dataclass
class Counter:
    """A desk with a back office behind it, and one customer's chat, which Zoe has."""

    store: Store
    log: MemoryLog
    desk: Desk
    clerk: Clerk
    behalf: Behalf

    async def case(self) -> Case:
        found = await Board(self.log).case(CHAT)
        assert found is not None
        return found

    async def do(self, tool: str, request: str = "r1", who: Agent = ZOE, **arguments: object) -> str:
        proposal = await self.behalf.propose(who, await self.case(), ToolRequest(id=request, name=tool, arguments=arguments))
        return await self.behalf.confirm(who, await self.case(), proposal, request)

    async def notes(self) -> list[str]:
        return [entry.text for entry in await self.log.after(CHAT) if entry.kind is Kind.NOTE]


@pytest.fixture
async def counter(tmp_path) -> AsyncIterator[Counter]:
    store, log = open_store(None, tmp_path), MemoryLog()
    toolbox = build_toolbox(store)
    clerk = Clerk(toolbox, Errands(toolbox, ERRANDS), store)
    desk = Desk(log, SqlStaff(store), read_policy())
    await begin(log, CustomerId(TWO_LINES), CHAT)
    await desk.claim(ZOE, CHAT)
    yield Counter(store, log, desk, clerk, Behalf(clerk, desk))
    await store.close()


async def begin(log: MemoryLog, customer: CustomerId, chat: ConversationId) -> None:
    await log.open(chat, customer)
    await log.append(
        Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="a human please", moves_to=QUEUE)
    )


async def test_an_agent_sees_the_account_its_bills_and_visits(counter: Counter):
    known = await counter.behalf.look(ZOE, await counter.case(), "look")
    assert known.account is not None
    assert known.account.number == known.number == TWO_LINES
    assert not known.is_lent
    assert known.bills
    assert known.visits
    assert {"create_ticket", "set_ticket_status", "book_appointment"} <= known.may
    assert known.missing == ()


async def test_a_ticket_is_opened_added_to_and_solved_and_each_is_noted_in_the_chat(counter: Counter):
    words = await counter.do("create_ticket", subject="Bill is wrong", category="billing")
    [ticket] = (await counter.behalf.look(ZOE, await counter.case(), "look")).tickets
    assert ticket.number in words
    assert ticket.customer == f"account:{TWO_LINES}"
    await counter.do("update_ticket", "r2", number=ticket.number, text="Refund is on its way.")
    await counter.do("set_ticket_status", "r3", number=ticket.number, status="solved")
    [ticket] = (await counter.behalf.look(ZOE, await counter.case(), "look")).tickets
    assert ticket.status is TicketStatus.SOLVED
    notes = await counter.notes()
    assert [note.split(":")[0] for note in notes] == ["Done for the customer"] * 3
    asked = ToolRequest(id="x", name="get_ticket", arguments={"number": ticket.number})
    found = (await counter.behalf.find(ZOE, await counter.case(), asked)).value
    assert [note.by for note in found.notes] == [Speaker.CUSTOMER, Speaker.AGENT, Speaker.AGENT]


@pytest.mark.parametrize(
    ("intent", "reason", "subject"),
    [
        ("billing_question", Reason.ASKED, "Chat with a colleague: billing question"),
        ("human", Reason.ASKED, "Chat with a colleague"),
        ("billing_question", Reason.CRISIS, "Chat with a colleague"),
    ],
)
async def test_the_ticket_of_a_handover_tells_its_customer_what_it_is_about_and_no_rule(counter, intent, reason, subject):
    [asked] = [entry for entry in await counter.log.after(CHAT) if entry.kind is Kind.MESSAGE]
    whose = Account(customer=CustomerId(TWO_LINES), conversation=CHAT, seq=asked.seq)
    escalation = Escalation(reason=reason, rule="crisis_self_harm", evidence=Evidence(words="x"))
    await counter.clerk.open_ticket(asked, whose, Reading(intent=intent, confidence=0.9), escalation)
    [ticket] = (await counter.behalf.look(ZOE, await counter.case(), "look")).tickets
    assert ticket.subject == subject


async def test_nothing_is_done_before_it_is_confirmed(counter: Counter):
    asked = ToolRequest(id="r1", name="create_ticket", arguments={"subject": "Bill is wrong"})
    proposal = await counter.behalf.propose(ZOE, await counter.case(), asked)
    assert proposal.words == "open a ticket about “Bill is wrong”"
    assert (await counter.behalf.look(ZOE, await counter.case(), "look")).tickets == ()
    assert await counter.notes() == []


async def test_a_change_that_is_confirmed_twice_is_made_and_noted_once(counter: Counter):
    asked = ToolRequest(id="r1", name="create_ticket", arguments={"subject": "Bill is wrong"})
    proposal = await counter.behalf.propose(ZOE, await counter.case(), asked)
    for _ in range(2):
        await counter.behalf.confirm(ZOE, await counter.case(), proposal, "r1")
    assert len((await counter.behalf.look(ZOE, await counter.case(), "look")).tickets) == 1
    assert len(await counter.notes()) == 1


async def test_two_tickets_of_one_moment_are_two(counter: Counter):
    wanted = [ToolRequest(id=id, name="create_ticket", arguments={"subject": f"About {id}"}) for id in ("one", "two")]
    proposals = [await counter.behalf.propose(ZOE, await counter.case(), one) for one in wanted]
    for one, proposal in zip(wanted, proposals, strict=True):
        await counter.behalf.confirm(ZOE, await counter.case(), proposal, one.id)
    assert len((await counter.behalf.look(ZOE, await counter.case(), "look")).tickets) == 2


async def test_only_who_has_the_chat_changes_anything(counter: Counter):
    with pytest.raises(DeskRefused, match="Only who has this chat"):
        await counter.do("create_ticket", who=MAX, subject="Bill is wrong")
    assert (await counter.behalf.look(MAX, await counter.case(), "look")).may == frozenset()
    asked = ToolRequest(id="r1", name="create_ticket", arguments={"subject": "Bill is wrong"})
    proposal = await counter.behalf.propose(ZOE, await counter.case(), asked)
    await counter.desk.pass_on(ZOE, CHAT, "")
    with pytest.raises(DeskRefused, match="Only who has this chat"):
        await counter.behalf.confirm(ZOE, await counter.case(), proposal, "r1")


async def test_another_customers_ticket_is_as_unknown_as_one_that_does_not_exist(counter: Counter):
    await counter.do("create_ticket", subject="Bill is wrong")
    [ticket] = (await counter.behalf.look(ZOE, await counter.case(), "look")).tickets
    other = ConversationId("other")
    await begin(counter.log, CustomerId(MOBILE_ONLY), other)
    await counter.desk.claim(ZOE, other)
    case = await Board(counter.log).case(other)
    assert case is not None
    for name, more in (("update_ticket", {"text": "mine"}), ("set_ticket_status", {"status": "closed"})):
        with pytest.raises(DeskRefused, match="can't find a ticket"):
            await counter.behalf.propose(
                ZOE, case, ToolRequest(id="r", name=name, arguments={"number": ticket.number} | more)
            )


@pytest.mark.parametrize(("role", "recorded"), [(Role.AGENT, "agent"), (Role.DEVELOPER, "agent"), (Role.ADMIN, "admin")])
async def test_each_look_and_each_change_is_in_the_audit_log_with_who_asked(counter: Counter, role: Role, recorded: str):
    who = agent("zoe", role=role)
    await counter.behalf.look(who, await counter.case(), "look")
    await counter.do("create_ticket", "r1", who=who, subject="Bill is wrong")
    calls = await SqlAudit(counter.store).calls(CHAT)
    assert {(call.asker, call.role) for call in calls} == {("desk", recorded)}
    assert all("desk:zoe:" in call.key for call in calls)
    rulings = [call.ruling for call in calls if call.tool == "create_ticket"]
    assert rulings == [Ruling.PROPOSED, Ruling.CONFIRMED, Ruling.DONE]


@pytest.mark.parametrize("tool", ["lookup_account", "escalate_to_human", "explode", ""])
async def test_what_is_no_change_of_the_desks_cannot_be_proposed(counter: Counter, tool: str):
    with pytest.raises(DeskRefused, match="no such thing"):
        await counter.do(tool)


async def test_a_visitor_has_tickets_and_no_account(counter: Counter):
    chat = ConversationId("visitor-chat")
    await begin(counter.log, CustomerId("visitor-1"), chat)
    await counter.desk.claim(ZOE, chat)
    case = await Board(counter.log).case(chat)
    assert case is not None
    known = await counter.behalf.look(ZOE, case, "look")
    assert (known.number, known.account) == (None, None)
    assert "create_ticket" in known.may
    assert "book_appointment" not in known.may
    with pytest.raises(DeskRefused):
        await counter.behalf.propose(ZOE, case, ToolRequest(id="r", name="cancel_booking", arguments={"number": "FV-20001"}))


async def test_a_desk_without_tools_says_so(counter: Counter):
    behalf = Behalf(None, counter.desk)
    assert await behalf.look(ZOE, await counter.case(), "look") == Known()
    with pytest.raises(DeskRefused, match="neither a back office nor tickets"):
        await behalf.propose(ZOE, await counter.case(), ToolRequest(id="r", name="create_ticket", arguments={}))
