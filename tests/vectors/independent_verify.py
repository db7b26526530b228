#!/usr/bin/env python3
# tests/vectors/independent_verify.py - reads the example recording by docs/format.md alone, with none of our code.
#
# Usage: independent_verify.py FOLDER
# Exit codes: 0 all holds, 1 something does not, 77 a Python module is missing.
import json
import struct
import sys
from pathlib import Path

try:
    import nacl.bindings as sodium
    import nacl.public
    import nacl.pwhash
    import nacl.signing
    import zstandard
except ImportError as missing:
    print(f"SKIPPED: {missing}; install python3-nacl and python3-zstandard")
    sys.exit(77)

# --- BLAKE3, from its specification ---------------------------------------------------------------------------------

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, CONTEXT, MATERIAL = 1, 2, 4, 8, 32, 64
MASK = 0xFFFFFFFF
LANES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
         (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def compress(cv, block, counter, length, flags):
    m = list(struct.unpack("<16I", block.ljust(64, b"\0")))
    v = [*cv, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for step in range(7):
        for i, (a, b, c, d) in enumerate(LANES):
            for word, r1, r2 in ((m[2 * i], 16, 12), (m[2 * i + 1], 8, 7)):
                v[a] = (v[a] + v[b] + word) & MASK
                x = v[d] ^ v[a]
                v[d] = (x >> r1 | x << (32 - r1)) & MASK
                v[c] = (v[c] + v[d]) & MASK
                x = v[b] ^ v[c]
                v[b] = (x >> r2 | x << (32 - r2)) & MASK
        if step < 6:
            m = [m[i] for i in ORDER]
    return [v[i] ^ v[i + 8] for i in range(8)] + [v[i + 8] ^ cv[i] for i in range(8)]


def chunk_node(key, data, counter, flags):
    """The last compression of a 1 KiB chunk, not yet done: it may be the root."""
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    cv = key
    for i, block in enumerate(blocks[:-1]):
        cv = compress(cv, block, counter, 64, flags | (CHUNK_START if i == 0 else 0))[:8]
    last = CHUNK_END | (CHUNK_START if len(blocks) == 1 else 0)
    return cv, blocks[-1], counter, len(blocks[-1]), flags | last


def tree_node(key, data, counter, flags):
    if len(data) <= 1024:
        return chunk_node(key, data, counter, flags)
    chunks = (len(data) - 1) // 1024
    left = 1 << (chunks.bit_length() - 1)
    parts = (tree_node(key, data[:left * 1024], counter, flags), tree_node(key, data[left * 1024:], counter + left, flags))
    block = b"".join(struct.pack("<8I", *compress(*part)[:8]) for part in parts)
    return key, block, 0, 64, flags | PARENT


def blake3(data, key=IV, flags=0, length=32):
    cv, block, _, size, flags = tree_node(key, data, 0, flags)
    out = b""
    for counter in range((length + 63) // 64):
        out += struct.pack("<16I", *compress(cv, block, counter, size, flags | ROOT))
    return out[:length]


def derive(context, data, length=32):
    key = struct.unpack("<8I", blake3(context.encode(), flags=CONTEXT))
    return blake3(data, key, MATERIAL, length)


# --- the format ------------------------------------------------------------------------------------------------------

BLOCK = 16384
checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        print(f"FAILED: {what}")
        sys.exit(1)


def merkle_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return derive("lucid v1 merkle node", merkle_root(leaves[:split]) + merkle_root(leaves[split:]))


def root_from_path(at, index, count, path):
    """RFC 9162, section 2.1.3.2."""
    last = count - 1
    for sibling in path:
        check(last > 0, "path is too long")
        if index % 2 == 1 or index == last:
            at = derive("lucid v1 merkle node", sibling + at)
            while index % 2 == 0 and index != 0:
                index, last = index // 2, last // 2
        else:
            at = derive("lucid v1 merkle node", at + sibling)
        index, last = index // 2, last // 2
    check(last == 0, "path is too short")
    return at


def leaves_of(data):
    return [derive("lucid v1 merkle leaf", data[i:i + BLOCK]) for i in range(0, len(data), BLOCK)]


def split_digests(text):
    raw = bytes.fromhex(text)
    return [raw[i:i + 32] for i in range(0, len(raw), 32)]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def canonical_document(data):
    value = json.loads(data)
    check(canonical(value) == data.rstrip(b"\n"), "document is canonical")
    return value


def open_sealed(sealed, associated, nonce, key):
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, nonce, key)


def open_chunk(data, session_key):
    magic, version, track, flags, index, session = struct.unpack_from("<8sHBBI32s", data)
    plain_size, sealed_size, first, last, start, end, frames, reserved = struct.unpack_from("<QQQQqqII", data, 48)
    nonce, commitment, digest = struct.unpack_from("<24s32s32s", data, 104)
    check(magic == b"lucidchk" and version == 1 and reserved == 0 and flags < 4, "chunk header fields")
    check(digest == derive("lucid v1 chunk header", data[:160]), "chunk header digest")
    check(sealed_size == len(data), "chunk size")
    key = derive("lucid v1 chunk key", session_key + struct.pack("<BI", track, index))
    check(commitment == derive("lucid v1 chunk key commitment", key), "chunk key commitment")
    plain = open_sealed(data[192:], data[:192], nonce, key)
    if flags & 2:
        plain = zstandard.ZstdDecompressor().decompress(plain, max_output_size=plain_size)
    check(len(plain) == plain_size, "chunk plaintext size")
    return dict(track=("video", "events")[track], index=index, session=session.hex(), first_sequence=first,
                last_sequence=last, start_us=start, end_us=end, frame_count=frames, plain_size_bytes=plain_size), plain


def read_journal(data, session_key):
    magic, version, reserved, segment, _, commitment, digest = struct.unpack_from("<8sHHI32s32s32s", data)
    check(magic == b"lucidjnl" and version == 1 and reserved == 0, "journal header fields")
    check(digest == derive("lucid v1 journal header", data[:80]), "journal header digest")
    key = derive("lucid v1 journal key", session_key + struct.pack("<I", segment))
    check(commitment == derive("lucid v1 journal key commitment", key), "journal key commitment")
    at, previous, fragments = 112, bytes(16), []
    while at < len(data):
        head = data[at:at + 48]
        length, _, sequence, nonce, stated = struct.unpack("<IIQ24s8s", head)
        check(stated == derive("lucid v1 journal record", digest + previous + head[:40])[:8], "journal record check")
        sealed = data[at + 48:at + 48 + length]
        plain = open_sealed(sealed, digest + previous + head, nonce, key)
        fragments.append((sequence, *struct.unpack_from("<BBBBIqq", plain), plain[24:]))
        previous, at = sealed[-16:], at + 48 + length
    return fragments


def verify_block(header):
    magic, version, entries, height, slot, time = struct.unpack_from("<8sIIQQq", header)
    previous, root, producer, signature = struct.unpack_from("<32s32s32s64s", header, 40)
    check(magic == b"lucidblk" and version == 1 and len(header) == 200, "block header fields")
    check(slot == (time - 1704067200000000) // 120000000, "block slot")
    nacl.signing.VerifyKey(producer).verify(b"lucid v1 block signature\0" + blake3(header[:136]), signature)
    return dict(entries=entries, height=height, previous=previous, root=root)


def verify_manifest(manifest, signature):
    digest = blake3(canonical(manifest))
    nacl.signing.VerifyKey(bytes.fromhex(manifest["recorder"])).verify(b"lucid v1 manifest signature\0" + digest, signature)
    roots = [bytes.fromhex(chunk["root"]) for track in manifest["tracks"] for chunk in track["chunks"]]
    check(merkle_root(roots).hex() == manifest["root"], "session root")
    return digest


def verify_proof(proof):
    manifest, anchor = proof["manifest"], proof["anchor"]
    digest = verify_manifest(manifest, bytes.fromhex(proof["signature"]))
    entry = anchor["entry"]
    check(entry["manifest_hash"] == digest.hex() and entry["root"] == manifest["root"]
          and entry["session"] == manifest["session"], "entry is that of the manifest")
    headers = [bytes.fromhex(block["header"]) for block in proof["blocks"]]
    blocks = [verify_block(header) for header in headers]
    for before, header, after in zip(headers, blocks, blocks[1:]):
        check(after["previous"] == derive("lucid v1 block hash", before) and after["height"] == header["height"] + 1, "link")
    leaf = derive("lucid v1 ledger entry", bytes.fromhex(entry["session"] + entry["manifest_hash"] + entry["root"])
                  + struct.pack("<q", entry["sealed_us"]))
    check(root_from_path(leaf, anchor["entry_index"], blocks[0]["entries"], split_digests(anchor["path"]))
          == blocks[0]["root"] and blocks[0]["height"] == anchor["block_height"], "entry is in the block")
    return manifest


def open_key_file(data, passphrase=b""):
    value = canonical_document(data)
    stated = value.pop("check")
    check(derive("lucid v1 key file", canonical(value)).hex() == stated, "key file check")
    if value["protection"] == "none":
        secret = bytes.fromhex(value["secret"])
    else:
        sealed = bytes.fromhex(value.pop("sealed"))
        key = nacl.pwhash.argon2id.kdf(32, passphrase, bytes.fromhex(value["salt"]), value["passes"], value["memory_bytes"])
        secret = open_sealed(sealed, canonical(value), bytes.fromhex(value["nonce"]), key)
    check(bytes(nacl.public.PrivateKey(secret[:32]).public_key).hex() == value["box_public"], "X25519 key")
    if value["kind"] == "node":
        check(bytes(nacl.signing.SigningKey(secret[32:]).verify_key).hex() == value["sign_public"], "Ed25519 key")
    return secret


def main(folder):
    proof_bytes = (folder / "proof.json").read_bytes()
    proof = canonical_document(proof_bytes)
    manifest = verify_proof(proof)
    check(canonical(manifest) in proof_bytes, "manifest stands in the proof byte for byte")

    owner = open_key_file((folder / "alice.key").read_bytes())
    node = open_key_file((folder / "node-1.key").read_bytes(), b"correct horse")
    check(node[:32] == owner, "both example keys have the same X25519 half")
    box = nacl.public.SealedBox(nacl.public.PrivateKey(owner))
    session_key = box.decrypt(bytes.fromhex(manifest["keys"][0]["sealed"]))
    check(derive("lucid v1 session key commitment", session_key).hex() == manifest["key_commitment"], "session key commitment")

    tables = {(t["track"], t["index"]): split_digests(t["leaves"]) for t in proof["leaves"]}
    opened = {}
    for track in manifest["tracks"]:
        for chunk in track["chunks"]:
            name = f"{track['track']}{chunk['index']}"
            data = (folder / f"{name}.chunk").read_bytes()
            leaves = leaves_of(data)
            check(leaves == tables[track["track"], chunk["index"]], f"{name}: leaf table")
            check(merkle_root(leaves).hex() == chunk["root"], f"{name}: root")
            check(blake3(data).hex() == chunk["content"] and len(data) == chunk["sealed_size_bytes"], f"{name}: content")
            header, plain = open_chunk(data, session_key)
            check(header["session"] == manifest["session"] and header["track"] == track["track"], f"{name}: place")
            check(all(header[field] == chunk[field] for field in header if field in chunk), f"{name}: header and manifest")
            opened[name] = plain
    check((folder / "video0.leaves").read_bytes() == b"".join(tables["video", 0]), "leaf table file")
    check(opened["video0"] == blake3(b"lucid example video", length=20000), "video plaintext")
    check([json.loads(line)["event"] for line in opened["events0"].splitlines()] == ["start"] * 4, "events plaintext")

    fragments = read_journal((folder / "journal").read_bytes(), session_key)
    check([(f[0], f[1], f[2], f[-1]) for f in fragments] == [(1, 0, 1, b"init"), (2, 1, 3, b"{}\n")], "journal fragments")

    damaged = bytearray((folder / "video0.chunk").read_bytes())
    damaged[17000] ^= 1
    wrong = [i for i, (a, b) in enumerate(zip(leaves_of(bytes(damaged)), tables["video", 0])) if a != b]
    check(wrong == [1], "damage is in block 1")
    print(f"independent_verify: {checks} checks hold")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
