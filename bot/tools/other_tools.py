"""The tools that read the help articles and bring in a person."""

from typing import Annotated

from pydantic import Field

from bot.domain import Escalation, Evidence, Reason
from bot.tools.tool import Told, Work, tool

FOUND = 5


@tool()
async def search_knowledge(
    work: Work, query: Annotated[str, Field(min_length=2, max_length=300, description="What to look for.")]
) -> Told:
    """Search the company's public help articles."""
    found = await work.supplies.search.search(query, (), limit=FOUND)
    passages = [f"{passage.title}, {passage.heading}:\n{passage.text}" for passage in found.passages]
    return Told(words="\n\n".join(passages) or "Nothing was found.", value=found.passages)


@tool(per_minute=5)
async def escalate_to_human(
    work: Work,
    reason: Annotated[str, Field(min_length=3, max_length=200, description="Why a person is needed, in a few words.")],
) -> Told:
    """Bring in a human colleague, when the customer wants one or you cannot help."""
    asked = Escalation(reason=Reason.ASKED, rule="tool", evidence=Evidence(words=reason[:120]), offer=True)
    return Told(words="A colleague will be offered to the customer.", escalation=asked)
