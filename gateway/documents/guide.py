"""办事指南: the service guide of a jurisdiction, from its policy file alone.  What is not stated is said so."""

from __future__ import annotations

from typing import Any

from gateway.documents.page import render
from gateway.policy import served, words
from gateway.policy.book import PolicyBook
from gateway.policy.model import Condition, Flow, ItemDefinition, Jurisdiction, Step

_TRIGGERS = {"AUTO": "自动推送", "TICK": "申请人勾选", "EVENT": "由办件推动"}
_HANDLERS = {"SHARED": "共享获取", "PULL": "部门调取共享信息自行办理"}
_USES = {"PREFILL": "预填表单", "VERIFY": "核验身份", "MATERIALS": "免提交材料", "CERTIFICATES": "获取证照"}
_WITHDRAWAL = {
    "CHOSEN": "勾选的事项",
    "ALL": "全部事项",
    "ACCEPTED": "在部门受理之前可以撤回",
    "FINAL": "在办结之前可以撤回",
}


def guide(book: PolicyBook, policy: Jurisdiction) -> str:
    """The printable service guide."""
    return render(
        "guide.html",
        policy,
        f"{policy.name}身后“一件事”办事指南",
        areas="、".join(area.name for area in policy.areas),
        rollout=[
            {"name": _area(policy, stage.area), "since": stage.since, "source": stage.source}
            for stage in policy.rollout
        ],
        reporters=lambda flow: _roles(book, flow),
        certificates=lambda kinds: "或".join(book.word("certificates", kind).name for kind in kinds),
        item_name=lambda slug: item.name if (item := policy.item(slug)) else slug,
        flows=_flows(policy),
        materials=[
            {
                "name": material.name,
                "upload": material.upload,
                "source": material.source,
                "when": _when(book, policy, material.required_when, "来源文件未载明为必交"),
                "spared": _sources(book, served.spared_by(policy)),
            }
            for material in policy.materials
        ],
        papers=[
            {
                "name": book.word("certificates", paper.certificate).name,
                "source": paper.source,
                "when": _when(book, policy, paper.when, "填写编号时"),
            }
            for paper in policy.certificates_on_form
        ],
        sources=[
            {
                "name": book.word("departments", use.source).name,
                "uses": "、".join(_USES[kind] for kind in use.uses)
                + (
                    f"（{'、'.join(book.word('certificates', kind).name for kind in use.certificates)}）"
                    if use.certificates
                    else ""
                ),
                "row": use.row,
            }
            for use in policy.shared_sources
        ],
        items=[_item(book, policy, item) for item in policy.items],
        payouts=[_payout(book, policy, item) for item in policy.items if item.payout is not None],
        notices=[
            {
                "text": notice.text,
                "source": notice.source,
                "when": words.condition(book, policy, notice.when).zh if notice.when else None,
            }
            for notice in policy.notices
        ],
        withdrawal=f"{_WITHDRAWAL[policy.withdrawal.items]}{_WITHDRAWAL[policy.withdrawal.until]}。"
        if policy.withdrawal
        else "来源文件未载明。",
    )


def _roles(book: PolicyBook, flow: Flow) -> str:
    return "、".join(book.word("roles", role).name for role in flow.reporters)


def _area(policy: Jurisdiction, code: str) -> str:
    return next((area.name for area in policy.areas if area.code == code), code)


def _sources(book: PolicyBook, codes: list[str]) -> str:
    return "、".join(f"{book.word('departments', code).name}持有时" for code in codes)


def _when(book: PolicyBook, policy: Jurisdiction, rule: Condition | None, otherwise: str) -> str:
    return words.condition(book, policy, rule).zh if rule is not None else otherwise


def _flows(policy: Jurisdiction) -> list[tuple[str | None, list[Step]]]:
    """Steps per kind of death, or one list when they do not differ."""
    if not policy.steps:
        return []
    if all(step.flow is None for step in policy.steps):
        return [(None, policy.steps)]
    return [(flow.name, [step for step in policy.steps if step.flow in (None, flow.code)]) for flow in policy.flows]


def _item(book: PolicyBook, policy: Jurisdiction, item: ItemDefinition) -> dict[str, Any]:
    applies = words.applies(book, policy, item)
    if item.department is not None:
        department = book.word("departments", item.department).name
    elif item.handler == "PLATFORM":
        department = "、".join(book.word("roles", role).name for role in item.done_by)
    else:
        department = words.NOT_STATED.zh
    trigger = _HANDLERS.get(item.handler, _TRIGGERS[item.trigger])
    return {
        "name": item.name,
        "others": "、".join(item.other_names),
        "source": item.source,
        "department": department,
        "condition": applies.zh if applies is not None else "所有办件",
        "gates": "；".join(words.gate(book, policy, gate).zh for gate in item.requires),
        "limits": "；".join(words.limit(clock).zh for clock in item.clocks) or words.NO_LIMIT.zh,
        "trigger": trigger if item.enabled else "未开通",
    }


def _payout(book: PolicyBook, policy: Jurisdiction, item: ItemDefinition) -> dict[str, Any]:
    rule = item.payout
    assert rule is not None, "only items that pay are listed"
    said = words.payee(rule)
    text = f"{said.zh}。" if said is not None else f"收款账户{words.NOT_STATED.zh}；款项核定后暂缓发放，待明确。"
    ids = [rule.source]
    if rule.deduction is not None:
        before = policy.item(rule.deduction.item)
        text += f"“{before.name if before else rule.deduction.item}”为负数的，先行扣回。"
        ids.append(rule.deduction.source)
    kinds = "、".join(book.word("payments", kind).name for kind in rule.kinds)
    return {"item": item.name, "kinds": kinds, "rule": text, "ids": list(dict.fromkeys(ids))}
