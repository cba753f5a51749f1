"""Write-back: what departments, their specialists and their systems report (PD-06)."""

from __future__ import annotations

import strawberry

from gateway.access.rights import prefixes
from gateway.domain.department import Outcome
from gateway.domain.messages import Code, refuse
from gateway.services import opening, write_back
from gateway.services.context import Ctx
from gateway.services.write_back import Report
from schema import inputs as i
from schema.context import Info
from schema.enums import AckOutcome
from schema.mutations.payload import answers, change, must_belong, noting_absence, shown
from schema.scalars import Slug, Time
from schema.types.case import Case
from schema.types.common import UserError, errors
from schema.types.item import DepartmentItem


@strawberry.type(description="回传的答复: the same message again gets the same answer.")
class WriteBackPayload:
    acknowledgement: AckOutcome | None = strawberry.field(
        default=None, description="回传结果; null when the case was not found."
    )
    taken_at: Time | None = strawberry.field(default=None, description="首次接收时间.")
    item: DepartmentItem | None = strawberry.field(default=None, description="事项, as it now stands.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="未接受的原因.")


@strawberry.type(description="证照立案的答复.")
class OpenCasePayload:
    acknowledgement: AckOutcome | None = strawberry.field(default=None, description="回传结果.")
    case: Case | None = strawberry.field(default=None, description="办件.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误.")


@answers(WriteBackPayload)
async def _take(info: Info, number: str, item: Slug, serial: str, report: Report) -> WriteBackPayload:
    viewer = info.context.known_viewer()

    def take(ctx: Ctx) -> write_back.Ack:
        department = viewer.department or ""
        write_back.must_concern(ctx, department, prefixes(viewer), number, item)
        return write_back.take(ctx, department, number, item, _serial(serial), report)

    with noting_absence(info, number):
        ack = await change(info, take)
    info.context.about.append((number, item))
    view = shown(info, ack.case)
    visible = view is not None and item in view.case.items
    return WriteBackPayload(
        acknowledgement=ack.outcome,
        taken_at=Time(ack.at),
        item=DepartmentItem.of(view, item) if view is not None and visible else None,
        user_errors=errors(problem) if (problem := write_back.problem_of(ack)) else [],
    )


def _serial(serial: str) -> str:
    if not 1 <= len(serial) <= 128:
        words = {
            "label": "流水号",
            "path": "serial",
            "detail": "应为1至128个字符",
            "detail_en": "1 to 128 characters",
        }
        raise refuse(Code.FIELD_INVALID, "serial", "PD-06", **words)
    return serial


@strawberry.type
class Results:
    @strawberry.mutation(description="证照立案: health (HZ-505) or police (HZ-508) open a case with their certificate.")
    @answers(OpenCasePayload)
    async def open_case(self, info: Info, input: i.OpenCaseInput) -> OpenCasePayload:
        viewer = info.context.known_viewer()
        deceased, death = input.deceased.to_domain(), input.death.to_domain()

        def put(ctx: Ctx) -> write_back.Ack:
            must_belong(info, ctx, input.jurisdiction)
            return opening.open_by_certificate(
                ctx,
                viewer.department or "",
                input.jurisdiction,
                input.flow.value,
                deceased,
                death,
                input.certificate.to_domain(),
                _serial(input.serial),
            )

        ack = await change(info, put)
        view = shown(info, ack.case)
        return OpenCasePayload(
            acknowledgement=ack.outcome,
            case=Case.of(view) if view else None,
            user_errors=errors(problem) if (problem := write_back.problem_of(ack)) else [],
        )

    @strawberry.mutation(description="受理.")
    async def accept_item(self, info: Info, input: i.AcceptItemInput) -> WriteBackPayload:
        return await _take(info, input.case_number, input.item, input.serial, Report(Outcome.ACCEPTED, input.reference))

    @strawberry.mutation(description="办结, with certificates and approved sums where the item has them.")
    async def complete_item(self, info: Info, input: i.CompleteItemInput) -> WriteBackPayload:
        now = Time(info.context.desk.clock.now())
        return await _take(
            info,
            input.case_number,
            input.item,
            input.serial,
            Report(
                Outcome.COMPLETED,
                input.reference,
                certificates=tuple(certificate.to_domain() for certificate in input.certificates),
                payments=tuple(payment.to_domain(now) for payment in input.payments),
                details={detail.name: detail.value for detail in input.details},
            ),
        )

    @strawberry.mutation(description="不予办理.")
    async def refuse_item(self, info: Info, input: i.RefuseItemInput) -> WriteBackPayload:
        return await _take(
            info, input.case_number, input.item, input.serial, Report(Outcome.REFUSED, reason=input.reason)
        )

    @strawberry.mutation(description="要求补正.")
    async def request_correction(self, info: Info, input: i.RequestCorrectionInput) -> WriteBackPayload:
        return await _take(
            info,
            input.case_number,
            input.item,
            input.serial,
            Report(Outcome.CORRECTION, reason=input.reason, missing=tuple(input.missing)),
        )

    @strawberry.mutation(description="不适用: the department's own data show that there is nothing to do.")
    async def declare_item_not_applicable(self, info: Info, input: i.DeclareItemNotApplicableInput) -> WriteBackPayload:
        return await _take(
            info, input.case_number, input.item, input.serial, Report(Outcome.NOT_APPLICABLE, reason=input.reason)
        )

    @strawberry.mutation(description="上传证照.")
    async def attach_certificate(self, info: Info, input: i.AttachCertificateInput) -> WriteBackPayload:
        return await _take(
            info, input.case_number, input.item, input.serial, Report(certificates=(input.certificate.to_domain(),))
        )

    @strawberry.mutation(
        description="转办: the kind of death is another one; the case changes its path at once (HZ-504)."
    )
    async def refer_item(self, info: Info, input: i.ReferItemInput) -> WriteBackPayload:
        return await _take(
            info,
            input.case_number,
            input.item,
            input.serial,
            Report(Outcome.REFUSED, reason=input.reason, refers=True),
        )

    @strawberry.mutation(
        description="款项回传: approved, instructed, paid or returned; a returned sum can be paid again."
    )
    async def report_payout(self, info: Info, input: i.ReportPayoutInput) -> WriteBackPayload:
        now = Time(info.context.desk.clock.now())
        return await _take(
            info, input.case_number, input.item, input.serial, Report(payments=(input.payout.to_domain(now),))
        )
