"""Files of materials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.domain.materials import MaterialStatus


@dataclass(frozen=True, slots=True)
class MaterialAttached:
    """提交材料文件: a file was handed in as a paper of the case.  Fields as in ``AttachedMaterial``."""

    material: str
    kind: str
    upload: str
    sha256: str
    size: int
    content_type: str
    status: MaterialStatus
    type: Literal["material.attached"] = "material.attached"


@dataclass(frozen=True, slots=True)
class MaterialScanned:
    """材料扫描结果, of one that had to wait for the scanner."""

    material: str
    kind: str
    status: MaterialStatus
    type: Literal["material.scanned"] = "material.scanned"
