"""Case: the one query's answer to "where does everything stand, and why"."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from strawberry import relay

from gateway import documents
from gateway.access.rights import sees_whole_cases
from gateway.domain.states import ITEM
from gateway.domain.states import ItemStatus as Status
from gateway.policy.model import ItemDefinition as Definition
from gateway.services import reading
from schema.context import Info
from schema.enums import ArchiveRecordKind, CaseStatus, Flow, ItemStatus, Language, Phase
from schema.scalars import AreaCode, Slug, Time, Yuan, yuan
from schema.types.alert import Alert
from schema.types.care import (
    AutomaticStop,
    FuneralInformation,
    JoinRequest,
    Material,
    Rating,
    Revocation,
    Verification,
)
from schema.types.common import Certificate, NamedValue, Reason
from schema.types.item import DepartmentItem
from schema.types.payout import MoneySummary, Payout
from schema.types.people import Account, Applicant, Death, Deceased, Payee, area_name, reference, views_of
from schema.types.policy import Jurisdiction
from schema.types.timeline import TimelineConnection, timeline
from schema.view import View


@strawberry.type(description="未办结原因: one thing that keeps the case, or its money, from being finished.")
class Obstacle:
    reason: Reason = strawberry.field(description="原因.")
    item: DepartmentItem | None = strawberry.field(description="哪个事项; null: the case itself.")
    payout: Payout | None = strawberry.field(description="哪笔款项.")
    since: Time = strawberry.field(description="自何时起.")


@strawberry.type(description="办理进度.")
class Progress:
    finished: int = strawberry.field(description="已结束的事项数.")
    total: int = strawberry.field(description="适用的事项数.")
    phase: Phase = strawberry.field(description="当前阶段.")
    summary: str = strawberry.field(description="一句话进度.")


@strawberry.type(description="汇总清单的一行 (HZ-905).")
class SummaryLine:
    item: DepartmentItem = strawberry.field(description="事项.")
    result: str = strawberry.field(description="结果.")
    paid: Yuan = strawberry.field(description="已发放金额（元）.")


@strawberry.type(description="归档记录 (HZ-904): a record the archive must hold.")
class ArchiveRecord:
    kind: ArchiveRecordKind = strawberry.field(description="种类.")
    name: str = strawberry.field(description="名称.")
    present: bool = strawberry.field(description="是否齐备.")


@strawberry.type(description="归档检查 (HZ-904).")
class Archive:
    complete: bool = strawberry.field(description="是否完整: every required record is present.")
    records: list[ArchiveRecord] = strawberry.field(description="各项记录.")


@strawberry.federation.type(
    keys=["id", "number"], description="办件: one death, one submission, every department's items, one answer."
)
class Case(relay.Node):
    key: relay.NodeID[str]
    view: strawberry.Private[View]

    @classmethod
    def of(cls, view: View) -> Case:
        return cls(key=view.case.number, view=view)

    @classmethod
    async def resolve_nodes(cls, *, info: Info, node_ids, required=False):  # type: ignore[no-untyped-def]
        views = await views_of(info, list(node_ids))
        return [cls.of(view) if view else None for view in views]

    @classmethod
    async def resolve_reference(
        cls, info: Info, id: strawberry.ID | None = None, number: str | None = None
    ) -> Case | None:
        """Federation: the case by global id or by number."""
        if number is not None:
            return (await cls.resolve_nodes(info=info, node_ids=[number]))[0]
        return await reference(info, cls, id or "")

    @strawberry.field(description="办件编号.")
    def number(self) -> str:
        return self.key

    @strawberry.field(description="办理地区及其规则版本.")
    def jurisdiction(self) -> Jurisdiction:
        view = self.view
        return Jurisdiction(source=view.policy, book=view.book, connected=view.desk.connected)

    @strawberry.field(description="状态.")
    def status(self) -> CaseStatus:
        return self.view.case.status

    @strawberry.field(description="死亡情形.")
    def flow(self) -> Flow:
        return Flow(self.view.case.flow)

    @strawberry.field(description="办理渠道代码.")
    def channel(self) -> str:
        return self.view.case.channel

    @strawberry.field(description="办理区域代码.")
    def area(self) -> AreaCode:
        return AreaCode(self.view.case.area)

    @strawberry.field(description="办理区域名称.")
    def area_name(self) -> str | None:
        return area_name(self.view, self.view.case.area)

    @strawberry.field(description="立案时间.")
    def opened_at(self) -> Time:
        return Time(self.view.case.opened_at)

    @strawberry.field(description="立案角色.")
    def opened_by(self) -> str:
        return self.view.case.opened_by

    @strawberry.field(description="填报时间.")
    def reported_at(self) -> Time | None:
        return Time(self.view.case.reported_at) if self.view.case.reported_at else None

    @strawberry.field(description="办结时间.")
    def closed_at(self) -> Time | None:
        return Time(self.view.case.closed_at) if self.view.case.closed_at else None

    @strawberry.field(description="逝者.")
    def deceased(self) -> Deceased:
        return Deceased(number=self.key, view=self.view)

    @strawberry.field(description="亡故信息.")
    def death(self) -> Death:
        return Death.of(self.view, self.view.case.death)

    @strawberry.field(description="申请人（家属）.")
    def applicant(self) -> Applicant | None:
        form = self.view.case.form
        return Applicant.of(self.view.book, form.applicant) if form else None

    @strawberry.field(description="领取人.")
    def payee(self) -> Payee | None:
        form = self.view.case.form
        return Payee.of(self.view.book, form.payee) if form else None

    @strawberry.field(description="家属提供的收款账户.")
    def account(self) -> Account | None:
        form = self.view.case.form
        return Account.of(form.account) if form else None

    @strawberry.field(description="已申报的情形: code and true or false.")
    def situations(self) -> list[NamedValue]:
        declared = self.view.case.form.situations if self.view.case.form else {}
        return [NamedValue(name=code, value="true" if value else "false") for code, value in declared.items()]

    @strawberry.field(description="材料: files that were handed in, oldest first, then papers that were only named.")
    def materials(self) -> list[Material]:
        return Material.all(self.view)

    @strawberry.field(description="值守联系方式 (HZ-206): whom to turn to, around the clock.")
    def duty_contact(self, language: Language = Language.ZH) -> str:
        return self.view.policy.duty_contact if language is Language.ZH else self.view.policy.duty_contact_en

    @strawberry.field(description="治丧信息.")
    def funeral_information(self) -> FuneralInformation:
        case = self.view.case
        booked = {name: value for item in case.items.values() for name, value in item.details.items()}
        told = case.form.answers if case.form else {}
        position = told.get("funeral.position")
        return FuneralInformation(
            funeral_home=booked.get("funeralHome"),
            booked_at=booked.get("bookedAt"),
            vehicle=booked.get("vehicle"),
            pickup_address=told.get("funeral.pickupAddress"),
            ashes_placement=told.get("ashes.placement"),
            ashes_place=told.get("ashes.placeName"),
            position=f"geo:{position.replace(' ', '')}" if position else None,
        )

    @strawberry.field(description="部门事项, in the order of the catalogue.")
    def items(
        self,
        statuses: list[ItemStatus] | None = None,
        department: Slug | None = None,
        applicable_only: bool = False,
    ) -> list[DepartmentItem]:
        case = self.view.case
        return [
            DepartmentItem.of(self.view, definition.slug)
            for definition in self._ordered()
            if (statuses is None or case.items[definition.slug].status in statuses)
            and (department is None or definition.department == department)
            and not (applicable_only and case.items[definition.slug].status is Status.NOT_APPLICABLE)
        ]

    @strawberry.field(description="一个部门事项.")
    def item(self, slug: Slug) -> DepartmentItem | None:
        return DepartmentItem.of(self.view, slug) if slug in self.view.case.items else None

    @strawberry.field(description="电子证照.")
    def certificates(self) -> list[Certificate]:
        return [self.view.certificate(found) for found in self.view.case.certificates]

    @strawberry.field(description="款项.")
    def payouts(self) -> list[Payout]:
        return [Payout.of(self.view, payout) for payout in self.view.case.payouts]

    @strawberry.field(description="资金汇总.")
    def money(self) -> MoneySummary:
        found = reading.money(self.view.policy, self.view.case)
        return MoneySummary(
            approved=yuan(found.approved),
            held=yuan(found.held),
            underway=yuan(found.instructed),
            paid=yuan(found.paid),
            returned=yuan(found.returned),
            deducted=yuan(found.deducted),
            shortfall=yuan(found.shortfall),
        )

    @strawberry.field(
        description="为何尚未办结: everything that keeps it from being finished; empty when nothing does."
    )
    def why_not_finished(self) -> list[Obstacle]:
        view = self.view
        return [
            Obstacle(
                reason=Reason(source=found.reason),
                item=DepartmentItem.of(view, found.item) if found.item else None,
                payout=Payout.of(view, found.payout) if found.payout else None,
                since=Time(found.since),
            )
            for found in reading.obstacles(view.book, view.policy, view.case)
        ]

    @strawberry.field(description="督办: open and answered ones, in the order they were recorded.")
    def alerts(self) -> list[Alert]:
        return [Alert(view=self.view, source=found) for found in self.view.case.alerts.values()]

    @strawberry.field(description="下一步: what happens next (HZ-905).")
    def next_steps(self) -> list[DepartmentItem]:
        view = self.view
        return [DepartmentItem.of(view, slug) for slug in reading.next_steps(view.case)]

    @strawberry.field(description="办理进度.")
    def progress(self) -> Progress:
        finished, total = reading.progress(self.view.case)
        phase = self._phase()
        return Progress(finished=finished, total=total, phase=phase, summary=f"{total}项中已办结{finished}项")

    @strawberry.field(description="汇总清单, once the last item is final (HZ-905); null before.")
    def summary_list(self) -> list[SummaryLine] | None:
        case = self.view.case
        if any(item.status not in ITEM.final for item in case.items.values()):
            return None
        return [
            SummaryLine(
                item=DepartmentItem.of(self.view, definition.slug),
                result=case.items[definition.slug].outcome or case.items[definition.slug].reason.zh()
                if case.items[definition.slug].status is not Status.COMPLETED
                else "已办结",
                paid=yuan(
                    sum(
                        payout.fen
                        for payout in case.payouts.values()
                        if payout.item == definition.slug and payout.paid_at is not None
                    )
                ),
            )
            for definition in self._ordered()
        ]

    @strawberry.field(
        description="登记表: the filled registration form as HTML for A4 print; shows what the viewer may see."
    )
    def registration_form(self, info: Info) -> str:
        view = self.view
        whole = sees_whole_cases(view.desk.rights, info.context.known_viewer())
        return documents.filled_form(view.book, view.policy, view.case, view.now, whole)

    @strawberry.field(description="汇总清单 (HZ-905) as HTML for A4 print; null before the case is closed.")
    def summary_document(self) -> str | None:
        view = self.view
        if view.case.status is not CaseStatus.CLOSED:
            return None
        return documents.summary(view.book, view.policy, view.case, view.now)

    @strawberry.field(description="归档检查.")
    def archive(self) -> Archive:
        view = self.view
        records = reading.archive(view.policy, view.case)

        def name(record: reading.ArchiveRecord) -> str:
            if record.kind == "CERTIFICATE":
                return view.book.word("certificates", record.refers_to).name
            return view.definition(record.refers_to).name if record.kind == "RESULT" else "报丧信息（登记表）"

        return Archive(
            complete=all(record.present for record in records),
            records=[ArchiveRecord(kind=ArchiveRecordKind(r.kind), name=name(r), present=r.present) for r in records],
        )

    @strawberry.field(
        description="上级平台办件码 (YN-1001): the code a higher platform gave the case; null: none, or not yet."
    )
    def platform_code(self) -> str | None:
        for definition in self.view.policy.items:
            item = self.view.case.items.get(definition.slug)
            if definition.service == "CASE_CODING" and item is not None:
                return item.details.get("caseCode")
        return None

    @strawberry.field(description="身份核验.")
    def verifications(self) -> list[Verification]:
        return [Verification.of(self.view, found) for found in self.view.case.verifications]

    @strawberry.field(description="自动停发, recorded or not; empty where departments are pushed to instead.")
    def automatic_stops(self) -> list[AutomaticStop]:
        return AutomaticStop.all(self.view)

    @strawberry.field(description="好差评; null: not rated.")
    def rating(self) -> Rating | None:
        return Rating.of(self.view, self.view.case.rating) if self.view.case.rating else None

    @strawberry.field(description="撤销; null: not revoked.")
    def revocation(self) -> Revocation | None:
        found = self.view.case.revocation
        return Revocation(reason=found.reason, at=Time(found.at)) if found else None

    @strawberry.field(description="首问责任人 (YN-901): who took the matter up first; null: the family by itself.")
    def first_asked(self) -> str | None:
        return self.view.case.first_asked

    @strawberry.field(description="加入申请, for those who look after the case.")
    def join_requests(self) -> list[JoinRequest]:
        return [JoinRequest.of(join) for join in self.view.case.joins.values()]

    @strawberry.field(description="时间线: the case's ledger, oldest first.")
    async def timeline(self, info: Info, first: int = 50, after: str | None = None) -> TimelineConnection:
        entries = await info.context.ledger_loader.load(self.key)
        return timeline(self.view, info.context.known_viewer(), entries, first, after)

    def _ordered(self) -> Iterable[Definition]:
        return (item for item in self.view.policy.items if item.slug in self.view.case.items)

    def _phase(self) -> Phase:
        for phase in Phase:
            for definition in self.view.policy.items:
                item = self.view.case.items.get(definition.slug)
                open_ = item is not None and item.status not in ITEM.final
                if open_ and definition.phase == phase and definition.issues:
                    return phase
        return Phase.AFTERCARE


@strawberry.type(description="办件列表的一项.")
class CaseEdge:
    cursor: str = strawberry.field(description="游标.")
    node: Case = strawberry.field(description="办件.")


@strawberry.type(description="办件列表, newest first.")
class CaseConnection:
    edges: list[CaseEdge] = strawberry.field(description="列表.")
    page_info: relay.PageInfo = strawberry.field(description="分页信息.")
    total_count: int = strawberry.field(description="总数.")

    @strawberry.field(description="办件, without the edges.")
    def nodes(self) -> list[Case]:
        return [edge.node for edge in self.edges]
