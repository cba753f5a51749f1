"""What operators do with a department's system as a whole: drive again, pause, resume."""

from __future__ import annotations

from functools import partial

import strawberry

from gateway.access.rights import forbid, prefixes
from gateway.domain.link import Link
from gateway.services import links
from gateway.services.context import Ctx
from gateway.store.links import serves_others
from schema import inputs as i
from schema.context import Info
from schema.mutations.payload import answers, change
from schema.types.common import UserError
from schema.types.link import DepartmentLink

AT_ONCE = 50
"""Pushes driven again in one transaction."""


@strawberry.type(description="对接操作的答复.")
class LinkPayload:
    link: DepartmentLink | None = strawberry.field(default=None, description="对接状况.")
    driven: int = strawberry.field(default=0, description="重新推送的数量.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="未接受的原因.")


def _must_answer_for(info: Info, ctx: Ctx, code: str) -> None:
    """A link is one for all areas: who stops it, or lets it run, administers every area it serves (PD-15).

    Raises ``Refused`` (FORBIDDEN).
    """
    viewer = info.context.known_viewer()
    if serves_others(ctx.tx, code, prefixes(viewer)):
        raise forbid(info.context.desk.rights, viewer, f"{code} of other areas", "PD-15")


@strawberry.type
class Operating:
    @strawberry.mutation(
        description="重新推送一个部门的全部失败推送: pushes, reversals and accounts that were given up, in the "
        "viewer's area.  They flow at the department's own rate."
    )
    @answers(LinkPayload)
    async def redrive_department(self, info: Info, input: i.RedriveDepartmentInput) -> LinkPayload:
        areas, total = prefixes(info.context.known_viewer()), 0
        while driven := await change(info, partial(links.redrive, code=input.department, areas=areas, limit=AT_ONCE)):
            total += driven
        found = await info.context.link_loader.load(input.department)
        return LinkPayload(link=DepartmentLink(source=found, desk=info.context.desk), driven=total)

    @strawberry.mutation(description="暂停向部门系统推送, e.g. for its maintenance; everything waits and is not lost.")
    @answers(LinkPayload)
    async def pause_department(self, info: Info, input: i.PauseDepartmentInput) -> LinkPayload:
        def pause(ctx: Ctx) -> Link:
            _must_answer_for(info, ctx, input.department)
            return links.pause(ctx, input.department, input.until, input.reason)

        return LinkPayload(link=DepartmentLink(source=await change(info, pause), desk=info.context.desk))

    @strawberry.mutation(description="恢复向部门系统推送: ends a pause, or an outage that is known to be over.")
    @answers(LinkPayload)
    async def resume_department(self, info: Info, input: i.ResumeDepartmentInput) -> LinkPayload:
        def resume(ctx: Ctx) -> Link:
            _must_answer_for(info, ctx, input.department)
            return links.resume(ctx, input.department)

        return LinkPayload(link=DepartmentLink(source=await change(info, resume), desk=info.context.desk))
