"""The worklist of supervision: what is near its limit, past it, or waits for a person."""

from __future__ import annotations

import strawberry
from strawberry import relay

from gateway.access.rights import prefixes, sees_staff_matters
from gateway.services import reminders
from schema.context import Info
from schema.cursors import decode, encode, page
from schema.enums import AlertKind
from schema.scalars import Slug
from schema.types.alert import Alert, AlertConnection, AlertEdge
from schema.view import View


@strawberry.type
class AlertQueries:
    @strawberry.field(
        description="督办列表 of the viewer's area: open ones, the oldest first.  A department sees those of its own "
        "items, and none that were put before the supervisor."
    )
    async def alerts(
        self,
        info: Info,
        kinds: list[AlertKind] | None = None,
        department: Slug | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> AlertConnection:
        return await _alerts(info, kinds, department, first, after)


async def _alerts(
    info: Info, kinds: list[AlertKind] | None, department: str | None, first: int, after: str | None
) -> AlertConnection:
    viewer, desk = info.context.known_viewer(), info.context.desk
    limit, position = page(first), decode(after) if after else None
    hidden = () if sees_staff_matters(desk.rights, viewer) else desk.rights.field_rules.staff.alerts
    seen = [kind for kind in AlertKind if kind not in hidden]
    wanted = reminders.Wanted(
        areas=prefixes(viewer),
        department=desk.within(viewer).department or department,
        kinds=tuple(kind for kind in seen if kinds is None or kind in kinds),
    )
    rows, total = await desk.look(viewer, lambda ctx: reminders.worklist(ctx, wanted, position, limit + 1))
    rows_of_page = rows[:limit]
    cases = await info.context.case_loader.load_many([number for _, number, _ in rows_of_page])
    edges = [
        AlertEdge(
            cursor=encode(since, f"{number} {key}"),
            node=Alert(view=View.of(desk, case), source=case.alerts[key]),
        )
        for (since, number, key), case in zip(rows_of_page, cases, strict=True)
        if case is not None and key in case.alerts
    ]
    info_of_page = relay.PageInfo(
        has_next_page=len(rows) > limit,
        has_previous_page=position is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return AlertConnection(edges=edges, page_info=info_of_page, total_count=total)
