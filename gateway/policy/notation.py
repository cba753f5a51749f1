"""Rules in one line of words: conditions, gates, limits.  For tools that show a policy to people."""

from __future__ import annotations

from gateway.policy.model import Clock, Condition, Period, Requirement

NOT_STATED = "NOT STATED"


def condition(found: Condition | None, inner: bool = False) -> str:
    """``flow = OUTSIDE and (situation.X = true or not area within 330500)``; empty for no condition."""
    if found is None:
        return ""
    if found.all is not None or found.any is not None:
        parts, word = (found.all, " and ") if found.all is not None else (found.any or [], " or ")
        text = word.join(condition(part, inner=len(parts) > 1) for part in parts)
        return f"({text})" if inner and len(parts) > 1 else text
    if found.not_ is not None:
        return f"not {condition(found.not_, inner=True)}"
    return f"{found.fact} {test(found)}"


def test(found: Condition) -> str:
    """What a fact is tested for: ``= true``, ``among A, B``, ``within 330500``, ``is known``."""
    if found.among is not None:
        return f"among {', '.join(found.among)}"
    if found.within is not None:
        return f"within {', '.join(found.within)}"
    if found.known is not None:
        return "is known" if found.known else "is not known"
    return f"= {value(found.equals)}"


def facts(found: Condition | None) -> list[str]:
    """Names of the facts a condition reads, in order, each once."""
    if found is None:
        return []
    parts = [*(found.all or []), *(found.any or []), *([found.not_] if found.not_ is not None else [])]
    names = [found.fact] if found.fact is not None else [name for part in parts for name in facts(part)]
    return list(dict.fromkeys(names))


def value(found: object) -> str:
    """A value as YAML would write it."""
    if found is None:
        return "—"
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found)


def requirement(gate: Requirement) -> str:
    """``certificate CREMATION or DEATH_MEDICAL``, ``item hukou-deregistration``, ``report``, ``all other items``."""
    if gate.certificate is not None:
        return f"certificate {' or '.join(gate.certificate)}"
    if gate.item is not None:
        return f"item {gate.item}"
    return "report" if gate.report else "all other items"


def period(found: Period) -> str:
    """``1 WORKING_DAYS``, or that no number is stated."""
    return NOT_STATED if found.amount is None else f"{found.amount} {found.unit}"


def limit(clock: Clock) -> str:
    """``PROCESSING 3 WORKING_DAYS``, or that the source states no number."""
    if clock.limit is None:
        return f"{clock.clock} no limit stated"
    return f"{clock.clock} {clock.limit} {clock.unit}"
