"""Who saw what, for supervisors; what went wrong, for support."""

from __future__ import annotations

import strawberry
from strawberry import relay

from gateway.store import accesses, incidents
from schema.context import Info
from schema.cursors import page
from schema.types.access import Access, AccessConnection, AccessEdge, Incident
from schema.types.timeline import cursor_of, position_of


@strawberry.type
class AccessQueries:
    @strawberry.field(
        description="访问记录 (PD-15) of a case: who was shown what, when, why, from where.  Null: not there, or not "
        "the viewer's.  What was seen in the last moment is written within a second."
    )
    async def accesses(
        self, info: Info, case_number: str, first: int = 50, after: str | None = None
    ) -> AccessConnection | None:
        found = await info.context.case_loader.load(case_number.strip())
        if found is None:
            return None
        desk, limit, start = info.context.desk, page(first), position_of(after) if after else 0
        rows, total = await desk.look(
            info.context.viewer,
            lambda ctx: (
                accesses.of(ctx.tx, found.number, start, limit + 1),
                accesses.count(ctx.tx, found.number),
            ),
        )
        edges = [AccessEdge(cursor=cursor_of(row.seq), node=Access(book=desk.book, kept=row)) for row in rows[:limit]]
        page_info = relay.PageInfo(
            has_next_page=len(rows) > limit,
            has_previous_page=start > 0,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return AccessConnection(edges=edges, page_info=page_info, total_count=total)

    @strawberry.field(
        description="事件查询: an unexpected error by the id its caller was told; null: none of this id is kept."
    )
    async def incident(self, info: Info, id: strawberry.ID) -> Incident | None:
        found = await info.context.desk.look(info.context.viewer, lambda ctx: incidents.get(ctx.tx, id))
        return Incident(source=found) if found is not None else None
