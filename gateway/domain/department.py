"""The port: what the gateway asks a department, and what a department may answer.

Everything a department's system has of its own (wire format, codes, encodings, error texts) ends in
its adapter; on this side there are only the shapes below.  Adapters import this module and
``adapters.kit`` and nothing else of ours.

Units: money is an integer in fen (分, 1/100 yuan); times are timezone-aware ``datetime``; dates are the
jurisdiction's own calendar dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What a department says of one application.  申报 → 接件 → 受理 → 审核 → 办结 are different words."""

    RECEIVED = "RECEIVED"
    """接件: registered in the department's own system; nobody has decided anything yet."""
    ACCEPTED = "ACCEPTED"
    """受理: the department has taken the application up."""
    CORRECTION = "CORRECTION"
    """补正: something is missing or wrong; ``Record.reason`` and ``Record.missing`` say what."""
    COMPLETED = "COMPLETED"
    """办结: the act is done in the department's own system."""
    REFUSED = "REFUSED"
    """不予办理: refused; ``Record.reason`` says why."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """无此待遇: the department's own data shows that there is nothing to do for this person."""


class PaymentState(StrEnum):
    """Where one sum of money stands in the department's own books."""

    APPROVED = "APPROVED"
    """核定: the amount is decided; no money has moved."""
    INSTRUCTED = "INSTRUCTED"
    """已报盘: the department has sent the order to its bank."""
    PAID = "PAID"
    """已发放: the money is on the account."""
    RETURNED = "RETURNED"
    """退汇: the bank sent the money back; ``Payment.reason`` says why."""


@dataclass(frozen=True, slots=True)
class Deceased:
    """逝者 as sent to a department.  ``name`` and ``id_number`` are None for an unidentified body (HZ-104)."""

    name: str | None
    id_kind: str
    """``RESIDENT_ID`` | ``RESIDENCE_PERMIT`` | ``PASSPORT`` | ``OTHER`` | ``UNKNOWN``."""
    id_number: str | None
    sex: str
    """``MALE`` | ``FEMALE`` | ``UNKNOWN``."""
    birth_date: date | None = None
    ethnicity: str | None = None
    hukou_area: str | None = None
    """GB/T 2260 code, 6 digits, or 9 to 12 digits down to township and village."""
    hukou_address: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """亡故信息."""

    kind: str
    """Death flow: ``OUTSIDE`` | ``INSIDE`` | ``ABNORMAL`` (HZ §6.2), as the policy names it."""
    occurred_at: datetime | None = None
    area: str | None = None
    """Administrative code of the place of death."""
    place: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """申请人: who submitted; not necessarily who is paid."""

    name: str
    id_number: str | None
    phone: str | None
    relation: str | None
    """``SPOUSE`` | ``CHILD`` | ``PARENT`` | ``GRANDCHILD_PATERNAL`` | ``GRANDCHILD_MATERNAL`` | ``SIBLING`` | …"""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The bank account money goes to, already chosen by the jurisdiction's account rule."""

    holder: str
    number: str
    bank: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """An electronic certificate (电子证照) by number.  ``type``: ``DEATH_MEDICAL``, ``DEATH_ABNORMAL``,
    ``CREMATION``, ``DEREGISTRATION``, ``HEIR_QUALIFICATION``, … as the policy's catalogue names it."""

    type: str
    number: str
    issued_at: datetime
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """One item of one case, sent to one department: 推送.

    ``key`` is the idempotency key: ASCII letters, digits, ``.`` and ``-``, at most 64 characters, the same
    however often the application is sent.  A department must make one application of it (PD-16).
    """

    key: str
    case_number: str
    item: str
    """Jurisdiction-neutral slug of the item, e.g. ``hukou-deregistration`` (requirements.md §6)."""
    item_name: str
    """Official Chinese name in this jurisdiction."""
    area: str
    """Administrative code of the jurisdiction's area that handles the case."""
    deceased: Deceased
    death: Death
    pushed_at: datetime
    applicant: Applicant | None = None
    account: Account | None = None
    """None when the jurisdiction's payee rule is not set (PD-20): the department may approve, not pay."""
    certificates: tuple[Certificate, ...] = ()
    business_types: tuple[str, ...] = ()
    """Business types within the item, e.g. ``pension-claim.retiree`` (HZ-610…613)."""
    due_at: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """Further form fields this item needs, by form path, e.g. ``funeral.pickupAddress``."""
    correction: int = 0
    """0 for the first application; 1, 2 … when the family has answered a request for correction (补正), or when what
    this department was told was corrected in the case (更正): then the same key comes again with the new content."""
    correction_answer: str | None = None
    reverses: str | None = None
    """撤销（恢复）: key of the application this one asks to undo, because the death was recorded in error or the family
    took it back.  None for an ordinary application.  ``key`` is then ``reverses`` with ``.R`` behind it; the department
    answers as to any application: COMPLETED when it is undone, REFUSED with the reason when it cannot be.  It must take
    a reversal of something it holds no application of: it may have acted on shared data."""
    reversal_reason: str | None = None
    """Why it is to be undone, in words."""
    department: str = ""
    """Code of the department that handles the item; what a hub of many departments routes by (YN-1003)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A department's answer to being told something."""

    outcome: Outcome
    reference: str | None
    """The department's own serial number (受理号)."""
    raw_code: str
    raw_message: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One sum in the department's books.  ``serial`` is the department's own number of this sum."""

    serial: str
    kind: str
    """``FUNERAL_GRANT`` | ``BEREAVEMENT_PAYMENT`` | ``ACCOUNT_LUMP_SUM`` | ``MEDICAL_ACCOUNT_BALANCE`` |
    ``HOUSING_FUND_BALANCE`` | ``VETERAN_FUNERAL_GRANT`` | ``SURVIVOR_BENEFIT`` | ``DEPOSIT`` | ``INSURANCE_BENEFIT`` |
    ``ECO_BURIAL_REWARD``; catalogued in the policy data."""
    fen: int
    """Amount in fen.  Negative only for a medical account that settled negative (WZ-344)."""
    state: PaymentState
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The present record of one application in the department's own system: read, or called back."""

    key: str
    outcome: Outcome
    raw_code: str
    updated_at: datetime
    """When the department last changed it, by the department's clock."""
    reference: str | None = None
    raw_message: str = ""
    reason: str | None = None
    missing: tuple[str, ...] = ()
    """What to correct, in the department's words (补正材料)."""
    payments: tuple[Payment, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    """Further results, e.g. ``bookedAt``, ``effectiveMonth``, ``answer``; values are text."""


@dataclass(frozen=True, slots=True)
class PaymentInstruction:
    """Tells a department which account a sum it approved is to be paid to.  ``key`` as in Application."""

    key: str
    application_key: str
    serial: str
    """``Payment.serial`` of the sum."""
    kind: str
    fen: int
    """Net amount to pay, in fen; after deductions (WZ-703), never negative."""
    account: Account


@dataclass(frozen=True, slots=True)
class Callback:
    """A message the department sent to us of its own accord, translated."""

    serial: str
    """The department's own number of this message: the idempotency key of the write-back (PD-06)."""
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a source of shared data (共享数据, 电子证照库) holds of one person, living or dead."""

    id_number: str
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    ethnicity: str | None = None
    hukou_area: str | None = None
    hukou_address: str | None = None
    died_at: datetime | None = None
    death_area: str | None = None
    cremation_area: str | None = None
    certificates: tuple[Certificate, ...] = ()
    materials: tuple[str, ...] = ()
    """Codes of papers the source holds, so that nobody is asked for them (YN-403)."""


class DepartmentError(Exception):
    """A department could not be asked, or its answer could not be used.

    ``retryable`` says whether the same question may be put again.  Messages never carry personal data.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DepartmentUnavailable(DepartmentError):
    """No connection, no answer in time, or the department says it is closed.  It may or may not have acted."""


class DepartmentUnintelligible(DepartmentError):
    """The department answered something that is not its format, or a code that is not in its table."""


class DepartmentRejected(DepartmentError):
    """The department understood and will never take this message (wrong business code, bad signature)."""

    retryable = False


class Department(Protocol):
    """One department's existing system.  Every call may raise ``DepartmentError`` and nothing else."""

    async def submit(self, application: Application) -> Receipt:
        """Push one application.  Sending the same ``key`` twice must make one application there."""
        ...

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        """Present records of many applications in ONE call; a key the department does not know is absent."""
        ...

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        """Tell the department the account to pay.  Raises ``DepartmentRejected`` where it takes no instruction."""
        ...

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Translate a message the department sent to us.  Raises ``DepartmentUnintelligible``."""
        ...

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        """Body and content type of our answer to its message, in its own format; ``error`` None = taken."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class EvidenceSource(Protocol):
    """A platform of shared data: a city's data-sharing platform, a province's e-certificate library.

    Every call may raise ``DepartmentError`` and nothing else.
    """

    async def look_up(self, id_numbers: Sequence[str]) -> Mapping[str, Holding]:
        """What is held of these persons, in ONE call; a person of whom nothing is held is absent."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
