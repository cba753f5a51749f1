"""Shared data: departments put certificates on the platform and record what they did on them by themselves."""

from __future__ import annotations

import strawberry

from gateway.access.rights import in_area, prefixes
from gateway.domain.department import Outcome
from gateway.domain.messages import Code, refuse
from gateway.services import reversal, shared
from gateway.services.context import Ctx
from gateway.services.shared import Shared
from gateway.services.write_back import Ack, problem_of
from gateway.services.write_back import AckOutcome as Outcomes
from schema import inputs as i
from schema.context import Info
from schema.enums import AckOutcome, ReversalAnswer
from schema.mutations.payload import answers, change, must_belong, noting_absence, shown
from schema.mutations.results import WriteBackPayload
from schema.scalars import Time
from schema.types.common import UserError, errors
from schema.types.item import DepartmentItem
from schema.types.shared import SharedRecord


@strawberry.type(description="信息共享的答复.")
class SharePayload:
    acknowledgement: AckOutcome | None = strawberry.field(default=None, description="结果.")
    record: SharedRecord | None = strawberry.field(default=None, description="共享信息, as the department may see it.")
    in_case: bool = strawberry.field(default=False, description="是否已进入在办的办件.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="未接受的原因.")


def _payload(info: Info, department: str, done: Shared) -> SharePayload:
    """Of somebody outside the viewer's area nothing is told but that the message was taken (PD-15)."""
    taken = Outcomes.APPLIED if done.changed else Outcomes.REPEATED
    if not in_area(info.context.known_viewer(), done.record.area):
        return SharePayload(acknowledgement=taken)
    seen = shared.cut(info.context.desk.book, department, done.record)
    return SharePayload(
        acknowledgement=taken,
        record=SharedRecord.of(info.context.desk, seen) if seen is not None else None,
        in_case=done.case is not None,
    )


@strawberry.type
class Sharing:
    @strawberry.mutation(
        description="共享证照: a department shares a certificate it issued, with or without a case "
        "(YY-504, WZ-510, YN-505)."
    )
    @answers(SharePayload)
    async def share_certificate(self, info: Info, input: i.ShareCertificateInput) -> SharePayload:
        department = info.context.known_viewer().department or ""
        deceased, death = input.deceased.to_domain(), input.death.to_domain()
        certificate = input.certificate.to_domain()

        def put(ctx: Ctx) -> Shared:
            must_belong(info, ctx, input.jurisdiction)
            return shared.share(ctx, department, input.jurisdiction, deceased, death, certificate)

        return _payload(info, department, await change(info, put))

    @strawberry.mutation(
        description="登记停发: a department records a stop it made by itself on shared data; no application is "
        "involved (YY-514)."
    )
    @answers(SharePayload)
    async def record_stop(self, info: Info, input: i.RecordStopInput) -> SharePayload:
        viewer = info.context.known_viewer()
        department, areas = viewer.department or "", prefixes(viewer)

        def put(ctx: Ctx) -> Shared:
            must_belong(info, ctx, input.jurisdiction)
            return shared.record_stop(
                ctx, department, input.jurisdiction, input.id_number, input.item, input.serial, input.reference, areas
            )

        return _payload(info, department, await change(info, put))

    @strawberry.mutation(
        description="撤销共享信息: the death was recorded in error and nobody applied; departments that take "
        "shared data see it and undo what they did (YY-514).  Where there is a case: `revokeCase`."
    )
    @answers(SharePayload)
    async def revoke_shared_record(self, info: Info, input: i.RevokeSharedRecordInput) -> SharePayload:
        areas = prefixes(info.context.known_viewer())

        def revoke(ctx: Ctx) -> Shared:
            return shared.revoke_record(ctx, areas, input.jurisdiction, input.id_number, input.reason)

        return _payload(info, "", await change(info, revoke))

    @strawberry.mutation(description="恢复回传: a department's answer to a reversal (撤销、撤回).")
    @answers(WriteBackPayload)
    async def answer_reversal(self, info: Info, input: i.AnswerReversalInput) -> WriteBackPayload:
        viewer, desk = info.context.known_viewer(), info.context.desk
        outcome = {
            ReversalAnswer.ACCEPTED: Outcome.ACCEPTED,
            ReversalAnswer.UNDONE: Outcome.COMPLETED,
            ReversalAnswer.REFUSED: Outcome.REFUSED,
        }[input.outcome]

        def take(ctx: Ctx) -> Ack:
            if not desk.visible(ctx.tx, viewer, [input.case_number]):
                raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=input.case_number)
            department = viewer.department or ""
            return reversal.answer(
                ctx, department, input.case_number, input.item, outcome, input.reason or "", input.reference
            )

        with noting_absence(info, input.case_number):
            ack = await change(info, take)
        info.context.about.append((input.case_number, input.item))
        view = shown(info, ack.case)
        visible = view is not None and input.item in view.case.items
        return WriteBackPayload(
            acknowledgement=ack.outcome,
            taken_at=Time(ack.at),
            item=DepartmentItem.of(view, input.item) if view is not None and visible else None,
            user_errors=errors(problem) if (problem := problem_of(ack)) else [],
        )
