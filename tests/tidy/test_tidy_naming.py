"""Names of bodies: the order of the spine, and how sure it is."""

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.tidy.naming import name_bodies

L1, L2, L3, L4, L5, L6 = Level.L1, Level.L2, Level.L3, Level.L4, Level.L5, Level.L6


def test_a_column_in_order_keeps_its_names():
    """As many names as bodies: there is no other way to read it."""
    naming = name_bodies([{L1: 1.0}, {L2: 1.0}, {L3: 1.0}])
    assert naming.levels == (L1, L2, L3)
    assert naming.margin == np.inf


def test_more_bodies_than_names_have_none():
    """Two bodies in one label, and no name free."""
    assert name_bodies([{L1: 1.0}, {L1: 0.5, L2: 0.5}, {L2: 1.0}]) is None


def test_no_votes_no_names():
    """Without a label there is nothing to read."""
    assert name_bodies([]) is None


@pytest.mark.parametrize(("votes", "is_sure"), [(0.7, True), (0.69, False)])
def test_the_margin_that_is_sure(votes, is_sure):
    """0.7 against 0.3 is 0.4 ahead."""
    naming = name_bodies([{L1: 1.0}, {L2: votes, L3: 1 - votes}, {L4: 1.0}])
    assert naming.levels == (L1, L2, L4)
    assert naming.margin == pytest.approx(2 * votes - 1)
    assert (naming.margin >= 0.4 - 1e-12) is is_sure


def test_rare_levels_are_given_only_where_labels_use_them():
    """Nobody gets a sixth lumbar vertebra from a repair."""
    assert name_bodies([{L4: 1.0}, {L5: 1.0}, {L6: 1.0}]).levels == (L4, L5, L6)
    free = name_bodies([{Level.T12: 1.0}, {Level.T12: 1.0}, {L1: 1.0}])
    assert free is None
