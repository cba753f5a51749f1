"""Changing an open case: correction, withdrawal, revocation of a wrong "dead", rating."""

from __future__ import annotations

import strawberry

from gateway.services import case_care, correction, revocation
from gateway.services.correction import Changes
from schema import inputs as i
from schema.context import Info
from schema.mutations.filing import CasePayload, ItemPayload, case_payload
from schema.mutations.payload import answers, change_visible, shown
from schema.types.item import DepartmentItem


@strawberry.type
class Changing:
    @strawberry.mutation(
        description="更正: corrects what was filed, field by field; only the departments it concerns are told, each "
        "with the same key again.  Further items can be chosen with it."
    )
    @answers(CasePayload)
    async def correct_case(self, info: Info, input: i.CorrectCaseInput) -> CasePayload:
        values = {change.path: correction.read_value(change.path, change.value) for change in input.changes}
        changes = Changes(values, tuple(input.items))
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: correction.correct(ctx, input.case_number, changes, input.reason),
            ),
        )

    @strawberry.mutation(description="撤回: takes the application for one item back, where the policy allows it.")
    @answers(ItemPayload)
    async def withdraw_item(self, info: Info, input: i.WithdrawItemInput) -> ItemPayload:
        view = shown(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: revocation.withdraw(ctx, input.case_number, input.item, input.reason),
            ),
        )
        return ItemPayload(item=DepartmentItem.of(view, input.item) if view else None)

    @strawberry.mutation(
        description="撤销: the death was recorded in error; every department that was told is asked to undo it."
    )
    @answers(CasePayload)
    async def revoke_case(self, info: Info, input: i.RevokeCaseInput) -> CasePayload:
        return case_payload(
            info,
            await change_visible(
                info, input.case_number, lambda ctx: revocation.revoke(ctx, input.case_number, input.reason)
            ),
        )

    @strawberry.mutation(description="不予办理（平台内）: e.g. the township does not approve (WZ-338).")
    @answers(ItemPayload)
    async def refuse_platform_item(self, info: Info, input: i.RefusePlatformItemInput) -> ItemPayload:
        view = shown(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.refuse_in_platform(ctx, input.case_number, input.item, input.reason),
            ),
        )
        return ItemPayload(item=DepartmentItem.of(view, input.item) if view else None)

    @strawberry.mutation(description="好差评 (YN-901): rates a closed case; bound to it.")
    @answers(CasePayload)
    async def rate_case(self, info: Info, input: i.RateCaseInput) -> CasePayload:
        return case_payload(
            info,
            await change_visible(
                info,
                input.case_number,
                lambda ctx: case_care.rate(ctx, input.case_number, input.level, input.comment),
            ),
        )
