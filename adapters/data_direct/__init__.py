"""Provincial data-direct system (省政务数据直达系统): one hub, behind it the systems of nine departments."""
