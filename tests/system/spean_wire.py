"""tests/system/spean_wire.py - the bytes of docs/PROTOCOL.md, written a second time.

Made from the text alone, with Debian's msgpack, nacl and hashlib, so that it can disagree with
protocol/. It makes the golden vectors of tests/vectors/ and plays peers, honest and other, against
a running node. What encodes does as it is told: whoever wants to break a rule can. What decodes
refuses (WireError) what is not canonical.
"""

import base64
import hashlib

import msgpack
import nacl.bindings

VERSION = 1
MAGIC = b"spean\0\0\0"
FRAME_BYTES_MAX = 262144
DEPTH_MAX = 8
NO_ID = bytes(32)

STATEMENT, CHARTER = 1, 2
ACTIVE, REMOVED = 1, 2

CHANGE, PART_GRANT, ORGKEY_GRANT, ERASURE, HEADS = 1, 2, 3, 4, 5
ENDS_COMMIT = 1

VALUE, SET, LIST, STRICTEST, ONE_WAY = 1, 2, 3, 4, 5
WRITE, REMOVE, ADD, STRIKE, APPEND = 0, 0, 1, 0, 1

HELLO, REFUSE, TITLES, DOCUMENTS, EVIDENCE, DIGEST, ROWS, WANT, RUN, END = range(1, 11)
MORE, FETCH, BODIES, HEAD, SYNCED, PING, PONG, HELD = range(11, 19)
OFFER, JOIN, CHALLENGE, STANDING, ASIDE, BRANCH, NODE = range(20, 27)


class WireError(Exception):
    """Bytes that the protocol refuses."""


# Conventions (PROTOCOL.md, 1)


def ordered(value):
    """Return value with the keys of every map in canonical order."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode() if isinstance(key, str) else key)
        return {key: ordered(value[key]) for key in keys}
    if isinstance(value, (list, tuple)):
        return [ordered(item) for item in value]
    return value


def pack(value):
    """Encode value in the one canonical form (P1.1)."""
    return msgpack.packb(ordered(value), use_bin_type=True)


def check(value, depth=0):
    """Refuse what msgpack can say and P1.1 cannot."""
    if isinstance(value, (list, dict)) and depth == DEPTH_MAX:
        raise WireError("nested too deep")
    if isinstance(value, dict):
        numbers = all(type(key) is int and key >= 0 for key in value)
        if not numbers and not all(isinstance(key, str) for key in value):
            raise WireError("keys of another kind")
        value = [item for pair in value.items() for item in pair]
    if isinstance(value, list):
        for item in value:
            check(item, depth + 1)
    elif isinstance(value, str) and "\0" in value:
        raise WireError("NUL in text")
    elif not isinstance(value, (type(None), bool, int, bytes, str)):
        raise WireError("a type that is never used")


def unpack(data):
    """Decode one canonical value; anything that would be written otherwise is refused."""
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=False)
    except (TypeError, ValueError, msgpack.UnpackException) as err:  # TypeError: a list as a key
        raise WireError(str(err)) from err
    check(value)
    if pack(value) != data:
        raise WireError("not canonical")
    return value


def u32(number):
    return number.to_bytes(4, "big")


def u64(number):
    return number.to_bytes(8, "big")


def under(domain, message):
    """What is hashed or signed: the length of the domain, the domain, the message (P1.3)."""
    name = domain.encode()
    return bytes([len(name)]) + name + message


def hash32(domain, message):
    """H of P1.3."""
    return hashlib.blake2b(under(domain, message), digest_size=32).digest()


def hash16(domain, message):
    """H16 of P1.3: the digest size is a parameter of the hash."""
    return hashlib.blake2b(under(domain, message), digest_size=16).digest()


def hash8(domain, message):
    """H8 of P1.3: the first bytes of H16."""
    return hash16(domain, message)[:8]


def mac32(key, domain, message):
    """MAC of P1.3."""
    return hashlib.blake2b(under(domain, message), key=key, digest_size=32).digest()


class Signer:
    """An Ed25519 key, from its seed."""

    def __init__(self, seed):
        self.seed = seed
        self.public, self.secret = nacl.bindings.crypto_sign_seed_keypair(seed)

    def sign(self, domain, message):
        return nacl.bindings.crypto_sign(under(domain, message), self.secret)[:64]


def verify(public, domain, message, signature):
    """Refuse a signature that does not hold."""
    try:
        nacl.bindings.crypto_sign_open(signature + under(domain, message), public)
    except Exception as err:
        raise WireError("bad signature") from err


class Sealer:
    """An X25519 key (also a CURVE transport key), from its secret."""

    def __init__(self, secret):
        self.secret = secret
        self.public = nacl.bindings.crypto_scalarmult_base(secret)

    def pair(self, domain, other):
        """Pair of P1.3: the key that this one shares with the public key other."""
        shared = nacl.bindings.crypto_scalarmult(self.secret, other)
        low, high = sorted([self.public, other])
        return hash32(domain, shared + low + high)


def seal(key, nonce, associated, plain):
    """Seal of P1.3."""
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, key)


def unseal(key, nonce, associated, sealed):
    """Open what seal() made, or refuse it."""
    opening = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt
    try:
        return opening(sealed, associated, nonce, key)
    except Exception as err:
        raise WireError("does not open") from err


# Signed documents (2, 3, 4)

DOCUMENT_ID = {STATEMENT: "spean/statement/1", CHARTER: "spean/charter/1"}
DOCUMENT_SIGN = {STATEMENT: "spean/statement-sign/1", CHARTER: "spean/charter-sign/1"}


class Document:
    """One version of a statement or charter; the changes are in the form of P3.1 or P4.1."""

    def __init__(self, kind, version, previous, changes, signers):
        self.kind = kind
        self.version = version
        self.previous = previous
        self.changes = changes
        self.signers = sorted(signers, key=lambda signer: signer.public)
        self.body = pack([1, kind, version, previous, changes])
        self.id = hash32(DOCUMENT_ID[kind], self.body)
        domain = DOCUMENT_SIGN[kind]
        signatures = [[signer.public, signer.sign(domain, self.id)] for signer in self.signers]
        self.encoded = pack([self.body, signatures])


def decode_document(data):
    """Return (id, kind, version, previous, changes, keys) of a document whose signatures hold."""
    body, signatures = unpack(data)
    _, kind, version, previous, changes = unpack(body)
    own_id = hash32(DOCUMENT_ID[kind], body)
    for public, signature in signatures:
        verify(public, DOCUMENT_SIGN[kind], own_id, signature)
    return own_id, kind, version, previous, changes, [public for public, _ in signatures]


def recovery_hash(public):
    return hash32("spean/recovery/1", public)


def handle_of(ledger):
    return ledger[:16]


def accepted_node(org, handle, signing, sealing, transport):
    """Return the row of P3.1, key 5: a node with its acceptance (P3.4). signing is a Signer."""
    keys = signing.public + sealing + transport
    acceptance = signing.sign("spean/node/1", org + handle + keys)
    return [signing.public, sealing, transport, acceptance]


def authority(charter_heads, org_heads):
    """Digest over all documents (P13.3). org_heads: {org id: ids of its heads}."""
    message = b"".join(sorted(charter_heads))
    for org in sorted(org_heads):
        message += org + b"".join(sorted(org_heads[org]))
    return hash32("spean/authority/1", message)


# The log (5)


def log_id(ledger, org, signing):
    return hash32("spean/log/1", ledger + org + signing)


def header(seq, previous, time, kind, flags, tag, length, body_hash, later=None):
    """Encode a header (P5.2); later is (format, further elements) of a later format."""
    number, rest = later or (1, [])
    return pack([number, seq, previous, time, kind, flags, tag, length, body_hash, *rest])


def body_hash(body):
    return hash32("spean/body/1", body)


def entry_id(log, header_bytes):
    return hash32("spean/entry/1", log + header_bytes)


def commit_signature(signer, log, entry):
    return signer.sign("spean/commit/1", log + entry)


class Entry:
    """An entry as it is kept: header, body as stored, id."""

    def __init__(self, log, header_bytes, body):
        self.header = header_bytes
        self.body = body
        self.id = entry_id(log, header_bytes)
        fields = unpack(header_bytes)
        self.format, self.seq, self.previous, self.time, self.kind, self.flags = fields[:6]
        self.tag, self.length, self.body_hash = fields[6:9]
        self.rest = b"".join(pack(element) for element in fields[9:])


class Log:
    """A log that its author writes. A copy of it is where a fork begins."""

    def __init__(self, ledger, org, signer):
        self.org = org
        self.signer = signer
        self.id = log_id(ledger, org, signer.public)
        self.short = self.id[:8]
        self.entries = []

    def copy(self, count):
        """A log of the same key with the first count entries."""
        other = Log.__new__(Log)
        other.org, other.signer, other.id, other.short = self.org, self.signer, self.id, self.short
        other.entries = self.entries[:count]
        return other

    @property
    def next_seq(self):
        return len(self.entries) + 1

    def head(self):
        """The place of the last entry."""
        return (len(self.entries), self.entries[-1].id if self.entries else NO_ID)

    def append(self, kind, body, time, tag=None, flags=ENDS_COMMIT, later=None):
        data = header(self.next_seq, self.head()[1], time, kind, flags, tag, len(body),
                      body_hash(body), later)
        self.entries.append(Entry(self.id, data, body))
        return self.entries[-1]

    def signature(self, seq):
        return commit_signature(self.signer, self.id, self.entries[seq - 1].id)

    def run(self, first, last, bodies=True, cut=False):
        """The run from seq first to last. bodies: True, False, or the seqs whose bodies travel."""
        entries = self.entries[first - 1 : last]
        every = [entry.seq for entry in entries]
        travel = bodies if isinstance(bodies, (list, set)) else every if bodies else []
        return run(entries, travel, None if cut else self.signature(last))


# Runs (5)


def run(entries, travel, signature):
    """Return the run of P5.7, not encoded yet. travel: the seqs whose bodies go with it."""
    tags = []
    rows = []
    time = entries[0].time
    for entry in entries:
        if entry.tag is not None and entry.tag not in tags:
            tags.append(entry.tag)
        index = None if entry.tag is None else tags.index(entry.tag)
        body = entry.body if entry.seq in travel else [entry.length, entry.body_hash]
        row = [entry.kind, entry.flags, entry.time - time, index, body]
        if entry.format > 1:
            row += [entry.format, entry.rest]
        rows.append(row)
        time = entry.time
    return [entries[0].seq, entries[0].time, tags, rows, signature]


def unpack_all(data):
    """Decode values that stand one after the other."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    unpacker.feed(data)
    values = list(unpacker)
    if b"".join(pack(value) for value in values) != data:
        raise WireError("not canonical")
    return values


def expand_run(log, previous, value):
    """Return the entries of a run that follows the entry id previous; absent bodies are None."""
    seq, time, tags, rows, _ = value
    entries = []
    for kind, flags, delta, index, body, *later in rows:
        time += delta
        here = isinstance(body, bytes)
        length, digest = (len(body), body_hash(body)) if here else body
        tag = None if index is None else tags[index]
        extra = (later[0], unpack_all(later[1])) if later else None
        data = header(seq, previous, time, kind, flags, tag, length, digest, extra)
        entries.append(Entry(log, data, body if here else None))
        previous = entries[-1].id
        seq += 1
    return entries


def run_size(entries):
    """The size of P5.6, whether bodies travel or not."""
    return sum(len(entry.header) + entry.length for entry in entries)


def evidence(log, first_seq, previous, one, other):
    """Encode the evidence of a fork (P5.8)."""
    return pack([log, first_seq, previous, one, other])


def heads(rows):
    """The content of a heads entry (P5.10). rows: {log id: (seq, entry id)}."""
    return pack([[log[:8], *place_row(rows[log], 16)] for log in sorted(rows)])


def place_row(place, length):
    seq, entry = place
    return [seq, entry[:length]]


# Bodies and part keys (6, 7)


def public_body(salt, content):
    return salt + content


def padme(length):
    """Padmé of P6.2."""
    exponent = length.bit_length() - 1
    significant = exponent.bit_length()
    unit = 1 << (exponent - significant)
    return (length + unit - 1) // unit * unit


def pad(content):
    return (content + b"\x80").ljust(padme(max(256, len(content) + 1)), b"\0")


def unpad(padded):
    content = padded.rstrip(b"\0")[:-1]
    if pad(content) != padded:
        raise WireError("not the padding of its content")
    return content


NO_PART = (bytes(16), 0)  # What the wrapping key of an org-key grant is for.


def key_proof(key, record, part):
    return hash32("spean/key-proof/1", key + record + u64(part))


def commitment(proof, log):
    return hash32("spean/commitment/1", proof + log)


def part_tag(proof, log):
    return commitment(proof, log)[:16]


def sealed_body(key, tag, nonce, log, seq, content):
    return nonce + seal(key, nonce, log + u64(seq) + tag, pad(content))


def open_body(key, tag, log, seq, body):
    associated = log + u64(seq) + tag
    return unpad(unseal(key, body[:24], associated, body[24:]))


# Grants and erasure (8)


class GrantPlace:
    """Where a grant stands, its author (org id, or the node's sealing key), its nonce."""

    def __init__(self, log, seq, author, nonce):
        self.log = log
        self.seq = seq
        self.author = author
        self.nonce = nonce

    def associated(self, number):
        return self.log + u64(self.seq) + u32(number)


def grant_hint(place, pair_key, party, key_commitment):
    message = pair_key + place.author + party + key_commitment + place.nonce
    return hash8("spean/hint/1", message)


def granted_part(sealed):
    """The record and part that the value under the seal of a grant names."""
    return tuple(sealed[:2]) if isinstance(sealed[0], bytes) else NO_PART


def grant_commitment(place, key, sealed):
    return commitment(key_proof(key, *granted_part(sealed)), place.log)


def grant(place, generation, key, receivers, sealed):
    """The content of P8.1. receivers: {party: pair key}; sealed: the value under the seal."""
    committed = grant_commitment(place, key, sealed)
    boxes = []
    for party, pair_key in receivers.items():
        hint = grant_hint(place, pair_key, party, committed)
        boxes.append([hint, seal(pair_key, place.nonce, place.associated(0) + hint, key)])
    section = seal(key, place.nonce, place.associated(1), pack(sealed))
    return pack([committed, place.nonce, generation, section, sorted(boxes)])


def part_terms(record, part, generation, owner, audience, older, read=()):
    """What a part grant says under its seal (P8.3). older: {generation: key}; read: context()."""
    rows = [[number, older[number]] for number in sorted(older)]
    return [record, part, generation, owner, sorted(audience), rows, list(read)]


def orgkey_terms(generation, secrets):
    """What an org-key grant says under its seal (P8.6). secrets: {generation: secret}."""
    return [0, generation, [[number, secrets[number]] for number in sorted(secrets)]]


def open_grant(place, content, party, pair_key):
    """Return (key, what the grant says) to party, or refuse the grant."""
    committed, nonce, _, section, boxes = unpack(content)
    hint = grant_hint(place, pair_key, party, committed)
    for own, box in boxes:
        if own == hint:
            key = unseal(pair_key, nonce, place.associated(0) + hint, box)
            sealed = unpack(unseal(key, nonce, place.associated(1), section))
            if grant_commitment(place, key, sealed) != committed:
                raise WireError("not the key and part that were committed to")
            return key, sealed
    raise WireError("no box for this party")


def erasure_of_part(record, part, proofs, reason):
    return pack([1, record, part, proofs, reason])


def erasure_of_entries(places, reason):
    """places: (log, seq, entry id)."""
    return pack([2, [list(place) for place in places], reason])


# Changes (9)


def record_id(ledger, org, random):
    return hash16("spean/record/1", ledger + org + random)


def change(kind, record, part, actor, operations, create=None, context=(), schema=1):
    """The content of a change (P9.1). create: (random, fixed); operations and context as rows."""
    made = None if create is None else list(create)
    return pack([kind, record, part, schema, actor, made, list(operations), list(context)])


def context(rows):
    """Rows of P9.3 from {log id: (seq, entry id)}."""
    return [[log[:8], *place_row(rows[log], 8)] for log in sorted(rows)]


def item(log, seq, index):
    """The name of a list item (P9.2)."""
    return [log[:8], seq, index]


# Joining (12)


def invitation(handle, transport, secret, expires, endpoint):
    data = handle + transport + secret + u32(expires) + endpoint.encode("ascii")
    data += hash8("spean/invitation/1", data)[:3]
    return "SPEAN1:" + base64.b32encode(data).decode().rstrip("=")


def node_invitation(handle, transport, secret, expires, org, endpoint):
    data = handle + transport + secret + u32(expires) + org + endpoint.encode("ascii")
    data += hash8("spean/invitation/1", data)[:3]
    return "SPEANNODE1:" + base64.b32encode(data).decode().rstrip("=")


def join_node(org, signing, sealing, acceptance):
    """What stands for a further node of an org in its joining (P12.5)."""
    return hash32("spean/node-join/1", org + signing + sealing + acceptance)


def join_mac(secret, handle, inviter, newcomer, statement):
    return mac32(secret, "spean/join/1", handle + inviter + newcomer + statement)


def join_words(handle, inviter, newcomer, statement, fresh):
    """The first three words of D (P12.3), as strings of eight digits."""
    message = handle + inviter + newcomer + statement + fresh
    digest = hash32("spean/digits/1", message)
    words = [int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16)]
    return [f"{word % 10**8:08d}" for word in words]


def join_digits(*known):
    """Eight digits, shown 4 + 4. The arguments are those of join_words()."""
    word = join_words(*known)[0]
    return word[:4] + " " + word[4:]


def join_letter_digits(*known):
    return " ".join(join_words(*known))


# Frontiers (13)


def bucket_digests(rows):
    """The 64 digests of P13.5. rows: {log id: (seq, entry id)}, without what is excluded."""
    buckets = [b""] * 64
    for log in sorted(rows):
        seq, entry = rows[log]
        buckets[log[0] >> 2] += log + u64(seq) + entry
    return [hash8("spean/bucket/1", bucket) for bucket in buckets]


def frontier(rows):
    return hash32("spean/frontier/1", b"".join(bucket_digests(rows)))


# Session messages (13): message() encodes each type from its content in the order of P13.1.


def message(kind, *content):
    return pack([kind, *content])


def hello(handle, org, signing, authority_digest, frontier_digest, time, versions=(1, 1),
          features=()):
    lowest, highest = versions
    return message(HELLO, MAGIC, lowest, highest, handle, org, signing, authority_digest,
                   frontier_digest, list(features), time)


def titles(charter, statements, more=False):
    """charter: [(version, id)]; statements: {org: [(version, id)]}."""
    rows = [[org, [list(head) for head in statements[org]]] for org in sorted(statements)]
    return message(TITLES, [list(head) for head in charter], rows, more)


def digest(excluded, rows):
    """excluded: short names; rows: the frontier without them."""
    return message(DIGEST, b"".join(sorted(excluded)), b"".join(bucket_digests(rows)))


def rows_message(buckets, rows, more=False):
    """buckets: numbers; rows: {log id: (seq, entry id)}."""
    bits = sum(1 << bucket for bucket in set(buckets))
    return message(ROWS, bits, [[log, *rows[log]] for log in sorted(rows)], more)


def want(number, log, places, size):
    """places: (seq, entry id), descending."""
    return message(WANT, number, log, [list(place) for place in places], size)


def decode_message(frame):
    """Return (type, content) of a canonical frame."""
    if len(frame) > FRAME_BYTES_MAX:
        raise WireError("frame too long")
    value = unpack(frame)
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        raise WireError("no message")
    return value[0], value[1:]


class Peer:
    """A CURVE DEALER that dials a node: one frame per message, nothing sent on its own."""

    def __init__(self, endpoint, server, transport):
        """endpoint: tcp://host:port; server: the node's public key; transport: our Sealer."""
        import zmq  # Here, because making vectors needs no sockets.
        from zmq.utils import z85

        self.again = zmq.Again
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.curve_serverkey = z85.encode(server)
        self.socket.curve_publickey = z85.encode(transport.public)
        self.socket.curve_secretkey = z85.encode(transport.secret)
        self.socket.linger = 0
        self.socket.maxmsgsize = FRAME_BYTES_MAX
        self.socket.connect(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        self.context.term()

    def send(self, frame):
        """Send one frame, or any number of frames where that is what is tried."""
        self.socket.send_multipart([frame] if isinstance(frame, bytes) else frame)

    def receive(self, timeout=10.0):
        """Return the next frame as it came; None when none comes in timeout seconds."""
        self.socket.rcvtimeo = int(timeout * 1000)
        try:
            frames = self.socket.recv_multipart()
        except self.again:
            return None
        if len(frames) != 1:
            raise WireError("a message of several frames")
        return frames[0]

    def receive_message(self, timeout=10.0):
        """Return (type, content) of the next message; None when none comes."""
        frame = self.receive(timeout)
        return None if frame is None else decode_message(frame)

    def expect(self, kind, timeout=10.0):
        """Return the content of the next message, which is of this type."""
        received = self.receive_message(timeout)
        if received is None:
            raise WireError(f"nothing came; expected type {kind}")
        if received[0] != kind:
            raise WireError(f"expected type {kind}, got {received}")
        return received[1]
