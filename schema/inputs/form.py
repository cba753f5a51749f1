"""What a family files: the form and its parts."""

from __future__ import annotations

from datetime import date

import strawberry

from gateway.domain import form as f
from schema.enums import (
    AccountKind,
    Capacity,
    Flow,
    IdKind,
    Relation,
    Sex,
)
from schema.scalars import AreaCode, Slug, Time


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
    file: str | None = strawberry.field(
        default=None, description="文件摘要, of a file that lies elsewhere, e.g. with the portal."
    )
    upload: strawberry.ID | None = strawberry.field(
        default=None, description="已上传的文件, as `POST /uploads` answered."
    )


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
            materials=tuple(f.MaterialForm(m.type, m.name, m.file, m.upload) for m in self.materials),
            commitments=tuple(self.commitments),
            answers={answer.path: answer.value for answer in self.answers},
        )
