"""Use cases, one module each.  They look up, decide, record; they never commit, and know no transport."""
