"""Queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import strawberry
from strawberry import relay

from gateway.access.rights import prefixes
from gateway.domain.messages import Code, refuse
from gateway.policy.book import inside
from gateway.services import joint_submission
from gateway.services import supervision as sup
from gateway.services.links import watch
from gateway.store import cases as store
from schema.access_queries import AccessQueries
from schema.alert_queries import AlertQueries
from schema.context import Info
from schema.cursors import decode, encode, page
from schema.enums import Applicability, CaseStatus, ClockKind, ItemStatus
from schema.health import HealthQueries
from schema.inputs import SubmitCaseInput
from schema.mutations.payload import answers, looks_for
from schema.personal import PersonalData
from schema.scalars import AreaCode, Slug, Time
from schema.shared_queries import SharedQueries
from schema.types.access import RevealReason
from schema.types.case import Case, CaseConnection, CaseEdge
from schema.types.catalogue import ItemDefinition
from schema.types.common import Department, Reason, UserError, errors
from schema.types.item import DepartmentItem
from schema.types.link import DepartmentLink, WatchedLink
from schema.types.payout import Payout
from schema.types.people import Deceased
from schema.types.policy import Jurisdiction
from schema.view import View


@strawberry.input(description="办件筛选; every given condition must hold.")
class CaseFilter:
    jurisdiction: str | None = strawberry.field(default=None, description="地区代号.")
    statuses: list[CaseStatus] | None = strawberry.field(default=None, description="办件状态.")
    department: Slug | None = strawberry.field(default=None, description="有该部门事项的办件.")
    item: Slug | None = strawberry.field(default=None, description="有该事项的办件.")
    item_statuses: list[ItemStatus] | None = strawberry.field(
        default=None,
        description="有处于这些状态的事项; together with department or item: of that department or item.",
    )
    overdue: bool = strawberry.field(default=False, description="仅超时: an item is past its due time and not done.")
    area: AreaCode | None = strawberry.field(default=None, description="办理区域及其下级.")
    id_number: str | None = strawberry.field(default=None, description="逝者证件号码, whole.")
    name: str | None = strawberry.field(default=None, description="逝者姓名, whole.")


@strawberry.type(description="事项预判: what a form would lead to for one item.")
class ItemVerdict:
    definition: ItemDefinition = strawberry.field(description="事项.")
    applicability: Applicability = strawberry.field(description="是否适用.")
    reason: Reason = strawberry.field(description="原因、依据.")


@strawberry.type(description="预检: the answer `submitCase` would give; nothing is created.")
class SubmissionCheck:
    acceptable: bool = strawberry.field(default=False, description="是否会被接受.")
    items: list[ItemVerdict] = strawberry.field(default_factory=list, description="各事项的预判.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="输入错误, all at once.")


@strawberry.type(description="超时事项.")
class OverdueItem:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")
    department: Slug | None = strawberry.field(description="部门代号.")
    clock: ClockKind = strawberry.field(description="时限种类; PAYOUT: approved money that is not on the account.")
    due_at: Time = strawberry.field(description="截止时间.")


@strawberry.type(description="部门时限完成情况 (HZ-903).")
class Compliance:
    department: Department = strawberry.field(description="部门.")
    pushed: int = strawberry.field(description="推送事项数.")
    without_limit: int = strawberry.field(description="无明确时限.")
    on_time: int = strawberry.field(description="按时完成.")
    late: int = strawberry.field(description="超时完成.")
    overdue: int = strawberry.field(description="超时未完成.")
    running: int = strawberry.field(description="计时中.")


@strawberry.type(description="未配置部门的事项 (PD-18): no department is set for it, so nothing was sent.")
class UnconfiguredItem:
    case_number: str = strawberry.field(description="办件编号.")
    item: Slug = strawberry.field(description="事项代号.")


@strawberry.type(description="效能监督 (HZ-901…903): items pushed in the period.")
class Supervision:
    overdue: list[OverdueItem] = strawberry.field(description="当前超时事项.")
    compliance: list[Compliance] = strawberry.field(description="各部门时限完成情况.")
    undeliverable: int = strawberry.field(description="推送（含恢复）失败、需人工处理的事项数.")
    calendar_missing: int = strawberry.field(description="因日历未公布而无法确定期限的事项数.")
    not_configured: list[UnconfiguredItem] = strawberry.field(description="未配置部门的事项, whenever they came in.")


@strawberry.type(description="签章内容: what a seal was put on.")
class SealedThing:
    kind: str = strawberry.field(description="种类: certificate.")
    case_number: str = strawberry.field(description="办件编号.")
    type: str = strawberry.field(description="证照类型代码.")
    sha256: str = strawberry.field(
        description="摘要: SHA-256 over case number, type, number, time of issue in UTC and issuer, one a line."
    )


@strawberry.type(description="当前用户.")
class ViewerInfo:
    name: str = strawberry.field(description="姓名.")
    role: str = strawberry.field(description="角色代码.")
    role_name: str = strawberry.field(description="角色名称.")
    area: AreaCode = strawberry.field(description="管辖区域.")
    department: Slug | None = strawberry.field(description="所属部门.")
    operations: list[str] = strawberry.field(description="可以使用的查询与变更.")
    may_reveal: list[PersonalData] = strawberry.field(
        description="可凭事由查看的个人信息种类, by `revealPersonalData`."
    )
    reveal_reasons: list[RevealReason] = strawberry.field(description="查看事由.")
    now: Time = strawberry.field(description="系统时间; in a sandbox it can be moved.")


@strawberry.type(description="查询.")
class Query(SharedQueries, AlertQueries, HealthQueries, AccessQueries):
    @strawberry.field(description="按全局标识查找对象.")
    async def node(self, info: Info, id: strawberry.ID) -> relay.Node | None:
        return (await _nodes(info, [id]))[0]

    @strawberry.field(description="按全局标识查找多个对象, in order; at most 100.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[relay.Node | None]:
        return await _nodes(info, ids)

    @strawberry.field(description="一个办件: where everything stands, and why.  Null: not there, or not the viewer's.")
    async def case(self, info: Info, number: str) -> Case | None:
        found = await info.context.case_loader.load(number.strip())
        return Case.of(View.of(info.context.desk, found)) if found is not None else None

    @strawberry.field(description="办件列表, newest first.")
    async def cases(
        self, info: Info, filter: CaseFilter | None = None, first: int = 20, after: str | None = None
    ) -> CaseConnection:
        return await _cases(info, filter or CaseFilter(), first, after)

    @strawberry.field(description="预检: eligibility, form and items, without creating anything.")
    async def check_submission(self, info: Info, input: SubmitCaseInput) -> SubmissionCheck:
        return await _check(info, input)

    @strawberry.field(description="办理地区: rules in force today.")
    async def jurisdictions(self, info: Info) -> list[Jurisdiction]:
        desk = info.context.desk
        return [
            Jurisdiction(source=found, book=desk.book, connected=desk.connected)
            for found in desk.book.current(desk.clock.now().date())
        ]

    @strawberry.field(description="一个办理地区.")
    async def jurisdiction(self, info: Info, code: str) -> Jurisdiction | None:
        desk = info.context.desk
        found = desk.book.in_force(code, desk.clock.now().date())
        return Jurisdiction(source=found, book=desk.book, connected=desk.connected) if found else None

    @strawberry.field(description="部门.")
    async def departments(self, info: Info) -> list[Department]:
        desk = info.context.desk
        return [Department.of(desk.book, desk.connected, word.code) for word in desk.book.catalogue.departments]

    @strawberry.field(description="部门系统对接及积压: every connected system.")
    async def links(self, info: Info) -> list[WatchedLink]:
        desk = info.context.desk
        return [
            WatchedLink(
                link=DepartmentLink(source=found.link, desk=desk), waiting=found.waiting, given_up=found.given_up
            )
            for found in await desk.look(info.context.known_viewer(), watch)
        ]

    @strawberry.field(description="效能监督 for the viewer's area; by default the last 90 days.")
    async def supervision(
        self, info: Info, since: Time | None = None, until: Time | None = None, area: AreaCode | None = None
    ) -> Supervision:
        return await _supervision(info, since, until, area)

    @strawberry.field(description="验章 (HZ-1001): what a seal was put on; null: not this platform's seal, or altered.")
    async def check_seal(self, info: Info, seal: str) -> SealedThing | None:
        found = info.context.desk.seals.check(seal)
        if found is None:
            return None
        return SealedThing(kind=found["kind"], case_number=found["case"], type=found["type"], sha256=found["sha256"])

    @strawberry.field(description="当前用户.")
    async def viewer(self, info: Info) -> ViewerInfo:
        viewer, desk = info.context.known_viewer(), info.context.desk
        role = desk.rights.roles[viewer.role]
        return ViewerInfo(
            name=viewer.name,
            role=viewer.role,
            role_name=desk.book.word("roles", viewer.role).name,
            area=AreaCode(viewer.area),
            department=Slug(viewer.department) if viewer.department else None,
            operations=sorted({*role.may, *desk.rights.everyone}),
            may_reveal=[PersonalData(kind) for kind in role.on_reason],
            reveal_reasons=[RevealReason.of(reason) for reason in desk.rights.reasons] if role.on_reason else [],
            now=Time(desk.clock.now()),
        )


NODES: dict[str, type[relay.Node]] = {
    "Case": Case,
    "Deceased": Deceased,
    "DepartmentItem": DepartmentItem,
    "Payout": Payout,
}


async def _nodes(info: Info, ids: Sequence[str]) -> list[relay.Node | None]:
    page(len(ids))
    found: list[relay.Node | None] = []
    for global_id in ids:
        try:
            parsed = relay.GlobalID.from_id(global_id)
        except relay.GlobalIDValueError:
            found.append(None)
            continue
        kind = NODES.get(parsed.type_name)
        resolve: Any = kind.resolve_nodes if kind else None
        found += await resolve(info=info, node_ids=[parsed.node_id]) if resolve else [None]
    return found


async def _cases(info: Info, wanted: CaseFilter, first: int, after: str | None) -> CaseConnection:
    viewer, desk = info.context.known_viewer(), info.context.desk
    limit = page(first)
    now = desk.clock.now()
    mine = desk.within(viewer)
    filter_ = replace(
        mine,
        jurisdiction=wanted.jurisdiction,
        statuses=_values(wanted.statuses),
        department=mine.department or wanted.department,
        item=wanted.item,
        item_statuses=_values(wanted.item_statuses),
        overdue_at=now if wanted.overdue else None,
        area=_stem(wanted.area) if wanted.area else None,
        id_number=wanted.id_number,
        name=wanted.name,
    )
    position = decode(after) if after else None
    rows, total = await desk.look(
        viewer, lambda ctx: (store.find(ctx.tx, filter_, position, limit + 1), store.count(ctx.tx, filter_))
    )
    rows_of_page = rows[:limit]
    found = await info.context.case_loader.load_many([number for _, number in rows_of_page])
    edges = [
        CaseEdge(cursor=encode(at, number), node=Case.of(View(desk, case, now)))
        for (at, number), case in zip(rows_of_page, found, strict=True)
        if case is not None
    ]
    page_info = relay.PageInfo(
        has_next_page=len(rows) > limit,
        has_previous_page=position is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return CaseConnection(edges=edges, page_info=page_info, total_count=total)


@answers(SubmissionCheck)
async def _check(info: Info, input: SubmitCaseInput) -> SubmissionCheck:
    form = input.to_domain()
    desk = info.context.desk
    looks = await looks_for(info, form)

    def check(ctx):  # type: ignore[no-untyped-def]
        checked = joint_submission.check(ctx, form, input.case_number, looks)
        number = store.open_case_of(ctx.tx, checked.policy.code, checked.form.deceased.id_number)
        if number is not None and checked.opened is None:
            raise refuse(Code.CASE_ALREADY_OPEN, "deceased.idNumber", "PD-07", number=number)
        return checked

    checked = await desk.look(info.context.known_viewer(), check)
    definitions = {item.slug: item for item in checked.policy.items}
    return SubmissionCheck(
        acceptable=not any(problem.severity == "ERROR" for problem in checked.problems),
        items=[
            ItemVerdict(
                definition=ItemDefinition(
                    source=definitions[verdict.slug],
                    policy=checked.policy,
                    book=desk.book,
                    connected=desk.connected,
                ),
                applicability=verdict.applicability,
                reason=Reason(source=verdict.reason),
            )
            for verdict in checked.verdicts
        ],
        user_errors=errors(*checked.problems),
    )


async def _supervision(info: Info, since: datetime | None, until: datetime | None, area: str | None) -> Supervision:
    viewer, desk = info.context.known_viewer(), info.context.desk
    now = desk.clock.now()
    mine = replace(viewer, area=area) if area and (viewer.area == "000000" or inside(area, viewer.area)) else viewer
    found = await desk.look(
        viewer,
        lambda ctx: sup.supervise(
            ctx, prefixes(mine), since or now - timedelta(days=90), until or now + timedelta(seconds=1)
        ),
    )
    return Supervision(
        overdue=[
            OverdueItem(
                case_number=item.number,
                item=Slug(item.slug),
                department=Slug(item.department) if item.department else None,
                clock=ClockKind(item.clock),
                due_at=Time(item.due_at),
            )
            for item in found.overdue
        ],
        compliance=[
            Compliance(
                department=Department.of(desk.book, desk.connected, row.department),
                pushed=row.pushed,
                without_limit=row.without_limit,
                on_time=row.on_time,
                late=row.late,
                overdue=row.overdue,
                running=row.running,
            )
            for row in found.compliance
        ],
        undeliverable=found.undeliverable,
        calendar_missing=found.calendar_missing,
        not_configured=[UnconfiguredItem(case_number=number, item=Slug(slug)) for number, slug in found.not_configured],
    )


def _values(chosen: Iterable[CaseStatus | ItemStatus] | None) -> tuple[str, ...] | None:
    return tuple(value.value for value in chosen) if chosen is not None else None


def _stem(area: str) -> str:
    """330500 → 3305, 330502 stays: prefix of everything below an area."""
    return area.rstrip("0") if len(area.rstrip("0")) % 2 == 0 else area.rstrip("0") + "0"
