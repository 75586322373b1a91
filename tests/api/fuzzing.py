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
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup

from tests.api.conftest import PASSWORD

NO_SCHEMA_SAYS = {"message_refused", "cursor", "documents", "form", "staff_invalid"}
"""Refusals of what is as documented: a text of invisible characters, a cursor of the caller's own, a broken file."""
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


class Fuzz:
    """Cases against one server."""

    def __init__(self, address: str) -> None:
        self.base = f"{address}/api/v1"
        self.result = Fuzzed()
        document = self._get("/openapi.json")
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

    def _run_one(self, strategy: Any, operation: Any, cases: int, from_seed: int) -> None:
        @seed(from_seed)
        @settings(
            max_examples=max(1, cases),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, with_token=st.integers(0, 9))
        def one(case: Any, with_token: int) -> None:
            self._call(case, operation, with_token > 0)

        try:
            one()
        except Unsatisfiable:
            self.result.barren.add(operation.label)

    def _call(self, case: Any, operation: Any, with_token: bool) -> None:
        headers = {}
        if with_token:
            names = {name for way in operation.definition.raw.get("security", []) for name in way}
            name = "staff" if "staff" in names else "customer"
            headers = {"Authorization": f"Bearer {self.tokens[name]}"} if names else {}
        if operation.label == "DELETE /chat/session" or (case.query or {}).get("wait"):
            headers = {} if operation.label == "DELETE /chat/session" else headers
            if case.query:
                case.query.pop("wait", None)
        response = case.call(headers=headers, timeout=60)
        self.result.cases += 1
        self.result.statuses[response.status_code] += 1
        if response.status_code in CUT_OFF:
            return
        refused = response.status_code in (400, 422) and response.json().get("code") in NO_SCHEMA_SAYS
        try:
            case.validate_response(response, checks=self.but_acceptance if refused else self.checks, headers=headers)
        except (Failure, FailureGroup) as failure:
            told = f"{operation.label}: {failure}\n{case.as_curl_command()}\n{response.status_code} {response.text[:300]}"
            self.result.failures.append(told[:1500])

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.base + path) as answer:
            return json.load(answer)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


async def fuzz(address: str, cases_each: int) -> Fuzzed:
    """Run it beside an event loop."""
    return await asyncio.to_thread(lambda: Fuzz(address).run(cases_each))
