"""Judges from outside: what the clients were told, against what the gateway shows and what the departments hold.

lost    a submission that was accepted and has no case; an item that counts as delivered and that no department holds
twice   two cases for one submission; an application under two keys or at two departments; a sum paid twice, or
        told two accounts; something at a department that no case accounts for
stuck   a case, an item or a sum that has not come to its end although everybody answers again
unlike  an item that ended otherwise than in the same case when nothing went wrong
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.load import UNSETTLED, Filed
from benchmarks.chaos.world import ROOT, World

FINAL = ("COMPLETED", "REFUSED", "NOT_APPLICABLE", "WITHDRAWN")
QUERY = """query($n: String!) { case(number: $n) { status
 items { slug status delivery { state } } payouts { itemSlug serial amount netAmount status } } }"""


@dataclass
class Verdict:
    """Each finding is one line that names case and item."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)
    cases: int = 0
    items: int = 0
    delivered: int = 0
    applications: int = 0
    sums_paid: int = 0
    unnoted: list[str] = field(default_factory=list)
    """Items that ended by the department's own result before the gateway could note that the push had arrived."""
    repeats: int = 0
    """Applications and instructions that came to a department again under the same key, and changed nothing."""

    @property
    def good(self) -> bool:
        return not (self.lost or self.twice or self.stuck or self.unlike or self.ledger)


def judge(world: World, cases: list[Filed]) -> Verdict:
    """To be called when nothing moves any more and all processes answer."""
    verdict = Verdict()
    token = world.issuer.issue({"sub": "judge", "name": "judge", "role": "administrator", "area": "000000"}, 3600)
    shown = {case.key: _case(world, token, case.number) if case.number else None for case in cases}
    _submissions(world, cases, shown, verdict)
    held = _books(world, cases, shown, verdict)
    _items(cases, shown, held, verdict)
    _money(world, cases, shown, held, verdict)
    _unlike(cases, shown, verdict)
    _ledgers(world, verdict)
    return verdict


def _case(world: World, token: str, number: str) -> dict[str, Any] | None:
    request = urllib.request.Request(
        f"{world.living}/graphql",
        data=json.dumps({"query": QUERY, "variables": {"n": number}}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    if told.get("errors"):
        raise RuntimeError(f"{number}: {told['errors']}")
    return told["data"]["case"]


def _submissions(world: World, cases: list[Filed], shown: dict[str, Any], verdict: Verdict) -> None:
    for case in cases:
        if not case.number:
            verdict.stuck.append(f"{case.key}: was never accepted ({case.trouble})")
        elif shown[case.key] is None:
            verdict.lost.append(f"{case.key}: accepted as {case.number}, which is no case")
        elif case.trouble or not case.through:
            verdict.stuck.append(f"{case.number}: {case.trouble or 'its client did not come through'}")
        if len(case.numbers) > 1:
            verdict.twice.append(f"{case.key}: got the numbers {sorted(case.numbers)}")
    known = {case.number for case in cases}
    there = [row.number for row in world.rows("SELECT number FROM cases")]
    verdict.cases = len(there)
    verdict.twice += [f"{number}: a case that no client knows" for number in there if number not in known]


def _books(
    world: World, cases: list[Filed], shown: dict[str, Any], verdict: Verdict
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """key → (department, application), of all departments; finds what is there under two keys."""
    held: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    keys = {f"{c.number}.{item['slug']}" for c in cases if shown[c.key] for item in shown[c.key]["items"]}
    deceased = {case.number: _deceased(case) for case in cases}
    for code in world.known:
        same: dict[tuple[str, str], list[str]] = defaultdict(list)
        for application in world.applications(code):
            key = application["key"]
            if not application["item"]:
                continue  # a source's record of a person, put in at its counter
            held[key].append((code, application))
            verdict.applications += 1
            if key not in keys:
                verdict.twice.append(f"{code} holds {key}, which no case accounts for")
            person = deceased.get(key.partition(".")[0])
            if person and not application["undoes"]:
                same[application["item"], person].append(key)
        for (item, _), found in same.items():
            if len(found) > 1:
                verdict.twice.append(f"{code} holds {item} of one person as {found}")
    return held


def _deceased(case: Filed) -> str:
    for step in case.steps:
        number = step.get("input", {}).get("deceased", {}).get("idNumber")
        if number:
            return str(number)
    return ""


def _items(cases: list[Filed], shown: dict[str, Any], held: dict[str, list[Any]], verdict: Verdict) -> None:
    for case in cases:
        found = shown[case.key]
        if found is None:
            continue
        if found["status"] != "CLOSED":
            verdict.stuck.append(f"{case.number} ({case.title}): {found['status']}")
        for item in found["items"]:
            verdict.items += 1
            key, state = f"{case.number}.{item['slug']}", item["delivery"]["state"]
            if item["status"] not in FINAL:
                verdict.stuck.append(f"{key}: {item['status']}, push {state}")
            verdict.delivered += state == "DELIVERED"
            if held.get(key) and state != "DELIVERED":
                verdict.unnoted.append(f"{key}: {item['status']}, push {state}")
            if state == "DELIVERED" and not held.get(key):
                verdict.lost.append(f"{key}: delivered, and no department holds it")
            if len(held.get(key, ())) > 1:
                verdict.twice.append(f"{key}: held by {[code for code, _ in held[key]]}")


def _money(
    world: World, cases: list[Filed], shown: dict[str, Any], held: dict[str, list[Any]], verdict: Verdict
) -> None:
    paid: dict[tuple[str, str, str], int] = defaultdict(int)
    accounts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for code, _, what, key, serial, detail in world.journal(("paid", "instructed", "repeated")):
        if what == "paid":
            paid[code, key, serial] += 1
        elif what == "instructed":
            verdict.repeats += bool(accounts[code, key, serial])
            accounts[code, key, serial].add(detail)
        else:
            verdict.repeats += 1
    verdict.sums_paid = len(paid)
    verdict.twice += [f"{code}: {key} sum {serial} paid {n} times" for (code, key, serial), n in paid.items() if n > 1]
    verdict.twice += [
        f"{code}: {key} sum {s} told {len(a)} accounts" for (code, key, s), a in accounts.items() if len(a) > 1
    ]
    for case in cases:
        told: dict[str, int] = defaultdict(int)
        for payout in (shown[case.key] or {}).get("payouts", ()):
            key, fen = f"{case.number}.{payout['itemSlug']}", round(float(payout["amount"]) * 100)
            if fen > 0 and payout["status"] in UNSETTLED:
                verdict.stuck.append(f"{key}: sum {payout['serial']} is {payout['status']}")
            told[key] += fen if payout["status"] == "PAID" else 0
        for key, fen in told.items():
            there = sum(s["fen"] for _, a in held.get(key, ()) for s in a["sums"] if s["state"] == "paid")
            if there != fen:
                verdict.unlike.append(f"{key}: paid {fen} fen says the gateway, {there} fen say the departments")


def _unlike(cases: list[Filed], shown: dict[str, Any], verdict: Verdict) -> None:
    """The first case of each template ran before anything went wrong."""
    quiet: dict[int, dict[str, str]] = {}
    for case in cases:
        found = shown[case.key]
        if found is None:
            continue
        ended = {item["slug"]: item["status"] for item in found["items"]}
        usual = quiet.setdefault(case.template, ended)
        for slug in sorted({*usual, *ended}):
            now = ended.get(slug, "not there")
            if now in (*FINAL, "not there") and now != usual.get(slug):
                verdict.unlike.append(f"{case.number}.{slug}: {now}, in the quiet case {usual.get(slug)}")


def _ledgers(world: World, verdict: Verdict) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "verify"],
        env={**world.gateways[0].environment, "COLUMNS": "300"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        verdict.ledger += (done.stdout + done.stderr).strip().splitlines() or [f"verify ended with {done.returncode}"]


def takeovers(world: World, kills: list[Any]) -> list[tuple[float, float, int]]:
    """(seconds to the first, seconds to the last, pieces) of each killed gateway that had begun work.

    The time runs from the kill to the moment another gateway has ended a piece of work that the dead one had begun and
    not ended: its effect, or its failure, then stands in the ledger.
    """
    found = []
    for kill in kills:
        ended = []
        for name in kill.held:
            what = "executor_id AS executor, updated_at AS at, status"
            for row in world.rows(f"SELECT {what} FROM {world.work_table} WHERE workflow_uuid = :n", n=name):
                if row.status == "SUCCESS" and row.executor != kill.executor:
                    ended.append(row.at / 1000 - kill.at)
        if ended:
            found.append((min(ended), max(ended), len(ended)))
    return found
