from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from bot.classifier import Classifier, label_examples
from bot.classify import (
    KEYWORD_CONFIDENCE,
    SHIPPED,
    IntentReader,
    fit_intents,
    model_name,
    open_reader,
    spelling_of,
)
from bot.clauses import clauses, readable
from bot.course import FOLLOW_UP
from bot.held_out import held_out
from bot.intents import Intents, read_intents
from bot.kernel import Kernel
from bot.model_file import ModelFileUnreadable, load_classifier, save_classifier
from bot.ngrams import BUCKETS, Grams, Weights
from bot.settings_place import GENERIC_INTENTS
from knowledge.embed import Embedder

LARKFIELD = Path(__file__).parents[2] / "knowledge" / "intents.yaml"
THREAD = """Hi, my broadband has been down since Monday and nobody has told me when it comes back.

On Mon 3 Nov 2026 at 10:00, Larkfield wrote:
> Your bill is ready. Pay it by Direct Debit.
> To cancel your contract, give 30 days' notice.
"""


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def intents() -> Intents:
    return read_intents(LARKFIELD)


@pytest.fixture(scope="module")
def few(intents: Intents) -> Intents:
    """Some of the intents, which are learned sooner."""
    return Intents(intents=intents.intents[5:10], digest="few")


@pytest.fixture(scope="module")
def classifier(intents: Intents) -> Classifier:
    return load_classifier(SHIPPED / model_name(intents))


@pytest.fixture(scope="module")
def reader(intents: Intents, classifier: Classifier, embedder: Embedder) -> IntentReader:
    return IntentReader(intents, classifier, embedder)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("my wifi went off an hour ago and hasnt come back", "broadband_fault"),
        ("The password for my account isn't being accepted.", "login_account"),
        ("can you spread what I owe over a few months", "payment_problem"),
        ("we complete on our new house on the 12th, how do we bring the broadband along?", "moving_home"),
        ("nobody showed up for the repair this morning", "appointment"),
        ("i want everything you know about me wiped", "privacy_request"),
        ("what's the recipe for pancakes", "off_topic"),
        ("who is the prime minister of Canada", "off_topic"),
    ],
)
def test_messages_that_are_no_examples_are_read(reader: IntentReader, message: str, name: str):
    guess = reader.read(message)
    assert guess.name == name
    assert guess.in_scope is (name != "off_topic")
    assert 0 < guess.confidence <= 1


def test_a_keyword_settles_a_message(reader: IntentReader):
    guess = reader.read("please put me through to a manager")
    assert (guess.name, guess.by) == ("human", "keyword")


@pytest.mark.parametrize(
    "message", ["How do I contact an agent later?", "I manage a team of agents", "cancel my order", "my agent was rude"]
)
def test_who_only_mentions_people_does_not_ask_for_one(reader: IntentReader, message: str):
    assert reader.read(message).name != "human"


def test_what_is_typed_on_a_phone_is_read_like_the_words_that_were_meant(
    intents: Intents, classifier: Classifier, embedder: Embedder
):
    reader = IntentReader(intents, classifier, embedder, spelling_of(intents, embedder))
    typed, meant = reader.read("hw do i chnge my pasword"), reader.read("how do i change my password")
    assert (typed.name, typed.confidence) == (meant.name, meant.confidence) == ("login_account", KEYWORD_CONFIDENCE)


def test_a_message_that_says_little_goes_on_with_what_the_conversation_is_about(reader: IntentReader):
    assert reader.read("how long will that take", {"mobile_service": 0.8}).name == "mobile_service"
    assert reader.read("how long will that take", {"appointment": 0.8}).name == "appointment"
    assert reader.read("I want to cancel my contract", {"appointment": 0.8}).name == "cancel"


def test_a_doubtful_first_reading_is_not_carried_on(reader: IntentReader):
    vague = reader.read("it has been nothing but trouble", {})
    told = reader.read("the landline, no dialling tone since Tuesday", vague.topics)
    assert (told.name, reader.read("and how long will that take", told.topics).name) == (
        "broadband_fault",
        "broadband_fault",
    )


def test_thanks_between_two_questions_change_nothing(reader: IntentReader):
    asked = reader.read("where is the parcel that I ordered", {})
    thanked = reader.read("thanks a lot", asked.topics)
    assert thanked.name == "greeting"
    assert reader.read("and when will it be here", thanked.topics).name == asked.name == "order_status"


def test_a_rule_that_reads_a_message_says_what_the_conversation_is_about(reader: IntentReader):
    topics = reader.settle(reader.read("I cannot pay this month", {}).topics, "extra_care")
    assert next(iter(topics)) == "extra_care"
    assert reader.settle(topics, "human") == topics


@pytest.mark.parametrize("message", ["my laptop has died", "the wifi died again", "battery died on my phone"])
def test_a_thing_that_died_is_no_bereavement(reader: IntentReader, message: str):
    assert reader.read(message).name != "extra_care"


def test_two_wishes_in_one_message_are_both_read(reader: IntentReader):
    guess = reader.read("my internet is down and I've been charged twice this month")
    assert {guess.name, *guess.also} >= {"broadband_fault", "billing_dispute"}
    with_keyword = reader.read("I need to pay my bill. Also please move my engineer appointment to Friday")
    assert {with_keyword.name, *with_keyword.also} >= {"appointment", "payment_problem"}


@pytest.mark.parametrize("message", ["🙂🙂🙂", "1234 5678 90", "...", "£££ 12.50", "", "\n\n"])
def test_a_message_without_letters_is_about_nothing(reader: IntentReader, message: str):
    guess = reader.read(message)
    assert (guess.name, guess.in_scope, guess.confidence) == ("off_topic", False, 0.0)


@pytest.mark.parametrize("once", ["hello", "my internet is down", "I want to cancel my contract."])
def test_a_message_repeated_fifty_times_reads_like_one(reader: IntentReader, once: str):
    assert reader.read(f"{once} " * 50) == reader.read(once)
    assert reader.read(f"{once}\n" * 50) == reader.read(once)


def test_a_pasted_mail_thread_is_read_by_what_the_customer_wrote(reader: IntentReader):
    guess = reader.read(THREAD, {})
    assert guess.name in {"broadband_fault", "outage"}
    assert "cancel" not in guess.also


@pytest.mark.parametrize(
    "message",
    ["a", "x" * 4000, "word " * 800, "> quoted\n> words", "From: me\nSubject: bill", "\ufffd broken", "ça va?"],
)
def test_odd_messages_get_a_reading(reader: IntentReader, message: str):
    assert 0 <= reader.read(message).confidence <= 1


def test_what_is_left_out_of_a_mail():
    assert readable(THREAD).startswith("Hi, my broadband") and "Direct Debit" not in readable(THREAD)  # noqa: PT018
    assert readable("----- Original Message -----\nFrom: a@example.com\nMy hub is red") == "My hub is red"
    assert readable("> only quoted words") == "> only quoted words"
    assert readable("two words two words") == "two words two words"
    assert readable("A plain message stays as it is: 3 > 2.") == "A plain message stays as it is: 3 > 2."


def test_only_parts_with_words_enough_are_clauses():
    assert clauses("my internet is down") == []
    assert clauses("my internet is down and thanks") == []
    assert clauses("My hub is red. And how do I pay?") == ["My hub is red.", "And how do I pay?"]


def test_scores_without_an_example_are_those_of_a_fit_without_it(embedder: Embedder, intents: Intents):
    texts = [example for one in intents.intents[:3] for example in one.examples[:8]]
    labels = np.repeat(np.arange(3), 8)
    vectors, (weights, grams) = embedder.embed_texts(texts), Weights.fit(texts)
    targets = np.where(labels[:, None] == np.arange(3), 1, -1).astype(np.float32)
    group, rest = np.array([2, 3]), np.array([row for row in range(24) if row not in (2, 3)])
    whole = Kernel(vectors=vectors, grams=grams, words_weight=0.3).solve(targets)
    matrix = sparse.csr_matrix((grams.values, grams.columns, grams.ends), shape=(24, 2 * BUCKETS))
    left = matrix[rest]
    part = Kernel(vectors=vectors[rest], grams=Grams.of(left.data, left.indices, left.indptr), words_weight=0.3)
    alike = part.similarity(vectors[2], weights.grams(texts[2]))
    assert part.grams.times(weights.grams(texts[2])) == pytest.approx(left @ matrix[2].toarray()[0], abs=1e-6)
    assert whole.without(group) == pytest.approx(alike @ part.solve(targets[rest]).coefficients, abs=1e-3)


def test_the_gate_learns_from_the_signs_it_later_sees(intents: Intents, embedder: Embedder):
    rows = [(example, one.name) for one in intents.intents[-3:] for example in one.examples]
    left_out = next(place for place, (_, name) in enumerate(rows) if name == "off_topic")
    examples, fewer = label_examples(rows, "off_topic"), label_examples(rows[:left_out] + rows[left_out + 1 :], "off_topic")
    whole, part = (Classifier.fit(one, embedder.embed_texts([*one.texts, *one.titles])) for one in (examples, fewer))
    labels = np.concatenate([examples.labels, np.arange(len(examples.names))])
    targets = np.where(labels[:, None] == np.arange(len(examples.names)), 1, -1).astype(np.float32)
    said = held_out(whole.kernel.solve(targets), whole.kernel.vectors, labels, spoken=len(rows)).unknown[0]
    text = rows[left_out][0]
    vector = embedder.embed_query(text)
    score = (part.kernel.similarity(vector, part.weights.grams(text)) @ part.coefficients).max()
    assert said == pytest.approx([score, (part.means @ vector).max(), (part.foreign @ vector).max()], abs=0.02)


def test_confidence_is_about_as_high_as_examples_are_right_when_left_out(classifier: Classifier, intents: Intents):
    rows = [(example, one.name) for one in intents.intents for example in one.examples]
    rows += [(example, FOLLOW_UP) for example in intents.follow_ups]
    examples = label_examples(rows, "off_topic")
    labels = np.concatenate([examples.labels, np.arange(len(examples.names))])
    targets = np.where(labels[:, None] == np.arange(len(examples.names)), 1, -1).astype(np.float32)
    out = held_out(classifier.kernel.solve(targets), classifier.kernel.vectors, labels, spoken=len(rows))
    sharp = np.exp(classifier.sharpness * (out.scores - out.scores.max(1, keepdims=True)))
    right = out.scores.argmax(1) == out.labels
    assert right.mean() > 0.6  # examples are written to differ, so each is hard to tell from the others alone
    assert (1 / sharp.sum(1)).mean() == pytest.approx(right.mean(), abs=0.03)


def test_without_foreign_examples_left_out_intents_teach_the_gate(intents: Intents, embedder: Embedder):
    rows = [(example, one.name) for one in intents.in_scope for example in one.examples[:80]]
    examples = label_examples(rows, "off_topic")
    classifier = Classifier.fit(examples, embedder.embed_texts([*examples.texts, *examples.titles]))
    declined = intents.out_of_scope
    assert declined is not None
    rejected = [not classifier.judge(text, embedder.embed_query(text)).accepted for text in declined.examples]
    assert sum(rejected) > 0.65 * len(
        rejected
    )  # a third of them speak of bills, contracts and routers, of others' companies


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "at least two intents"),
        ([("one", "a"), ("two", "a")], "at least two intents"),
        ([("one", "a"), ("two", "b")], "2 examples for 2 intents"),
        ([("text", "a"), ("text", "b")] * 10_001, "at most 20,000"),
    ],
)
def test_too_little_or_too_much_to_learn_is_said_in_words(rows: list[tuple[str, str]], said: str):
    examples = label_examples(rows, "oos")
    with pytest.raises(ValueError, match=said):
        Classifier.fit(examples, np.zeros((len(examples.texts) + len(examples.titles), 384), np.float32))


def test_a_kept_classifier_reads_like_the_fitted_one(few: Intents, embedder: Embedder, tmp_path: Path):
    classifier = fit_intents(few, embedder)
    save_classifier(classifier, tmp_path / "kept.npz")
    kept = load_classifier(tmp_path / "kept.npz")
    text = "why has my bill gone up"
    one, other = (each.judge(text, embedder.embed_query(text)) for each in (classifier, kept))
    assert np.array_equal(one.chances, other.chances)
    assert (one.in_scope, one.threshold) == (other.in_scope, other.threshold)


def test_the_file_is_learned_once_and_again_when_it_changes(few: Intents, embedder: Embedder, tmp_path: Path):
    open_reader(few, embedder, tmp_path)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    open_reader(few, embedder, tmp_path)
    assert kept.stat().st_mtime_ns == written
    open_reader(Intents(intents=few.intents, digest="changed"), embedder, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_the_product_ships_is_learned_from_its_own_intents_files(intents: Intents):
    names = {model_name(intents), model_name(read_intents(GENERIC_INTENTS))}
    assert {file.name for file in SHIPPED.iterdir()} == names, "run `make intents`, and commit its files"


def test_the_shipped_file_is_read_and_nothing_is_learned(intents: Intents, embedder: Embedder, tmp_path: Path):
    assert open_reader(intents, embedder, tmp_path).read("my internet is down").name == "broadband_fault"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 half of one"])
def test_a_damaged_file_is_learned_anew(few: Intents, embedder: Embedder, tmp_path: Path, content: bytes):
    open_reader(few, embedder, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(content)
    with pytest.raises(ModelFileUnreadable):
        load_classifier(kept)
    assert open_reader(few, embedder, tmp_path).read("my internet is down").name == "broadband_fault"
    assert load_classifier(kept).names


def test_a_folder_that_cannot_be_written_only_costs_time(few: Intents, embedder: Embedder, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    assert open_reader(few, embedder, tmp_path / "file").read("my internet is down").name == "broadband_fault"
