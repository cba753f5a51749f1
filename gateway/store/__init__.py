"""The database: the ledger, the present state, and the indexes by which cases are found."""
