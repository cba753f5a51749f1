"""Known vulnerabilities of the locked dependencies (`make audit`), by pip-audit, which asks PyPI.

pip-audit says "no known vulnerabilities" also of packages it could not look up, and ends with 1 both when it found
something and when the line is dead.  Here: 0 checked and clean, 1 something is known, 3 not checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CLEAN, KNOWN, NOT_CHECKED = 0, 1, 3
LOCKS = ("requirements.txt", "requirements-dev.txt")


def verdict(lock: str, report: str) -> tuple[int, list[str]]:
    """What pip-audit's JSON says of a lock file; an empty report is a line that was dead."""
    try:
        found = json.loads(report)["dependencies"]
    except (ValueError, LookupError):
        return NOT_CHECKED, [f"{lock}: NOT CHECKED: no network"]
    known = [
        f"{lock}: {one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for one in found
        for fault in one.get("vulns", ())
    ]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    lines = [*known]
    if skipped or not found:
        lines.append(
            f"{lock}: NOT CHECKED: {len(skipped)} of {len(found)} packages: the index does not answer for them"
        )
    elif not known:
        lines.append(f"{lock}: {len(found)} packages, nothing known")
    return KNOWN if known else NOT_CHECKED if skipped or not found else CLEAN, lines


def main(locks: Sequence[str] = LOCKS) -> int:
    """Prints a line per finding; the worst finding decides."""
    codes = []
    for lock in locks:
        command = [Path(sys.executable).with_name("pip-audit"), "-r", lock, "--require-hashes", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        code, lines = verdict(lock, done.stdout)
        print("\n".join(lines))
        codes.append(code)
    return KNOWN if KNOWN in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
