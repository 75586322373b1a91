"""A bill explained: the differences add up, whatever the charges are."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.backoffice.office import Charge, Invoice
from bot.tools.bills import compare_bills, explain_bill, previous_bill

CHARGES = st.lists(st.builds(Charge, text=st.sampled_from("abcdef"), pence=st.integers(-5000, 5000)), max_size=8)


def bill(charges: list[Charge], month: int = 11, line: str = "BB-1") -> Invoice:
    issued = date(2026, month, 11)
    return Invoice(
        number=f"LKB-{month}",
        account="1",
        line=line,
        kind="broadband",
        issued=issued,
        due=issued,
        is_paid=False,
        charges=tuple(charges),
    )


@given(CHARGES, CHARGES)
def test_the_differences_add_up_to_the_difference_of_the_bills(now, before):
    present, past = bill(now), bill(before, month=10)
    assert sum(one.pence for one in compare_bills(present, past)) == present.pence - past.pence


def test_a_bill_is_explained_in_pounds():
    before = bill([Charge(text="Plan", pence=2900), Charge(text="Welcome discount", pence=-500)], month=10)
    now = bill([Charge(text="Plan", pence=3200), Charge(text="Late payment fee", pence=750)])
    assert explain_bill(now, before).splitlines() == [
        "Your broadband bill LKB-11 of 11 November 2026 is £39.50, which is £15.50 more than the one before (£24). "
        "What changed:",
        "",
        "- Late payment fee: £7.50, new on this bill",
        "- Welcome discount of £5 has ended: £5 more",
        "- Plan: £32, was £29: £3 more",
    ]


def test_a_bill_is_compared_with_the_one_before_of_the_same_line():
    now = bill([], month=11)
    bills = [now, bill([], month=9), bill([], month=10), bill([], month=10, line="BB-2")]
    assert previous_bill(now, bills) == bills[2]
    assert previous_bill(bills[1], bills) is None
