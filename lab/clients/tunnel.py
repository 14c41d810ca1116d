#!/usr/bin/python3
"""For clients that know no proxy: runs one behind a tunnel through it.

    tunnel.py PROXYHOST PROXYPORT HOST PROGRAM [ARGUMENT]...     `{port}` in an argument is the tunnel's port on 127.0.0.1

Bytes go both ways as they come; an end is passed on as an end, a reset as a reset.
"""
import socket
import struct
import subprocess
import sys
import threading

PATIENCE = 20


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except ConnectionResetError:
        target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        target.close()
    except OSError:
        pass


def tunnel(listener, proxy, host):
    near, _ = listener.accept()
    far = socket.create_connection(proxy, timeout=PATIENCE)
    far.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = far.recv(1)
        if not byte:
            return
        head += byte
    back = threading.Thread(target=pump, args=(far, near), daemon=True)
    back.start()
    pump(near, far)
    back.join(PATIENCE)
    near.close()
    far.close()


def main(proxy_host, proxy_port, host, *command):
    listener = socket.create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    t = threading.Thread(target=tunnel, args=(listener, (proxy_host, int(proxy_port)), host), daemon=True)
    t.start()
    code = subprocess.run([word.replace("{port}", port) for word in command], timeout=PATIENCE, check=False).returncode
    t.join(5)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
