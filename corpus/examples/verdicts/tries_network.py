# Tries to reach an address set aside for documentation and to look up a name that cannot
# exist. Verdict: ok when there is no way out; it exits with 1 if anything answers.
import os
import socket
import sys

TIMEOUT = 1.0
ADDRESSES = [
    (socket.AF_INET, "192.0.2.1", 80),
    (socket.AF_INET6, "2001:db8::1", 80),
]
NAME = "sandsweep-example.invalid"


def connects(family: int, host: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(TIMEOUT)
            client.connect((host, port))
    except OSError as error:
        print(f"connect {host} port {port}: refused ({error})")
        return False
    print(f"connect {host} port {port}: CONNECTED")
    return True


def resolves(name: str) -> bool:
    try:
        answers = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except OSError as error:
        print(f"resolve {name}: refused ({error})")
        return False
    print(f"resolve {name}: RESOLVED to {answers[0][4][0]}")
    return True


def main() -> int:
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"  # the resolver has no other timeout
    escaped = [connects(*address) for address in ADDRESSES] + [resolves(NAME)]
    return 1 if any(escaped) else 0


if __name__ == "__main__":
    sys.exit(main())
