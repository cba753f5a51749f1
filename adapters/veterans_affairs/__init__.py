"""Veterans affairs (退役军人事务): JSON over HTTP, accepted by ticket, taken in by a batch run."""
