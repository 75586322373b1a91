"""Tool for faults and planned work in an area."""

import re
from typing import Annotated

from pydantic import Field

from bot.errors import ToolRefused
from bot.tools.account_tools import own_account
from bot.tools.tool import Told, Work, tool
from bot.tools.words import outage_words

POSTCODE = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$")
WHICH_POSTCODE = "Which postcode shall I check? Please give it in full, such as LF4 2AB."


@tool()
async def service_status(
    work: Work,
    postcode: Annotated[
        str, Field(max_length=10, description="Full postcode of the place; empty for the signed-in customer's own address.")
    ] = "",
) -> Told:
    """Whether there is an outage, a possible problem or planned work in the area of a postcode, and until when."""
    place = tidy_postcode(postcode)
    if not place and work.caller.account:
        place = tidy_postcode((await own_account(work)).postcode)
    if not place:
        raise ToolRefused(WHICH_POSTCODE)
    outages = await work.supplies.office.outages(place)
    if not outages:
        return Told(words=f"There are no known problems with broadband or mobile at {place}.", value=())
    return Told(words="\n\n".join(outage_words(one, work.supplies.zone) for one in outages), value=tuple(outages))


def tidy_postcode(text: str) -> str:
    """`lf42ab` as `LF4 2AB`; "" where it is no whole postcode."""
    compact = "".join(text.split()).upper()
    spaced = f"{compact[:-3]} {compact[-3:]}"
    return spaced if POSTCODE.match(spaced) else ""
