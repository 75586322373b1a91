"""What a conversation is about: chances of each intent, which every message moves (a hidden Markov model's forward pass).

A doubtful message leaves several intents open and a later one may settle which, so that a wrong first reading is not
carried on. "How much is that?" is about all of them alike: such messages are the intents file's `follow_ups`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.classifier import Judgement
from bot.kernel import Rows
from bot.ngrams import Floats
from bot.scope import OUT_SHARE

FOLLOW_UP = "follow up"
"""What the classifier learns messages as that go on with whatever was said before; no intent can have this name."""
STAYS = 0.9
"""How often a message goes on with the conversation's intent. This and what follows are round values from the middle of
wide plateaus on evals/transcripts/larkfield-dev.jsonl and half of larkfield-fresh-dev.jsonl (docs/decisions/0020)."""
DECLINED_STAYS = 0.5
"""The same of a conversation about what is out of scope: many come back to what they came for."""
COURTESIES = 0.15
"""Of the others, the share that only greets or thanks."""
FOR_PEOPLE = 0.08
"""Of the others, the share that asks for a person."""
DECLINES, DECLINES_FIRST = 0.03, 0.08
"""Of the others, and of the first messages, the share that is out of scope."""
DOUBT = 0.05
"""How much of a reading is taken to say nothing."""
SETTLED = 0.9
"""Of a conversation that a keyword or a rule has read."""
LEAST, MOST = 0.02, 8
"""What is less likely is not remembered, nor are more topics."""
EVEN = 0.5

Topics = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Follows conversations: `names` are the intents and, last, the declined one; `columns` where the classifier has them.

    `first` and `next` are chances (names,) of a first message, and of one that leaves what was said before.
    """

    names: tuple[str, ...]
    columns: Rows
    follow_up: int | None
    passing: frozenset[str]
    first: Floats
    next: Floats

    @classmethod
    def over(cls, learnt: Sequence[str], declined: str, courtesies: Collection[str], people: Collection[str]) -> "Course":
        """Over a classifier's names. Courtesies and wishes for people pass: no conversation is about them."""
        columns = np.asarray([place for place, name in enumerate(learnt) if name != FOLLOW_UP], np.int64)
        names = (*(learnt[place] for place in columns), declined)
        follow_up = learnt.index(FOLLOW_UP) if FOLLOW_UP in learnt else None
        shares = {declined: DECLINES}
        shares |= {name: COURTESIES / len(courtesies) for name in courtesies}
        shares |= {name: FOR_PEOPLE / len(people) for name in people}
        rest = (1 - sum(shares.values())) / max(1, len(names) - len(shares))
        first = np.full(len(names), (1 - DECLINES_FIRST) / len(columns), np.float32)
        first[-1] = DECLINES_FIRST
        following = np.asarray([shares.get(name, rest) for name in names], np.float32)
        passing = frozenset([*courtesies, *people])
        return cls(names=names, columns=columns, follow_up=follow_up, passing=passing, first=first, next=following)

    def alone(self, judged: Judgement) -> Judgement:
        """A message by itself; one that goes on with something is still about what it is likeliest about."""
        chances = judged.chances[self.columns]
        return replace(judged, chances=chances / max(float(chances.sum()), 1e-9))

    def judge(self, alone: Judgement, topics: Topics) -> Judgement:
        """A message in a conversation about these topics, by Bayes; `chances` are of `names` without the declined one."""
        likely = self._said(alone) * self._expected(topics)
        likely /= likely.sum()
        outside = float(likely[-1])
        inside = likely[:-1] / likely[:-1].sum()
        return Judgement(chances=inside, in_scope=1 - outside, threshold=EVEN)

    def move(self, judged: Judgement, topics: Topics) -> dict[str, float]:
        """What the conversation is about after a message that was judged so."""
        chances = np.append(judged.chances * judged.in_scope, 1 - judged.in_scope)
        passes = sum(chance for name, chance in zip(self.names, chances, strict=True) if name in self.passing)
        before = self._known(topics) if topics else self._meant(self.first)
        now = passes * before + self._meant(chances)
        return _kept({name: float(chance) for name, chance in zip(self.names, now / now.sum(), strict=True)})

    def settle(self, topics: Topics, name: str) -> dict[str, float]:
        """What the conversation is about once a keyword or a rule has read a message as `name`."""
        if name in self.passing or name not in self.names:
            return dict(topics)
        others = {other: chance for other, chance in topics.items() if other != name}
        total = sum(others.values())
        return _kept({name: SETTLED} | {other: (1 - SETTLED) * chance / total for other, chance in others.items()})

    def _expected(self, topics: Topics) -> Floats:
        if not topics:
            return self.first
        often = np.full(len(self.names), STAYS, np.float32)
        often[-1] = DECLINED_STAYS
        stays = self._known(topics) * often
        expected: Floats = stays + (1 - stays.sum()) * self.next
        return expected

    def _known(self, topics: Topics) -> Floats:
        """What is not named shares what is left."""
        others = self._meant(np.asarray([name not in topics for name in self.names], np.float32))
        left = max(0.0, 1 - sum(topics.values())) / max(1.0, float(others.sum()))
        known = np.asarray([topics.get(name, 0.0) for name in self.names], np.float32) + left * others
        return (known / max(float(known.sum()), 1e-9)).astype(np.float32)

    def _meant(self, chances: Floats) -> Floats:
        """Without what only passes."""
        passes = [name in self.passing for name in self.names]
        return np.where(passes, 0, chances).astype(np.float32)

    def _said(self, alone: Judgement) -> Floats:
        """How likely the message's words are under each name, up to a factor."""
        follows = float(alone.chances[self.follow_up]) if self.follow_up is not None else 0.0
        said = alone.chances[self.columns]
        said = said / max(float(said.sum()), 1e-9)
        blank = follows + DOUBT - follows * DOUBT
        inside = (len(said) * (1 - blank) * said + blank) * alone.in_scope / (1 - OUT_SHARE)
        outside = (1 - alone.in_scope) * (1 - follows) / OUT_SHARE
        return np.append(inside, max(outside, 1e-6))


def _kept(topics: Topics) -> dict[str, float]:
    """Likeliest first, rounded as an entry keeps them."""
    order = sorted(topics, key=lambda name: -topics[name])[:MOST]
    return {name: round(topics[name], 3) for name in order if topics[name] >= LEAST}
