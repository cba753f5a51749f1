"""Timeline: the case's ledger as a viewer may read it."""

from __future__ import annotations

import base64
import binascii

import strawberry
from strawberry import relay

from gateway.access.fields import GROUPS
from gateway.access.rights import Viewer, sees_staff_matters, sees_whole_cases
from gateway.domain import events as e
from gateway.domain.messages import Code, refuse
from gateway.services.reading import material_name
from gateway.store.cases import Entry
from schema.scalars import Slug, Time
from schema.types.common import NamedValue, Reason
from schema.view import View

TITLES = {
    "case.opened": "立案",
    "case.reported": "填报报丧信息",
    "items.evaluated": "判定事项",
    "items.pushed": "推送",
    "delivery.succeeded": "送达部门系统",
    "delivery.failed": "推送未达，将重试",
    "delivery.redriven": "人工重新推送",
    "delivery.lost": "部门系统无此申请，自动重新推送",
    "item.accepted": "受理",
    "item.correction_requested": "要求补正",
    "item.correction_answered": "已补正",
    "item.completed": "办结",
    "item.refused": "不予办理",
    "item.ruled_out": "不适用",
    "certificate.issued": "出具证照",
    "case.flow_changed": "死亡情形变更",
    "deceased.identified": "身份确认",
    "account.given": "提供收款账户",
    "payout.approved": "核定金额",
    "payout.held": "暂缓发放",
    "payout.instructed": "下达收款账户",
    "instruction.succeeded": "收款账户送达",
    "instruction.failed": "收款账户未达，将重试",
    "instruction.redriven": "人工重新发送收款账户",
    "payout.paid": "已发放",
    "payout.returned": "退汇",
    "write_back.refused": "回传未被接受",
    "join.requested": "亲属申请加入",
    "join.answered": "答复加入申请",
    "case.noted": "监督记录",
    "item.found": "已由共享数据办理",
    "form.corrected": "更正",
    "item.amended": "更正推送",
    "item.withdrawn": "撤回",
    "case.revoked": "撤销：误报死亡",
    "reversal.requested": "要求恢复",
    "reversal.delivered": "恢复要求送达",
    "reversal.failed": "恢复要求未达，将重试",
    "reversal.redriven": "人工重新推送恢复要求",
    "reversal.answered": "恢复结果",
    "case.revocation_finished": "撤销完成",
    "payout.deducted": "扣回",
    "payout.offset": "抵扣完毕",
    "payout.cancelled": "取消发放",
    "identity.verified": "身份核验",
    "case.rated": "好差评",
    "case.reopened": "重新办理",
    "case.closed": "办结归档",
    "access.looked": "查看个人信息",
    "access.revealed": "查看完整个人信息",
    "supervision.reminded": "催办",
    "supervision.overdue": "时限已过",
    "supervision.escalated": "升级督办",
    "material.attached": "提交材料文件",
    "material.scanned": "材料扫描结果",
}
STEPS = (e.Found, e.Reported, e.Completed, e.CertificateIssued, e.ItemRefused, e.RuledOut, e.FlowChanged, e.Identified)
"""Steps that can release items."""


@strawberry.type(description="时间线条目: one entry of the ledger.")
class TimelineEvent:
    sequence: int = strawberry.field(description="序号.")
    at: Time = strawberry.field(description="时间.")
    type: str = strawberry.field(description="事件代码, e.g. item.completed.")
    title: str = strawberry.field(description="事件名称.")
    text: str = strawberry.field(description="一句话说明.")
    actor: str = strawberry.field(description="谁: role, and the department where it matters.")
    items: list[Slug] = strawberry.field(description="涉及的事项.")
    next_items: list[Slug] = strawberry.field(description="后续环节: items this step released (HZ-905).")
    reason: Reason | None = strawberry.field(description="原因, e.g. of a write-back that was not taken.")
    details: list[NamedValue] = strawberry.field(description="其他内容.")
    hash: str = strawberry.field(description="链式摘要: hash of this entry over the one before it.")


@strawberry.type(description="时间线的一项.")
class TimelineEdge:
    cursor: str = strawberry.field(description="游标.")
    node: TimelineEvent = strawberry.field(description="条目.")


@strawberry.type(description="时间线, oldest first.")
class TimelineConnection:
    edges: list[TimelineEdge] = strawberry.field(description="列表.")
    page_info: relay.PageInfo = strawberry.field(description="分页信息.")
    total_count: int = strawberry.field(description="总数.")

    @strawberry.field(description="条目, without the edges.")
    def nodes(self) -> list[TimelineEvent]:
        return [edge.node for edge in self.edges]


def timeline(view: View, viewer: Viewer, entries: list[Entry], first: int, after: str | None) -> TimelineConnection:
    """One page.  Raises ``Refused`` (FIELD_INVALID) for a cursor that is none or a page that is too large."""
    shown = [entry for entry in entries if _visible(view, viewer, entry)]
    start = position_of(after) if after else 0
    page = [entry for entry in shown if entry.seq > start][: _size(first)]
    released = {entry.at: entry.event.slugs for entry in entries if isinstance(entry.event, e.Pushed)}
    edges = [
        TimelineEdge(cursor=cursor_of(entry.seq), node=_event(view, entry, released.get(entry.at, ())))
        for entry in page
    ]
    more = bool(page) and page[-1].seq != shown[-1].seq
    info = relay.PageInfo(
        has_next_page=more,
        has_previous_page=start > 0,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return TimelineConnection(edges=edges, page_info=info, total_count=len(shown))


def _visible(view: View, viewer: Viewer, entry: Entry) -> bool:
    rights = view.desk.rights
    if entry.event.type in rights.field_rules.staff.entries and not sees_staff_matters(rights, viewer):
        return False
    if sees_whole_cases(rights, viewer):
        return True
    slugs = _slugs(entry.event)
    return bool(slugs) and any(slug in view.case.items for slug in slugs)


def _event(view: View, entry: Entry, released: tuple[str, ...]) -> TimelineEvent:
    event = entry.event
    slugs = [slug for slug in _slugs(event) if slug in view.case.items]
    names = "、".join(view.definition(slug).name for slug in slugs)
    title = TITLES[event.type]
    actor = view.book.word("roles", entry.actor.role).name
    if entry.actor.department:
        actor = f"{view.book.word('departments', entry.actor.department).name}（{actor}）"
    reason = getattr(event, "reason", None)
    text = f"{title}：{names}" if names and len(slugs) <= 3 else f"{title}（{len(slugs)}项）" if names else title
    if isinstance(event, e.Looked | e.Revealed):
        text += f"：{_kinds(view, event)}"
    if isinstance(reason, str) and reason:
        text += f"。{reason}"
    return TimelineEvent(
        sequence=entry.seq,
        at=Time(entry.at),
        type=event.type,
        title=title,
        text=text,
        actor=actor,
        items=[Slug(slug) for slug in slugs],
        next_items=[
            Slug(slug)
            for slug in released
            if isinstance(event, STEPS) and slug in view.case.items and slug not in slugs
        ],
        reason=Reason(source=reason) if reason is not None and not isinstance(reason, str) else None,
        details=_details(view, event),
        hash=entry.hash,
    )


def _kinds(view: View, event: e.Looked | e.Revealed) -> str:
    """``电话、证件号码（部分隐去）``."""
    rules = view.desk.rights.field_rules.rules
    masked = event.masked if isinstance(event, e.Looked) else ()
    words = [rules[kind].name for kind in GROUPS if kind in event.fields]
    words += [f"{rules[kind].name}（部分隐去）" for kind in GROUPS if kind in masked]
    return "、".join(words)


def _slugs(event: e.Event) -> tuple[str, ...]:
    if isinstance(event, e.Pushed | e.ReversalRequested):
        return event.slugs
    if isinstance(event, e.Evaluated):
        return tuple(verdict.slug for verdict in event.verdicts)
    payout = getattr(event, "payout", None)
    slug = payout.partition(":")[0] if isinstance(payout, str) else getattr(event, "slug", None)
    return (slug,) if slug else ()


def _details(view: View, event: e.Event) -> list[NamedValue]:
    """Only what is no personal data: numbers of certificates and amounts stand at their own types."""
    names = ("raw_code", "reference", "serial", "effective", "department", "error", "kind", "text", "answer")
    found = [(name, getattr(event, name, None)) for name in names]
    if isinstance(event, e.CertificateIssued):
        found.append(("certificate", view.book.word("certificates", event.certificate).name))
    if isinstance(event, e.MaterialAttached | e.MaterialScanned):
        found = [("material", material_name(view.book, view.policy, event.kind)), ("status", event.status.value)]
    if isinstance(event, e.PayoutApproved):
        found.append(("amount", f"{event.fen / 100:.2f}"))
    return [NamedValue(name=name, value=str(value)) for name, value in found if value]


def _size(first: int) -> int:
    if not 1 <= first <= 200:
        words = {"label": "first", "path": "first", "detail": "应为1至200", "detail_en": "1 to 200"}
        raise refuse(Code.FIELD_INVALID, "first", **words)
    return first


def cursor_of(seq: int) -> str:
    return base64.urlsafe_b64encode(f"entry:{seq}".encode()).decode()


def position_of(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("entry:"))
    except (ValueError, binascii.Error) as error:
        words = {"label": "after", "path": "after", "detail": "不是有效的游标", "detail_en": "not a cursor"}
        raise refuse(Code.FIELD_INVALID, "after", **words) from error
