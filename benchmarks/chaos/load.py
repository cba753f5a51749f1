"""The families, clerks and specialists: the cases of the demo, each with persons of its own, filed over HTTP.

A client behaves as a real one: when the line breaks, or the answer is an error that is not its fault, it sends the very
same operation with the same key again, to another gateway.  It gives up never.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import aiohttp

from benchmarks.chaos.world import ROOT, World
from gateway import plain_yaml
from gateway.domain.identity import check_digit

ID_NUMBER = re.compile(r"\b[0-9]{17}[0-9X]\b")
PATIENCE_S = 30.0
"""Longest wait for one answer."""
UNSETTLED = ("APPROVED", "INSTRUCTED", "RETURNED")
"""Sums on which something still has to happen; what is held waits for a person."""


@dataclass
class Filed:
    """One case as its client knows it.  Times are seconds since the epoch."""

    template: int
    title: str
    key: str
    steps: list[dict[str, Any]]
    people: dict[str, dict[str, Any]]
    """Claims of the tokens, by who acts."""
    number: str = ""
    filed_at: float = 0.0
    """When the first step was accepted."""
    through: bool = False
    """Every step is done."""
    done_at: float = 0.0
    numbers: set[str] = field(default_factory=set)
    """Every number a gateway ever named for it."""
    trouble: str = ""


class People:
    """Invented persons with right check digits, no number twice."""

    def __init__(self, chance: random.Random, *known: str) -> None:
        """``known``: numbers somebody has already."""
        self._chance = chance
        self._used = set(known)

    def like(self, number: str) -> str:
        """Same region, same year of birth, same sex."""
        while True:
            day = date(int(number[6:10]), 1, 1) + timedelta(days=self._chance.randrange(365))
            serial = self._chance.randrange(0, 1000, 2) + int(number[16]) % 2
            first = f"{number[:6]}{day:%Y%m%d}{serial % 1000:03d}"
            made = first + check_digit(first)
            if made not in self._used:
                self._used.add(made)
                return made


def story() -> dict[str, Any]:
    """The people and cases that ``make demo`` plays."""
    return plain_yaml.read((ROOT / "gateway" / "demo.yaml").read_text(encoding="utf-8"))


def cases(count: int, seed: int, titles: tuple[str, ...] = ()) -> list[Filed]:
    """That many cases, the templates in turn; ``titles``: only templates whose title begins with one of them."""
    told = story()
    people = People(random.Random(seed))
    chosen = [
        (turn, case)
        for turn, case in enumerate(told["cases"])
        if not titles or any(case["title"].startswith(title) for title in titles)
    ]
    acting = {who["key"]: who["claims"] for who in told["people"]}
    found = []
    for number, (turn, template) in zip(range(count), itertools.cycle(chosen), strict=False):
        key = f"chaos-{seed}-{number:05d}"
        text = json.dumps(template["steps"], ensure_ascii=False)
        true = [old for old in dict.fromkeys(ID_NUMBER.findall(text)) if check_digit(old[:17]) == old[17]]
        fresh = {old: people.like(old) for old in true}
        for old, new in fresh.items():
            text = text.replace(old, new)
        steps = json.loads(text)
        for step in steps:
            _unlike(step, f"{number:05d}")
            if "submitCase" in step.get("document", ""):
                step["input"]["submissionKey"] = key
        claims = json.loads(json.dumps(acting))
        for who in claims.values():
            if who.get("id_number") in fresh:
                who["id_number"] = fresh[who["id_number"]]
                who["sub"] = f"{who['sub']}-{number:05d}"
        found.append(Filed(turn, template["title"], key, steps, claims))
    return found


def _unlike(node: Any, mark: str) -> None:
    """Gives serials and numbers of certificates of their own to one copy of a template."""
    if isinstance(node, list):
        for part in node:
            _unlike(part, mark)
    elif isinstance(node, dict):
        for name, value in node.items():
            certificate = name == "number" and "type" in node
            certificate |= name == "value" and node.get("path") == "deathCertificate.number"
            if isinstance(value, str) and (name == "serial" or certificate):
                node[name] = f"{value}-{mark}"
            else:
                _unlike(value, mark)


@dataclass
class Load:
    """``clients`` at once, and no new case while more than ``in_flight`` are under way."""

    world: World
    cases: list[Filed]
    chance: random.Random
    clients: int = 8
    in_flight: int = 60
    repeats: int = 0
    """Operations sent again after a broken line or an error."""
    errors: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Until every step of every case is done."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        queue = iter(self.cases)
        async with aiohttp.ClientSession(timeout=timeout) as http:

            async def client() -> None:
                for case in queue:
                    if case.through:
                        continue
                    while sum(1 for other in self.cases if other.filed_at and not other.done_at) >= self.in_flight:
                        await asyncio.sleep(0.1)
                    await self._play(http, case)

            await asyncio.gather(*(client() for _ in range(self.clients)))

    async def watch(self, pause_s: float = 0.5) -> None:
        """For ever: notes when each case is done, as the gateways' database shows it."""
        sums = ",".join(f"'{status}'" for status in UNSETTLED)
        moving = f"SELECT number FROM payouts WHERE fen > 0 AND status IN ({sums})"
        closed = f"SELECT number FROM cases WHERE status = 'CLOSED' AND number NOT IN ({moving})"
        while True:
            rows = await self.world.ask(closed)
            now = time.time()
            over = {row.number for row in rows or ()}
            for case in self.cases:
                if case.through and not case.done_at and case.number in over:
                    case.done_at = now
            await asyncio.sleep(pause_s)

    @property
    def done(self) -> int:
        return sum(1 for case in self.cases if case.done_at)

    async def _play(self, http: aiohttp.ClientSession, case: Filed) -> None:
        for step in case.steps:
            if "wait" in step:
                await self._until(http, case, step["wait"])
            elif "counter" in step:
                await self._at_the_counter(http, step["counter"])
            else:
                await self._say(http, case, step)
        case.through = True

    async def _say(self, http: aiohttp.ClientSession, case: Filed, step: dict[str, Any]) -> None:
        text = json.dumps(step["input"], ensure_ascii=False).replace("{number}", case.number)
        body = {"query": step["document"], "variables": {"input": json.loads(text)}}
        data, tries = await self._ask(http, case.people[step["as"]], body)
        answer = next(iter(data.values()))
        problems = answer.get("userErrors")
        # Sent a second time, an act without a key may be refused because the first time it arrived.
        if problems and not step.get("expect_errors") and ("submitCase" in step["document"] or tries == 1):
            case.trouble = f"{step['says']}: {problems[0]['code']} {problems[0]['message']}"
        number = (answer.get("case") or {}).get("number", "") or answer.get("openCaseNumber") or ""
        if number:
            case.number = case.number or number
            case.numbers.add(number)
            case.filed_at = case.filed_at or time.time()

    async def _until(self, http: aiohttp.ClientSession, case: Filed, wait: dict[str, str]) -> None:
        query = "query($n:String!,$i:Slug!){case(number:$n){item(slug:$i){status}}}"
        body = {"query": query, "variables": {"n": case.number, "i": wait["item"]}}
        while True:
            data, _ = await self._ask(http, case.people["administrator"], body)
            if data["case"]["item"]["status"] == wait["status"]:
                return
            await asyncio.sleep(0.5)

    async def _at_the_counter(self, http: aiohttp.ClientSession, what: dict[str, Any]) -> None:
        address = f"{self.world.counters[what['department']]}/applications/{what['key']}/{what['action']}"
        while True:
            try:
                async with http.post(address, json=what.get("options", {})) as answer:
                    await answer.read()
                    if answer.status < 500:
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(0.5)

    async def _ask(self, http: aiohttp.ClientSession, claims: dict[str, Any], body: dict[str, Any]) -> tuple[Any, int]:
        """(data, how often it was sent).  Sends until a gateway answers without an error."""
        headers = {"Authorization": f"Bearer {self._token(claims)}"}
        urls = self.world.urls
        turn = self.chance.randrange(len(urls))
        for tries in itertools.count(1):
            try:
                async with http.post(f"{urls[turn % len(urls)]}/graphql", json=body, headers=headers) as answer:
                    if answer.status == 200:
                        told = await answer.json()
                        if not told.get("errors"):
                            return told["data"], tries
                        code = told["errors"][0].get("extensions", {}).get("code", "")
                        self._count(f"error {code or told['errors'][0].get('message')}")
                    else:
                        self._count(f"status {answer.status}")
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._count(type(error).__name__)
            self.repeats += 1
            turn += 1
            await asyncio.sleep(min(2.0, 0.1 * tries) * self.chance.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    def _count(self, what: str) -> None:
        self.errors[what] = self.errors.get(what, 0) + 1

    def _token(self, claims: dict[str, Any]) -> str:
        mark = f"{claims['sub']}:{claims['role']}"
        if mark not in self._tokens:
            self._tokens[mark] = self.world.issuer.issue(claims, 86_400)
        return self._tokens[mark]
