"""tests/system/spean_store.py - what somebody reads who has a node's disk, and what unlocks it.

Everything in the store of a stopped node, opened with Debian's lmdb and nacl: the keystore by the
node's credential (store/wrap.h), every value that is sealed at rest by the store key
(store/seal.h). Whether a secret of somebody else is among it is then a search in bytes.
"""

import pathlib
import re

import lmdb

from spean_wire import Sealer, WireError, mac32, pack, u32, unpack, unseal

TABLES_OF = pathlib.Path(__file__).resolve().parents[2] / "store" / "db.h"
CREDENTIAL = 2
NONCE_BYTES = 24


def table_numbers():
    """The tables by name, numbered as they are bound into what is sealed."""
    names = re.findall(r'X\(SPEAN_TABLE_\w+, "(\w+)"\)', TABLES_OF.read_text())
    return {name: number for number, name in enumerate(names)}


def read_tables(folder):
    """{table: {key: value}} of a store that nobody has open."""
    env = lmdb.open(str(folder), readonly=True, lock=False, max_dbs=128)
    with env, env.begin() as tx:
        names = [bytes(key) for key, _ in tx.cursor()]
        return {name.decode(): dict(tx.cursor(env.open_db(name, tx, create=False)))
                for name in names}


class Secrets:
    """What the keystore of a node holds."""

    def __init__(self, package, credential):
        version, wrap, nonce, content = unpack(package)
        kind, wrap_nonce, wrapped = wrap
        assert (version, kind) == (1, CREDENTIAL)
        derived = mac32(credential, "spean/store-credential/1", b"")
        key = unseal(derived, wrap_nonce, pack(["spean/keystore/1", CREDENTIAL]), wrapped)
        bound = pack(["spean/keystore/1", version, wrap])
        signing, sealing, transport, store, orgs = unpack(unseal(key, nonce, bound, content))
        self.values = mac32(store, "spean/store-values/1", b"")
        self.org = {generation: Sealer(secret) for generation, secret in orgs}
        self.all = {signing, sealing, transport, store, self.values, key,
                    *(secret for _, secret in orgs)}


class Store:
    """A store, opened as far as its own credential opens it."""

    def __init__(self, node):
        """node: of cluster.py, stopped."""
        self.raw = b"".join(path.read_bytes() for path in node.files())
        tables = read_tables(node.home / "store")
        self.secrets = Secrets(tables["meta"][b"keystore"], node.credential.read_bytes())
        self.opened = {}
        numbers = table_numbers()
        for name, rows in tables.items():
            for key, value in rows.items():
                try:
                    plain = unseal(self.secrets.values, value[:NONCE_BYTES],
                                   u32(numbers[name]) + key, value[NONCE_BYTES:])
                except WireError:
                    continue
                self.opened[name, key] = plain

    def knows(self, data):
        """Whether these bytes stand in what is opened, or are a secret of the node itself."""
        return data in self.secrets.all or any(data in plain for plain in self.opened.values())

    def shows(self, data):
        """Whether they stand in its files as they are."""
        return data in self.raw
