"""Sending: the transactions before and after a call to a department's system.

The one before commits that the message goes out.  Whoever finds a message begun and nothing recorded of it, because a
gateway died or an answer was lost, asks the department what it holds before it tells it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.domain.case import REVERSAL, Case, split_key
from gateway.domain.department import Application, DepartmentError, DepartmentRejected, PaymentInstruction, Receipt
from gateway.domain.exchange import Exchange, MessageKind
from gateway.policy import decide
from gateway.services import connections, dispatch, reversal
from gateway.services.context import Ctx
from gateway.store import cases, messages


@dataclass(frozen=True, slots=True)
class Sending[T: (Application, PaymentInstruction)]:
    """Something that goes out now."""

    content: T
    code: str
    """The system it goes into."""
    told_before: bool
    """Whether telling this department the same was begun before, however that ended."""
    message: str
    """Id of the message it is kept as."""
