"""Which papers and files of a case a viewer sees: those a department's items need, opened by whom the table lets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gateway.access.rights import Fields
from gateway.domain.case import Case
from gateway.policy.model import Jurisdiction


def cut(case: Case, policy: Jurisdiction, fields: Fields, needed: Collection[str] | None) -> Case:
    """The case with the papers this viewer sees.

    ``needed``: kinds of certificate the viewer's items need; papers that are no such certificate are not theirs.  None:
    every paper.
    """
    if fields.materials == "HIDDEN":
        needed = ()
    shared = {rule.code: rule.shared_as.certificate for rule in policy.materials if rule.shared_as is not None}

    def seen(kind: str) -> bool:
        return needed is None or shared.get(kind, kind) in needed

    files = {id: one for id, one in case.materials.items() if seen(one.kind)}
    papers = tuple(paper for paper in case.form.materials if seen(paper.type)) if case.form is not None else ()
    if fields.materials != "FULL":
        files = {id: replace(one, upload="", sha256="") for id, one in files.items()}
        papers = tuple(replace(paper, name=None, file=None, upload=None) for paper in papers)
    form = replace(case.form, materials=papers) if case.form is not None else None
    return replace(case, materials=files, form=form)
