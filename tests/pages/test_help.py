"""The help page: what a citation opens."""

from bot.pages.help import render_article
from knowledge.document import Article, Document, DocumentId
from knowledge.split import split_document


def page(text, title="Cancel broadband"):
    document = Document(id=DocumentId("cancel"), title=title, text=text, category="Plans")
    return render_article(Article(document=document, passages=split_document(document)), "Larkfield")


def test_each_passage_has_the_anchor_that_its_citation_names():
    html = page("Opening.\n\n## Steps\n\nTo cancel:\n\n1. Sign in.\n2. Confirm.\n\n## Fees\n\nNone.")
    assert html.index('id="p0"') < html.index("<h2>Steps</h2>") < html.index('id="p1"') < html.index("<h2>Fees</h2>")
    assert "<li>Sign in.</li>" in html


def test_html_in_an_article_or_its_title_is_shown_as_text_and_never_runs():
    html = page("Hello <img src=x onerror=alert(1)> <script>alert(2)</script>", title="<script>alert(3)</script>")
    assert "<img" not in html
    assert "<script" not in html
    assert 'href="javascript' not in page("[x](javascript:alert(4))")


def test_a_subheading_opens_below_its_heading_once():
    html = page("## By app\n\nOpen it.\n\n### On a phone\n\nTap.\n\nTap again, a long paragraph " + "word " * 95)
    assert html.count("<h2>By app</h2>") == 1
    assert html.count("<h3>On a phone</h3>") == 1


def test_a_link_to_another_article_leads_to_its_page():
    assert 'href="/help/move-home"' in page("See [Move home](move-home).")
