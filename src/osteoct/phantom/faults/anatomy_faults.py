"""Fractures, metal and disease, at three strengths; they need a phantom."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.phantom.defects import (
    biconcave_fracture,
    cement,
    crush_fracture,
    pedicle_screws,
    sclerosis,
    wedge_fracture,
)
from osteoct.phantom.faults.fault import Fault, Strength, on_anatomy
from osteoct.phantom.lesions import (
    bone_island,
    dense_discs,
    dense_plate,
    haemangioma,
    lysis,
    osteophyte,
    other_core,
    pale_focus,
)

L3 = Level.L3
MIDDLE, STRONG = Strength.MIDDLE, Strength.STRONG
LOSSES = (0.15, 0.25, 0.45)

ANATOMY_FAULTS: tuple[Fault, ...] = (
    Fault(
        name="wedge",
        title="wedge fracture of L3",
        degrees=on_anatomy(lambda p, v: wedge_fracture(p, L3, height_loss=v), *LOSSES, unit="%"),
        levels=(L3,),
        blocking_from=STRONG,
    ),
    Fault(
        name="biconcave",
        title="biconcave fracture of L3",
        degrees=on_anatomy(
            lambda p, v: biconcave_fracture(p, L3, height_loss=v), *LOSSES, unit="%"
        ),
        levels=(L3,),
        blocking_from=STRONG,
    ),
    Fault(
        name="crush",
        title="crush fracture of L3",
        degrees=on_anatomy(lambda p, v: crush_fracture(p, L3, height_loss=v), *LOSSES, unit="%"),
        levels=(L3,),
        blocking_from=STRONG,
    ),
    Fault(
        name="screws",
        title="pedicle screws in L3, by radius of the shaft",
        degrees=on_anatomy(
            lambda p, v: pedicle_screws(p, L3, width=v / 3.0), 0.7, 1.5, 3.0, unit="mm"
        ),
        levels=(L3,),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="cement",
        title="bone cement in L3, by size",
        degrees=on_anatomy(lambda p, v: cement(p, L3, size=v), 0.3, 0.6, 1.0, unit="%"),
        levels=(L3,),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="sclerosis",
        title="a dense focus in L3, by size",
        degrees=on_anatomy(lambda p, v: sclerosis(p, L3, size=v), 0.3, 0.6, 1.0, unit="%"),
        levels=(L3,),
    ),
    Fault(
        name="lysis",
        title="a lytic focus in L3, by radius",
        degrees=on_anatomy(lambda p, v: lysis(p, L3, radius_mm=v), 3.0, 6.0, 9.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="pale-focus",
        title="a focus of 60 HU less in L3, by radius",
        degrees=on_anatomy(lambda p, v: pale_focus(p, L3, radius_mm=v), 6.0, 9.0, 11.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="haemangioma",
        title="coarse bone in fat in L3, by radius",
        degrees=on_anatomy(lambda p, v: haemangioma(p, L3, radius_mm=v), 4.0, 7.0, 10.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="bone-island",
        title="a bone island in L3, by radius",
        degrees=on_anatomy(lambda p, v: bone_island(p, L3, radius_mm=v), 2.0, 4.0, 6.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="dense-plate",
        title="a sclerotic end plate of L3, by thickness",
        degrees=on_anatomy(
            lambda p, v: dense_plate(p, L3, thickness_mm=v), 3.0, 6.0, 9.0, unit="mm"
        ),
        levels=(L3,),
    ),
    Fault(
        name="osteophyte",
        title="an osteophyte on L3, by radius",
        degrees=on_anatomy(lambda p, v: osteophyte(p, L3, radius_mm=v), 2.0, 3.5, 5.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="dense-discs",
        title="dense discs",
        degrees=on_anatomy(lambda p, v: dense_discs(p, hu=v), 180.0, 350.0, 700.0, unit="HU"),
    ),
    Fault(
        name="other-level",
        title="L3's core departs from its neighbours",
        degrees=on_anatomy(
            lambda p, v: other_core(p, L3, difference_hu=v), 30.0, 60.0, 100.0, unit="HU"
        ),
        levels=(L3,),
    ),
)
"""What goes wrong in patients."""
