"""Serves S3 at a free port of this machine, from memory, until its standard input ends.

    python3 crates/touchmark-testkit/interop/s3.py [target folder]

Without moto, the script makes itself an environment in <target folder>/s3 from
requirements-s3.txt and goes on there. Prints the port when it serves.
"""

import sys
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent


def main():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    try:
        import moto  # noqa: F401: whether it is there
    except ImportError:
        target = Path(sys.argv[1])
        environment.enter(__file__, target / "s3", HERE / "requirements-s3.txt", [target])
    main()
