"""Files of materials: received, judged by the scanner, attached to a case, found again.

A file belongs to who uploaded it until a case names it: nobody else can attach it, whatever they know of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.form import Form, MaterialForm
from gateway.domain.materials import KINDS, MaterialStatus
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.policy.model import Jurisdiction
from gateway.services.context import CaseWork, Ctx
from gateway.store import uploads
from gateway.store.uploads import Content, Upload

MOST_IN_CASE = 200
"""Files one case may have."""
BROKEN_OFF = timedelta(hours=1)
"""An upload that is not whole after so long was broken off: longer than any may take."""


# ── receiving ───────────────────────────────────────────────────────────────────────────────────────────


def begin(ctx: Ctx, at: datetime, most: int) -> str:
    """Makes room for a file of the asker.  Raises ``Refused`` (UPLOADS_TOO_MANY) for more than ``most`` loose ones."""
    if uploads.loose(ctx.tx, _owner(ctx)) >= most:
        raise refuse(Code.UPLOADS_TOO_MANY, limit=str(most))
    return uploads.make_room(ctx.tx, _owner(ctx), at)


def add(ctx: Ctx, id: str, first: int, parts: Sequence[bytes]) -> None:
    """Writes sealed parts.  Raises ``Refused`` (UPLOAD_NOT_FOUND) for an upload that is there no more."""
    if not uploads.add(ctx.tx, id, first, parts):
        raise refuse(Code.UPLOAD_NOT_FOUND)


def known(ctx: Ctx, id: str, sha256: str) -> Upload | None:
    """The same file that the asker uploaded before; this one is not kept besides."""
    found = uploads.same(ctx.tx, _owner(ctx), sha256)
    if found is not None:
        uploads.discard(ctx.tx, id)
    return found


def finish(ctx: Ctx, id: str, content: Content, parts: int, status: MaterialStatus) -> Upload:
    """The file is there.  Raises ``Refused`` (UPLOAD_NOT_FOUND) for an upload that is there no more."""
    if not uploads.finish(ctx.tx, id, _owner(ctx), content, parts, status):
        raise refuse(Code.UPLOAD_NOT_FOUND)
    return Upload(id, _owner(ctx), content, status)


def discard(ctx: Ctx, id: str) -> None:
    """Nothing stays of a file that did not come whole, or is not taken."""
    uploads.discard(ctx.tx, id)


def sweep(ctx: Ctx, at: datetime, keep_s: float) -> int:
    """Removes what was broken off, and what no case named for ``keep_s`` seconds.  Returns how many."""
    return uploads.sweep(ctx.tx, at - BROKEN_OFF, at - timedelta(seconds=keep_s))


def judged(ctx: Ctx, id: str, status: MaterialStatus) -> int:
    """The scanner has looked at a file that waited: every case that names it says so.  Returns how many do."""
    hangs = uploads.judge(ctx.tx, id, status)
    for number, material in hangs:
        work = ctx.case(number)
        found = work.case.materials[material]
        if found.status is not status:
            work.record(e.MaterialScanned(material, found.kind, status))
            work.save()
    return len(hangs)


# ── with a case ─────────────────────────────────────────────────────────────────────────────────────────


def attach(ctx: Ctx, number: str, kind: str, id: str, department: str | None = None) -> Case:
    """Ties a file of the asker to a case, as a paper of its material list; for a department: as a certificate that an
    item of its own issues (WS-505).  The same file as the same paper again changes nothing."""
    work = ctx.case(number)
    work.must_stand()
    options = _options(work.policy, department)
    if not options:
        raise refuse(Code.MATERIAL_NOT_ASKED, "type")
    if kind not in options:
        words = {"label": "材料代码", "path": "type", "value": kind[:64], "options": "、".join(options)}
        raise refuse(Code.OPTION_UNKNOWN, "type", **words)
    found = _mine(ctx, id, lock=True)
    if found is None:
        raise refuse(Code.UPLOAD_NOT_FOUND, "upload")
    problems = list(_faults(work.policy, kind, found, "upload"))
    if problems:
        raise Refused(*problems)
    _tie(work, kind, found)
    return work.save()


def resolved(ctx: Ctx, policy: Jurisdiction, form: Form) -> tuple[Form, list[Problem]]:
    """The form with the digests of the files it names, and what is wrong with them."""
    papers: list[MaterialForm] = []
    problems: list[Problem] = []
    for paper in form.materials:
        found = _mine(ctx, paper.upload) if paper.upload is not None else None
        if paper.upload is not None and found is None:
            problems.append(Problem(Reason(Code.UPLOAD_NOT_FOUND), "materials"))
        elif found is not None:
            problems += _faults(policy, paper.type, found, "materials")
            paper = replace(paper, file=f"sha256:{found.content.sha256}")
        papers.append(paper)
    return replace(form, materials=tuple(papers)), problems


def tie_all(work: CaseWork, papers: Iterable[MaterialForm]) -> None:
    """Ties the files of a form that was accepted to its case."""
    for paper in papers:
        if paper.upload is None:
            continue
        found = _mine(work.ctx, paper.upload, lock=True)
        if found is None:
            raise refuse(Code.UPLOAD_NOT_FOUND, "materials")
        _tie(work, paper.type, found)


def _tie(work: CaseWork, kind: str, found: Upload) -> None:
    case = work.case
    if any(one.upload == found.id and one.kind == kind for one in case.materials.values()):
        return
    if len(case.materials) >= MOST_IN_CASE:
        raise refuse(Code.UPLOADS_TOO_MANY, limit=str(MOST_IN_CASE))
    content = found.content
    told = (kind, found.id, content.sha256, content.size, content.content_type, found.status)
    work.record(e.MaterialAttached(secrets.token_urlsafe(24), *told))


def _mine(ctx: Ctx, id: str, lock: bool = False) -> Upload | None:
    """A file the asker uploaded; what is another's is not there."""
    found = uploads.get(ctx.tx, id, lock) if id.isprintable() and len(id) <= 32 else None
    taken = found is not None and found.owner == _owner(ctx) and found.status in uploads.THERE
    return found if taken else None


def _options(policy: Jurisdiction, department: str | None) -> list[str]:
    """What may be handed in."""
    if department is None:
        return [material.code for material in policy.materials]
    own = (item for item in policy.items if item.department == department)
    return list(dict.fromkeys(kind for item in own for kind in item.issues))


def _faults(policy: Jurisdiction, kind: str, found: Upload, path: str) -> Iterable[Problem]:
    """What the policy says of the files of a paper; where it says nothing, the deployment's limits have held."""
    rule = next((material for material in policy.materials if material.code == kind), None)
    if rule is None:
        return
    types = [KINDS[name].content_type for name in rule.accepts or ()]
    if types and found.content.content_type not in types:
        words = {"options": "、".join(types)}
        yield Problem(Reason(Code.UPLOAD_TYPE_NOT_ALLOWED, (rule.source,), words), path)
    if rule.max_bytes is not None and found.content.size > rule.max_bytes:
        yield Problem(Reason(Code.UPLOAD_TOO_LARGE, (rule.source,), {"limit": str(rule.max_bytes)}), path)


def _owner(ctx: Ctx) -> str:
    return ctx.actor.subject
