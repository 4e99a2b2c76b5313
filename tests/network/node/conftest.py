"""A node on loopback, images to send it, and a way to send it what no library would."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)

from osteoct.network.node.inbox import Inbox, InboxLimits
from osteoct.network.node.receiving import Node, NodeSettings

SENDER = "SCANNER"


@pytest.fixture
def listen(tmp_path):
    """Starts a node with an inbox of its own; what it says is collected."""
    nodes = []

    def start(*, limits=None, folder="inbox", **settings):
        said = []
        inbox = Inbox(tmp_path / folder, limits or InboxLimits(free_bytes=0), hear=said.append)
        given = {"port": 0, "callers": frozenset({SENDER}), "timeout_s": 5.0} | settings
        node = Node(inbox, NodeSettings(**given), said.append)
        node.start()
        nodes.append(node)
        return SimpleNamespace(node=node, inbox=inbox, said=said, port=node.port)

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture
def associate():
    """Associations of a sender with a name; they end with the test."""
    opened = []

    def open_one(port, *, title=SENDER, called="OSTEOCT", classes=(CTImageStorage,)):
        entity = AE(ae_title=title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
        contexts = [build_context(uid, ExplicitVRLittleEndian) for uid in classes]
        opened.append(entity.associate("127.0.0.1", port, contexts=contexts, ae_title=called))
        return opened[-1]

    yield open_one
    for association in opened:
        if association.is_established:
            association.release()


def encode_request(title=SENDER, called="OSTEOCT") -> bytes:
    """The first PDU of an association, as bytes."""
    request = A_ASSOCIATE()
    request.application_context_name = "1.2.840.10008.3.1.1.1"
    request.calling_ae_title, request.called_ae_title = title, called
    longest, who = MaximumLengthNotification(), ImplementationClassUIDNotification()
    longest.maximum_length_received, who.implementation_class_uid = 16382, "1.2.3.4"
    request.user_information = [longest, who]
    context = build_context(CTImageStorage, ExplicitVRLittleEndian)
    context.context_id = 1
    request.presentation_context_definition_list = [context]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(request)
    return bytes(pdu.encode())


@pytest.fixture
def raw():
    """Plain connections: what is sent, and whether the other side has closed."""
    opened = []

    def connect(port):
        plain = socket.create_connection(("127.0.0.1", port), 10)
        opened.append(plain)
        return plain

    yield SimpleNamespace(connect=connect, request=encode_request)
    for plain in opened:
        plain.close()
