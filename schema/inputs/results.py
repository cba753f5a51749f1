"""What departments send: results, certificates, payments, what they did on shared data."""

from __future__ import annotations

import strawberry

from gateway.domain import department as port
from schema.enums import (
    Flow,
    PaymentState,
    ReversalAnswer,
)
from schema.inputs.form import DeathInput, DeceasedInput
from schema.scalars import Slug, Time, Yuan, fen


@strawberry.input(description="证照.")
class CertificateInput:
    type: str = strawberry.field(description="证照类型代码.")
    number: str = strawberry.field(description="证照编号.")
    issued_at: Time = strawberry.field(description="出具时间.")
    issuer: str | None = strawberry.field(default=None, description="出具机构.")

    def to_domain(self) -> port.Certificate:
        return port.Certificate(self.type, self.number, self.issued_at, self.issuer)


@strawberry.input(description="款项.")
class PaymentInput:
    serial: str = strawberry.field(description="部门的款项编号.")
    kind: str = strawberry.field(description="款项种类代码.")
    amount: Yuan = strawberry.field(description="金额（元）.")
    state: PaymentState = strawberry.field(default=PaymentState.APPROVED, description="状态.")
    at: Time | None = strawberry.field(default=None, description="发生时间; omitted: now.")
    reason: str | None = strawberry.field(default=None, description="退汇原因.")

    def to_domain(self, now: Time) -> port.Payment:
        return port.Payment(self.serial, self.kind, fen(self.amount), self.state, self.at or now, self.reason)


@strawberry.input(description="其他结果: one named result.")
class DetailInput:
    name: str = strawberry.field(description="名称.")
    value: str = strawberry.field(description="取值.")


@strawberry.input(description="证照立案 (HZ-505, HZ-508): a certificate opens the case before a report is filed.")
class OpenCaseInput:
    jurisdiction: str = strawberry.field(description="地区代号.")
    flow: Flow = strawberry.field(description="死亡情形.")
    serial: str = strawberry.field(description="部门的消息流水号: the same again is the same message.")
    deceased: DeceasedInput = strawberry.field(description="逝者.")
    death: DeathInput = strawberry.field(description="亡故信息.")
    certificate: CertificateInput = strawberry.field(description="证照.")


@strawberry.input(description="受理回传.")
class AcceptItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号: the same again is the same message (PD-06).")
    reference: str | None = strawberry.field(default=None, description="部门受理号.")


@strawberry.input(description="办结回传.")
class CompleteItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reference: str | None = strawberry.field(default=None, description="部门受理号.")
    certificates: list[CertificateInput] = strawberry.field(default_factory=list, description="一并出具的证照.")
    payments: list[PaymentInput] = strawberry.field(default_factory=list, description="一并核定的款项.")
    details: list[DetailInput] = strawberry.field(default_factory=list, description="其他结果.")


@strawberry.input(description="不予办理回传.")
class RefuseItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reason: str = strawberry.field(description="理由.")


@strawberry.input(description="补正通知.")
class RequestCorrectionInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reason: str = strawberry.field(description="原因.")
    missing: list[str] = strawberry.field(default_factory=list, description="需补正的内容.")


@strawberry.input(description="不适用回传: the department's own data show that there is nothing to do.")
class DeclareItemNotApplicableInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reason: str = strawberry.field(description="核实情况.")


@strawberry.input(description="上传证照.")
class AttachCertificateInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    certificate: CertificateInput = strawberry.field(description="证照.")


@strawberry.input(description="转办 (HZ-504): the kind of death is another one, e.g. normal death cannot be confirmed.")
class ReferItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reason: str = strawberry.field(description="理由.")


@strawberry.input(description="款项回传: approved, instructed, paid or returned.")
class ReportPayoutInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    payout: PaymentInput = strawberry.field(description="款项.")


@strawberry.input(description="恢复回传: the answer to a reversal.")
class AnswerReversalInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    outcome: ReversalAnswer = strawberry.field(description="结果.")
    reason: str | None = strawberry.field(default=None, description="说明; needed when it is refused.")
    reference: str | None = strawberry.field(default=None, description="部门受理号.")


@strawberry.input(description="共享证照.")
class ShareCertificateInput:
    jurisdiction: str = strawberry.field(description="地区代号.")
    deceased: DeceasedInput = strawberry.field(description="逝者; the ID number is needed.")
    death: DeathInput = strawberry.field(default_factory=DeathInput, description="亡故信息.")
    certificate: CertificateInput = strawberry.field(description="证照.")


@strawberry.input(description="登记停发 (YY-514).")
class RecordStopInput:
    jurisdiction: str = strawberry.field(description="地区代号.")
    id_number: str = strawberry.field(description="逝者证件号码.")
    item: Slug = strawberry.field(description="事项代号, one of the own department that is made on shared data.")
    serial: str = strawberry.field(description="部门的消息流水号.")
    reference: str | None = strawberry.field(default=None, description="部门受理号.")
