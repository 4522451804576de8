"""Proves, offline, that an appeal stands in the register unchanged. Standard library alone.

    python verify_receipt.py receipt.json [KEY]
    python verify_receipt.py growth.json KEY OLDER NEWER

The first takes the answer of …/receipt or of …/proof. KEY is the verifier key of the register as
you know it from elsewhere (ikomek109/CITY+…); without it the receipt's own is believed. A leaf
whose bytes are not shown (`event` null) proves nothing of an appeal unless the next event names
it: a document that shows no sealed event is refused.
The second takes the answer of /v1/register/consistency and the two checkpoints, each a file of
text or a receipt, and proves that the newer register begins with the whole of the older one.
"""

import base64
import hashlib
import json
import sys

# Ed25519, verification only (RFC 8032 §5.1 and §6).
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def recover(y: int, sign: int) -> tuple[int, int, int, int]:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    found = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point, scalar = add(point, point), scalar >> 1
    return found


def decode(text):
    number = int.from_bytes(text, "little")
    return recover(number & (2**255 - 1), number >> 255)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    s = int.from_bytes(signature[32:], "little")
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    left = times(s, recover(4 * pow(5, -1, P) % P, 0))
    right = times(int.from_bytes(challenge, "little") % L, decode(public))
    right = add(decode(signature[:32]), right)
    same = (left[i] * right[2] % P == right[i] * left[2] % P for i in (0, 1))
    return len(signature) == 64 and s < L and all(same)


def demand(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)


def read_checkpoint(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the key signed (C2SP tlog-checkpoint, signed-note)."""
    name, said, encoded = key.strip().split("+", 2)
    public = base64.b64decode(encoded)[1:]
    key_id = hashlib.sha256(f"{name}\n\x01".encode() + public).digest()[:4]
    body, _, lines = note.partition("\n\n")
    origin, size, root = body.split("\n")
    demand((origin, said) == (name, key_id.hex()), "the key is not of this register")
    signed = [base64.b64decode(line.rsplit(" ", 1)[1]) for line in lines.splitlines()]
    own = [one[4:] for one in signed if one[:4] == key_id]
    message = f"{body}\n".encode()
    demand(any(is_signed(public, message, one) for one in own), "the signature is wrong")
    return int(size), base64.b64decode(root)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def check_leaf(event: dict, size: int, root: bytes) -> None:
    """The path of RFC 9162 §2.1.3.2 from a leaf to the root."""
    head, first, last = bytes.fromhex(event["leaf"]), event["index"], size - 1
    demand(0 <= first <= last, "the leaf lies beyond the checkpoint")
    for step in map(bytes.fromhex, event["path"]):
        demand(last > 0, "the path is too long")
        if first & 1 or first == last:
            head = node(step, head)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            head = node(head, step)
        first, last = first >> 1, last >> 1
    demand((last, head) == (0, root), "the event is not in the register that was signed")


def check_event(event: dict, place: int, previous: str, document: dict) -> None:
    """The bytes of an event: they give its leaf, and follow the event before it."""
    leaf = hashlib.sha256(b"\0" + event["event"].encode()).hexdigest()
    demand(leaf == event["leaf"], "the event was changed")
    said = json.loads(event["event"])
    demand(said["about"]["number"] == document["number"], "an event of another appeal")
    demand((said["sequence"], said["previous"]) == (place, previous), "the chain is broken")
    for name, opened in document.get("personal", {}).items():
        salt = bytes.fromhex(opened["salt"])
        # A longer salt would swallow the beginning of the text, a shorter one lengthen it.
        demand(len(salt) == 16, f"no salt of {name}")
        text = salt + opened["text"].encode()
        demand(hashlib.sha256(text).hexdigest() == said["personal"][name], f"another {name}")


def check(document: dict, key: str) -> str:
    """What is proved, in words. ValueError for what is not."""
    size, root = read_checkpoint(document["checkpoint"], key)
    events, previous = document.get("events", [document]), "00" * 32
    proved = hidden = 0
    for place, event in enumerate(events, 1):
        sealed = event["index"] is not None
        if sealed:
            check_leaf(event, size, root)
        if event["event"] is not None:
            check_event(event, place, previous, document)
            proved, hidden = proved + (1 + hidden if sealed else 0), 0
        else:
            # Without its bytes a leaf may be anybody's: it counts once a sealed event names it.
            demand(not document.get("personal"), "texts of an event that is not shown")
            hidden = int(sealed)
        previous = event["leaf"]
    demand(proved > 0, "no event of this appeal is both sealed and shown")
    return f"{document['number']}: {proved} of {len(events)} events stand sealed among {size}."


def check_growth(document: dict, key: str, older: str, newer: str) -> str:
    """The path of RFC 9162 §2.1.4.2 between two checkpoints. ValueError for what is not proved."""
    (old, old_root), (new, new_root) = read_checkpoint(older, key), read_checkpoint(newer, key)
    demand((document["from"], document["to"]) == (old, new), "a proof of other checkpoints")
    demand(0 < old <= new, "the older checkpoint is not the older one")
    path = [bytes.fromhex(step) for step in document["path"]]
    # The older root is left out of the path where it is a subtree of the newer tree as it stands.
    path = [old_root, *path] if old == new or old & (old - 1) == 0 else path
    demand(len(path) > 0, "the path is too short")
    first, last = (old - 1, new - 1) if old < new else (0, 0)
    while first & 1:
        first, last = first >> 1, last >> 1
    was = head = path[0]
    for step in path[1:]:
        demand(last > 0, "the path is too long")
        if first & 1 or first == last:
            was, head = node(step, was), node(step, head)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            head = node(head, step)
        first, last = first >> 1, last >> 1
    same = (last, was, head) == (0, old_root, new_root)
    demand(same, "the newer register does not begin with the older one")
    return f"{key.split('+')[0]}: the {new} leaves begin with the {old} that were signed before."


def read_note(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return json.loads(text)["checkpoint"] if text.startswith("{") else text


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        given, others = json.load(file), sys.argv[2:]
    try:
        if len(others) == 3:
            print(check_growth(given, others[0], *map(read_note, others[1:])))
        else:
            print(check(given, others[0] if others else given["key"]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        sys.exit(f"NOT PROVED: {error}")
