"""Lifting masks for a reason."""

from __future__ import annotations

import strawberry

from gateway.access.rights import RevealReason, Rights, Viewer, forbid
from gateway.domain.messages import Code, Refused, refuse
from gateway.services import looking
from gateway.services.looking import Lifting
from schema import inputs as i
from schema.context import Info
from schema.mutations.payload import answers, change_visible, shown
from schema.scalars import Time
from schema.types.case import Case
from schema.types.common import UserError

NOTE = 200
"""Characters of a note."""


@strawberry.type(description="查看完整个人信息的答复.")
class RevealPersonalDataPayload:
    case: Case | None = strawberry.field(default=None, description="办件, with what is unmasked now.")
    until: Time | None = strawberry.field(default=None, description="有效期至: after it the masks are back.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="未接受的原因.")


@strawberry.type
class Looking:
    @strawberry.mutation(
        description="查看完整个人信息: lifts the masks of some kinds of personal data of one case, for the viewer "
        "alone and for a short time.  Who, when, what and why stands in the case's timeline, which the family reads "
        "(PD-15)."
    )
    @answers(RevealPersonalDataPayload)
    async def reveal_personal_data(self, info: Info, input: i.RevealPersonalDataInput) -> RevealPersonalDataPayload:
        viewer, desk = info.context.known_viewer(), info.context.desk
        try:
            lifting = _lifting(desk.rights, viewer, input, info.context.origin)
        except Refused as refused:
            if refused.problems[0].reason.code is Code.FORBIDDEN:
                desk.note_denied(viewer, info.context.asking, Code.FORBIDDEN, input.case_number)
            raise
        case, look = await change_visible(
            info, input.case_number, lambda ctx: looking.reveal(ctx, input.case_number, lifting), noted=True
        )
        view = shown(info, case, look)
        return RevealPersonalDataPayload(
            case=Case.of(view) if view else None, until=Time(look.lifted_until) if look.lifted_until else None
        )


def _lifting(rights: Rights, viewer: Viewer, input: i.RevealPersonalDataInput, origin: str | None) -> Lifting:
    """Raises ``Refused``: FORBIDDEN for a kind the role may not unmask, OPTION_UNKNOWN, FIELD_REQUIRED or _INVALID."""
    fields = frozenset(kind.value for kind in input.fields)
    for kind in sorted(fields - set(rights.roles[viewer.role].on_reason)):
        raise forbid(rights, viewer, f"revealPersonalData {kind.upper()}", "PD-15")
    if not fields:
        raise refuse(Code.FIELD_REQUIRED, "fields", "PD-15", label="个人信息种类", path="fields")
    reason, note = _reason(rights, input.reason), (input.note or "").strip()
    if reason.note and not note:
        raise refuse(Code.FIELD_REQUIRED, "note", "PD-15", label="说明", path="note")
    if len(note) > NOTE:
        words = {"detail": f"至多{NOTE}个字符", "detail_en": f"at most {NOTE} characters"}
        raise refuse(Code.FIELD_INVALID, "note", "PD-15", label="说明", path="note", **words)
    text = f"{reason.name}：{note}" if note else reason.name
    return Lifting(fields, reason.code, text, rights.reveal_minutes, origin)


def _reason(rights: Rights, code: str) -> RevealReason:
    for reason in rights.reasons:
        if reason.code == code:
            return reason
    options = "、".join(reason.code for reason in rights.reasons)
    words = {"label": "查看事由", "path": "reason", "value": code[:40], "options": options}
    raise refuse(Code.OPTION_UNKNOWN, "reason", "PD-15", **words)
