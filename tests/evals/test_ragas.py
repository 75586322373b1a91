"""A language model as a judge, over the wire: what it says counts, its nonsense and silence do not, and it is asked once."""

import asyncio
import json
import re
import threading
from dataclasses import replace
from importlib.util import find_spec

import pytest
from pydantic import BaseModel

from bot.settings import Settings
from evals import judge_model
from evals.__main__ import main
from evals.judge_model import JudgeFailed, JudgeModel, Nonsense, judging_providers
from evals.ragas_judge import NO_KEY, Claimed, Judging, judge_with_ragas
from evals.runs import Verdict, Verdicts, read_verdicts
from evals.scorers import ragas
from tests.evals import desk
from tests.evals.desk import handover, make_run, one, reply, talk
from tests.llm.vendor_server import Plan, VendorServer

needs_ragas = pytest.mark.skipif(not find_spec("ragas"), reason="ragas is not installed: `make judge` adds it")
FEE = "We charge a late payment fee of £7.50."


class Answer(BaseModel):
    colour: str


class JudgeServer(VendorServer):
    """Plays a judge: cuts a reply into sentences, and finds borne out what the context holds word for word."""

    def plan(self, asked):
        prompt = asked.body["messages"][-1]["content"]
        if "on fire" in prompt:
            return Plan(text=("I'd rather talk about the weather.",))
        if "asleep" in prompt:
            return Plan(fault="hang")
        given = json.loads(re.findall(r"^(?:Input|input): (\{.*?^\})", prompt, re.MULTILINE | re.DOTALL)[-1])
        if "answer" in given:
            return self._say({"statements": [f"{part}." for part in given["answer"].split(". ")]})
        borne = [int(said.strip(".") in given["context"]) for said in given["statements"]]
        verdicts = [{"statement": "", "reason": "", "verdict": one} for one in borne]
        return self._say({"statements": verdicts[:-1] if "forgetful" in given["context"] else verdicts})

    def _say(self, answer):
        return Plan(text=("Sure! ```json\n", json.dumps(answer), "\n```"))


@pytest.fixture
def server():
    """A judge in a thread of its own, for commands that run their own loop."""
    loop, judge = asyncio.new_event_loop(), JudgeServer()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(judge.start(), loop).result(60)
    yield judge
    asyncio.run_coroutine_threadsafe(judge.stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


def settings(server, **more):
    own = {"openai_base_url": f"{server.url}/v1", "openai_api_key": "sk-test"}
    return Settings(**own | more)


async def ask(plans, times=1, folder=None, seconds=60.0, prompt="Which colour?"):
    """What a judge behind a server with these plans answers, so many times; and how often the server was asked."""
    async with VendorServer(*plans) as server:
        model = JudgeModel(settings(server), folder, seconds)
        try:
            return [await model.ask(prompt, Answer) for _ in range(times)], len(server.asked)
        finally:
            await model.close()


RED = Plan(text=('Here you are: {"colour": ', '"red"}'))


async def test_what_was_asked_before_is_not_asked_again(tmp_path):
    answers, asked = await ask([RED], times=3, folder=tmp_path)
    assert (answers, asked) == ([Answer(colour="red")] * 3, 1)


async def test_nonsense_is_told_and_is_not_kept(tmp_path):
    for plan in (Plan(text=("no idea",)), Plan(text=('{"color": "red"}',))):
        with pytest.raises(Nonsense):
            await ask([plan], folder=tmp_path)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


async def test_a_judge_that_is_busy_is_asked_again(monkeypatch):
    monkeypatch.setattr(judge_model, "PAUSES", (0.0, 0.0, 0.0))
    busy = [Plan(error="503")] * 3
    answers, _ = await ask([*busy, RED])
    assert answers == [Answer(colour="red")]


async def test_a_judge_with_a_wrong_key_is_asked_no_more():
    async with VendorServer(Plan(error="auth")) as server:
        model = JudgeModel(settings(server))
        for _ in range(3):
            with pytest.raises(JudgeFailed, match="unauthorised"):
                await model.ask("Which colour?", Answer)
        await model.close()
        assert len(server.asked) == 1


def test_a_key_makes_a_judge_also_where_the_bot_only_quotes():
    assert judging_providers(Settings(llm_providers="extractive", openai_api_key="sk-test")) == ("openai",)
    assert judging_providers(Settings(llm_providers="extractive")) == ()
    both = Settings(openai_api_key="sk-test", gemini_api_key="g", llm_providers=("gemini", "extractive"))
    assert judging_providers(both) == ("gemini",)


def test_what_the_model_said_is_scored_and_its_silence_is_unscored():
    row = talk("a", *[one(outcomes=["answered"])] * 4)
    cited = reply(f"{FEE} [1]", cites=[("late-fee", FEE)])
    run = make_run((row, [cited, cited, reply("Just wait."), handover()]))
    assert list(ragas.score(run)) == []
    said = Verdicts(id="a", judge="m", turns={1: Verdict(value=0.5), 2: Verdict(value=None, why="the judge spoke nonsense")})
    marks = list(ragas.score(replace(run, ragas={"a": said})))
    assert [(mark.value, mark.why) for mark in marks] == [
        (0.5, "by m"),
        (None, "the judge spoke nonsense"),
        (0.0, "no source is named"),
    ]


def test_without_a_key_a_run_is_scored_and_says_who_was_not_asked(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("evals.ragas_run.read_settings", lambda: Settings(llm_providers="extractive"))
    assert main(["score", str(_played(tmp_path))]) == 0
    told = capsys.readouterr()
    assert f"ragas: not asked: {NO_KEY}" in told.err
    assert "Claims borne out by their source" in told.out


@needs_ragas
def test_ragas_judges_a_run_and_asks_nothing_twice(tmp_path, server, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evals.ragas_run.read_settings", lambda: settings(server))
    run = _played(tmp_path)
    assert main(["score", str(run)]) == 0
    told = capsys.readouterr()
    assert "ragas: 2 answers judged by openai (gpt-4.1-mini)" in told.err
    assert re.search(r"Claims borne out, says another model +100\.0%", told.out)
    asked = len(server.asked)
    assert asked == 4  # the statements, and the verdicts on them
    kept = read_verdicts(run)
    assert main(["score", str(run)]) == 0
    assert (len(server.asked), read_verdicts(run)) == (asked, kept)


@needs_ragas
def test_ragas_leaves_unscored_what_the_judge_does_not_answer(tmp_path, server):
    said = {
        FEE: FEE,
        f"{FEE} It is waived on Sundays.": FEE,
        "The router is on fire.": "The router is on fire.",
        "The clerk is away. The shop is shut.": "The clerk is forgetful.",
    }
    claimed = [Claimed(question="What now?", response=response, sources=(source,)) for response, source in said.items()]
    judged = judge_with_ragas(claimed, settings(server), Judging(folder=tmp_path))
    assert [one.value for one in judged.judgements] == [1.0, 0.5, None, None]
    assert "nonsense" in judged.judgements[2].why
    assert "1 verdicts on 2 statements" in judged.judgements[3].why
    never = [Claimed(question="What now?", response="The cat is asleep.", sources=("It is.",))]
    [late] = judge_with_ragas(never, settings(server), Judging(folder=tmp_path, seconds=0.2)).judgements
    assert (late.value, late.why) == (None, "the judge took longer than 0.2 s")


def _played(folder):
    """A run of two conversations as `play` stores it, without the bot."""
    cited = reply(f"{FEE} [1]", cites=[("late-fee", FEE)], escalation=None)
    rows = [(talk(str(n), one(asked, outcomes=["answered"])), [cited]) for n, asked in enumerate(["late fee?", "a fee?"])]
    return desk.store(make_run(*rows), folder / "run")
