"""A small help centre for tests of the index and the search, and the one embedder they share."""

import json
from functools import cache
from pathlib import Path

from knowledge.document import Document, DocumentId
from knowledge.embed import Embedder
from knowledge.versions import MANIFEST, Versions


@cache
def embedder() -> Embedder:
    return Embedder()


def article(name: str, title: str, text: str, *, internal: bool = False) -> Document:
    return Document(id=DocumentId(name), title=title, text=text, internal=internal, source=f"{name}.md")


CANCEL_BROADBAND = article(
    "cancel-broadband",
    "Cancel broadband",
    "Call us or use the app to cancel your broadband. The notice period is 14 days.\n\n## Fees\n\n"
    "Inside the minimum term an early exit fee of the remaining monthly charges applies.",
)
CANCEL_MOBILE = article(
    "cancel-mobile",
    "Cancel a mobile plan",
    "Text STAC to 75075 to cancel your mobile plan. The notice period for a SIM is 30 days.",
)
ROUTER = article(
    "router-lights",
    "What the light on your router means",
    "A red light means that the router has no connection. Restart it and wait for five minutes.\n\n- White: all is well\n"
    "- Amber: starting up",
)
PASSWORD = article(
    "reset-password",
    "Reset your password",
    "Choose Forgotten password on the sign-in page and follow the link in the email.",
)
BUSINESS = article(
    "business-plans", "Business broadband", "Business broadband costs £45 a month without VAT and has a static IP address."
)
HOME = article("home-plans", "Home broadband plans", "Home broadband costs £28 a month for 60 Mbps or £38 for 500 Mbps.")
FRAUD = article(
    "fraud-flags",
    "When to set a fraud flag",
    "Staff only: set the zebra marker when a caller fails two security questions.",
    internal=True,
)
ARTICLES = (CANCEL_BROADBAND, CANCEL_MOBILE, ROUTER, PASSWORD, BUSINESS, HOME, FRAUD)


def age(root: Path) -> None:
    """Make the index in `root` one of an earlier version of the product: its manifest said nothing of a format."""
    versions = Versions(root)
    folder = versions.folder / versions.current()
    held = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del held["format"]
    (folder / MANIFEST).write_text(json.dumps(held), encoding="utf-8")
    (folder / "answerability.json").write_text('{"weights": [1, 2, 3, 4], "bias": 0}', encoding="utf-8")
