"""What all parts share: strictness, names, codes, conditions."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
RowId = Annotated[str, Field(pattern=r"^[A-Z]{2,}-\d{2,4}$")]
AreaCode = Annotated[str, Field(pattern=r"^(\d{6}|\d{9}|\d{12})$")]


class Strict(BaseModel):
    """Unknown keys and wrong types are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Named(Strict):
    """A thing with its official Chinese term and its English one."""

    name: str
    name_en: str


class Condition(Strict):
    """A statement about a case: true, false, or unknown when a fact it needs is not known.

    Exactly one of ``all``, ``any``, ``not``, or a ``fact`` with one of ``equals``, ``among``, ``within``, ``known``.
    Facts: ``situation.<code>``, ``death.flow``, ``identity.known``, ``item.<slug>.chosen``, ``shared.<CERTIFICATE>``
    (the platform holds one already) and every form path.
    """

    all: list[Condition] | None = None
    """Every one of them holds."""
    any: list[Condition] | None = None
    """At least one of them holds."""
    not_: Condition | None = Field(default=None, alias="not")
    """It does not hold; the contrary of unknown is unknown."""
    fact: str | None = None
    """Name of the fact that is tested."""
    equals: str | bool | None = None
    """The fact has this value; ``true`` and ``false`` for yes/no fields and situations."""
    among: list[str] | None = None
    """The fact has one of these values."""
    within: list[AreaCode] | None = None
    """Administrative codes: true when the fact lies in the subtree of one of them."""
    known: bool | None = None
    """True: the fact is known; false: it is not.  Never unknown itself."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        shapes = [self.all, self.any, self.not_, self.fact]
        if sum(shape is not None for shape in shapes) != 1:
            raise ValueError("a condition has exactly one of: all, any, not, fact")
        tests = [self.equals, self.among, self.within, self.known]
        if self.fact is not None and sum(test is not None for test in tests) != 1:
            raise ValueError("a fact has exactly one of: equals, among, within, known")
        if self.fact is None and any(test is not None for test in tests):
            raise ValueError("equals, among, within and known belong to a fact")
        return self
