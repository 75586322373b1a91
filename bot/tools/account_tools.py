"""Tools for the customer's account and bills."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from bot.backoffice.office import CustomerAccount, Invoice, Line
from bot.errors import ToolRefused
from bot.tools.bills import explain_bill, previous_bill
from bot.tools.tool import Told, Work, tool
from bot.tools.words import account_words, clean, invoice_words, line_words, numbered

NO_ACCOUNT = "I can't find your account in our system. A colleague can help you further."
NO_BILLS = "There is no bill on your account yet."
SHOWN = 6

LineNumber = Annotated[
    int, Field(ge=0, le=50, description="Which of the account's lines, counted from 1 as lookup_account lists them.")
]


@tool(account=True)
async def lookup_account(work: Work) -> Told:
    """The customer's own account: name, customer since when, and each line with its plan and monthly price."""
    account = await own_account(work)
    return Told(words=account_words(account), value=account)


@tool(account=True)
async def list_invoices(work: Work) -> Told:
    """The customer's own latest bills with date, amount and whether they are paid."""
    await own_account(work)
    invoices = await work.supplies.office.invoices(work.account)
    shown = list(invoices[:SHOWN])
    return Told(words=numbered([invoice_words(one) for one in shown]) or NO_BILLS, value=tuple(shown))


@tool(account=True)
async def explain_invoice(
    work: Work,
    number: Annotated[
        str, Field(max_length=40, description="Number of the customer's bill, such as LKB-00000110; empty for the latest.")
    ] = "",
    line: LineNumber = 0,
) -> Told:
    """What one of the customer's own bills is made up of, and by how much and why it differs from the one before.

    Give the number of a bill, or which line the latest bill is meant of; 0 for the latest bill of all.
    """
    account = await own_account(work)
    invoices = await work.supplies.office.invoices(work.account)
    invoice = _wanted(invoices, number, account.lines[line - 1].id if 0 < line <= len(account.lines) else "")
    return Told(words=explain_bill(invoice, previous_bill(invoice, invoices)), value=invoice)


async def own_account(work: Work) -> CustomerAccount:
    """The caller's account. Raises ToolRefused when the back office does not know it."""
    account = await work.supplies.office.account(work.account)
    if account is None:
        raise ToolRefused(NO_ACCOUNT)
    return account


def broadband_lines(account: CustomerAccount) -> list[Line]:
    """The lines that an engineer can come to."""
    return [line for line in account.lines if line.kind == "broadband"]


def lines_words(lines: Sequence[Line]) -> str:
    """The lines to choose from."""
    return numbered([line_words(line) for line in lines])


def _wanted(invoices: Sequence[Invoice], number: str, line: str) -> Invoice:
    if number:
        found = [one for one in invoices if one.number.casefold() == number.strip().casefold()]
        if not found:
            raise ToolRefused(f"I can't find a bill {clean(number)} on your account.")
        return found[0]
    theirs = [one for one in invoices if not line or one.line == line]
    if not theirs:
        raise ToolRefused(NO_BILLS)
    return max(theirs, key=lambda one: one.issued)
