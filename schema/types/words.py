"""Codes and conditions of a policy with their words."""

from __future__ import annotations

from typing import Protocol

import strawberry

from gateway.policy import model as p
from gateway.policy import words
from gateway.policy.book import PolicyBook
from schema.scalars import Condition, RequirementId


class Coded(Protocol):
    """A named thing of a policy that knows its row."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def source(self) -> str: ...


@strawberry.type(description="代码与名称: one code of the policy with its official term.")
class PolicyCode:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId | None = strawberry.field(description="依据的规则编号.", default=None)

    @classmethod
    def of(cls, entry: Coded) -> PolicyCode:
        return cls(code=entry.code, name=entry.name, name_en=entry.name_en, requirement_id=RequirementId(entry.source))

    @classmethod
    def word(cls, book: PolicyBook, kind: str, code: str) -> PolicyCode:
        """A code of the shared catalogue."""
        found = book.word(kind, code)
        return cls(code=code, name=found.name, name_en=found.name_en)


@strawberry.type(description="一句话: the same in both languages.")
class Words:
    zh: str = strawberry.field(description="中文.")
    en: str = strawberry.field(description="English.")

    @classmethod
    def of(cls, phrase: words.Phrase) -> Words:
        return cls(zh=phrase.zh, en=phrase.en)


@strawberry.type(description="条件: for programs as JSON, for people in words.")
class PolicyCondition:
    expression: Condition = strawberry.field(description="条件表达式.")
    text: str = strawberry.field(description="条件说明.")
    text_en: str = strawberry.field(description="The condition in English.")

    @classmethod
    def of(cls, book: PolicyBook, policy: p.Jurisdiction, rule: p.Condition | None) -> PolicyCondition | None:
        if rule is None:
            return None
        said = words.condition(book, policy, rule)
        plain = rule.model_dump(mode="json", by_alias=True, exclude_none=True)
        return cls(expression=Condition(plain), text=said.zh, text_en=said.en)
