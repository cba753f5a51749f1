"""The form and what stands around it, as data: enough to draw it, and to print it."""

from __future__ import annotations

from datetime import date

import strawberry

from gateway.domain.materials import KINDS
from gateway.policy import model as p
from gateway.policy import served
from gateway.policy.book import PolicyBook
from gateway.policy.check import refused_flow
from schema.enums import AccountKind, Flow
from schema.policy_enums import AreaLevel, FieldType, SharedUse, WithdrawalItems, WithdrawalUntil
from schema.scalars import AreaCode, RequirementId, Slug
from schema.types.common import Reason
from schema.types.words import PolicyCode, PolicyCondition


@strawberry.type(description="渠道: one way in.")
class Channel:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")
    qr_code: str | None = strawberry.field(
        description="专用二维码: path of its QR code (SVG) on this server, which answers 404 while the deployment has "
        "named no portal; null: none leads into it."
    )

    @classmethod
    def of(cls, policy: p.Jurisdiction, channel: p.Channel) -> Channel:
        return cls(
            code=channel.code,
            name=channel.name,
            name_en=channel.name_en,
            requirement_id=RequirementId(channel.source),
            qr_code=served.qr_path(policy, channel),
        )


@strawberry.type(description="选项: one option of a field.")
class FieldOption:
    code: str = strawberry.field(description="选项代码: what the form sends.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English; the Chinese one where there is none.")


@strawberry.type(description="表单项: one field of the form.")
class FormField:
    path: str = strawberry.field(
        description="字段路径 below `input`, e.g. deceased.idNumber; others go into `answers`."
    )
    label: str = strawberry.field(description="名称.")
    label_en: str = strawberry.field(description="Label in English.")
    group: str = strawberry.field(description="所属分组代码.")
    type: FieldType = strawberry.field(description="类型.")
    required: bool = strawberry.field(description="是否必填: always; see `conditional` for the others.")
    conditional: bool = strawberry.field(description="是否按情形必填: `checkSubmission` tells for a given form.")
    required_when: PolicyCondition | None = strawberry.field(description="必填条件: required when this is true.")
    required_unless: PolicyCondition | None = strawberry.field(
        description="免填条件: required unless this is true; unknown means required."
    )
    shown_when: PolicyCondition | None = strawberry.field(
        description="显示条件: hidden, and never required, when this is false; null: always shown."
    )
    typed: bool = strawberry.field(description="是否有专用字段: true: a field of `input`; false: goes into `answers`.")
    options: list[str] = strawberry.field(description="选项代码; empty: free.")
    choices: list[FieldOption] = strawberry.field(description="选项及名称, in order; empty: free.")
    hint: str | None = strawberry.field(description="填写提示.")
    requirement_id: RequirementId | None = strawberry.field(
        description="依据的规则编号; null: convention of this deployment, stands on no paper."
    )

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, field: p.FormField) -> FormField:
        def when(rule: p.Condition | None) -> PolicyCondition | None:
            return PolicyCondition.of(book, policy, rule)

        return cls(
            path=field.path,
            label=field.label,
            label_en=field.label_en,
            group=field.group,
            type=FieldType(field.type),
            required=field.required,
            conditional=field.required_when is not None or field.required_unless is not None,
            required_when=when(field.required_when),
            required_unless=when(field.required_unless),
            shown_when=when(field.shown_when),
            typed=field.path in served.TYPED,
            options=list(field.options or []),
            choices=[
                FieldOption(code=code, name=name.zh, name_en=name.en or name.zh)
                for code, name in served.options(book, policy, field)
            ],
            hint=field.hint,
            requirement_id=RequirementId(field.source) if field.source else None,
        )


@strawberry.type(description="告知: words the form or the guide has to show.")
class Notice:
    code: str = strawberry.field(description="代码.")
    text: str = strawberry.field(description="内容.")
    text_en: str = strawberry.field(description="The words in English.")
    group: str | None = strawberry.field(description="所属表单分组代码; null: the whole form.")
    when: PolicyCondition | None = strawberry.field(description="显示条件; null: always.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, notice: p.Notice) -> Notice:
        return cls(
            code=notice.code,
            text=notice.text,
            text_en=notice.text_en,
            group=notice.at,
            when=PolicyCondition.of(book, policy, notice.when),
            requirement_id=RequirementId(notice.source),
        )


@strawberry.type(description="表单分组: one part of the form, with its fields in order.")
class FormGroup:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId | None = strawberry.field(description="依据的规则编号.")
    fields: list[FormField] = strawberry.field(description="表单项, in order.")
    notices: list[Notice] = strawberry.field(description="本分组的告知.")

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, group: p.FormGroup) -> FormGroup:
        return cls(
            code=group.code,
            name=group.name,
            name_en=group.name_en,
            requirement_id=RequirementId(group.source),
            fields=[FormField.of(book, policy, field) for field in policy.form if field.group == group.code],
            notices=[Notice.of(book, policy, notice) for notice in policy.notices if notice.at == group.code],
        )


@strawberry.type(description="勾选框: one item the applicant may choose; send its slug in `items`.")
class TickBox:
    item: Slug = strawberry.field(description="事项代号.")
    label: str = strawberry.field(description="表单上的名称.")
    label_en: str = strawberry.field(description="Label in English.")
    enabled: bool = strawberry.field(description="是否可选: false: on the form, and not offered (X-08).")
    pushed_anyway: bool = strawberry.field(description="不勾选也办理: pushed whenever it applies, ticked or not.")
    condition: PolicyCondition | None = strawberry.field(description="适用条件; null: every case.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, box: served.TickBox) -> TickBox:
        return cls(
            item=Slug(box.item.slug),
            label=box.name.zh,
            label_en=box.name.en,
            enabled=box.item.enabled,
            pushed_anyway=box.pushed_anyway,
            condition=PolicyCondition.of(book, policy, box.item.applies_when),
            requirement_id=RequirementId(box.source),
        )


@strawberry.type(description="可用账户: a kind of account that may be given.")
class AccountChoice:
    kind: AccountKind = strawberry.field(description="账户归属.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    default: bool = strawberry.field(description="未说明归属时即按此类: taken when `kind` is omitted.")
    reason_needed: bool = strawberry.field(description="是否须说明原因: `account.fallbackReason` is needed.")
    items: list[Slug] = strawberry.field(description="适用事项: items that may be paid into it.")
    requirement_ids: list[RequirementId] = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, choice: served.AccountChoice) -> AccountChoice:
        return cls(
            kind=AccountKind(choice.kind),
            name=choice.name.zh,
            name_en=choice.name.en,
            default=choice.default,
            reason_needed=choice.reason_needed,
            items=[Slug(slug) for slug in choice.items],
            requirement_ids=[RequirementId(row) for row in choice.sources],
        )


@strawberry.type(description="材料即证照: the certificate that a paper is.")
class SharedPaper:
    certificate: PolicyCode = strawberry.field(description="证照类型.")
    number_path: str = strawberry.field(description="编号的字段路径.")
    issued_on_path: str = strawberry.field(description="签发日期的字段路径.")
    issuer_path: str | None = strawberry.field(description="签发机构的字段路径.")
    when: PolicyCondition | None = strawberry.field(description="适用条件; null: as soon as the number is there.")

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, paper: p.SharedAs | None) -> SharedPaper | None:
        if paper is None:
            return None
        when = paper.when if isinstance(paper, p.CertificateOnForm) else None
        return cls(
            certificate=PolicyCode.word(book, "certificates", paper.certificate),
            number_path=paper.number,
            issued_on_path=paper.issued_on,
            issuer_path=paper.issuer,
            when=PolicyCondition.of(book, policy, when),
        )


@strawberry.type(description="材料规定: a paper the family hands in.")
class MaterialRule:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId | None = strawberry.field(description="依据的规则编号.")
    required_when: PolicyCondition | None = strawberry.field(description="必须提交的条件; null: may be handed in.")
    upload: bool = strawberry.field(description="是否须上传文件: naming it is not enough.")
    accepts: list[str] | None = strawberry.field(
        description="可接受的文件类型; null: NOT STATED, whatever this platform takes."
    )
    max_bytes: int | None = strawberry.field(
        description="文件大小上限（字节）; null: NOT STATED, as large as this platform takes."
    )
    shared_as: SharedPaper | None = strawberry.field(description="作为证照共享; null: it is no certificate.")
    spared_by: list[PolicyCode] = strawberry.field(
        description="免提交来源: not asked for while one of these sources holds it."
    )

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, material: p.Material) -> MaterialRule:
        return cls(
            code=material.code,
            name=material.name,
            name_en=material.name_en,
            requirement_id=RequirementId(material.source),
            required_when=PolicyCondition.of(book, policy, material.required_when),
            upload=material.upload,
            accepts=[KINDS[name].content_type for name in material.accepts] if material.accepts else None,
            max_bytes=material.max_bytes,
            shared_as=SharedPaper.of(book, policy, material.shared_as),
            spared_by=[PolicyCode.word(book, "departments", source) for source in served.spared_by(policy)],
        )


@strawberry.type(description="承诺: a promise the applicant makes; send its code in `commitments`.")
class Commitment:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    text: str | None = strawberry.field(
        description="承诺内容; null: the wording is not in the source, nobody is held to it."
    )
    required: bool = strawberry.field(description="是否必须承诺.")
    requirement_id: RequirementId | None = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, promise: p.Commitment) -> Commitment:
        return cls(
            code=promise.code,
            name=promise.name,
            name_en=promise.name_en,
            text=promise.text,
            required=promise.text is not None,
            requirement_id=RequirementId(promise.source),
        )


@strawberry.type(description="办事步骤: one step of the service guide.")
class GuideStep:
    name: str = strawberry.field(description="内容.")
    name_en: str = strawberry.field(description="The step in English.")
    actor: str = strawberry.field(description="办理主体.")
    flow: Flow | None = strawberry.field(description="死亡情形; null: in every flow.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="好差评等级表: best first.")
class RatingScale:
    levels: list[PolicyCode] = strawberry.field(description="等级.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="撤回规定.")
class WithdrawalRule:
    items: WithdrawalItems = strawberry.field(description="可撤回的事项.")
    until: WithdrawalUntil = strawberry.field(description="最后时点.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="共享信息来源: a platform of shared data, and what it is used for.")
class SharedSource:
    source: PolicyCode = strawberry.field(description="来源.")
    uses: list[SharedUse] = strawberry.field(description="用途.")
    certificates: list[PolicyCode] = strawberry.field(description="获取的证照类型.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="开通范围: where the service is on, and since when.")
class RolloutStage:
    area: AreaCode = strawberry.field(description="行政区划代码.")
    name: str | None = strawberry.field(description="区域名称.")
    since: date = strawberry.field(description="开通日期.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="申请条件: one test of eligibility; a fact that is not known fails nobody.")
class EligibilityRule:
    name: str = strawberry.field(description="条件.")
    name_en: str = strawberry.field(description="The condition in English.")
    condition: PolicyCondition = strawberry.field(description="条件表达式及说明.")
    path: str = strawberry.field(description="相关字段路径: where a failure is reported.")
    requirement_ids: list[RequirementId] = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="死亡情形: how a case of this kind begins here.")
class FlowRule:
    flow: Flow = strawberry.field(description="死亡情形.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    reporters: list[str] = strawberry.field(description="可以填报的角色.")
    reporter_names: list[str] = strawberry.field(description="可以填报的角色名称.")
    opened_by_item: Slug | None = strawberry.field(
        description="先由该事项的证照立案: the certificate of this item opens the case before the report."
    )
    report_after: list[str] = strawberry.field(description="填报前须已出具的证照类型（其一）.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="不予受理的死亡情形.")
class RefusedFlow:
    flow: Flow = strawberry.field(description="死亡情形.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    reason: Reason = strawberry.field(description="原因: what a report of it is told.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")

    @classmethod
    def all(cls, policy: p.Jurisdiction) -> list[RefusedFlow]:
        problems = ((flow, refused_flow(policy, flow.code)) for flow in policy.refused_flows)
        return [
            cls(
                flow=Flow(flow.code),
                name=flow.name,
                name_en=flow.name_en,
                reason=Reason(source=problem.reason),
                requirement_id=RequirementId(flow.source),
            )
            for flow, problem in problems
            if problem is not None
        ]


@strawberry.type(description="行政区域: one area of the jurisdiction's tree.")
class Area:
    code: AreaCode = strawberry.field(description="行政区划代码.")
    name: str = strawberry.field(description="名称.")
    level: AreaLevel = strawberry.field(description="行政层级.")
    parent: AreaCode | None = strawberry.field(description="上级区划代码.")


@strawberry.type(description="依据文件: the document the rules were taken from.")
class SourceDocument:
    title: str = strawberry.field(description="文件名称.")
    issuer: str = strawberry.field(description="发布机关.")
    number: str | None = strawberry.field(description="文号; null: not stated.")
    effective_from: date = strawberry.field(description="施行日期.")
    effective_to: date | None = strawberry.field(description="失效日期; null: in force.")
