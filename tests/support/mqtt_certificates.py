"""Certificates for a test: an authority, a server's (127.0.0.1, ::1, localhost), a client's (CN "device-7"), and an
authority that nobody believes. Made by openssl when the test runs, so that none expires in the repository.

    certs = Certificates(folder)
    certs.ca, certs.server, certs.server_key, certs.client, certs.client_key, certs.other_ca
"""

import pathlib
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)


class Certificates:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca, ca_key = self._authority("ca", "a test's authority")
        self.other_ca, _ = self._authority("other", "somebody else")
        names = "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\nextendedKeyUsage=serverAuth\n"
        self.server, self.server_key = self._signed("server", "localhost", names, ca_key)
        self.client, self.client_key = self._signed("client", "device-7", "extendedKeyUsage=clientAuth\n", ca_key)

    def _key(self, name):
        key = self.folder / f"{name}.key"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        return key

    def _authority(self, name, title):
        key, cert = self._key(name), self.folder / f"{name}.pem"
        openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={title}", "-days", "2", "-out", cert,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        return cert, key

    def _signed(self, name, title, extensions, ca_key):
        key, cert, request = self._key(name), self.folder / f"{name}.pem", self.folder / f"{name}.csr"
        (self.folder / f"{name}.ext").write_text(extensions)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={title}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
                "-extfile", self.folder / f"{name}.ext", "-out", cert)
        return cert, key
