"""Reads our vectors with another COSE implementation (pycose) and verifies their signatures.

    python3 crates/touchmark-testkit/interop/check.py [target folder]

Without pycose, the script makes itself an environment in <target folder>/interop from
requirements.txt and goes on there. Exit code 0: everything verifies, and nothing changed does.
"""

import hashlib
import json
import sys
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def register_algorithms():
    """pycose knows neither RFC 9864's Ed25519 (-19) nor RFC 8812's ES256K (-47): the first is its
    EdDSA with the curve fixed, the second its ECDSA on a curve that its library has."""
    from ecdsa import SECP256k1
    from pycose.algorithms import CoseAlgorithm, EdDSA, Es256

    @CoseAlgorithm.register_attribute()
    class Ed25519(EdDSA):
        identifier = -19
        fullname = "ED25519"

    @CoseAlgorithm.register_attribute()
    class Es256k(Es256):
        identifier = -47
        fullname = "ES256K"

        @classmethod
        def get_curve(cls):
            return SECP256k1

    return Ed25519, Es256k


def verifies(message, key, detached=None):
    from pycose.exceptions import CoseException
    from pycose.keys import CoseKey

    message.key = CoseKey.decode(key)
    try:
        return message.verify_signature(detached_payload=detached)
    except (CoseException, AssertionError, ValueError):
        return False


def check_statement(case):
    """Every signature verifies; none does over a changed payload."""
    from pycose.headers import ContentType, KID, Algorithm
    from pycose.messages import CoseMessage, Sign1Message

    message = CoseMessage.decode(bytes.fromhex(case["bytes"]))
    assert message.uhdr == {}, "unprotected header"
    assert message.payload.hex() == case["payload"], "payload"
    assert -65537 in message.phdr, "link"
    several = not isinstance(message, Sign1Message)
    parts = message.signers if several else [message]
    assert len(parts) == len(case["signers"]), "signers"
    for part, signer in zip(parts, case["signers"]):
        key = bytes.fromhex(signer["cose_key"])
        number = signer["number"]
        minimal = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
        assert part.get_attr(KID)[20:] == minimal, "key number"
        assert part.get_attr(Algorithm) is not None, "algorithm"
        assert verifies(part, key), "signature"
    assert several == (Algorithm not in message.phdr), "algorithm of the body"
    assert ContentType in message.phdr or 258 in message.phdr or 259 in message.phdr
    structure = ["Signature1", message.phdr_encoded, b"", message.payload]
    import cbor2

    assert hashlib.sha256(cbor2.dumps(structure)).hexdigest() == case["id"], "id"
    message._payload = message.payload + b"\x00"
    for part, signer in zip(parts, case["signers"]):
        assert not verifies(part, bytes.fromhex(signer["cose_key"])), "a changed payload verifies"
    return len(parts)


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(leaf, index, size, path):
    """RFC 9162 section 2.1.3.2."""
    root, last, path = leaf, size - 1, list(path)
    for sibling in path:
        assert last > 0, "path too long"
        if index & 1 or index == last:
            root = node_hash(sibling, root)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0, "path too short"
    return root


def check_receipt(case):
    """RFC 9942: the detached payload is the root that the proof leads to (of a consistency proof,
    the newer one)."""
    import cbor2
    from pycose.messages import CoseMessage

    message = CoseMessage.decode(bytes.fromhex(case["receipt"]))
    assert message.payload is None, "the payload is detached"
    proofs = message.uhdr[396]
    if case["kind"] == "inclusion":
        size, index, path = cbor2.loads(proofs[-1][0])
        root = root_of_inclusion(bytes.fromhex(case["leaf_hash"]), index, size, path)
        assert root.hex() == case["root"], "root"
    else:
        root = bytes.fromhex(case["new_root"])
    x, y = (bytes.fromhex(case["key"].get(name, "")) for name in ("x", "y"))
    if case["key"]["algorithm"] == "ES256":
        key = {1: 2, -1: 1, -2: x, -3: y}
    else:
        key = {1: 1, -1: 6, -2: x}
    assert verifies(message, cbor2.dumps(key), root), "signature"
    assert not verifies(message, cbor2.dumps(key), bytes(32)), "another root verifies"
    return 1


def main():
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target").resolve()
    try:
        import pycose  # noqa: F401
    except ImportError:
        environment.enter(__file__, target / "interop", HERE / "requirements.txt", [target])
    register_algorithms()
    vectors = ROOT / "spec" / "vectors"
    statements = json.loads((vectors / "statements.json").read_text())["accepted"]
    receipts = json.loads((vectors / "receipts.json").read_text())["cases"]
    work = [(check_statement, case) for case in statements if "signers" in case]
    work += [(check_receipt, case) for case in receipts]
    signatures, faults = 0, []
    for check, case in work:
        try:
            signatures += check(case)
        except Exception as fault:  # A fault of any kind in one case must not hide the others.
            faults.append(f"{case['name']}: {type(fault).__name__} {fault}")
    print(f"interop: {len(work)} messages, {signatures} signatures verified by pycose")
    print("\n".join(faults), file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
