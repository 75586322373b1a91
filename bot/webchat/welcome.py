"""What a visitor reads first: who speaks here, that it is a machine, and questions to start with."""

from collections.abc import Awaitable, Callable

from chainlit.config import config
from chainlit.types import ChatProfile, Starter

from bot.settings import Settings
from bot.settings_place import LARKFIELD
from knowledge.document import Contents

DEMO_QUESTIONS = {
    "Why did my bill go up?": "My bill went up this month, why?",
    "My router's light is red": "The light on my router is red. What should I do?",
    "Move my engineer visit": "How do I move my engineer appointment to another day?",
    "Cancel my contract": "I want to cancel my broadband. What does it cost and how much notice do I have to give?",
}
"""Larkfield's: what the button says, and the message it sends."""
MOST_QUESTIONS = 4


def name_page(settings: Settings) -> None:
    """Give the page the names of the settings."""
    config.ui.name = settings.assistant
    config.ui.description = f"Answers from {settings.company}'s help articles, and people when you need them."


def welcome(
    settings: Settings, find_contents: Callable[[], Awaitable[Contents]]
) -> Callable[..., Awaitable[list[ChatProfile]]]:
    """The words of an empty chat. Chainlit shows them as the description of a chat profile, of which there is one."""
    profile = ChatProfile(
        name=settings.assistant,
        markdown_description=(
            f"**Hello, how can we help?**\n\nThis is {settings.assistant}: an AI assistant, not a person. "
            f"It answers from {settings.company}'s help articles and shows where each answer comes from."
        ),
        icon="/public/avatar.svg",
        default=True,
    )

    async def profiles(*ignored: object) -> list[ChatProfile]:
        profile.starters = _starters(settings, await find_contents())
        return [profile]

    return profiles


def _starters(settings: Settings, contents: Contents) -> list[Starter]:
    """The demo's own; else one question from each of the help centre's largest categories."""
    questions = {question: question for question in contents.questions[:MOST_QUESTIONS]}
    if settings.company == LARKFIELD:
        questions = DEMO_QUESTIONS
    return [Starter(label=label, message=message) for label, message in questions.items()]
