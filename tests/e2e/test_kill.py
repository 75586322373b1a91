"""The short version of `python -m benchmarks kill9`: the server is killed three times under ten customers."""

import shutil
from pathlib import Path

import pytest

from benchmarks.kill9 import Siege, besiege


@pytest.mark.timeout(900)
async def test_kill_9_loses_repeats_and_reorders_nothing(indexed: Path, tmp_path: Path):
    shutil.copytree(indexed, tmp_path / "data")
    outcome = await besiege(tmp_path, Siege(customers=10, kills=3, longest_life=2.0, between=20))
    counts = outcome.verdict.counts
    assert not outcome.violations, f"{outcome.violations}\n{tmp_path / 'history.jsonl'}"
    assert counts["kills"] == 3
    assert counts["connections lost"] >= 20
    assert counts["acknowledged"] == counts["stored"] >= 50
