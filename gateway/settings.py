"""Settings: read once from the environment (``SHENHOU_…``), typed, with the unit in the name.

A name that is not known is reported, because a misspelt setting that is silently ignored is worse than none.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway import upload_settings
from gateway.store.seal import INTERNATIONAL, SUITES, IndexKey, Seal
from gateway.upload_settings import UploadSettings

PREFIX = "SHENHOU_"
TUNING = ("concurrency", "rate_per_s", "maintenance")
"""What a deployment may say of how a department is called: ``SHENHOU_<CODE>_CONCURRENCY`` …"""


class BadSetting(Exception):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Everything a deployment decides."""

    database_url: str
    """``SHENHOU_DATABASE_URL``: ``sqlite:///…`` or ``postgresql://…``."""
    data_dir: Path
    """``SHENHOU_DATA_DIR``: keys and, by default, the embedded database."""
    mode: str = "development"
    """``SHENHOU_MODE``: ``development`` (local issuer, sandbox) or ``production``."""
    data_keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    """``SHENHOU_DATA_KEYS``: ``1:<base64 of 32 bytes>,2:…``; the first seals, all open."""
    index_keys: tuple[IndexKey, ...] = ()
    """``SHENHOU_INDEX_KEYS``: ``1:<base64 of 32 bytes>,2:guomi:…``; the first is written, all find.
    ``SHENHOU_INDEX_KEY=<base64>`` is the same as ``SHENHOU_INDEX_KEYS=1:<base64>``."""
    cipher_suite: str = INTERNATIONAL.name
    """``SHENHOU_CIPHER_SUITE``: ``international`` or ``guomi``; what is sealed from now on."""
    seal_key: bytes = field(default=b"", repr=False)
    """``SHENHOU_SEAL_KEY``: base64 of 32 bytes, key of the electronic seals."""
    issuer_seed: bytes = field(default=b"", repr=False)
    """``SHENHOU_ISSUER_SEED``: base64 of 32 bytes, key of the local issuer; development only."""
    local_issuer_url: str = "http://127.0.0.1:8000/local-issuer"
    """``SHENHOU_LOCAL_ISSUER_URL``: what the local issuer calls itself; development only."""
    identity_file: Path | None = None
    """``SHENHOU_IDENTITY_FILE``: who may vouch for whom (``docs/access.md``); required in production."""
    proxy_secret: str = field(default="", repr=False)
    """``SHENHOU_PROXY_SECRET``: what a reverse proxy that passes client certificates on has to say besides."""
    departments: Mapping[str, str] = field(default_factory=dict)
    """Address per code of a department or a source of shared data, from ``SHENHOU_<CODE>_URL``."""
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Per such code, from ``SHENHOU_<CODE>_<NAME>``, e.g. ``SHENHOU_INSURER_SECRET``."""
    tuning: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per such code: ``SHENHOU_<CODE>_CONCURRENCY`` (calls at once), ``…_RATE_PER_S`` (calls per second) and
    ``…_MAINTENANCE`` (when it is not called, e.g. ``daily 23:30-01:00; Sat,Sun 02:00-06:00``)."""
    policy_files: tuple[Path, ...] = ()
    """``SHENHOU_POLICY_FILES``: further jurisdiction files, separated by the system's path separator."""
    retry_ladder_s: tuple[float, ...] = (
        1,
        2,
        5,
        15,
        60,
        300,
        900,
        3600,
        3600,
        3600,
        10800,
        10800,
        21600,
        43200,
        86400,
    )
    """``SHENHOU_RETRY_LADDER_S``: pauses between attempts to reach a department; after the last a person is asked."""
    portal_url: str = ""
    """``SHENHOU_PORTAL_URL``: page of the portal where an application begins, with ``{jurisdiction}`` and, if it wants,
    ``{channel}`` in it; QR codes lead there.  Empty: there are none."""
    clock_start: datetime | None = None
    """``SHENHOU_CLOCK_START``: aware time at which the sandbox's clock starts; development only."""
    max_body_bytes: int = 2 * 1024 * 1024
    max_operation_bytes: int = 256 * 1024
    """As above, of one GraphQL operation with its variables."""
    max_depth: int = 12
    """Levels of fields, of fragments in fragments, and of lists and objects in an input."""
    max_aliases: int = 30
    max_tokens: int = 2000
    max_directives: int = 40
    max_cost: int = 100_000
    """Fields one answer may have, by estimate (``docs/limits.md``)."""
    max_values: int = 5_000
    """Values in the variables of one operation."""
    max_text: int = 20_000
    """Characters in one text of the variables."""
    operation_limit_s: float = 10.0
    """``SHENHOU_OPERATION_LIMIT_S``: after so many seconds a query answers with what it has; a change runs to its
    end."""
    open_schema: bool = True
    """``SHENHOU_OPEN_SCHEMA``: ``on``: everybody may ask about the schema and open the sandbox page.  Default: on in
    development, off in production, where it takes a role with ``introspection``."""
    rate_limits: bool = False
    """``SHENHOU_RATE_LIMITS``: ``on``: every caller has the budget of its role.  Default: on in production."""
    trusted_documents: Path | None = None
    """``SHENHOU_TRUSTED_DOCUMENTS``: manifest, or folder of documents; nothing else runs then."""
    cors_origins: tuple[str, ...] = ()
    """``SHENHOU_CORS_ORIGINS``: origins of pages that may ask from a browser, separated by commas."""
    breaker_failures: int = 5
    """Calls without an answer, one after the other, after which a department is left alone."""
    breaker_rejections: int = 10
    """As above, for calls answered with a business fault."""
    breaker_probes_s: tuple[float, ...] = (5, 15, 30, 60, 120, 300)
    """Pauses before the probes that find out whether it is back; the last one repeats."""
    start_limit_s: float = 120.0
    """A gateway that does not serve after so long ends itself, so that whoever supervises it starts it again."""
    drain_s: int = 5
    """How long calls to departments may take to finish when the gateway is told to end."""
    queue_poll_s: float = 0.25
    """How often the durable engine looks for work."""
    heartbeat_s: float = 2.0
    """How often a gateway says that it is alive; silent for four of them, its work is taken over."""
    repair_pause_s: float = 60.0
    """``SHENHOU_REPAIR_PAUSE_S``: seconds between two turns of the repair sweep; 0: it does not run by itself."""
    repair_cases: int = 200
    """``SHENHOU_REPAIR_CASES``: cases that one turn looks at."""
    repair_asked: int = 50
    """``SHENHOU_REPAIR_ASKED``: cases about which one turn asks each department, in one question."""
    repair_confirm_s: float = 21_600.0
    """``SHENHOU_REPAIR_CONFIRM_S``: seconds between two looks before what a department lacks counts as lost; more than
    its slowest batch takes."""

    uploads: UploadSettings = field(default_factory=UploadSettings)
    """``SHENHOU_UPLOAD_…``, ``SHENHOU_SCANNER…``."""

    @property
    def seal(self) -> Seal:
        """What seals and finds personal data."""
        return Seal(self.data_keys, self.index_keys, SUITES[self.cipher_suite])

    def tuned(self, code: str, name: str) -> str | None:
        """What the deployment says of one department; ``name`` is one of ``TUNING``."""
        return self.tuning.get(code, {}).get(name)


def variable(code: str, name: str) -> str:
    """The environment variable of one setting of one department."""
    return f"{PREFIX}{code.upper().replace('-', '_')}_{name.upper()}"


def read(environment: Mapping[str, str] | None = None, codes: tuple[str, ...] = ()) -> Settings:
    """Settings of this process.  ``codes``: of departments and sources, so that their variables are known.

    Raises ``BadSetting`` naming the variable.
    """
    given = {
        name.removeprefix(PREFIX): value
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX)
    }
    data_dir = Path(given.pop("DATA_DIR", "var")).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    mode = given.pop("MODE", "development")
    if mode not in ("development", "production"):
        raise BadSetting(f"{PREFIX}MODE must be development or production, not {mode!r}")
    departments, credentials, tuning = _departments(given, codes)
    local = sorted({"ISSUER_SEED", "LOCAL_ISSUER_URL"} & set(given))
    if local and mode == "production":
        raise BadSetting(f"{PREFIX}{local[0]} is the local issuer's, which does not run in production")
    keys = _keys(given, data_dir, mode)
    identity = given.pop("IDENTITY_FILE", "")
    clock = given.pop("CLOCK_START", None)
    values: dict[str, Any] = {
        "database_url": given.pop("DATABASE_URL", f"sqlite:///{data_dir / 'shenhou.sqlite'}"),
        "policy_files": tuple(Path(part) for part in given.pop("POLICY_FILES", "").split(os.pathsep) if part),
        "clock_start": _time(clock) if clock else None,
        "portal_url": _portal(given.pop("PORTAL_URL", "")),
        "tuning": tuning,
        "identity_file": Path(identity) if identity else None,
        "proxy_secret": given.pop("PROXY_SECRET", ""),
    }
    if "LOCAL_ISSUER_URL" in given:
        values["local_issuer_url"] = given.pop("LOCAL_ISSUER_URL")
    if clock and mode == "production":
        raise BadSetting(f"{PREFIX}CLOCK_START is for development; production runs on the real clock")
    for name in ("retry_ladder_s", "breaker_probes_s"):
        if text := given.pop(name.upper(), None):
            values[name] = tuple(_number(name.upper(), part) for part in text.split(","))
    values |= {name: _switch(given, name, default) for name, default in _by_mode(mode).items()}
    trusted = given.pop("TRUSTED_DOCUMENTS", "")
    values["trusted_documents"] = Path(trusted) if trusted else None
    values["cors_origins"] = tuple(_origin(one, mode) for one in given.pop("CORS_ORIGINS", "").split(",") if one)
    whole: tuple[str, ...] = ("max_body_bytes", "max_depth", "max_aliases", "max_tokens", "max_cost")
    whole += ("max_operation_bytes", "max_directives", "max_values", "max_text")
    whole += ("breaker_failures", "breaker_rejections", "drain_s", "repair_cases", "repair_asked")
    for name in whole:
        if (text := given.pop(name.upper(), None)) is not None:
            values[name] = int(_number(name.upper(), text))
    for name in (
        "operation_limit_s",
        "start_limit_s",
        "queue_poll_s",
        "heartbeat_s",
        "repair_pause_s",
        "repair_confirm_s",
    ):
        if (text := given.pop(name.upper(), None)) is not None:
            values[name] = _number(name.upper(), text)
    try:
        values["uploads"] = upload_settings.read(given, _number)
    except ValueError as error:
        raise BadSetting(PREFIX + str(error)) from error
    unknown = sorted(name for name in given if not name.startswith("TEST_"))
    if unknown:
        raise BadSetting("not a setting: " + ", ".join(PREFIX + name for name in unknown))
    return Settings(data_dir=data_dir, mode=mode, departments=departments, credentials=credentials, **keys, **values)


def _by_mode(mode: str) -> dict[str, bool]:
    """Switches whose default depends on the mode."""
    return {"open_schema": mode == "development", "rate_limits": mode == "production"}


def _switch(given: dict[str, str], name: str, default: bool) -> bool:
    text = given.pop(name.upper(), "on" if default else "off")
    if text not in ("on", "off"):
        raise BadSetting(f"{PREFIX}{name.upper()} must be on or off")
    return text == "on"


def _origin(text: str, mode: str) -> str:
    """An origin as browsers send it: no path, no pattern."""
    text = text.strip()
    if not re.fullmatch(r"https?://[a-z0-9.\-]+(:[0-9]+)?", text) or (mode == "production" and text[4] != "s"):
        raise BadSetting(f"{PREFIX}CORS_ORIGINS must be origins like https://portal.example, not {text!r}")
    return text


def _departments(
    given: dict[str, str], codes: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Addresses, credentials and tuning, per code."""
    addresses: dict[str, str] = {}
    credentials: dict[str, dict[str, str]] = {}
    tuning: dict[str, dict[str, str]] = {}
    for code in codes:
        stem = variable(code, "").removeprefix(PREFIX)
        for name in [name for name in given if name.startswith(stem)]:
            value, what = given.pop(name), name.removeprefix(stem).lower()
            if what == "url":
                addresses[code] = value
            elif what in TUNING:
                tuning.setdefault(code, {})[what] = _tuned(name, what, value)
            else:
                credentials.setdefault(code, {})[what] = value
    return addresses, credentials, tuning


def _tuned(name: str, what: str, value: str) -> str:
    if what != "maintenance" and _number(name, value) <= 0:
        raise BadSetting(f"{PREFIX}{name} must be more than 0")
    return value


def _keys(given: dict[str, str], data_dir: Path, mode: str) -> dict[str, Any]:
    """Keys from the environment; in development made once and kept beside the data, readable by the owner only."""
    names = ("DATA_KEYS", "INDEX_KEYS", "SEAL_KEY", "ISSUER_SEED")
    suite = given.pop("CIPHER_SUITE", INTERNATIONAL.name)
    if suite not in SUITES:
        raise BadSetting(f"{PREFIX}CIPHER_SUITE must be {' or '.join(SUITES)}, not {suite!r}")
    _numbered_index(given)
    found = {name: given.pop(name) for name in names if name in given}
    if mode == "production":
        missing = [PREFIX + name for name in names[:3] if name not in found]
        if missing:
            raise BadSetting("production needs " + " and ".join(missing))
    else:
        file = data_dir / "development-keys.json"
        file.touch(0o600)
        made = json.loads(file.read_text() or "{}")
        _numbered_index(made)
        if fresh := {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in names if name not in made}:
            if not made:
                fresh["DATA_KEYS"] = "1:" + fresh["DATA_KEYS"]
                fresh["INDEX_KEYS"] = f"1:{suite}:" + fresh["INDEX_KEYS"]
            made = {**fresh, **made}
            file.write_text(json.dumps(made))
        found = {**made, **found}
    index_keys = tuple(_index_key(number, rest) for number, rest in _numbered("INDEX_KEYS", found["INDEX_KEYS"]))
    if index_keys[0].suite.name != suite:
        first = f"the first of {PREFIX}INDEX_KEYS is {index_keys[0].suite.name}"
        raise BadSetting(f"{PREFIX}CIPHER_SUITE is {suite}, but {first}: put a new key <number>:{suite}:<base64> first")
    return {
        "cipher_suite": suite,
        "data_keys": {number: _bytes("DATA_KEYS", text) for number, text in _numbered("DATA_KEYS", found["DATA_KEYS"])},
        "index_keys": index_keys,
        "seal_key": _bytes("SEAL_KEY", found["SEAL_KEY"]),
        "issuer_seed": _bytes("ISSUER_SEED", found["ISSUER_SEED"]) if "ISSUER_SEED" in found else b"",
    }


def _numbered_index(given: dict[str, str]) -> None:
    """One index key, as it was before it could be changed, is key 1."""
    if "INDEX_KEY" in given and "INDEX_KEYS" not in given:
        given["INDEX_KEYS"] = "1:" + given.pop("INDEX_KEY")


def _numbered(name: str, text: str) -> list[tuple[int, str]]:
    """``1:…,2:…`` in the order given."""
    parts = [part.strip().partition(":") for part in text.split(",")]
    if not all(number.isdecimal() and 0 < int(number) < 256 for number, _, _ in parts):
        raise BadSetting(f"{PREFIX}{name} must be like 1:<base64>,2:<base64>, with numbers from 1 to 255")
    if len({int(number) for number, _, _ in parts}) < len(parts):
        raise BadSetting(f"{PREFIX}{name} has a number twice")
    return [(int(number), rest) for number, _, rest in parts]


def _index_key(number: int, text: str) -> IndexKey:
    suite, colon, secret = text.rpartition(":")
    if colon and suite not in SUITES:
        raise BadSetting(f"{PREFIX}INDEX_KEYS: key {number} must be <base64> or <suite>:<base64>")
    return IndexKey(number, _bytes("INDEX_KEYS", secret), SUITES[suite] if colon else INTERNATIONAL)


def _portal(text: str) -> str:
    """Only names we fill in may stand in braces, and the line to the portal is encrypted."""
    left = text.replace("{jurisdiction}", "").replace("{channel}", "")
    if text and (not text.startswith("https://") or "{jurisdiction}" not in text or "{" in left or " " in text):
        example = "https://portal.example/apply?place={jurisdiction}&via={channel}"
        raise BadSetting(f"{PREFIX}PORTAL_URL must be an address like {example}")
    return text


def _bytes(name: str, text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{name} is not base64") from error
    if len(value) != 32:
        raise BadSetting(f"{PREFIX}{name} must be 32 bytes")
    return value


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{name} must be a number") from error


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}CLOCK_START is not a time like 2025-11-07T22:10:00+08:00") from error
    if moment.tzinfo is None:
        raise BadSetting(f"{PREFIX}CLOCK_START needs a time zone, e.g. +08:00")
    return moment
