"""TLS as it looks on a wire: hellos and a certificate in the clear, everything encrypted as records of the right length."""
import base64
import struct

CERTIFICATE = base64.b64decode(
    "MIIBiDCCAS2gAwIBAgIUa98hByHhU1/7niOQr2kKyScle5cwCgYIKoZIzj0EAwIwGDEWMBQGA1UEAwwNYXBpLmJhbmsudGVzdDAg"
    "Fw0yNjExMjQwODE2MDlaGA8yMTI2MTAzMTA4MTYwOVowGDEWMBQGA1UEAwwNYXBpLmJhbmsudGVzdDBZMBMGByqGSM49AgEGCCqG"
    "SM49AwEHA0IABBoMurozHrKp8beuJCWYNb0PCL1wxe59uHFt1nlN2+ui//6En1iPpD5jRWPh/eFXkvOKbt7GQWARouKMOKMoRPij"
    "UzBRMB0GA1UdDgQWBBTFOU8eibcgIR2wPbWd2gQfJbOhNDAfBgNVHSMEGDAWgBTFOU8eibcgIR2wPbWd2gQfJbOhNDAPBgNVHRMB"
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD1dLtn26uDpGejjtUWvpVb5a1qyPZ4GItnb/er0h5WegIhAJ84yT+oytiLjZMx"
    "gb18S+XMlS40HyeJjPOZSmpmThjt")  # CN=api.bank.test, self-signed
NAME = "api.bank.test"
SHA256, SHA384, CCM_8 = 0x1301, 0x1302, 0x1305
GREASE = 0x3a3a


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def vector(size, body):
    return len(body).to_bytes(size, "big") + body


def u16s(values):
    return b"".join(struct.pack("!H", v) for v in values)


def extension(kind, body=b""):
    return struct.pack("!H", kind) + vector(2, body)


def sni(name):
    return extension(0, vector(2, b"\0" + vector(2, name.encode())))


def versions(*offered):
    return extension(43, vector(1, u16s(offered)))


def hello_body(extensions, suites=(0x1301, 0x1302, 0xc02f), random=b"c" * 32, session=b"s" * 32):
    return struct.pack("!H", 0x0303) + random + vector(1, session) + vector(2, u16s(suites)) + b"\1\0" + \
        vector(2, b"".join(extensions))


def client_hello(name=NAME, old=False, suites=(0x1301, 0x1302, 0xc02f), random=b"c" * 32, more=()):
    """One record. old: TLS 1.2 is the most it can."""
    extensions = [sni(name)] if name else []
    extensions += [] if old else [versions(0x0304, 0x0303)]
    return record(22, message(1, hello_body(extensions + list(more), suites, random)), 0x0301)


RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def server_hello(suite=SHA256, random=b"s" * 32, more=b""):
    """TLS 1.3."""
    extensions = extension(43, struct.pack("!H", 0x0304)) + more
    body = struct.pack("!H", 0x0303) + random + vector(1, b"s" * 32) + struct.pack("!HB", suite, 0) + \
        vector(2, extensions)
    return record(22, message(2, body))


def server_hello_12(suite=0xc02f, random=b"s" * 32):
    return record(22, message(2, struct.pack("!H", 0x0303) + random + b"\0" + struct.pack("!HB", suite, 0)))


def certificate(der=CERTIFICATE):
    return record(22, message(11, vector(3, vector(3, der))))


CCS = record(20, b"\1")
HELLO_DONE = record(22, message(14, b""))
KEY_EXCHANGE = record(22, message(16, bytes(33)))
FINISHED_12 = record(22, bytes(40))
CERTIFICATE_REQUEST = record(22, message(13, b"\1\1\0\0\0\0"))


def alert(code, level=2):
    return record(21, bytes([level, code]))


def data(length):
    """An encrypted record with so long a body."""
    return record(23, b"\xaa" * length)


def flight(suite=SHA256, random=b"s" * 32, more=b""):
    """The server's in TLS 1.3: EncryptedExtensions, Certificate, CertificateVerify, Finished."""
    return server_hello(suite, random, more) + CCS + data(23) + data(807) + data(281) + data(finished(suite))


def finished(suite=SHA256):
    """Length of a Finished record: header, hash, content type, tag."""
    return 4 + (48 if suite == SHA384 else 32) + 1 + (8 if suite == CCM_8 else 16)


def flight_12(request=False, random=b"s" * 32):
    return server_hello_12(random=random) + certificate() + (CERTIFICATE_REQUEST if request else b"") + HELLO_DONE
