"""Keys and certificates of the lab: a public CA, the gateway's inspection CA, one that nobody knows, and the origins'."""
import pathlib
import subprocess

PUBLIC, INSPECTION, STRANGER = "Lab Public CA", "Lab Inspection CA", "Lab Stranger CA"


def openssl(*words):
    p = subprocess.run(["openssl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                       check=False)
    if p.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, words))}: {p.stderr.strip()}")
    return p.stdout


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        stem = name.split()[1].lower()
        self.key, self.cert = self.folder / f"{stem}.key", self.folder / f"{stem}.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "30",
                "-subj", f"/O=pinwatch lab/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, host, days=20, usage="serverAuth"):
        """Certificate and key of a host, in one file each. days: negative: it has expired."""
        key, cert, request = (self.folder / f"{host}.{end}" for end in ("key", "crt", "csr"))
        extensions = self.folder / f"{host}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n",
                              encoding="ascii")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                request, "-subj", f"/CN={host}")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", str(days),
                "-extfile", extensions, "-out", cert)
        return cert, key


class Keys:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir()
        self.public, self.inspection, self.stranger = (Authority(folder, n) for n in (PUBLIC, INSPECTION, STRANGER))
        # What a phone trusts: one with the inspection root, and one without.
        self.trusting, self.wrong = folder / "trusting.pem", self.stranger.cert
        self.trusting.write_text(self.public.cert.read_text() + self.inspection.cert.read_text())
        # The form in which mitmproxy wants its CA.
        self.together = folder / "mitmproxy-ca.pem"
        self.together.write_text(self.inspection.key.read_text() + self.inspection.cert.read_text())
