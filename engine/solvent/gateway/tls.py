"""A certificate authority of this machine, for clients that speak only TLS: a root, and a certificate for localhost from it.

Owns the files in one folder. Never touches the system's store: a client is told of the root by two environment variables. The
root's key is forgotten as soon as the certificate is signed.
"""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["VARIABLES", "local_authority"]

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Variables that tell clients of the root: the ssl module reads the first, requests the second."""
_DAYS = 30
_NOT_FOR = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
    "decipher_only",
)  # fmt: skip


def _name(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """Returns a certificate without extensions."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def local_authority(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """Makes an authority and a certificate of it, and returns the server's context and the file with the root.

    host: an address that the certificate names besides localhost and the loopback addresses.
    """
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    title = "solvent local authority"
    usage = dict.fromkeys(_NOT_FOR, False)
    root = (
        _begun(title, title, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    addresses = dict.fromkeys(ipaddress.ip_address(each) for each in ("127.0.0.1", "::1", host))
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), *(x509.IPAddress(each) for each in addresses)]
    leaf = (
        _begun("localhost", title, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").touch(mode=0o600)
    (folder / "server.pem").write_bytes(secret + leaf.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, folder / "root.pem"
