"""The case as a whole: opened, filed, corrected, revoked, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """立案: by a report, or by a certificate before there is a report (HZ-505, HZ-508)."""

    number: str
    jurisdiction: str
    policy_version: str
    flow: str
    area: str
    channel: str
    opened_by: str
    deceased: DeceasedForm
    death: DeathForm
    first_asked: str | None = None
    type: Literal["case.opened"] = "case.opened"


@dataclass(frozen=True, slots=True)
class Reported:
    """报丧 / 申报: the one form was filed."""

    form: Form
    family: tuple[str, ...]
    type: Literal["case.reported"] = "case.reported"


@dataclass(frozen=True, slots=True)
class FlowChanged:
    """死亡情形变更 (HZ-504): normal death could not be confirmed."""

    flow: str
    reason: str
    type: Literal["case.flow_changed"] = "case.flow_changed"


@dataclass(frozen=True, slots=True)
class Identified:
    """身份确认: the identity of an unidentified body became known (PD-21)."""

    deceased: DeceasedForm
    death_at: datetime | None = None
    """Time of death, when it was found out only now."""
    type: Literal["deceased.identified"] = "deceased.identified"


@dataclass(frozen=True, slots=True)
class AccountGiven:
    """提供收款账户: the family gave or replaced the account."""

    account: AccountForm
    type: Literal["account.given"] = "account.given"


@dataclass(frozen=True, slots=True)
class FormCorrected:
    """更正: what was filed is corrected.  ``changed``: form paths."""

    form: Form
    changed: tuple[str, ...]
    reason: str
    family: tuple[str, ...] | None = None
    """Pseudonyms of who may see the case as family from now on; None: as before."""
    type: Literal["form.corrected"] = "form.corrected"


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """申请加入: a second relative (PD-07)."""

    request: str
    name: str
    relation: str | None
    phone: str | None
    subject: str
    type: Literal["join.requested"] = "join.requested"


@dataclass(frozen=True, slots=True)
class JoinAnswered:
    """加入申请的答复."""

    request: str
    accepted: bool
    type: Literal["join.answered"] = "join.answered"


@dataclass(frozen=True, slots=True)
class IdentityVerified:
    """身份核验 against shared data (YN-402)."""

    person: str
    source: str
    outcome: str
    type: Literal["identity.verified"] = "identity.verified"


@dataclass(frozen=True, slots=True)
class Noted:
    """监督记录: on-site inspection or follow-up call (HZ-901)."""

    kind: str
    text: str
    type: Literal["case.noted"] = "case.noted"


@dataclass(frozen=True, slots=True)
class Rated:
    """好差评 (YN-901)."""

    level: str
    comment: str = ""
    type: Literal["case.rated"] = "case.rated"


@dataclass(frozen=True, slots=True)
class Revoked:
    """撤销: the death was recorded in error."""

    reason: str
    type: Literal["case.revoked"] = "case.revoked"


@dataclass(frozen=True, slots=True)
class RevocationFinished:
    """撤销完成: every department that was told has answered."""

    type: Literal["case.revocation_finished"] = "case.revocation_finished"


@dataclass(frozen=True, slots=True)
class Reopened:
    """重新办理: an item was added after the case had been closed."""

    type: Literal["case.reopened"] = "case.reopened"


@dataclass(frozen=True, slots=True)
class Closed:
    """办结: every item is final (PD-08)."""

    type: Literal["case.closed"] = "case.closed"
