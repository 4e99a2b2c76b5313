"""A process of its own for programs that change the process they are imported into.

``session`` is the caller's side, ``worker`` the side of the process, ``failures`` puts into words
what went wrong there.
"""
