"""What all payloads need: run a use case, turn a refusal into user errors, show the case again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from gateway.access.asking import looking_of
from gateway.access.rights import forbid, in_area
from gateway.desk import in_time
from gateway.domain.case import Case
from gateway.domain.evidence import Looks, persons
from gateway.domain.form import Form
from gateway.domain.messages import Code, Refused, refuse
from gateway.policy.book import inside
from gateway.policy.model import Jurisdiction
from gateway.services.context import Ctx
from gateway.services.looking import note as note_looks
from gateway.store.looks import NOTHING as NO_LOOK
from gateway.store.looks import Look
from schema.context import Info
from schema.types.common import errors
from schema.view import View

T = TypeVar("T")
P = TypeVar("P")
NOT_USER_ERRORS = (Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.TRY_AGAIN)


def answers(
    payload: type[P],
) -> Callable[[Callable[..., Coroutine[Any, Any, P]]], Callable[..., Coroutine[Any, Any, P]]]:
    """Refusals become ``userErrors`` of this payload; missing rights stay errors of the operation."""

    def decorate(call: Callable[..., Coroutine[Any, Any, P]]) -> Callable[..., Coroutine[Any, Any, P]]:
        @wraps(call)
        async def run(*args: Any, **kwargs: Any) -> P:
            try:
                return await call(*args, **kwargs)
            except Refused as refused:
                if any(problem.reason.code in NOT_USER_ERRORS for problem in refused.problems):
                    raise
                return payload(user_errors=errors(*refused.problems))  # type: ignore[call-arg]

        return run

    return decorate


async def looks_for(info: Info, form: Form) -> Looks:
    """What sources of shared data hold of the persons of a form, asked before its transaction begins.

    Raises ``Refused`` (FORBIDDEN), before any source is asked.
    """
    desk = info.context.desk
    policy = await own_policy(info, form.jurisdiction)
    if policy is None or not policy.shared_sources:
        return ()
    numbers = [id_number for _, id_number in persons(form).values()]
    return await in_time(desk.lookups.of(policy, numbers, "VERIFY", "MATERIALS", "CERTIFICATES"))


def must_belong(info: Info, ctx: Ctx, jurisdiction: str) -> None:
    """Staff and departments act in the jurisdiction their area lies in, or holds (PD-15, HZ-816).

    Families may file wherever their dead has to be reported.  Raises ``Refused`` (FORBIDDEN).
    """
    viewer, policy = info.context.known_viewer(), ctx.in_force(jurisdiction)
    if policy is None or info.context.desk.rights.roles[viewer.role].cases == "FAMILY":
        return
    if not (in_area(viewer, policy.area) or inside(viewer.area, policy.area)):
        raise forbid(info.context.desk.rights, viewer, policy.name, "PD-15")


async def own_policy(info: Info, jurisdiction: str) -> Jurisdiction | None:
    """The rules in force of a jurisdiction the viewer may act in; None: there is no such one.  Raises as above."""

    def found(ctx: Ctx) -> Jurisdiction | None:
        must_belong(info, ctx, jurisdiction)
        return ctx.in_force(jurisdiction)

    return await info.context.desk.look(info.context.known_viewer(), found)


async def change(info: Info, call: Callable[[Ctx], T]) -> T:
    """A use case in one writing transaction, as the viewer."""
    return await info.context.desk.change(info.context.known_viewer(), call)


async def change_visible(info: Info, number: str, call: Callable[[Ctx], T], noted: bool = False) -> T:
    """As ``change``, on a case the viewer may see; anything else answers as if it did not exist (PD-15).

    ``noted``: the use case itself notes that somebody looks.
    """
    viewer, desk = info.context.known_viewer(), info.context.desk

    def guarded(ctx: Ctx) -> T:
        if not desk.visible(ctx.tx, viewer, [number]):
            raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=number)
        looking = None if noted else looking_of(desk.rights, viewer, info.context.asking)
        if looking is not None:
            note_looks(ctx, [number], looking)
        return call(ctx)

    with noting_absence(info, number):
        return await change(info, guarded)


@contextmanager
def noting_absence(info: Info, number: str) -> Iterator[None]:
    """The access record keeps who asked for a case that was answered as one that does not exist."""
    try:
        yield
    except Refused as refused:
        if refused.problems[0].reason.code is Code.CASE_NOT_FOUND:
            info.context.desk.note_denied(info.context.known_viewer(), info.context.asking, Code.CASE_NOT_FOUND, number)
        raise


def shown(info: Info, case: Case | None, look: Look = NO_LOOK) -> View | None:
    """The case as the viewer may see it after the change."""
    viewer, desk = info.context.known_viewer(), info.context.desk
    visible = desk.show(viewer, case, look) if case is not None else None
    if visible is None:
        return None
    desk.note_seen(viewer, visible.number, info.context.asking, look)
    return View.of(desk, visible)
