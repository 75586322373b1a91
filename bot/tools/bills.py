"""Why a bill differs from the one before: the difference of each charge, adding up to the difference of the totals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.backoffice.office import Invoice
from bot.tools.words import clean, money


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A charge that is not what it was: in pence, now and before; 0 where it is new or gone."""

    text: str
    now: int
    before: int

    @property
    def pence(self) -> int:
        """By how much the bill is dearer for it."""
        return self.now - self.before


def compare_bills(now: Invoice, before: Invoice) -> list[Difference]:
    """The differences, largest first; they add up to the difference of the totals."""
    present, past = _by_text(now), _by_text(before)
    found = [Difference(text=text, now=present[text], before=past[text]) for text in dict.fromkeys([*present, *past])]
    return sorted((one for one in found if one.pence), key=lambda one: -abs(one.pence))


def previous_bill(invoice: Invoice, invoices: Sequence[Invoice]) -> Invoice | None:
    """The bill before this one for the same line."""
    earlier = [one for one in invoices if one.line == invoice.line and one.issued < invoice.issued]
    return max(earlier, key=lambda one: one.issued, default=None)


def explain_bill(invoice: Invoice, before: Invoice | None) -> str:
    """What the bill comes to and why, by amount."""
    issued = f"{invoice.issued.day} {invoice.issued:%B %Y}"
    head = f"Your {invoice.kind} bill {clean(invoice.number)} of {issued} is {money(invoice.pence)}"
    if before is None:
        lines = [f"- {clean(charge.text)}: {money(charge.pence)}" for charge in invoice.charges]
        return "\n".join([f"{head}. It is the first one I can see. It is made up of:", "", *lines])
    change = invoice.pence - before.pence
    if not (found := compare_bills(invoice, before)):
        return f"{head}, the same as the one before."
    way = f"{money(change)} more than" if change > 0 else f"{money(-change)} less than" if change else "as much as"
    opening = f"{head}, which is {way} the one before ({money(before.pence)}). What changed:"
    return "\n".join([opening, "", *(_line(one) for one in found)])


def _line(one: Difference) -> str:
    text = clean(one.text)
    if not one.before:
        return f"- {text}: {money(one.now)}, new on this bill"
    if not one.now:
        gone = f"{text} of {money(-one.before)} has ended" if one.before < 0 else f"{text} of {money(one.before)} is gone"
        return f"- {gone}: {_signed(one.pence)}"
    return f"- {text}: {money(one.now)}, was {money(one.before)}: {_signed(one.pence)}"


def _signed(pence: int) -> str:
    return f"{money(abs(pence))} {'more' if pence > 0 else 'less'}"


def _by_text(invoice: Invoice) -> Counter[str]:
    sums: Counter[str] = Counter()
    for charge in invoice.charges:
        sums[charge.text] += charge.pence
    return sums
