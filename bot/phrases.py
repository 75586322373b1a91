"""The bot's own sentences, in one place so that the voice is one; `{company}` and `{assistant}` come from the settings."""

from collections.abc import Sequence

from bot.domain import Outcome

MOST_TOPICS = 6
FEWEST_TOPICS = 2

GREETING = (
    "Hello! This is {assistant}, an AI assistant. Ask me anything about {company}, and I'll answer from our help "
    "articles{about}."
)
THANKS = "You're welcome. Is there anything else I can help with?"
GLAD = "Good to hear. Is there anything else I can help with?"
GOODBYE = "Goodbye, and thanks for getting in touch. This chat stays here if you need it again."
WHO = (
    "This is {assistant}: an AI assistant, not a person. I answer from {company}'s help articles and show you where each "
    "answer comes from."
)

CAN = (
    "I answer questions about {company} from our help articles{about}, and show you where each answer comes from. "
    "When you need a person, say so, and I'll bring one in."
)

DO_NOT_KNOW = "I'm sorry, I couldn't find an answer to that in our help articles, and I don't want to guess."
NEAREST = "The closest articles I have are:"
ASK_DIFFERENTLY = "If one of them is what you meant, reply with its number. Otherwise, please tell me in other words."
REST_NOT_FOUND = "I couldn't find an answer to the rest of your message: {questions}"
LET_DOWN = "I'm sorry that we've let you down. Tell me in a sentence or two what went wrong, and I'll see what I can do."
IN_OTHER_WORDS = "Please tell me in other words what you need, and I'll look again."
NOTHING_NEAR = "I can help with what {company}'s help articles cover{about}."

CORRECTED = "I have corrected my answer."
"""Opens a reply that takes back what the customer has read of it."""

WHICH_ONE = "I have more than one article on that. Which one do you mean?"
UNSURE = "I'm not sure which article answers that. Is it one of these?"
WHICH_REPLY = "Reply with its number, or tell me a little more."

NOTICES = {
    Outcome.STOPPED: "You stopped this reply.",
    Outcome.TOO_LATE: (
        "I'm sorry, this is taking longer than it should. Your message is safe. Please ask again in a moment."
    ),
    Outcome.FAILED: (
        "I'm sorry, something went wrong on our side and I couldn't answer. "
        "Your message is safe. Please ask again in a moment."
    ),
}
"""What a customer reads when a turn did not end in a reply."""


def about(topics: Sequence[str]) -> str:
    """What follows "our help articles": the first categories, or nothing where they tell nothing."""
    if len(topics) < FEWEST_TOPICS:
        return ""
    named = [topic[0].lower() + topic[1:] if topic[1:2].islower() else topic for topic in topics[:MOST_TOPICS]]
    return f" on {', '.join(named)}{' and more' if len(topics) > MOST_TOPICS else ''}"
