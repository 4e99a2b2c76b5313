"""Many cases: what is to be done, what was done, and the processes that do it.

``plan`` finds the cases and names their work, ``ledger`` remembers the state of each, ``engines``
hold the workers, ``work`` is what a worker does with one case, ``store`` is where results lie,
:mod:`osteoct.run.coordinator` hands out, and ``collect`` makes the table. Only here is a failure of
any kind caught: at the boundary of a case.
"""
