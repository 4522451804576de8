"""Foreign verifiers over what the register gives out: sigstore's of Rekor, and pymerkle."""

from base64 import b64encode
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pymerkle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pymerkle.core import _consistency_path_layout, _inclusion_path_layout
from sigstore._internal.rekor.checkpoint import verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails

from domain.register.checkpoint import Key
from domain.register.tree import consistency_ranges


def rekor_entry(
    body: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes, **more: Any
) -> Any:
    """An entry of Rekor's log as far as sigstore's verifiers of its proofs look at it."""
    proof = SimpleNamespace(
        log_index=index, tree_size=size, hashes=hashes, root_hash=root,
        checkpoint=SimpleNamespace(envelope=more.get("note")),
    )  # fmt: skip
    log = SimpleNamespace(key_id=more.get("key_id"))
    inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=body, log_id=log)
    return SimpleNamespace(_inner=inner)


def sigstore_verifies_note(note: str, root: bytes, key: Key) -> None:
    """Sigstore reads a checkpoint, its Ed25519 signature and its root. Raises VerificationError."""
    public = Ed25519PublicKey.from_public_bytes(key.public)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    known = PublicKey(raw_bytes=b64encode(der), key_details=PublicKeyDetails.PKIX_ED25519)
    entry = rekor_entry(b"", 0, 1, (), root, note=note, key_id=key.id)
    verify_checkpoint(RekorKeyring(Keyring([known])), entry)


def pymerkle_tree(entries: Sequence[bytes]) -> Any:
    """Its tree over the bytes of events."""
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    return tree


def pymerkle_verifies_leaf(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Pymerkle judges a path of ours, and knows nothing but it. Raises InvalidProof."""
    rule, _ = _inclusion_path_layout(index + 1, size)
    proof = pymerkle.InclusionProof("sha256", True, size, index + 1, rule, [leaf, *path])
    pymerkle.verify_inclusion(leaf, root, proof, index=index + 1, size=size)


def pymerkle_verifies_growth(
    entries: Sequence[bytes], old: int, new: int, path: Sequence[bytes], roots: tuple[bytes, bytes]
) -> None:
    """Pymerkle judges a proof of growth of ours. Raises InvalidProof.

    Of an odd size its proof holds the same subtrees as the RFC's in another order. Of an even one
    it takes the first of those beyond the old tree apart, and wants the old root where the RFC
    leaves it out: the parts are its own then, and the whole is held to its own tree of them.
    """
    ours = dict(zip(consistency_ranges(old, new), path, strict=True))
    theirs = pymerkle_tree(entries[:new]).prove_consistency(old, new)
    *_, spans = _consistency_path_layout(old, new)
    for begin, end in ours.keys() - set(spans):
        if pymerkle_tree(entries[begin:end]).get_state() != ours[begin, end]:
            raise pymerkle.InvalidProof("a subtree is not that of the entries")
    theirs.path = [ours.get(span, own) for span, own in zip(spans, theirs.path, strict=True)]
    pymerkle.verify_consistency(*roots, theirs, prior_size=old, later_size=new)
