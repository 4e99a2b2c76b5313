"""Which kind of source a user named."""

from __future__ import annotations

from pathlib import Path

from osteoct.errors import ConfigError
from osteoct.io.pseudonym import load_key
from osteoct.run.plan.choices import Choices
from osteoct.run.plan.dicom_tree import DicomIndex, DicomSource, MakeIndex, Report
from osteoct.run.plan.fingerprints import Fingerprinter
from osteoct.run.plan.interface import Source
from osteoct.run.plan.manifest import ManifestSource
from osteoct.run.plan.manifest_rows import is_manifest
from osteoct.run.plan.pattern_source import PatternSource
from osteoct.run.plan.places import parent_of
from osteoct.run.plan.trees import Everywhere, open_tree


def open_source(
    choices: Choices,
    *,
    secret: bytes | None = None,
    scratch: Path | None = None,
    report: Report | None = None,
) -> Source:
    """The source that the choices name: a manifest by its suffix, images by a pattern, or DICOM.

    Parameters
    ----------
    secret
        Key of pseudonyms; by default the one of this installation.
    scratch
        Folder for temporary tables: about 1 kB per file or row.
    report
        Told now and then how many files were read.

    Raises
    ------
    UnreadableInputError
        There is nothing at the source.
    ConfigError
        A manifest with patterns, or an address that cannot be used.
    DependencyError
        A package for this kind of store is missing.
    """
    secret = load_key() if secret is None else secret
    if is_manifest(choices.source):
        return _manifest(choices, secret, scratch, report)
    if choices.patterns is None:
        return DicomSource(_index_maker(choices.source, choices, secret, scratch, report))
    tree = open_tree(choices.source)
    prints = Fingerprinter(tree, secret, choices.fingerprint)
    return PatternSource(tree, choices.patterns, prints, secret, scratch=scratch)


def _manifest(
    choices: Choices, secret: bytes, scratch: Path | None, report: Report | None
) -> ManifestSource:
    """The rows of a table, and the tree in which its UIDs lie."""
    if choices.patterns is not None:
        raise ConfigError("a manifest names its files itself", where="--ct", found="a pattern")
    tree = Everywhere(parent_of(choices.source))
    make_index = None
    if choices.tree is not None:
        make_index = _index_maker(choices.tree, choices, secret, scratch, report)
    return ManifestSource(
        choices.source,
        tree,
        Fingerprinter(tree, secret, choices.fingerprint),
        secret,
        make_index=make_index,
        scratch=scratch,
    )


def _index_maker(
    root: str, choices: Choices, secret: bytes, scratch: Path | None, report: Report | None
) -> MakeIndex:
    """What makes the index of a DICOM tree."""
    tree = open_tree(root)
    prints = Fingerprinter(tree, secret, choices.fingerprint)
    return lambda: DicomIndex(tree, prints, secret, scratch=scratch, report=report)
