"""What a visitor is told a help centre is about, and may ask to begin with."""

from bot import phrases
from knowledge.contents import read_contents
from knowledge.document import Document, DocumentId


def document(name: str, category: str, *questions: str) -> Document:
    return Document(id=DocumentId(name), title=f"About {name}", text="Text", category=category, questions=questions)


def test_the_largest_categories_come_first_with_a_question_of_each():
    contents = read_contents(
        [
            document("fees", "Cards"),
            document("loans", "Loans", "x" * 200, "What does a loan cost?"),
            document("limits", "Cards", "Why is my card declined?"),
            document("misc", " "),
            document("more", " "),
            document("less", " "),
            Document(id=DocumentId("open"), title="Open an account", text="Text", category="Accounts"),
            Document(id=DocumentId("who"), title="Who can see it?", text="Text", category="Accounts"),
        ]
    )
    assert contents.topics == ("Accounts", "Cards", "Loans")
    assert contents.questions == (
        "Who can see it?",
        "Why is my card declined?",
        "What does a loan cost?",
        "About misc",
    )


def test_a_greeting_names_the_categories_where_there_are_some():
    assert phrases.about(["Cards", "ISA and pensions"]) == " on cards, ISA and pensions"
    assert phrases.about(["Cards"]) == ""
    assert phrases.about([]) == ""
    assert phrases.about(["A1", *"bcdefg"]) == " on A1, b, c, d, e, f and more"
