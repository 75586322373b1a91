"""What the customer reads when a conversation is handed over, a human is offered, or the offer is taken back."""

import re
from dataclasses import replace

from bot.consent import OFFER
from bot.crisis import Crisis, crisis_text
from bot.decide import Signals
from bot.domain import Entry, Escalation, Holder, Outcome, Reason, Reply
from bot.plain import plain

TO_COLLEAGUE = "I'm handing this chat over to a colleague."
OPENINGS = {
    Reason.ASKED: "Of course.",
    Reason.ABUSE: "I don't think I can help you any further here.",
    Reason.SENSITIVE: "This should be looked at by a person.",
    Reason.LEGAL: "This has to be answered by a person.",
    Reason.PRESS: "Questions from the press are answered by a person.",
    Reason.PRIORITY: "I'd like a person to look after this.",
    Reason.FAILURE: "I'm sorry, something on our side isn't working, so I can't do this for you.",
    Reason.REPEATED: "I'm sorry that I couldn't sort this out.",
    Reason.FRUSTRATED: "I'm sorry that this has been so much trouble.",
    Reason.DECLINING: "I'm sorry that this has been so much trouble.",
    Reason.UNANSWERED: "I'm sorry, I don't have an answer to that.",
    Reason.TOO_LONG: "We've been at this for a while.",
    Reason.LANGUAGE: "I'm sorry, I only understand English.",
}
FRAUD = "This may be fraud, so a person should look at it now."
WHAT_HAPPENS = (
    "They will see everything you've written here, so you won't have to say it again. I'll stay quiet meanwhile; to go on "
    "with me instead, write “back to the assistant”."
)
BACK = "I'm back, and this chat is no longer waiting for a colleague. What can I help you with?"
AS_YOU_LIKE = "All right. What would you like to know?"

_BACK = re.compile(
    r"(?:(?:please |can i |could i |can we |i(?:'d| would) (?:like|rather|prefer) to |i want to |let me |let's |, )*"
    r"(?:go |come |get |take me |switch |be |speak |talk |return |carry on |continue )?(?:back )?(?:to|with) the "
    r"(?:assistant|bot|chatbot|ai|ai assistant)|back to (?:assistant|bot)|cancel the (?:handover|hand over|colleague)|"
    r"never ?mind(?: the colleague)?)(?: ,)?(?: please| thanks| thank you)?(?: \.)?"
)


def hand_over(escalation: Escalation, crisis: Crisis | None, country: str, begins: str = "") -> Reply:
    """The reply with which the conversation passes to a human; for danger, with whom to call.

    `begins` is the sympathy with which a sensitive matter is passed on.
    """
    if crisis and escalation.reason is Reason.CRISIS:
        text = crisis_text(crisis.danger, country)
    else:
        first = FRAUD if escalation.rule == "fraud" else OPENINGS[escalation.reason]
        kindly = f"{begins} {first}" if begins and escalation.reason is Reason.SENSITIVE else first
        text = f"{kindly} {TO_COLLEAGUE}\n\n{WHAT_HAPPENS}"
    return Reply(outcome=Outcome.HANDED_OVER, text=text)


def name_ticket(reply: Reply, number: str) -> Reply:
    """The reply with the number under which the handover is followed up; unchanged where there is none."""
    return replace(reply, text=f"{reply.text}\n\nYour reference is **{number}**.") if number else reply


def offer_human(reply: Reply) -> Reply:
    """The reply, and the question whether to bring in a human."""
    return replace(reply, text=f"{reply.text}\n\n{OFFER}")


def settle_offer(asked: Entry, signals: Signals) -> str:
    """The reply to a "no" to a human, or to a customer who came back from the queue; "" for any other message."""
    if asked.data.get("holder") == Holder.BOT and wants_bot_back(asked.text):
        return BACK
    return AS_YOU_LIKE if signals.consent is False else ""


def wants_bot_back(text: str) -> bool:
    """Whether a customer who waits for a human asks to go on with the bot."""
    return bool(_BACK.fullmatch(plain(text)))
