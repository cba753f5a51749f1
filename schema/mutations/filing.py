"""Filing and caring for a case: what assistants, clerks, duty persons and families do."""

from __future__ import annotations

import strawberry

from gateway.access.rights import sees_whole_cases
from gateway.services import case_care, dispatch, joint_submission, materials, reversal
from gateway.store import cases
from schema import inputs as i
from schema.context import Info
from schema.mutations.payload import answers, change, change_visible, looks_for, shown
from schema.types.case import Case
from schema.types.common import UserError
from schema.types.item import DepartmentItem


@strawberry.type(description="联办申请的答复.")
class SubmitCasePayload:
    case: Case | None = strawberry.field(default=None, description="办件; null when there are errors.")
    created: bool = strawberry.field(
        default=False, description="是否新立案; false: the same submission was here before."
    )
    driven: list[DepartmentItem] = strawberry.field(
        default_factory=list,
        description="重新推送的事项: their push had been given up, and the repeated submission drives it again.  A "
        "push that is still being tried keeps its pauses and is not named.",
    )
    open_case_number: str | None = strawberry.field(
        default=None,
        description="已在办的办件编号: the deceased has an open case of somebody else; its number only (PD-07).",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误, all at once.")


@strawberry.type(description="办件操作的答复.")
class CasePayload:
    case: Case | None = strawberry.field(default=None, description="办件.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误.")


@strawberry.type(description="申请加入的答复: nothing of the case is told.")
class AskToJoinPayload:
    request: strawberry.ID | None = strawberry.field(default=None, description="申请编号.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误.")


@strawberry.type(description="事项操作的答复.")
class ItemPayload:
    item: DepartmentItem | None = strawberry.field(default=None, description="事项.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误.")


def case_payload(info: Info, case: object) -> CasePayload:
    view = shown(info, case)  # type: ignore[arg-type]
    return CasePayload(case=Case.of(view) if view else None)


@strawberry.type
class Filing:
    @strawberry.mutation(description="联办申请 / 报丧: files the one form; every item is judged and the case begins.")
    async def submit_case(self, info: Info, input: i.SubmitCaseInput) -> SubmitCasePayload:
        payload = await _submit(info, input)
        for error in payload.user_errors:
            if error.source.reason.code == "CASE_ALREADY_OPEN":
                payload.open_case_number = error.source.reason.facts["number"]
        return payload

    @strawberry.mutation(description="亲属申请加入已在办的办件 (PD-07).")
    @answers(AskToJoinPayload)
    async def ask_to_join(self, info: Info, input: i.AskToJoinInput) -> AskToJoinPayload:
        person = input.applicant.to_domain()
        request = await change(info, lambda ctx: case_care.ask_to_join(ctx, input.case_number, person))
        return AskToJoinPayload(request=strawberry.ID(request))

    @strawberry.mutation(description="答复亲属的加入申请.")
    @answers(CasePayload)
    async def answer_join(self, info: Info, input: i.AnswerJoinInput) -> CasePayload:
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.answer_join(ctx, input.case_number, input.request, input.accepted),
            ),
        )

    @strawberry.mutation(description="确认逝者身份: items that waited for it are released (PD-21).")
    @answers(CasePayload)
    async def identify_deceased(self, info: Info, input: i.IdentifyDeceasedInput) -> CasePayload:
        deceased = input.deceased.to_domain()
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.identify(ctx, input.case_number, deceased, input.death_occurred_at),
            ),
        )

    @strawberry.mutation(description="提供或更换收款账户: money held for want of it is directed there.")
    @answers(CasePayload)
    async def give_account(self, info: Info, input: i.GiveAccountInput) -> CasePayload:
        account = input.account.to_domain()
        return case_payload(
            info,
            await change_visible(
                info, input.case_number, lambda ctx: case_care.give_account(ctx, input.case_number, account)
            ),
        )

    @strawberry.mutation(description="答复补正: the item goes to the department again.")
    @answers(ItemPayload)
    async def answer_correction(self, info: Info, input: i.AnswerCorrectionInput) -> ItemPayload:
        view = shown(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.answer_correction(ctx, input.case_number, input.item, input.answer),
            ),
        )
        return ItemPayload(item=DepartmentItem.of(view, input.item) if view else None)

    @strawberry.mutation(description="登记证明: e.g. that the heirs meet the statutory conditions (HZ-705).")
    @answers(CasePayload)
    async def attach_evidence(self, info: Info, input: i.AttachEvidenceInput) -> CasePayload:
        certificate = input.certificate.to_domain()
        return case_payload(
            info,
            await change_visible(
                info, input.case_number, lambda ctx: case_care.attach_evidence(ctx, input.case_number, certificate)
            ),
        )

    @strawberry.mutation(
        description="提交材料文件: ties an uploaded file to a case; the same file as the same paper once only."
    )
    @answers(CasePayload)
    async def attach_material(self, info: Info, input: i.AttachMaterialInput) -> CasePayload:
        viewer = info.context.known_viewer()
        department = None if sees_whole_cases(info.context.desk.rights, viewer) else viewer.department or ""
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: materials.attach(ctx, input.case_number, input.type, input.upload, department),
            ),
        )

    @strawberry.mutation(description="平台内办结: an item that belongs to no department (HZ-606).")
    @answers(ItemPayload)
    async def complete_platform_item(self, info: Info, input: i.CompletePlatformItemInput) -> ItemPayload:
        details = {detail.name: detail.value for detail in input.details}
        view = shown(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.complete_in_platform(ctx, input.case_number, input.item, details),
            ),
        )
        return ItemPayload(item=DepartmentItem.of(view, input.item) if view else None)

    @strawberry.mutation(
        description="人工重新推送: drives a push, or the order of an account, that failed or still fails, again."
    )
    @answers(ItemPayload)
    async def redrive_item(self, info: Info, input: i.RedriveItemInput) -> ItemPayload:
        def redrive(ctx):  # type: ignore[no-untyped-def]
            use = reversal if input.reversal else dispatch
            use.redrive(ctx, input.case_number, input.item)
            return cases.get(ctx.tx, input.case_number)

        view = shown(info, await change_visible(info, input.case_number, redrive))
        return ItemPayload(item=DepartmentItem.of(view, input.item) if view else None)

    @strawberry.mutation(description="登记现场巡查或事后回访 (HZ-901).")
    @answers(CasePayload)
    async def record_supervision(self, info: Info, input: i.RecordSupervisionInput) -> CasePayload:
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.note(ctx, input.case_number, input.kind.value, input.text),
            ),
        )


@answers(SubmitCasePayload)
async def _submit(info: Info, input: i.SubmitCaseInput) -> SubmitCasePayload:
    form = input.to_domain()
    looks = await looks_for(info, form)

    key, number = input.submission_key, input.case_number
    done = await change(info, lambda ctx: joint_submission.submit(ctx, form, key, number, looks))
    view = shown(info, done.case)
    driven = [DepartmentItem.of(view, slug) for slug in done.driven if view and slug in view.case.items]
    return SubmitCasePayload(case=Case.of(view) if view else None, created=done.created, driven=driven)
