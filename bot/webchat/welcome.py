"""What a visitor reads first: who speaks here, that it is a machine, and questions to start with."""

from collections.abc import Awaitable, Callable

from chainlit.config import config
from chainlit.types import ChatProfile, Starter

from bot.settings import Settings

QUESTIONS = {
    "Why did my bill go up?": "My bill went up this month, why?",
    "My router's light is red": "The light on my router is red. What should I do?",
    "Move my engineer visit": "How do I move my engineer appointment to another day?",
    "Cancel my contract": "I want to cancel my broadband. What does it cost and how much notice do I have to give?",
}
"""What the button says, and the message it sends."""


def name_page(settings: Settings) -> None:
    """Give the page the names of the settings."""
    config.ui.name = settings.assistant
    config.ui.description = f"Help with your {settings.company} account, bills, broadband and mobile."


def welcome(settings: Settings) -> Callable[..., Awaitable[list[ChatProfile]]]:
    """The words of an empty chat. Chainlit shows them as the description of a chat profile, of which there is one."""
    profile = ChatProfile(
        name=settings.assistant,
        markdown_description=(
            f"**Hello, how can we help?**\n\nThis is {settings.assistant}: an AI assistant, not a person. "
            f"It answers from {settings.company}'s help articles and shows where each answer comes from."
        ),
        icon="/public/avatar.svg",
        default=True,
        starters=[Starter(label=label, message=message) for label, message in QUESTIONS.items()],
    )

    async def profiles(*ignored: object) -> list[ChatProfile]:
        return [profile]

    return profiles
