"""Advice: what to do about a message that did not arrive, by what the sender says of it."""

from __future__ import annotations

import re

#: What is said, and what to do about it; the first that is found counts.
_ADVICE = tuple(
    (re.compile(said), do)
    for said, do in (
        # The secrets of a channel.
        (r"names a variable that", "set it where the scheduler starts: with systemctl edit, say"),
        (r"does not hold one line", "write the secret, and nothing else, into that file"),
        (r"^\w+ cannot be read: no such", "make that file, or name the one that is meant"),
        (r"^\w+ cannot be read", "let the user of the scheduler read that file"),
        # The way to a server.
        (r"connection refused", "see that host and port are right, and that the server runs"),
        (r"name cannot be resolved", "see that the host is spelled right, and that DNS works here"),
        (r"no route to host|network is unreachable", "see that this machine is online"),
        (r"it does not answer", "see that host and port are right, and no firewall is in between"),
        (
            r"certificate is not accepted",
            "name the host as its certificate does; SSL_CERT_FILE may name who signed it",
        ),
        (r"TLS failed", "see that the port is one for TLS: security, or https, has to fit to it"),
        (r"proxy", "mend the variables http_proxy, https_proxy or no_proxy of the scheduler"),
        (r"does not speak SMTP", "see that host and port are those of a mail server"),
        # What a mail server says.
        (r"offers no STARTTLS", 'write security = "tls" with its port, or let the server offer it'),
        (r"offers no way to log in", "leave user and password out, or ask who keeps the server"),
        (r"beyond ASCII", "give that account a user and password of ASCII"),
        (r"to the user and password", "see that user and password are right"),
        (r"to the sender", "write a from that this server takes"),
        (r"to the recipient|does not take mail for", "see that the addresses in to are right"),
        (r"to the (connection|greeting)", "ask who keeps the server: it does not want us"),
        (r"to the message", "ask who keeps the server why it refuses such messages"),
        # What a web server says.
        (r"no check has the address", "copy the ping URL of the check once more"),
        (r"too many pings|answered 429", "wait a little, and send less with at_most"),
        (r"answered 30\d", "write the address that it leads to: redirects are not followed"),
        (r"answered (404|410)", "copy the address once more: there is nothing at this one"),
        (r"answered (401|403|407)", "see that the secret in the address, or in headers, is right"),
        (r"answered (400|413|415|422)", "see that format is what the other side understands"),
        (r"answered 5\d\d", "try again later, or ask who keeps the server"),
        (r"answered 4\d\d", "see that the address is the one that was meant"),
        (r"none of the web|names no host|cannot be sent", "mend the address, or headers"),
        # What nobody knows.
        (r"did not answer|no answer|without an answer", "look whether it has arrived all the same"),
        (r"nothing was handed over in time", "see that the server is well: it takes nothing"),
        (r"closed the connection", "see that host and port are right, and ask who keeps it"),
    )
)


def advice(why: str) -> str | None:
    """Return what to do about a reason; None where nobody knows."""
    return next((do for said, do in _ADVICE if said.search(why)), None)
