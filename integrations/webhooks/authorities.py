"""Whose certificates endpoints may show: the authorities of this machine, and the city's own.

Nothing is left to the environment: SSL_CERT_FILE and SSL_CERT_DIR, set for some other program,
would change whom we trust, and SSLKEYLOGFILE would write down what is said under TLS.
"""

import ssl
from pathlib import Path

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep theirs, should this Python have been built for another (Debian, Fedora, SUSE,
Alpine).
"""


class AuthoritiesMalformed(ValueError):
    """The file of the city's own authorities cannot be read, or holds no certificate."""


def trusted(own: Path | None = None) -> ssl.SSLContext:
    """What endpoints' certificates are judged by; `own` is a PEM file of further authorities.

    Raises AuthoritiesMalformed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    built = ssl.get_default_verify_paths()
    for bundle in (built.openssl_cafile, *BUNDLES):
        if Path(bundle).is_file():
            context.load_verify_locations(cafile=bundle)
            break
    if Path(built.openssl_capath).is_dir():
        context.load_verify_locations(capath=built.openssl_capath)
    if own is not None:
        _add(own, context)
    return context


def _add(own: Path, context: ssl.SSLContext) -> None:
    try:
        pem = own.read_text("ascii")
        # One that ends in the middle would be loaded as far as it goes.
        if pem.count("-----BEGIN CERTIFICATE-----") != pem.count("-----END CERTIFICATE-----"):
            raise ValueError("a certificate is cut off")
        context.load_verify_locations(cadata=pem)
    except (OSError, ValueError) as error:
        raise AuthoritiesMalformed(f"{own}: {getattr(error, 'strerror', None) or error}") from error
