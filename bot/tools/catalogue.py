"""Every tool there is, in the order a model sees them."""

from bot.tools.account_tools import explain_invoice, list_invoices, lookup_account
from bot.tools.network_tools import service_status
from bot.tools.other_tools import escalate_to_human, search_knowledge
from bot.tools.ticket_tools import create_ticket, get_ticket, list_tickets, set_ticket_status, update_ticket
from bot.tools.tool import Tool
from bot.tools.visit_tools import book_appointment, cancel_booking, change_booking, free_appointments, list_bookings

TOOLS: tuple[Tool, ...] = (
    search_knowledge,
    lookup_account,
    list_invoices,
    explain_invoice,
    service_status,
    list_bookings,
    free_appointments,
    book_appointment,
    change_booking,
    cancel_booking,
    create_ticket,
    get_ticket,
    list_tickets,
    update_ticket,
    set_ticket_status,
    escalate_to_human,
)
