"""How large an operation is, read from its text before it is parsed.

Parsing costs ten times as much as reading the tokens, and some rules of validation look at every pair of fields: what
is too large has to be refused before either.  The text is read once; a fragment is measured once, however often it is
spread; whatever is no GraphQL is left to the parser, which comes afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schema.costs import LIST, PAGE, Price, Prices

TOKEN = re.compile(
    r'"""(?:[^"\\]|\\(?:""")?|"(?!""))*+(?:""")?'  # a text that does not end takes all the rest
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|#[^\n\r]*"
    r"|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9A-Za-z.+\-]*|\.\.\.|[{}()\[\]:@!$=|&]"
)
CHARACTERS = 12
"""Characters a token may have on average."""
KINDS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_OPEN, _CLOSE = "([{", ")]}"
_PLAIN = Price()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may have at most."""

    depth: int = 12
    """Levels of fields, of fragments in fragments, and of lists and objects in an input."""
    aliases: int = 30
    """Fields with an alias, and fields that are asked for again in the same place."""
    tokens: int = 2000
    directives: int = 40
    directives_here: int = 4
    """Of one field, fragment or operation."""
    operations: int = 20
    cost: int = 100_000


class TooLarge(Exception):
    """``what``: the field of ``Limits`` that is exceeded."""

    def __init__(self, what: str) -> None:
        self.what = what


class Unknown(Exception):
    """A field that its type does not have."""

    def __init__(self, name: str) -> None:
        self.name = name


@dataclass(frozen=True, slots=True)
class Size:
    """Of one selection.  ``paged``: what is counted once for every element of the page around it."""

    depth: int
    aliases: int
    cost: int
    paged: int = 0


def measure(text: str, prices: Prices, limits: Limits, strict: bool = False) -> dict[str, Size]:
    """Size of each operation by its name, ``""`` for the one without.  Raises ``TooLarge``.

    ``strict``: raises ``Unknown`` at the first field that does not exist, so that probing is cheap to refuse.
    """
    if len(text) > limits.tokens * CHARACTERS:
        raise TooLarge("tokens")
    tokens = TOKEN.findall(text)
    if len(tokens) > limits.tokens:
        raise TooLarge("tokens")
    if "#" in text:
        tokens = [token for token in tokens if token[0] != "#"]
    if tokens.count("@") > limits.directives:
        raise TooLarge("directives")
    return _Measure([*tokens, "", "", ""], prices, limits, strict).document()


class _Measure:
    def __init__(self, tokens: list[str], prices: Prices, limits: Limits, strict: bool) -> None:
        self.tokens, self.prices, self.limits, self.strict = tokens, prices, limits, strict
        self.fragments: dict[str, tuple[int, Mapping[str, Price]]] = {}
        self.measured: dict[str, Size] = {}
        self.inside: list[str] = []
        self.here = 0
        """Fragments without a name around this place."""

    def document(self) -> dict[str, Size]:
        tokens, at = self.tokens, 0
        operations: list[tuple[str, str, int]] = []
        while token := tokens[at]:
            if token == "fragment":
                self.fragments[tokens[at + 1]] = (at, self.prices.get(tokens[at + 3], {}))
                at = self.skip(at)
            elif token == "{" or token in KINDS:
                named = token != "{" and tokens[at + 1].isidentifier()
                operations.append((token, tokens[at + 1] if named else "", at))
                at = self.skip(at)
            else:
                at += 1
        if len(operations) > self.limits.operations:
            raise TooLarge("operations")
        found = {name: self.operation(kind, at) for kind, name, at in operations}
        if sum(size.aliases for size in found.values()) > self.limits.aliases:
            raise TooLarge("aliases")
        return found

    def operation(self, kind: str, at: int) -> Size:
        fields = self.prices.get(KINDS.get(kind, "Query"), {})
        _, size = self.selections(self.head(at) + 1, fields, 1, set())
        if size.depth > self.limits.depth:
            raise TooLarge("depth")
        cost = size.cost + size.paged * LIST
        if cost > self.limits.cost:
            raise TooLarge("cost")
        return Size(size.depth, size.aliases, cost)

    def head(self, at: int) -> int:
        """From the first word of a definition to its selections: name, variables, directives."""
        while self.tokens[at] not in ("{", ""):
            if self.tokens[at] == "(":
                at, _ = self.arguments(at, None)
            elif self.tokens[at] == "@":
                at = self.directives(at)
            else:
                at += 1
        return at

    def skip(self, at: int) -> int:
        """Behind the selections that come next."""
        tokens, level = self.tokens, 0
        while token := tokens[at]:
            at += 1
            if token in _OPEN:
                level += 1
            elif token in _CLOSE:
                level -= 1
                if level <= 0 and token == "}":
                    break
        return at

    def selections(self, at: int, fields: Mapping[str, Price], level: int, names: set[str]) -> tuple[int, Size]:
        """From behind a brace to behind the one that closes it.  ``names``: asked for in this place already."""
        tokens, limits = self.tokens, self.limits
        depth = aliases = cost = paged = 0
        if level > limits.depth:
            raise TooLarge("depth")
        while (token := tokens[at]) and token != "}":
            at += 1
            if token == "...":
                at, size = self.spread(at, fields, level, names)
                depth, paged, cost = max(depth, size.depth), paged + size.paged, cost + size.cost
                aliases += size.aliases
            elif token.isidentifier():
                name = token
                if tokens[at] == ":":
                    name = tokens[at + 1]
                    at += 2
                    aliases += 1
                elif token in names:
                    aliases += 1
                names.add(token)
                price = fields.get(name, _PLAIN)
                if price is _PLAIN and self.strict and fields and name[:2] != "__":
                    raise Unknown(name)
                page = price.page
                if tokens[at] == "(":
                    at, asked = self.arguments(at, price.slicing)
                    page = asked or page
                if tokens[at] == "@":
                    at = self.directives(at)
                cost += price.weight
                depth = depth or 1
                if tokens[at] == "{":
                    if name[:2] == "__":  # the rule of its own limits how deep the schema is asked about itself
                        at = self.skip(at)
                        continue
                    at, size = self.selections(at + 1, price.below, level + 1, set())
                    depth, aliases = max(depth, size.depth + 1), aliases + size.aliases
                    if price.connection:
                        cost += size.cost + size.paged * page
                    elif price.paged:
                        paged += size.cost + size.paged * LIST
                    else:
                        times = page or price.times
                        cost, paged = cost + times * size.cost, paged + times * size.paged
            if cost > limits.cost:
                raise TooLarge("cost")
            if aliases > limits.aliases:
                raise TooLarge("aliases")
        return at + 1 if token else at, Size(depth, aliases, cost, paged)

    def spread(self, at: int, fields: Mapping[str, Price], level: int, names: set[str]) -> tuple[int, Size]:
        """From behind the dots: a fragment by name, or one that stands here."""
        tokens = self.tokens
        if tokens[at] != "on" and tokens[at].isidentifier():
            return self.directives(at + 1), self.fragment(tokens[at])
        if tokens[at] == "on":
            fields = self.prices.get(tokens[at + 1], {})
            at += 2
        at = self.directives(at)
        if tokens[at] != "{":
            return at, Size(0, 0, 0)
        self.here += 1
        if self.here > self.limits.depth:
            raise TooLarge("depth")
        found = self.selections(at + 1, fields, level, names)
        self.here -= 1
        return found

    def fragment(self, name: str) -> Size:
        """Each is measured once; a circle has no end of levels."""
        if name not in self.fragments:
            return Size(0, 0, 0)
        if name not in self.measured:
            if name in self.inside or len(self.inside) >= self.limits.depth:
                raise TooLarge("depth")
            self.inside.append(name)
            at, fields = self.fragments[name]
            _, self.measured[name] = self.selections(self.head(at) + 1, fields, 1, set())
            self.inside.pop()
        return self.measured[name]

    def arguments(self, at: int, slicing: str | None) -> tuple[int, int]:
        """From a parenthesis to behind the one that closes it, and the length of the page asked for; 0: none."""
        tokens, level, page = self.tokens, 0, 0
        while token := tokens[at]:
            if token in _OPEN:
                level += 1
                if level > self.limits.depth:
                    raise TooLarge("depth")
            elif token in _CLOSE:
                level -= 1
                if level == 0:
                    return at + 1, page
            elif token == slicing and level == 1 and tokens[at + 1] == ":":
                asked = tokens[at + 2]
                page = max(1, int(asked)) if asked.isdecimal() and len(asked) < 10 else PAGE
            at += 1
        return at, page

    def directives(self, at: int) -> int:
        """Behind the directives that stand here, if any."""
        tokens, count = self.tokens, 0
        while tokens[at] == "@":
            count += 1
            if count > self.limits.directives_here:
                raise TooLarge("directives_here")
            at += 2
            if tokens[at] == "(":
                at, _ = self.arguments(at, None)
        return at
