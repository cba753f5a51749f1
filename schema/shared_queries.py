"""Queries on shared data: what departments take, what a form need not ask for."""

from __future__ import annotations

import strawberry
from strawberry import relay

from gateway.access.rights import prefixes
from gateway.desk import in_time
from gateway.domain.messages import Code, refuse
from gateway.services import prefill as pre
from gateway.services import shared
from gateway.store.accesses import NO_CASE
from schema.context import Info
from schema.cursors import decode, encode, page
from schema.enums import Freshness
from schema.mutations.payload import own_policy
from schema.scalars import Slug, Time
from schema.types.common import Certificate
from schema.types.shared import (
    Prefill,
    PrefilledField,
    PrefillSource,
    SharedRecord,
    SharedRecordConnection,
    SharedRecordEdge,
)


@strawberry.type
class SharedQueries:
    @strawberry.field(
        description="调取共享信息: deceased of the viewer's area and the certificates the own department's items act "
        "on, oldest change first; ask again with the last cursor and nothing is missed (YY-514, WS-510)."
    )
    async def shared_records(
        self, info: Info, jurisdiction: str, first: int = 100, after: str | None = None
    ) -> SharedRecordConnection:
        viewer, desk = info.context.known_viewer(), info.context.desk
        if viewer.department is None:
            words = {"label": "department", "path": "jurisdiction", "detail": "令牌没有部门"}
            raise refuse(Code.FIELD_INVALID, None, **words, detail_en="the token names no department")
        limit, position, department = page(first), decode(after) if after else None, viewer.department
        rows = await desk.look(
            viewer,
            lambda ctx: shared.find(ctx, department, jurisdiction, prefixes(viewer), position, limit + 1),
        )
        for _, record in rows[:limit]:
            desk.note_seen(viewer, record.number, info.context.asking)
        edges = [
            SharedRecordEdge(cursor=encode(at, record.number), node=SharedRecord.of(desk, record))
            for at, record in rows[:limit]
        ]
        return SharedRecordConnection(
            edges=edges,
            page_info=relay.PageInfo(
                has_next_page=len(rows) > limit,
                has_previous_page=position is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else after,
            ),
        )

    @strawberry.field(
        description="预填: values of the form that shared data hold, told only where the platform holds a death "
        "certificate of the person with this name and ID number."
    )
    async def prefill(
        self,
        info: Info,
        jurisdiction: str,
        deceased_name: str,
        deceased_id_number: str,
        applicant_id_number: str | None = None,
    ) -> Prefill:
        desk = info.context.desk
        policy = await own_policy(info, jurisdiction)
        if policy is None:
            raise refuse(Code.JURISDICTION_UNKNOWN, "jurisdiction", value=jurisdiction)
        persons = [one for one in (deceased_id_number, applicant_id_number) if one]
        looks = await in_time(desk.lookups.of(policy, persons, "PREFILL"))
        viewer = info.context.known_viewer()
        known = await desk.look(
            viewer,
            lambda ctx: pre.prefill(ctx, policy, looks, deceased_name, deceased_id_number, applicant_id_number),
        )
        desk.note_seen(viewer, NO_CASE, info.context.asking, persons=persons)
        return Prefill(
            fields=[
                PrefilledField(
                    path=found.path,
                    value=found.value,
                    source=Slug(found.source),
                    source_name=desk.book.word("departments", found.source).name,
                )
                for found in known.fields
            ],
            certificates=[
                Certificate(
                    type=found.type,
                    type_name=desk.book.word("certificates", found.type).name,
                    number=found.number,
                    issuer=found.issuer,
                    issued_at=Time(found.issued_at),
                    recorded_at=Time(found.issued_at),
                    item=None,
                )
                for found in known.certificates
            ],
            materials=list(known.materials),
            sources=[
                PrefillSource(
                    source=Slug(look.source),
                    name=desk.book.word("departments", look.source).name,
                    freshness=Freshness.LIVE if look.holdings is not None else Freshness.UNAVAILABLE,
                )
                for look in looks
            ],
        )
