"""Playing: the real bot over transcripts; stored whole, the same bytes each time, and taken up where it was stopped."""

import asyncio
import json

import pytest

from bot.errors import LogUnavailable, SettingsInvalid
from bot.llm.scripted import ScriptedLLM, say
from evals import play as play_command
from evals.__main__ import main
from evals.formats import FileInvalid
from evals.play import read_sources
from evals.players import open_player
from evals.run_folder import RunFolder, timeless, unnumbered
from evals.runs import PlayedTurn, read_run
from knowledge.errors import IndexMissing
from tests.evals import desk


class PowerCutError(Exception):
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    desk.write_articles(folder / "articles")
    desk.write_transcripts(folder / "t.jsonl")
    return folder


@pytest.fixture(scope="module")
def played(folder):
    return desk.play_all(folder, "first", folder / "t.jsonl")


def test_a_run_holds_every_turn_in_the_order_of_the_transcripts(played):
    assert [transcript.id for transcript, _ in played.pairs] == ["fee", "router", "moon"]
    fee = played.pairs[0][1]
    assert [turn.data["outcome"] for turn in fee.turns] == ["answered", "greeted"]
    assert "£7.50" in fee.turns[0].reply.text
    assert played.manifest.documents == ("cancel", "late-fee", "password", "router")
    assert played.manifest.internal_documents == ("waivers",)


def test_the_same_bot_writes_the_same_bytes_twice(folder, played):
    second = desk.play_all(folder, "second", folder / "t.jsonl")
    for name in ("run.json", "transcripts.jsonl", "turns.jsonl"):
        assert (played.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_no_time_and_no_random_id_is_in_the_stored_turns(played):
    text = (played.folder / "turns.jsonl").read_text(encoding="utf-8")
    assert "_ms" not in text
    assert played.times["fee"].turns[0].took_ms > 0


def test_no_time_key_or_ticket_number_of_an_errand_is_stored():
    proposal = {"tool": "move_visit", "words": "move the visit", "key": "8f31", "at": "2026-11-20T10:00:00Z"}
    data = {"calls": [["list_bookings", "done", "", 0.03]], "open": {"errand": "move", "proposal": proposal, "done": "8f31"}}
    kept = {"errand": "move", "proposal": {"tool": "move_visit", "words": "move the visit"}, "done": True}
    assert timeless(data) == {"calls": [["list_bookings", "done", ""]], "open": kept}
    assert unnumbered("Your reference is **T-10426**.") == "Your reference is **T-…**."


def test_a_run_that_was_stopped_goes_on_where_it_was(folder, played, monkeypatch):
    sources, transcripts = read_sources([folder / "t.jsonl"])
    real, seen = play_command.play_conversation, []

    async def stopped_after_one(player, transcript):
        seen.append(transcript.id)
        if len(seen) >= 2:
            raise PowerCutError
        return await real(player, transcript)

    monkeypatch.setattr(play_command, "play_conversation", stopped_after_one)
    with pytest.raises(PowerCutError):
        asyncio.run(play_command.play(desk.setup(folder), sources, transcripts, folder / "stopped", jobs=1))
    with pytest.raises(FileInvalid, match="stopped halfway"):
        read_run(folder / "stopped")
    monkeypatch.setattr(play_command, "play_conversation", real)
    assert asyncio.run(play_command.play(desk.setup(folder), sources, transcripts, folder / "stopped")) == 2
    assert (folder / "stopped" / "turns.jsonl").read_bytes() == (played.folder / "turns.jsonl").read_bytes()


def test_a_conversation_that_a_busy_machine_cut_is_played_again(folder, played, monkeypatch):
    sources, transcripts = read_sources([folder / "t.jsonl"])
    real, seen = play_command.play_conversation, []

    async def cut_at_first(player, transcript):
        seen.append(transcript.id)
        if seen.count("fee") == 1 and transcript.id == "fee":
            raise LogUnavailable("busy")
        told, times = await real(player, transcript)
        late = PlayedTurn(asked=told.turns[0].asked, failure=play_command.TOO_LATE)
        first = seen.count(transcript.id) == 1 and transcript.id == "moon"
        return (told.model_copy(update={"turns": (late,)}) if first else told), times

    monkeypatch.setattr(play_command, "play_conversation", cut_at_first)
    asyncio.run(play_command.play(desk.setup(folder), sources, transcripts, folder / "busy"))
    assert sorted(seen) == ["fee", "fee", "moon", "moon", "router"]
    assert (folder / "busy" / "turns.jsonl").read_bytes() == (played.folder / "turns.jsonl").read_bytes()


def test_a_folder_with_another_run_is_left_alone(folder, played):
    before = (played.folder / "turns.jsonl").read_bytes()
    changed = {"llm_providers": "extractive", "answerable_above": "0.9"}
    with pytest.raises(FileInvalid, match="other transcripts, settings or articles"):
        desk.play_all(folder, "first", folder / "t.jsonl", settings=changed)
    assert (played.folder / "turns.jsonl").read_bytes() == before


def test_a_folder_with_other_files_is_no_run(tmp_path, played):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(FileInvalid, match="not empty"):
        RunFolder(tmp_path, played.manifest, [])


def test_a_line_that_cannot_be_used_is_told_and_the_rest_is_played(tmp_path, capsys):
    bad = {"id": "bad", "turns": [{"customer": "hi", "expect": {"intent": "nonsense", "outcomes": ["greeted"]}}]}
    file = desk.write_transcripts(tmp_path / "t.jsonl", [*desk.TRANSCRIPTS, bad, desk.TRANSCRIPTS[0]])
    _, transcripts = read_sources([file])
    assert [one.id for one in transcripts] == ["fee", "router", "moon"]
    told = capsys.readouterr().err
    assert "t.jsonl:4" in told
    assert "'nonsense' is no intent" in told
    assert "t.jsonl:5" in told


def test_a_file_without_a_usable_line_is_told_and_the_other_is_played(tmp_path, capsys):
    good, empty, noise = desk.write_transcripts(tmp_path / "t.jsonl"), tmp_path / "empty.jsonl", tmp_path / "noise.jsonl"
    empty.write_bytes(b"")
    noise.write_bytes(bytes(range(256)) * 40)
    sources, transcripts = read_sources([good, empty, noise])
    assert [one.name for one in sources] == ["t.jsonl"]
    assert len(transcripts) == len(desk.TRANSCRIPTS)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(f"{tmp_path}/")[2].partition(":")[0] for line in told] == ["empty.jsonl", "noise.jsonl"]
    for files in ([empty], [empty, noise], [good, tmp_path / "none.jsonl"]):
        with pytest.raises(FileInvalid):
            read_sources(files)


def test_an_id_in_two_files_is_refused(tmp_path):
    one, two = desk.write_transcripts(tmp_path / "one.jsonl"), desk.write_transcripts(tmp_path / "two.jsonl")
    with pytest.raises(FileInvalid, match="'fee' stands in two of"):
        read_sources([one, two])


def test_a_setting_that_there_is_not_is_named(folder):
    async def begin():
        async with open_player(desk.setup(folder, settings={"answerable": "0.9"})):
            pass

    with pytest.raises(SettingsInvalid, match="there is no setting ANSWERABLE"):
        asyncio.run(begin())


def test_a_data_folder_without_an_index_is_named_and_left_as_it_is(folder, tmp_path):
    with pytest.raises(IndexMissing):
        desk.play_all(folder, "no-index", folder / "t.jsonl", data_dir=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_one_line(played, tmp_path):
    (tmp_path / "run").mkdir()
    kept = RunFolder(tmp_path / "run", played.manifest, [transcript for transcript, _ in played.pairs])
    (tmp_path / "run" / "partial").rmdir()
    with pytest.raises(FileInvalid, match="cannot be written"):
        kept.keep(played.pairs[0][1], played.times["fee"])


def test_a_providers_answers_are_asked_for_once(folder, tmp_path):
    asked = []

    class Counting(ScriptedLLM):
        def stream(self, request, limits):
            asked.append(request)
            return super().stream(request, limits)

    def model(_settings):
        return Counting([say("We charge a late payment fee of £7.50. [1]")])

    first = desk.play_all(folder, "cached-1", folder / "t.jsonl", llm=model, answers=tmp_path)
    before = len(asked)
    second = desk.play_all(folder, "cached-2", folder / "t.jsonl", llm=model, answers=tmp_path)
    assert before > 0
    assert len(asked) == before
    assert (first.folder / "turns.jsonl").read_bytes() == (second.folder / "turns.jsonl").read_bytes()
    assert first.pairs[0][1].turns[0].reply.text == "We charge a late payment fee of £7.50. [1]"


def test_the_command_says_in_one_line_what_is_wrong(tmp_path, capsys):
    assert main(["play", "--transcripts", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "run")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_an_imported_conversation_without_labels_is_left_out(tmp_path, capsys):
    rows = [*desk.TRANSCRIPTS, {"id": "raw", "turns": [{"customer": "hi"}]}]
    _, transcripts = read_sources([desk.write_transcripts(tmp_path / "t.jsonl", rows)])
    assert "raw" not in [one.id for one in transcripts]
    assert "not labelled yet" in capsys.readouterr().err
    assert json.loads((tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()[-1])["id"] == "raw"
