"""What is known of a customer, and the forms of what is done for them, as HTML; everything in it is shown as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.backoffice.office import Line, Slot, Visit
from bot.desk.behalf import Known
from bot.desk.cases import Case
from bot.pages.rendering import TEMPLATES
from bot.tickets import Ticket
from bot.tools.words import money, slot_words, visit_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a change is filled in with: `asked` is what was chosen already, `moved` the visit it is about, if any."""

    tool: str
    asked: Mapping[str, str]
    lines: Sequence[Line] = ()
    slots: Sequence[Slot] = ()
    moved: Visit | None = None


def render_customer(known: Known, case: Case) -> str:
    """The card, the visits and the tickets, with what the agent may do."""
    template = TEMPLATES.get_template("desk_customer.html")
    return template.render(known=known, case=case, money=money, visit_words=visit_words)


def render_ticket(ticket: Ticket) -> str:
    """A ticket's history."""
    return TEMPLATES.get_template("desk_ticket.html").render(ticket=ticket)


def render_form(form: Form) -> str:
    """The form of a change."""
    return TEMPLATES.get_template("desk_tool.html").render(form=form, slot_words=slot_words, visit_words=visit_words)
