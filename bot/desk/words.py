"""What customers read about the people at the desk: templates; whether and when is decided in code."""

JOINED = "{agent} has joined the chat. The assistant stays silent while you talk."
HANDED_BACK = "{agent} has left the chat. You are talking to the assistant again."
PASSED_ON = "{agent} is passing you on to a colleague who knows more about this. Your place is kept at the front."
CLOSED = "{agent} has closed this chat. If anything is left, just write: the chat opens again with the assistant."
CUSTOMER_RETURNED = "You are talking to the assistant again."
CUSTOMER_LEFT = "You have left the chat. If you need anything else, just write: the assistant is here at any time."

LOST = "{agent} seems to have lost the connection. Your chat is kept; if {agent} does not come back, a colleague takes over."
BACK = "{agent} is back."
REQUEUED = "{agent} could not come back in time, so you are first in the queue for a colleague. You can go on writing here."

NEXT = "You are next for a colleague."
PLACE = "You are number {place} in the queue for a colleague."
WAIT = "Recently, customers waited {range}."
STAY = "You can go on writing here; a colleague reads all of it."
ALL_BUSY = "Our colleagues are all in conversations or away from the desk at the moment."
PLACE_KEPT = "Your place in the queue is kept, and a colleague will answer in this chat."
OUT_OF_HOURS = (
    "Our colleagues are not at the desk now. They are back {opening}, and one of them will answer in this chat then. "
    "You can leave and come back, add anything that helps, or go back to the assistant."
)
NO_OPENING = "Our colleagues are not at the desk now. One of them will answer in this chat when they are back."
URGENT_OUT_OF_HOURS = (
    "I have to be honest: our colleagues are not at the desk now, and nobody may read this before {opening}. "
    "If anyone is in danger, please use the emergency numbers above now. Do not wait for us."
)


def say_range(shortest: float, longest: float) -> str:
    """Two waits in seconds as a range in minutes: "less than a minute", "up to 3 minutes", "2 to 5 minutes"."""
    low, high = int(shortest // 60), max(1, round(longest / 60 + 0.49))
    if high == 1:
        return "less than a minute"
    return f"up to {high} minutes" if low < 1 else f"about {high} minutes" if low == high else f"{low} to {high} minutes"


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
