"""HAProxy before a server, for clients that speak HTTP/2 only."""

import socket
import subprocess

CONFIGURATION = """
global
    maxconn 100
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend clients
    bind fd@{listener}
    default_backend server
backend server
    server server {host}:{port}
"""


class Front:
    """Listens at `address`, speaks HTTP/1.1 and HTTP/2, and passes on to an address."""

    def __init__(self, test, address):
        host, port = address
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        configuration = test.write(f"front-{self.address[1]}.cfg", CONFIGURATION.format(
            listener=listener.fileno(), host=host, port=port))
        self.process = subprocess.Popen(
            ["haproxy", "-db", "-q", "-f", configuration], pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL)
        listener.close()
        test.addCleanup(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait()
