"""The certificate of an embedded AWS, in a real TLS handshake."""

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from l4e_cli.certificates import TlsFiles, create_tls_files


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return create_tls_files(tmp_path_factory.mktemp("tls"))


def handshake(tls: TlsFiles, authority: Path, name: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls.certificate, tls.key)
    client = ssl.create_default_context(cafile=str(authority))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except (ssl.SSLError, OSError):
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with near, client.wrap_socket(near, server_hostname=name):
            pass
    finally:
        thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_clients_that_trust_the_authority_accept_the_loopback_names(tls: TlsFiles, name: str) -> None:
    handshake(tls, tls.authority, name)


@pytest.mark.parametrize("name", ["example.com", "127.0.0.2"])
def test_other_names_are_refused(tls: TlsFiles, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        handshake(tls, tls.authority, name)


def test_another_authority_is_refused(tls: TlsFiles, tmp_path: Path) -> None:
    other = create_tls_files(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, other.authority, "127.0.0.1")


def test_the_key_is_for_the_owner_alone(tls: TlsFiles) -> None:
    assert stat.S_IMODE(tls.key.stat().st_mode) == 0o600
