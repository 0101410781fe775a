"""Connections to the outside, and their troubles in words."""

from __future__ import annotations

import functools
import socket
import ssl

#: Seconds for one address of a host: one that is dead shall leave time for the next.
CONNECT = 8.0


def connect(host: str, port: int) -> socket.socket:
    """Return a connection that is not bounded itself: whoever sends is, as a whole.

    Raises:
        OSError: there is none.
    """
    connection = socket.create_connection((host, port), timeout=CONNECT)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return what certificates are checked with; reading them all costs much, so it is done once.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name others than those of the system.
    """
    return ssl.create_default_context()


def secured(connection: socket.socket, host: str) -> ssl.SSLSocket:
    """Return a connection over TLS, with a certificate that holds for ``host``.

    Raises:
        OSError: the other side shows none, or another.
    """
    return tls_context().wrap_socket(connection, server_hostname=host)


def trouble(error: OSError) -> str:
    """Return in a clause why there is no connection, or none any more."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'unknown reason').replace('_', ' ').lower()}"
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved: {(error.strerror or 'unknown host').lower()}"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return (error.strerror or type(error).__name__).lower()
