"""schemathesis over the OpenAPI document, with the tokens that each operation needs.

Used by the test in a short form and by `python -m benchmarks fuzz_api` in the long one.
"""

import asyncio
import json
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup

from tests.api.conftest import PASSWORD

NO_SCHEMA_SAYS = {"message_refused", "cursor", "documents", "form", "staff_invalid"}
"""Refusals of what is as documented: a text of invisible characters, a cursor of the caller's own, a broken file."""
CHAINS_TOGETHER, CHAIN_STEPS = 10, 8
WITHOUT_TOKEN = 7
"""Of ten cases this one; not the first or the last, which Hypothesis takes far more often."""
CUSTOMERS = "^/(chat|conversations)"
"""Else the staff's many operations leave them few of the chains."""
CUT_OFF = {408, 413, 431}
"""Refused before it was read: documented, and of no concern to checks of what was read."""


@dataclass
class Fuzzed:
    """What came of it."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    barren: set[str] = field(default_factory=set)
    """Operations that take nothing, so that nothing can be wrong with what they are sent."""
    linked: int = 0
    """Cases that took something from an answer before them."""
    ended_early: int = 0
    """Chains, ten at a time, of which Hypothesis found that what was there before is no longer the same."""
    well: set[str] = field(default_factory=set)
    """Operations that were granted something at least once."""


class Fuzz:
    """Cases against one server."""

    def __init__(self, address: str) -> None:
        self.base = f"{address}/api/v1"
        self.result = Fuzzed()
        document = self._get("/openapi.json")
        self.needed = _take_security(document)
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.config.base_url = self.base
        self.tokens = {
            "customer": self._post("/chat/session", {})["token"],
            "staff": self._post("/staff/session", {"id": "root", "password": PASSWORD})["token"],
        }
        self.checks = CHECKS.get_all()
        self.but_acceptance = [check for check in self.checks if check.__name__ != "positive_data_acceptance"]

    def run(self, cases_each: int, from_seed: int = 8) -> Fuzzed:
        """So many cases for each operation."""
        for made in self.schema.get_all_operations():
            operation = made.ok()
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                strategy = operation.as_strategy(generation_mode=mode)
                self._run_one(strategy, operation, cases_each // 2, from_seed)
        return self.result

    def run_chains(self, chains: int, from_seed: int = 8) -> Fuzzed:
        """So many chains of calls along the document's links: each takes what an answer before it told."""
        few = settings(
            max_examples=min(chains, CHAINS_TOGETHER),
            stateful_step_count=CHAIN_STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        for number in range(0, chains, CHAINS_TOGETHER):
            chain = self._chain(number)
            try:
                seed(from_seed + number)(chain).run(settings=few)
            except Flaky:
                self.result.ended_early += 1
        return self.result

    def _chain(self, number: int) -> Any:
        """A machine that makes chains; those of each number begin elsewhere, and half of them stay with customers."""
        fuzz = self
        schema = self.schema.include(path_regex=CUSTOMERS) if number // CHAINS_TOGETHER % 2 else self.schema

        class Chain(schema.as_state_machine()):
            rule_order_seed = number

            def step(self, input: Any) -> Any:
                fuzz.result.linked += input.transition is not None
                return super().step(input)

            def call(self, case: Any, **options: Any) -> Any:
                return fuzz.try_out(case, with_token=True)

            def validate_response(self, *judged: Any, **before: Any) -> None:
                """It was, with the call."""

        return Chain

    def _run_one(self, strategy: Any, operation: Any, cases: int, from_seed: int) -> None:
        @seed(from_seed)
        @settings(
            max_examples=max(1, cases),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, number=st.integers(0, 9))
        def one(case: Any, number: int) -> None:
            self.try_out(case, with_token=number != WITHOUT_TOKEN)

        try:
            one()
        except Unsatisfiable:
            self.result.barren.add(operation.label)

    def try_out(self, case: Any, with_token: bool) -> Any:
        """Make the call, count it, and hold the answer against the document."""
        headers = self._headers(case, with_token)
        if case.query:
            case.query.pop("wait", None)
        response = case.call(headers=headers, timeout=60)
        self.result.cases += 1
        self.result.statuses[response.status_code] += 1
        if response.status_code < 400:
            self.result.well.add(case.operation.label)
        if self.needed.get(case.operation.label) and not headers and response.status_code < 400:
            self._fail(case, response, "was granted without a token")
        if response.status_code not in CUT_OFF:
            refused = response.status_code in (400, 422) and response.json().get("code") in NO_SCHEMA_SAYS
            try:
                case.validate_response(response, checks=self.but_acceptance if refused else self.checks, headers=headers)
            except (Failure, FailureGroup) as failure:
                self._fail(case, response, str(failure))
        return response

    def _fail(self, case: Any, response: Any, why: str) -> None:
        told = f"{case.operation.label}: {why}\n{case.as_curl_command()}\n{response.status_code} {response.text[:300]}"
        self.result.failures.append(told[:1500])

    def _headers(self, case: Any, with_token: bool) -> dict[str, str]:
        """The token that is needed; none where the fuzz would sign itself out."""
        names = self.needed.get(case.operation.label)
        if not names or not with_token or case.operation.label == "DELETE /chat/session":
            return {}
        return {"Authorization": f"Bearer {self.tokens['staff' if 'staff' in names else 'customer']}"}

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.base + path) as answer:
            return json.load(answer)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def _take_security(document: dict[str, Any]) -> dict[str, set[str]]:
    """Which tokens each operation takes. They are no part of what is made up: else most cases end at the door."""
    needed = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            needed[f"{method.upper()} {path}"] = {name for way in operation.pop("security", []) for name in way}
    document["components"].pop("securitySchemes")
    return needed


async def fuzz(address: str, cases_each: int, chains: int) -> Fuzzed:
    """Run it beside an event loop."""
    fuzz = Fuzz(address)
    await asyncio.to_thread(fuzz.run, cases_each)
    return await asyncio.to_thread(fuzz.run_chains, chains)
