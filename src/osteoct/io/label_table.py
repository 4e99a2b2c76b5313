"""The label table inside a NIfTI extension, as TotalSegmentator and Connectome Workbench write it.

A file is a stranger: document types are refused, so no entity can be declared, let alone expanded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import quoteattr

from osteoct.errors import LabelsError

BACKGROUND = 0


def find_label_table(extensions: Iterable[bytes], *, where: str) -> Mapping[int, str] | None:
    """Return label names by number from the first extension that holds a table.

    Raises
    ------
    LabelsError
        The table is not well-formed, declares a document type, or names one number twice.
    """
    for content in extensions:
        if b"<LabelTable" in content:
            return parse_label_table(content, where=where)
    return None


def parse_label_table(content: bytes, *, where: str) -> Mapping[int, str] | None:
    """Return names by number; ``None`` for a table without any name.

    >>> parse_label_table(b'<LabelTable><Label Key="31">L1</Label></LabelTable>', where="m")
    {31: 'L1'}
    """
    reader = _TableReader(where)
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content.strip(b"\0 \t\r\n"), True)
    except ExpatError as error:
        raise _bad_table(where, str(error)) from error
    return reader.names or None


class _TableReader:
    """Collects ``Label`` elements."""

    def __init__(self, where: str) -> None:
        self.names: dict[int, str] = {}
        self._where = where
        self._key: int | None = None
        self._text: list[str] = []

    def refuse_doctype(self, *_: object) -> None:
        raise _bad_table(self._where, "a document type declaration")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "Label":
            return
        try:
            self._key = int(attributes["Key"])
        except (KeyError, ValueError) as error:
            raise _bad_table(self._where, f"a label with Key {attributes.get('Key')!r}") from error
        self._text = []

    def text(self, data: str) -> None:
        if self._key is not None:
            self._text.append(data)

    def end(self, tag: str) -> None:
        if tag != "Label" or self._key is None:
            return
        key, name, self._key = self._key, "".join(self._text).strip(), None
        if key == BACKGROUND or not name:
            return
        if self.names.setdefault(key, name) != name:
            raise _bad_table(self._where, f"two names for label {key}")


def _bad_table(where: str, found: str) -> LabelsError:
    return LabelsError(
        "label table cannot be used",
        where=where,
        found=found,
        wanted="one name per label in plain XML",
        hint="write the masks again, or remove the NIfTI extension and name the scheme",
    )


def render_label_table(names: Mapping[int, str]) -> bytes:
    """Return the table as the XML of a NIfTI extension; the same names give the same bytes."""
    labels = "\n".join(
        f'<Label Key={quoteattr(str(key))} Red="{r:g}" Green="{g:g}" Blue="{b:g}" Alpha="1">'
        f"<![CDATA[{name.replace(']]>', ']]]]><![CDATA[>')}]]></Label>"
        for key, name in sorted(names.items())
        for r, g, b in (_colour(key),)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0">'
        f"<LabelTable>\n{labels}\n</LabelTable>"
        "<StudyMetaDataLinkSet></StudyMetaDataLinkSet><VolumeType><![CDATA[Label]]></VolumeType>"
        "</VolumeInformation></CaretExtension>"
    ).encode()


def _colour(key: int) -> tuple[float, float, float]:
    """Three of the 26 corners and edges of the colour cube: neighbours in number differ."""
    shade = 1 + key * 7 % 26
    return shade // 9 / 2, shade // 3 % 3 / 2, shade % 3 / 2
