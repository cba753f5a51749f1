"""Inputs: one object per mutation, and what they share.  ``to_domain`` translates; nothing is decided here."""

from __future__ import annotations

from datetime import date

import strawberry

from gateway.domain import department as port
from gateway.domain import form as f
from schema.enums import (
    AccountKind,
    Capacity,
    Flow,
    IdKind,
    PaymentState,
    Relation,
    ReversalAnswer,
    Sex,
    SupervisionKind,
)
from schema.scalars import AreaCode, Slug, Time, Yuan, fen


@strawberry.input(description="逝者.")
class DeceasedInput:
    name: str | None = strawberry.field(default=None, description="姓名; omit for an unidentified body.")
    id_kind: IdKind = strawberry.field(default=IdKind.RESIDENT_ID, description="证件类型; UNKNOWN: 身份不明.")
    id_number: str | None = strawberry.field(default=None, description="证件号码.")
    sex: Sex = strawberry.field(default=Sex.UNKNOWN, description="性别.")
    birth_date: date | None = strawberry.field(default=None, description="出生日期.")
    ethnicity: str | None = strawberry.field(default=None, description="民族.")
    hukou_area: AreaCode | None = strawberry.field(default=None, description="户籍所在地行政区划代码.")
    hukou_address: str | None = strawberry.field(default=None, description="户籍地址.")
    police_station: str | None = strawberry.field(default=None, description="所属派出所 (YY-304).")

    def to_domain(self) -> f.DeceasedForm:
        return f.DeceasedForm(
            self.name,
            self.id_kind,
            self.id_number,
            self.sex.value,
            self.birth_date,
            self.ethnicity,
            self.hukou_area,
            self.hukou_address,
            self.police_station,
        )


@strawberry.input(description="亡故信息.")
class DeathInput:
    occurred_at: Time | None = strawberry.field(default=None, description="死亡时间.")
    area: AreaCode | None = strawberry.field(default=None, description="死亡地点行政区划代码.")
    place: str | None = strawberry.field(default=None, description="死亡地点.")
    cause: str | None = strawberry.field(default=None, description="死亡原因.")
    cause_kind: str | None = strawberry.field(default=None, description="非正常死亡原因类别代码 (HZ-103).")

    def to_domain(self) -> f.DeathForm:
        return f.DeathForm(self.occurred_at, self.area, self.place, self.cause, self.cause_kind)


@strawberry.input(description="申请人或领取人.")
class PersonInput:
    name: str | None = strawberry.field(default=None, description="姓名.")
    id_kind: IdKind = strawberry.field(default=IdKind.RESIDENT_ID, description="证件类型.")
    id_number: str | None = strawberry.field(default=None, description="证件号码.")
    phone: str | None = strawberry.field(default=None, description="联系电话.")
    relation: Relation | None = strawberry.field(default=None, description="与逝者关系.")
    address: str | None = strawberry.field(default=None, description="联系地址.")
    sex: Sex | None = strawberry.field(default=None, description="性别 (YY-306).")
    capacity: Capacity | None = strawberry.field(default=None, description="法律身份.")

    def to_domain(self) -> f.PersonForm:
        return f.PersonForm(
            self.name,
            self.id_kind,
            self.id_number,
            self.phone,
            self.relation.value if self.relation else None,
            self.address,
            self.sex.value if self.sex else None,
            self.capacity.value if self.capacity else None,
        )


@strawberry.input(description="收款账户.")
class AccountInput:
    kind: AccountKind | None = strawberry.field(
        default=None, description="账户归属; omitted: as the payee rule of the place means it."
    )
    holder: str | None = strawberry.field(default=None, description="户名.")
    number: str | None = strawberry.field(default=None, description="账号.")
    bank: str | None = strawberry.field(default=None, description="开户银行.")
    branch: str | None = strawberry.field(default=None, description="支行.")
    fallback_reason: str | None = strawberry.field(default=None, description="使用申请人账户的特殊原因.")

    def to_domain(self) -> f.AccountForm:
        kind = self.kind.value if self.kind else None
        return f.AccountForm(kind, self.holder, self.number, self.bank, self.branch, self.fallback_reason)


@strawberry.input(description="情形申报: one fact about the deceased.")
class SituationInput:
    code: str = strawberry.field(description="情形代码, from `jurisdiction.situations`.")
    holds: bool = strawberry.field(description="是否属于; a situation that is not known is left out.")


@strawberry.input(description="材料.")
class MaterialInput:
    type: str = strawberry.field(description="材料代码.")
    name: str | None = strawberry.field(default=None, description="文件名.")
    file: str | None = strawberry.field(default=None, description="文件摘要.")


@strawberry.input(description="其他表单项: a field of the form that has no place of its own.")
class AnswerInput:
    path: str = strawberry.field(description="字段路径, from `jurisdiction.form`, e.g. funeral.pickupAddress.")
    value: str = strawberry.field(description="内容; times in RFC 3339.")


@strawberry.input(description="联办申请 / 报丧: the one form.")
class SubmitCaseInput:
    jurisdiction: str = strawberry.field(description="地区代号.")
    flow: Flow = strawberry.field(description="死亡情形.")
    channel: str = strawberry.field(description="渠道代码.")
    area: AreaCode | None = strawberry.field(
        default=None, description="办理区域代码; omitted: the place of death inside the jurisdiction."
    )
    case_number: str | None = strawberry.field(
        default=None,
        description="已由证照立案的办件编号; needed for an unidentified body only.",
    )
    submission_key: str | None = strawberry.field(
        default=None,
        description="提交标识: the same key with the same content gives the same case; at most 128 characters.",
    )
    deceased: DeceasedInput = strawberry.field(description="逝者.")
    death: DeathInput = strawberry.field(description="亡故信息.")
    applicant: PersonInput | None = strawberry.field(default=None, description="申请人（家属）.")
    payee: PersonInput | None = strawberry.field(default=None, description="领取人.")
    account: AccountInput | None = strawberry.field(default=None, description="收款账户.")
    situations: list[SituationInput] = strawberry.field(default_factory=list, description="情形.")
    items: list[Slug] = strawberry.field(default_factory=list, description="勾选的事项, where items are chosen.")
    materials: list[MaterialInput] = strawberry.field(default_factory=list, description="材料.")
    commitments: list[str] = strawberry.field(default_factory=list, description="承诺代码.")
    answers: list[AnswerInput] = strawberry.field(default_factory=list, description="其他表单项.")

    def to_domain(self) -> f.Form:
        return f.Form(
            jurisdiction=self.jurisdiction,
            flow=self.flow.value,
            channel=self.channel,
            area=self.area,
            deceased=self.deceased.to_domain(),
            death=self.death.to_domain(),
            applicant=self.applicant.to_domain() if self.applicant else None,
            payee=self.payee.to_domain() if self.payee else None,
            account=self.account.to_domain() if self.account else None,
            situations={situation.code: situation.holds for situation in self.situations},
            items=tuple(self.items),
            materials=tuple(f.MaterialForm(m.type, m.name, m.file) for m in self.materials),
            commitments=tuple(self.commitments),
            answers={answer.path: answer.value for answer in self.answers},
        )


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


@strawberry.input(description="亲属申请加入 (PD-07).")
class AskToJoinInput:
    case_number: str = strawberry.field(description="办件编号.")
    applicant: PersonInput = strawberry.field(description="申请加入的亲属.")


@strawberry.input(description="答复加入申请.")
class AnswerJoinInput:
    case_number: str = strawberry.field(description="办件编号.")
    request: strawberry.ID = strawberry.field(description="申请编号.")
    accepted: bool = strawberry.field(description="是否同意.")


@strawberry.input(description="确认逝者身份 (PD-21).")
class IdentifyDeceasedInput:
    case_number: str = strawberry.field(description="办件编号.")
    deceased: DeceasedInput = strawberry.field(description="逝者.")
    death_occurred_at: Time | None = strawberry.field(
        default=None, description="死亡时间, where it was found out only now."
    )


@strawberry.input(description="提供收款账户.")
class GiveAccountInput:
    case_number: str = strawberry.field(description="办件编号.")
    account: AccountInput = strawberry.field(description="账户.")


@strawberry.input(description="答复补正.")
class AnswerCorrectionInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    answer: str = strawberry.field(description="补正说明.")


@strawberry.input(description="登记证明: a certificate that a gate waits for and no item issues (HZ-705).")
class AttachEvidenceInput:
    case_number: str = strawberry.field(description="办件编号.")
    certificate: CertificateInput = strawberry.field(description="证照.")


@strawberry.input(description="平台内办结: an item done by the duty person in the platform (HZ-606).")
class CompletePlatformItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    details: list[DetailInput] = strawberry.field(default_factory=list, description="结果.")


@strawberry.input(description="人工重新推送.")
class RedriveItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    reversal: bool = strawberry.field(default=False, description="重新推送的是恢复要求: drives its reversal instead.")


@strawberry.input(description="更正的一项: one field of the form.")
class ChangeInput:
    path: str = strawberry.field(
        description="字段路径, as in `jurisdiction.form`; situation.<CODE> for a situation (true, false)."
    )
    value: str | None = strawberry.field(default=None, description="新值, as text; null clears the field.")


@strawberry.input(description="更正.")
class CorrectCaseInput:
    case_number: str = strawberry.field(description="办件编号.")
    reason: str = strawberry.field(description="更正原因; told to the departments it concerns.")
    changes: list[ChangeInput] = strawberry.field(default_factory=list, description="更正的内容.")
    items: list[Slug] = strawberry.field(default_factory=list, description="增加的事项.")


@strawberry.input(description="撤回一个事项.")
class WithdrawItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    reason: str = strawberry.field(description="撤回原因.")


@strawberry.input(description="撤销办件: the death was recorded in error.")
class RevokeCaseInput:
    case_number: str = strawberry.field(description="办件编号.")
    reason: str = strawberry.field(description="撤销原因.")


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


@strawberry.input(description="平台内不予办理.")
class RefusePlatformItemInput:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    reason: str = strawberry.field(description="理由.")


@strawberry.input(description="好差评.")
class RateCaseInput:
    case_number: str = strawberry.field(description="办件编号.")
    level: str = strawberry.field(description="评价等级代码, from `jurisdiction.rating`.")
    comment: str = strawberry.field(default="", description="评价内容.")


@strawberry.input(description="监督记录 (HZ-901).")
class RecordSupervisionInput:
    case_number: str = strawberry.field(description="办件编号.")
    kind: SupervisionKind = strawberry.field(description="监督方式.")
    text: str = strawberry.field(description="内容.")


@strawberry.input(description="移动沙箱时钟: development only.")
class MoveSandboxClockInput:
    to: Time = strawberry.field(description="移到的时间.")
