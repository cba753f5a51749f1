"""What tests say aloud: people, forms, certificates, and a small world in which use cases run without HTTP.

The people are those of the acceptance scenarios; every number is made up and has a right check digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from gateway.access import rights, tokens
from gateway.access.local_issuer import LocalIssuer
from gateway.access.rights import Viewer
from gateway.domain.case import Case, Item, Payout
from gateway.domain.deadlines import ClockKind, Deadline
from gateway.domain.department import Certificate, Outcome, Payment, PaymentState, Receipt
from gateway.domain.events import Event, WriteBackRefused
from gateway.domain.evidence import Looks
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form, PersonForm
from gateway.domain.identity import IdKind
from gateway.domain.messages import Refused
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.loader import load
from gateway.policy.model import Jurisdiction
from gateway.services import audit, case_care, dispatch, joint_submission, opening, supervision, write_back
from gateway.services.context import Ctx, Outward
from gateway.services.write_back import Ack, Report
from gateway.store import cases, derived
from gateway.store.cases import Actor
from gateway.store.session import Database, Tx, Work

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHEN_FUGEN = "330502193910109559"
SHEN_LIJUAN = "330502196607189625"
CARD = "6222021205001234567"

AFTERCARE = (
    "hukou-deregistration",
    "retirement-pension-stop",
    "pension-funeral-bereavement-claim",
    "medical-benefit-stop",
    "medical-maternity-participation-end",
    "medical-account-settlement",
    "housing-fund-death-withdrawal",
    "veteran-funeral-grant",
    "veteran-pension-stop",
)
"""Items of HZ-607…630 that apply to 沈福根 as ``hz_form`` declares him."""

DECLARED = ("PENSION_RETIREE", "MEDICAL_EMPLOYEE", "HOUSING_FUND", "KEY_PREFERENTIAL")

ASSISTANT = Actor("civil-affairs-assistant", "姚丽", None, "staff-yaoli")
DUTY = Actor("duty-person", "值班员", None, "staff-duty")
"""值守专人."""
DAUGHTER = Actor("family", "沈丽娟", None, "person-lijuan")
SON = Actor("family", "沈建国", None, "person-jianguo")

CONNECTED = frozenset({"health", "civil-affairs", "public-security", "social-security", "medical-insurance"})
CONNECTED |= {"housing-fund", "veterans-affairs"}
OUTWARD = Outward(CONNECTED, frozenset({"medical-insurance", "social-security"}))


def moment(text: str) -> datetime:
    """``2025-11-07 22:10`` in Huzhou."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@cache
def book() -> PolicyBook:
    """The policies as they are delivered."""
    return load()


@cache
def huzhou() -> Jurisdiction:
    return book().version("hz", "2019-10-15")


def hz_deceased(**changes: Any) -> DeceasedForm:
    return replace(DeceasedForm("沈福根", id_number=SHEN_FUGEN, sex="MALE", hukou_area="330502"), **changes)


def unidentified() -> DeceasedForm:
    """无名尸."""
    return DeceasedForm(id_kind=IdKind.UNKNOWN)


def hz_situations(*declared: str) -> dict[str, bool]:
    """Every situation of Huzhou declared false, except these."""
    return {situation.code: situation.code in declared for situation in huzhou().situations}


def hz_account(**changes: Any) -> AccountForm:
    return replace(AccountForm("DESIGNATED", "沈丽娟", CARD, "湖州银行"), **changes)


def hz_form(*declared: str, **changes: Any) -> Form:
    """沈福根, normal death at home in 吴兴区, reported for his daughter 沈丽娟; ``declared``: his situations."""
    form = Form(
        jurisdiction="hz",
        flow="OUTSIDE",
        channel="STAFF_APP",
        area=None,
        deceased=hz_deceased(),
        death=DeathForm(moment("2025-11-07 20:00"), "330502", "吴兴区家中"),
        applicant=PersonForm("沈丽娟", id_number=SHEN_LIJUAN, relation="CHILD", phone="13757210001"),
        situations=hz_situations(*(declared or DECLARED)),
    )
    return replace(form, **changes)


def medical_certificate(number: str = "D-1", issued: str = "2025-11-08 21:30") -> Certificate:
    return Certificate("DEATH_MEDICAL", number, moment(issued), "吴兴区社区卫生服务中心")


def police_certificate(number: str = "F-1", issued: str = "2025-11-08 21:30") -> Certificate:
    return Certificate("DEATH_ABNORMAL", number, moment(issued), "吴兴区公安分局")


def cremation_certificate(number: str = "C-1", issued: str = "2025-11-10 09:30") -> Certificate:
    return Certificate("CREMATION", number, moment(issued), "湖州市殡仪馆")


def payment(serial: str, kind: str, fen: int, state: PaymentState = PaymentState.APPROVED, **more: Any) -> Payment:
    return Payment(serial, kind, fen, state, more.pop("on", moment("2025-11-11 10:00")), **more)


def viewer_of(claims: dict[str, Any]) -> Viewer:
    """Who comes in with a token of the local issuer."""
    issuer, table = LocalIssuer.from_seed(b"s" * 32), rights.load()
    issued = issuer.issue(claims)
    return tokens.read(issued, issuer.key, issuer.trusted(table), table, lambda *parts: ":".join(parts)).viewer


def codes(refused: Refused) -> list[str]:
    return [problem.reason.code.value for problem in refused.problems]


WORLDS: WeakKeyDictionary[Database, World] = WeakKeyDictionary()
"""The world that was last made on a database: what it left there is looked through after each test."""


class World:
    """One deployment without HTTP: a database, a clock moved by hand, and the list of work that was queued."""

    def __init__(self, database: Database, policies: PolicyBook | None = None, outward: Outward = OUTWARD) -> None:
        self.database, self.policies, self.outward = database, policies or book(), outward
        self.now = moment("2025-11-07 22:10")
        self.queued: list[Work] = []
        self.number = ""
        """The case that is spoken of."""
        database.enqueue = lambda connection, work: self.queued.append(work)
        WORLDS[database] = self

    def at(self, text: str) -> World:
        self.now = moment(text)
        return self

    @contextmanager
    def acting(self, actor: Actor = ASSISTANT) -> Iterator[Ctx]:
        """One use case in one transaction."""
        with self.database.write() as tx:
            yield self.ctx(tx, actor)

    def ctx(self, tx: Tx, actor: Actor = ASSISTANT) -> Ctx:
        return Ctx(tx, self.policies, self.now, actor, self.outward)

    # ── what people and departments do ──────────────────────────────────────────────────────────────────

    def submit(
        self,
        form: Form,
        key: str | None = None,
        actor: Actor = ASSISTANT,
        case_number: str | None = None,
        looks: Looks = (),
    ) -> Case:
        with self.acting(actor) as ctx:
            case = joint_submission.submit(ctx, form, key, case_number, looks).case
        self.number = case.number
        return case

    def opened_by(
        self,
        department: str,
        flow: str,
        certificate: Certificate,
        serial: str = "o-1",
        deceased: DeceasedForm | None = None,
        death: DeathForm | None = None,
    ) -> Ack:
        """A certificate opens the case before there is a report."""
        deceased = deceased or hz_deceased()
        death = death or DeathForm(moment("2025-11-07 20:00"), "330502")
        with self.acting(Actor("department-system", department, department, department)) as ctx:
            ack = opening.open_by_certificate(ctx, department, "hz", flow, deceased, death, certificate, serial)
        assert ack.case is not None
        self.number = ack.case.number
        return ack

    def report(self, department: str, slug: str, serial: str, outcome: Outcome | None = None, **more: Any) -> Ack:
        """A department's message on one item."""
        with self.acting(Actor("department-system", department, department, department)) as ctx:
            return write_back.take(ctx, department, self.number, slug, serial, Report(outcome, **more))

    def complete(self, *slugs: str) -> None:
        """The department of each item completes it."""
        for slug in slugs:
            definition = huzhou().item(slug)
            assert definition is not None and definition.department is not None
            ack = self.report(definition.department, slug, f"done-{slug}", Outcome.COMPLETED)
            assert ack.reason is None, ack.reason.zh()

    def certify_death(self) -> Ack:
        return self.report(
            "health", "death-cert-normal", "h-1", Outcome.COMPLETED, certificates=(medical_certificate(),)
        )

    def book_funeral(self) -> Ack:
        return self.report("civil-affairs", "funeral-service", "c-1", Outcome.COMPLETED)

    def cremate(self) -> Ack:
        return self.report(
            "civil-affairs", "cremation-cert", "c-2", Outcome.COMPLETED, certificates=(cremation_certificate(),)
        )

    def until_cremation(self, form: Form | None = None) -> World:
        """AS-14: reported Friday night, certified on Saturday, cremated on Monday 2025-11-10 at 09:30."""
        self.at("2025-11-07 22:10").submit(form or hz_form())
        self.at("2025-11-08 21:30").certify_death()
        self.at("2025-11-08 22:00").book_funeral()
        self.at("2025-11-10 09:30").cremate()
        return self

    def give_account(self, account: AccountForm | None = None) -> Case:
        with self.acting(DAUGHTER) as ctx:
            return case_care.give_account(ctx, self.number, account or hz_account())

    def not_delivered(self, slug: str, ladder: tuple[float, ...] = (10, 60), retryable: bool = True) -> None:
        with self.acting() as ctx:
            dispatch.not_delivered(ctx, self.number, slug, "timeout", ladder, retryable)

    def delivered(self, slug: str, outcome: Outcome = Outcome.RECEIVED, reference: str = "R-1") -> None:
        with self.acting() as ctx:
            dispatch.delivered(ctx, self.number, slug, Receipt(outcome, reference, "00"))

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────

    def case(self, number: str | None = None) -> Case:
        with self.database.read() as tx:
            found = cases.get(tx, number or self.number)
        assert found is not None
        return found

    def item(self, slug: str) -> Item:
        return self.case().items[slug]

    def status(self, slug: str) -> str:
        return self.item(slug).status.value

    def payout(self, name: str) -> Payout:
        """``medical-account-settlement:1``."""
        return self.case().payouts[name]

    def deadline(self, slug: str, clock: ClockKind = ClockKind.PROCESSING) -> Deadline:
        case = self.case()
        policy = self.policies.version(case.jurisdiction, case.policy_version)
        calendar = self.policies.calendars[case.jurisdiction]
        found = decide.deadlines(policy, calendar, case, case.items[slug], self.now)
        return next(deadline for deadline in found if deadline.limit.clock is clock)

    def waits_for(self, slug: str) -> list[str]:
        """Codes of the closed gates before an item."""
        case = self.case()
        policy = self.policies.version(case.jurisdiction, case.policy_version)
        definition = policy.item(slug)
        assert definition is not None
        return [gate.reason.code.value for gate in decide.gates(self.policies, policy, case, definition)]

    def ledger(self) -> list[Event]:
        with self.database.read() as tx:
            return [entry.event for entry in cases.entries(tx, [self.number])[self.number]]

    def refused(self) -> list[WriteBackRefused]:
        """The write-backs that were not taken, as the ledger keeps them."""
        return [event for event in self.ledger() if isinstance(event, WriteBackRefused)]

    def faults(self, number: str | None = None) -> list[str]:
        """What the verifier finds: the chain, and the present state against its fold."""
        with self.database.read() as tx:
            return audit.faults(self.ctx(tx), number or self.number)

    def all_faults(self) -> list[str]:
        """As ``faults``, of every case and every shared record there is."""
        with self.database.read() as tx:
            ctx = self.ctx(tx)
            return [fault for number in derived.numbers(tx, "", 10_000) for fault in audit.faults(ctx, number)]

    def count(self) -> int:
        with self.database.read() as tx:
            return cases.count(tx, cases.CaseFilter())

    def supervision(self, since: str = "2025-11-01 00:00", until: str = "2025-12-01 00:00") -> Any:
        with self.database.read() as tx:
            return supervision.supervise(self.ctx(tx), None, moment(since), moment(until))
