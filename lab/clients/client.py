#!/usr/bin/python3
"""A client by Python's ssl (OpenSSL), with the behaviours that need a hand on the handshake.

    client.py BEHAVIOUR HOST VERSION CA [PROXYHOST PROXYPORT]

request       verifies, asks, reads the answer: an ordinary client; refuses where it does not trust
late          completes the handshake, does not like what it saw, closes at once
idle          completes the handshake and waits, as a preconnect does
fin, rst      leaves without a word instead of sending its Finished
notify        the same with a close_notify
cancel        the same with user_canceled
"""
import socket
import ssl
import struct
import sys
import time

PATIENCE = 15


def connect(host, proxy):
    raw = socket.create_connection(proxy or (host, 443), timeout=PATIENCE)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy:
        raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = raw.recv(1)
            if not byte:
                raise OSError("the proxy left")
            head += byte
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise OSError(head.split(b"\r\n")[0].decode())
    return raw


def context(version, ca):
    made = ssl.create_default_context(cafile=ca)
    made.minimum_version = made.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
    return made


def reset(raw):
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def is_hello(records):
    """Whether there is a ClientHello among them: the first, or the one that answers a HelloRetryRequest."""
    while len(records) > 5:
        if records[0] == 0x16 and records[5] == 1:
            return True
        records = records[5 + struct.unpack(">H", records[3:5])[0]:]
    return False


def leave(raw, behaviour, host, version, ca):
    """Up to the server's flight, and then no Finished."""
    made = context(version, ca)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = made.wrap_bio(received, sent, server_hostname=host)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        out = sent.read()
        if out and not is_hello(out):
            break  # the server's flight is here: what stands in `out` is our answer to it
        raw.sendall(out)
        data = raw.recv(65536)
        if not data:
            raise OSError("the server left")
        received.write(data)
    if behaviour == "rst":
        return reset(raw)
    if behaviour in ("notify", "cancel"):
        # Alerts in the clear, level warning.
        raw.sendall(b"\x15\x03\x03\x00\x02\x01" + (b"\x00" if behaviour == "notify" else b"\x5a"))
    raw.close()
    return None


def main(behaviour, host, version, ca, proxy):
    raw = connect(host, proxy)
    if behaviour in ("fin", "rst", "notify", "cancel"):
        return leave(raw, behaviour, host, version, ca)
    tls = context(version, ca).wrap_socket(raw, server_hostname=host)
    if behaviour == "request":
        tls.sendall(f"GET /python HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        if b" 200 " not in tls.recv(65536):
            raise OSError("no answer")
    elif behaviour == "idle":
        time.sleep(1.2)  # this is what it does
    tls.close()
    return None


if __name__ == "__main__":
    words = sys.argv[1:]
    try:
        main(*words[:4], (words[4], int(words[5])) if len(words) > 4 else None)
    except (OSError, ssl.SSLError) as e:
        sys.exit(f"client.py: {e}")
