"""Real conversations become transcripts to label: from the log, CSV and chat exports, personal data masked."""

import asyncio
import json

import pytest

from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.log_memory import MemoryLog
from bot.sql.log import open_log
from evals.__main__ import main
from evals.chats import as_transcripts, read_csv, read_json_lines
from evals.formats import FileInvalid
from evals.import_chats import read_log
from evals.transcripts import read_texts

CARD = "4242 4242 4242 4242"


def texts(messages):
    return [(one.conversation, one.is_customer, one.text) for one in messages]


async def converse(log, name, *said):
    """Store a conversation of customer and bot in turns."""
    conversation = ConversationId(name)
    await log.open(conversation, CustomerId("c"))
    seq = None
    for number, text in enumerate(said):
        speaker = Speaker.BOT if number % 2 else Speaker.CUSTOMER
        draft = Draft(conversation=conversation, speaker=speaker, kind=Kind.MESSAGE, text=text, answers=seq)
        entry = await log.append(draft)
        seq = entry.seq if speaker is Speaker.CUSTOMER else None


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_is_read_by_its_header_whatever_parts_its_cells(tmp_path, sign):
    rows = [
        ["When", "Conversation", "Sender", "Message"],
        ["9am", "7", "Visitor", '"hi; there,\nall"'],
        ["9am", "7", "bot", "x"],
    ]
    file = tmp_path / "chats.csv"
    file.write_text("\ufeff" + "\r\n".join(sign.join(row) for row in rows), encoding="utf-8", newline="")
    assert texts(read_csv(file)) == [("7", True, "hi; there,\nall"), ("7", False, "x")]


@pytest.mark.parametrize(("written", "named"), [("utf-16", "utf-8-sig"), ("utf-8-sig", "cp1252"), ("cp1252", "cp1252")])
def test_what_a_spreadsheet_writes_is_read(tmp_path, written, named):
    file = tmp_path / "chats.csv"
    file.write_bytes("sep=;\r\nChat ID;Author;Message\r\n7;Visitor;café £5\r\n".encode(written))
    assert texts(read_csv(file, named)) == [("7", True, "café £5")]


def test_an_encoding_that_is_none_and_one_that_is_not_the_files_are_named(tmp_path):
    file = tmp_path / "chats.csv"
    file.write_bytes(b"conversation,role,text\n1,customer,caf\xe9\n")
    with pytest.raises(FileInvalid, match="--encoding klingon: there is no such encoding"):
        read_csv(file, "klingon")
    with pytest.raises(FileInvalid, match=r"not ascii text \(line 2\); .*--encoding cp1252"):
        read_csv(file, "ascii")


def test_chat_exports_are_read_a_conversation_or_a_message_a_line(tmp_path):
    file = tmp_path / "chats.jsonl"
    whole = {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]}
    single = [{"conversation": 7, "role": "customer", "text": "yo"}, {"conversation": 7, "role": "agent", "text": "hello"}]
    file.write_text("\n".join(map(json.dumps, [whole, *single])), encoding="utf-8")
    assert texts(read_json_lines(file)) == [("line 1", True, "hi"), ("7", True, "yo"), ("7", False, "hello")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "the file has no rows"),
        ("a.csv", b"conversation,role\n1,customer\n", ":1: no column 'text'"),
        ("a.csv", b"conversation,role,text\n1,customer\n", ":2: 2 cells under 3 columns"),
        ("a.csv", b"conversation,role,text\n1,customer,hi\n2,martian,hi\n", ":3: who is 'martian'? Roles are caller,"),
        ("a.csv", b"conversation,role,text\n,customer,hi\n", ":2: the conversation has no name"),
        ("a.csv", b'conversation,role,text\n1,customer,"half', ":2: a quotation mark is opened and never closed"),
        ("a.csv", b"conversation,role,text\n1,customer,\0\1\2\n", "holds no text"),
        ("a.csv", b"conversation,role,text\n1,customer,caf\xe9\n", "not UTF-8 text (line 2)"),
        ("a.jsonl", b'{"messages": []}\n{"messa', ":2: not one whole JSON object"),
        ("a.jsonl", b"[1]", ":1: not a JSON object"),
        ("a.jsonl", b'{"messages": "hi"}', ":1: 'messages' is not a list"),
        ("a.jsonl", b'{"role": "user", "text": "hi"}', ":1: a message needs role and text, and conversation"),
        ("a.jsonl", b'{"messages": [{"role": "user"}]}', ":1: a message needs role and text"),
    ],
)
def test_an_export_that_cannot_be_used_is_refused_naming_its_line(tmp_path, name, content, says):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileInvalid) as wrong:
        (read_csv if name.endswith("csv") else read_json_lines)(file)
    assert str(wrong.value).startswith(str(file))
    assert says in str(wrong.value)


def test_a_missing_export_is_named(tmp_path):
    with pytest.raises(FileInvalid, match="there is no such file"):
        read_csv(tmp_path / "nowhere.csv")


def chats(tmp_path, *conversations):
    file = tmp_path / "chats.jsonl"
    rows = [{"messages": [{"role": role, "text": text} for role, text in one]} for one in conversations]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def test_replies_go_with_the_message_before_and_a_first_greeting_is_left_out(tmp_path):
    said = [("bot", "Hello!"), ("user", "hi"), ("bot", "Yes?"), ("agent", "I am Ann."), ("user", "my bill"), ("user", "?")]
    [one] = as_transcripts(read_json_lines(chats(tmp_path, said))).transcripts
    assert [(turn.customer, turn.reply) for turn in one.turns] == [("hi", "Yes?\nI am Ann."), ("my bill", ""), ("?", "")]
    assert not one.window_labelled


def test_what_says_the_same_is_taken_once_and_who_says_nothing_is_left_out(tmp_path):
    file = chats(tmp_path, [("user", "hi")], [("user", "hi ")], [("bot", "anyone?")], [("user", " ")])
    found = as_transcripts(read_json_lines(file))
    assert (len(found.transcripts), found.repeated, found.silent) == (1, 1, 1)


def test_personal_data_is_masked_in_messages_and_replies_unless_it_is_to_be_kept(tmp_path):
    file = chats(tmp_path, [("user", f"card {CARD} mail a.b@example.com"), ("bot", f"Was it {CARD}?")])
    found = as_transcripts(read_json_lines(file))
    assert found.transcripts[0].turns[0].customer == "card [card number] mail [e-mail address]"
    assert CARD not in found.transcripts[0].turns[0].reply
    assert found.masked == {"card number": 2, "e-mail address": 1}
    [kept] = as_transcripts(read_json_lines(file), keep_personal=True).transcripts
    assert CARD in kept.turns[0].customer


def test_the_command_writes_a_new_file_says_what_it_did_and_never_writes_over_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out" / "new.jsonl"
    command = ["import", "--chats", str(chats(tmp_path, [("user", f"my card {CARD}")], [("bot", "hi")])), "--out", str(out)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "1 conversations, 1 messages" in shown
    assert "left out: 1 in which no customer says anything" in shown
    assert "masked: 1 x card number. Names and postal addresses are not" in shown
    before = out.read_bytes()
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_an_export_without_a_customer_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "new.jsonl"
    assert main(["import", "--chats", str(chats(tmp_path, [("bot", "hi")])), "--out", str(out)]) == 2
    assert "no conversation in which a customer says something" in capsys.readouterr().err
    assert not out.exists()


async def test_the_log_gives_the_conversations_that_were_answered_latest():
    log = MemoryLog()
    for name in ("old", "new"):
        await converse(log, name, f"{name} question", f"{name} reply", "thanks")
    found = [message async for message in read_log(log, 1)]
    assert texts(found) == [("new", True, "new question"), ("new", False, "new reply"), ("new", True, "thanks")]
    assert len({message.conversation async for message in read_log(log, 9)}) == 2
    await log.close()


def test_the_command_reads_the_database_of_this_installation(tmp_path, capsys, monkeypatch):
    async def store():
        log = open_log(None, tmp_path / "data")
        try:
            await converse(log, "one", f"charge {CARD}", "I can't take a card here.")
        finally:
            await log.close()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    asyncio.run(store())
    assert main(["import", "--log", "--out", str(tmp_path / "new.jsonl")]) == 0
    [one] = read_texts(tmp_path / "new.jsonl")
    assert one.turns[0].customer == "charge [card number]"
    assert one.turns[0].reply == "I can't take a card here."


def test_a_folder_without_a_database_is_named_and_none_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "nowhere"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["import", "--log", "--out", str(tmp_path / "new.jsonl")]) == 2
    assert "holds no conversations yet; set DATA_DIR or DATABASE_URL" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
