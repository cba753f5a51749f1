"""Kinds of personal data, as the schema names those of the table of fields."""

from __future__ import annotations

from enum import StrEnum

from schema.enums import published


@published("PersonalDataKind")
class PersonalData(StrEnum):
    """个人信息种类."""

    IDENTITY = "identity"
    """证件号码: ID numbers, and the date of birth."""
    PHONE = "phone"
    """电话."""
    ADDRESS = "address"
    """住址: addresses, and the place of death."""
    ACCOUNT = "account"
    """账号."""
    CAUSE = "cause"
    """死因."""
