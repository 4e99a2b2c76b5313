"""What is known of each case of a batch: one transactional table in SQLite or PostgreSQL.

:class:`~osteoct.run.ledger.ledger.Ledger` is all that others use. It is not imported here: the
database package loads when a batch runs, not before.
"""
