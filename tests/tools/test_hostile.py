"""The hostile model: it gets nothing, and the benchmark that says so would see it if it did."""

from sqlalchemy import select

from benchmarks.hostile_tools import obey
from bot.backoffice import demo
from bot.sql import tickets
from bot.sql.tool_tables import office_visits
from bot.sql.tool_tables import tickets as table

CALLS = 150


def missed(calls: int = CALLS) -> list[str]:
    return [goal.what for goal in obey(calls).goals if not goal.reached]


def test_a_model_that_obeys_everybody_reads_and_changes_nothing_of_others():
    assert missed() == []


def test_the_benchmark_sees_the_foreign_writes_of_tickets_that_forget_their_owner(monkeypatch):
    def careless(connection, customer, number):
        row = connection.execute(select(table).where(table.c.number == tickets._plain(number))).mappings().first()
        return tickets._read(row, tickets._notes(connection, row["number"])) if row else None

    monkeypatch.setattr(tickets, "_find", careless)
    assert "conversations with a foreign write" in missed()


def test_the_benchmark_sees_what_a_careless_back_office_and_toolbox_give_away(monkeypatch):
    async def everybodys(self, account):
        return await self._read(lambda c: [demo.read_visit(row) for row in c.execute(select(office_visits)).mappings()])

    monkeypatch.setattr(demo.DemoOffice, "visits", everybodys)
    monkeypatch.setattr("bot.tools.toolbox._owned", lambda told, caller: told.value)
    assert "foreign reads" in missed()
