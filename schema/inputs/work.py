"""What people do with a case that is filed, and with the sandbox."""

from __future__ import annotations

import strawberry

from schema.enums import (
    SupervisionKind,
)
from schema.inputs.form import (
    AccountInput,
    DeceasedInput,
    PersonInput,
)
from schema.inputs.results import CertificateInput, DetailInput
from schema.personal import PersonalData
from schema.scalars import Slug, Time


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


@strawberry.input(description="提交材料文件.")
class AttachMaterialInput:
    case_number: str = strawberry.field(description="办件编号.")
    type: str = strawberry.field(
        description="材料代码, from `jurisdiction.materials`; a department: a kind of certificate that its items issue."
    )
    upload: strawberry.ID = strawberry.field(description="已上传的文件, as `POST /uploads` answered; your own only.")


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


@strawberry.input(description="重新推送一个部门的全部失败推送.")
class RedriveDepartmentInput:
    department: Slug = strawberry.field(description="部门代号, or the hub's.")


@strawberry.input(description="暂停向部门系统推送.")
class PauseDepartmentInput:
    department: Slug = strawberry.field(description="部门代号, or the hub's.")
    until: Time = strawberry.field(description="暂停至.")
    reason: str = strawberry.field(description="原因, shown to support.")


@strawberry.input(description="恢复向部门系统推送.")
class ResumeDepartmentInput:
    department: Slug = strawberry.field(description="部门代号, or the hub's.")


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


@strawberry.input(description="撤销共享信息: the death was recorded in error, and nobody applied yet.")
class RevokeSharedRecordInput:
    jurisdiction: str = strawberry.field(description="地区代号.")
    id_number: str = strawberry.field(description="逝者证件号码.")
    reason: str = strawberry.field(description="撤销原因; told to the departments that take shared data.")


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


@strawberry.input(description="查看完整个人信息.")
class RevealPersonalDataInput:
    case_number: str = strawberry.field(description="办件编号.")
    fields: list[PersonalData] = strawberry.field(description="个人信息种类: those of `viewer.mayReveal`.")
    reason: str = strawberry.field(description="查看事由: a code of `viewer.revealReasons`.")
    note: str | None = strawberry.field(
        default=None, description="说明, at most 200 characters; the family reads it.  Some reasons need one."
    )


@strawberry.input(description="移动沙箱时钟: development only.")
class MoveSandboxClockInput:
    to: Time = strawberry.field(description="移到的时间.")
