"""tests/vectors/histories.py - small histories of one part, and the state they fold to (P10)."""

import spean_fold as fold
from world import NOON, some, wire

REFERRAL, STEPS = 4, 1


class History:
    """Changes to one part by three organisations, each in its own log."""

    def __init__(self, world, name):
        self.name = name
        self.world = world
        random = some("history " + name, 16)
        self.random = random
        self.record = wire.record_id(world.ledger, world.mekong.id, random)
        self.logs = [log.copy(0) for log in (world.log, world.other_log, world.third_log)]
        self.rows = []

    def write(self, author, time, operations, seen=(), create=None):
        """Author (a number) writes, having seen the entries given; returns the new entry."""
        log = self.logs[author]
        context = wire.context({self.log_of(entry).id: (entry.seq, entry.id) for entry in seen})
        return self.put(log, time, operations, context, create)

    def put(self, log, time, operations, context, create=None):
        content = wire.change(REFERRAL, self.record, STEPS, f"person {len(self.rows)}", operations,
                              create, context)
        salt = some(f"{self.name} salt {len(self.rows)}", 16)
        entry = log.append(wire.CHANGE, wire.public_body(salt, content), NOON + time)
        self.rows.append((log, entry, content))
        return entry

    def log_of(self, entry):
        return next(log for log in self.logs if entry in log.entries)

    def counts(self, short, seq, first_bytes):
        """Say whether a context row counts: that very entry is on the accepted chain (P9.3)."""
        log = next((one for one in self.logs if one.short == short), None)
        if log is None or not 0 < seq <= len(log.entries):
            return False
        return log.entries[seq - 1].id[:8] == first_bytes

    def vector(self):
        part = fold.Part(REFERRAL, self.record, STEPS, self.counts)
        for log, entry, content in self.rows:
            part.apply(log.id, entry, log.org, content)
        state = part.state()
        return {
            "name": self.name,
            "type": REFERRAL, "record": self.record, "part": STEPS,
            "accepted": [{"log": log.short, "seq": entry.seq, "entry": entry.id}
                         for log in self.logs for entry in log.entries],
            "changes": [{"log": log.short, "seq": entry.seq, "entry": entry.id,
                         "time": entry.time, "org": log.org, "content": content}
                        for log, entry, content in self.rows],
            "state": state,
            "hash": fold.state_hash(state),
        }


def value(field, what):
    return [field, wire.VALUE, wire.WRITE, what]


def add(what, field=29):
    return [field, wire.SET, wire.ADD, what]


def remove(what, field=29):
    return [field, wire.SET, wire.REMOVE, what]


def append(what, field=50):
    return [field, wire.LIST, wire.APPEND, what]


def strike(log, seq, index, field=50):
    return [field, wire.LIST, wire.STRIKE, wire.item(log.id, seq, index)]


def nothing_yet(world):
    return History(world, "nothing written").vector()


def created(world):
    h = History(world, "a creating change and its author's next")
    h.write(0, 0, [value(16, "a"), value(17, 1)], (), (h.random, {3: "warm", 1: world.mekong.id}))
    h.write(0, 9, [value(16, None)])
    return h.vector()


def siblings(world):
    h = History(world, "siblings of a value, one of them decided")
    first = h.write(0, 0, [value(16, "first")])
    one = h.write(1, 10, [value(16, "one"), value(17, "x")], [first])
    other = h.write(2, 5, [value(16, "other"), value(17, "y")], [first])
    h.write(0, 1, [value(17, "decided")], [one, other])
    h.write(2, 6, [value(18, "untouched by others")])
    return h.vector()


def rows_that_do_not_count(world):
    h = History(world, "a context row that names another entry covers nothing")
    first = h.write(1, 0, [value(16, "stays")])
    wrong = [[h.logs[1].short, first.seq, some("no such entry", 8)],
             [h.logs[2].short, 5, some("not here yet", 8)]]
    h.put(h.logs[0], 1, [value(16, "beside it")], sorted(wrong))
    return h.vector()


def sets(world):
    h = History(world, "adding wins over a concurrent removal")
    added = h.write(0, 0, [add("km"), add("vi"), add("id"), add({1: "map"})])
    h.write(1, 1, [remove("km"), remove("vi")], [added])
    h.write(2, 2, [add("km")], [added])
    h.write(0, 3, [remove("id"), add("vi")])
    h.write(2, 4, [remove("never added"), add("km")])
    h.write(0, 5, [remove({1: "map"})])
    h.write(0, 6, [add({1: "map"})])
    return h.vector()


def lists(world):
    h = History(world, "list items are struck, also before they arrive")
    h.write(1, 50, [strike(h.logs[0], 1, 1), strike(h.logs[2], 7, 0), append("same")])
    h.write(0, 50, [append("one"), append("two"), append("three")])
    h.write(2, 20, [append("early"), strike(h.logs[2], 1, 0), append({1: [1, [2]]}, 51)])
    h.write(1, 60, [strike(h.logs[0], 1, 0)])
    h.write(1, 61, [strike(h.logs[1], 1, 0), strike(h.logs[0], 1, 0)])
    h.write(0, 62, [strike(h.logs[2], 1, 2), strike(h.logs[0], 1, 2, 51)])
    return h.vector()


def for_ever(world):
    h = History(world, "strictest and one-way fields")
    strictest = [40, wire.STRICTEST, wire.WRITE]
    once = [3001, wire.ONE_WAY, wire.WRITE]
    one = h.write(0, 0, [strictest + [{1: True}], once + [{1: [2026]}]])
    h.write(1, 1, [strictest + [{1: False}], once + [{1: [2025]}]])
    h.write(2, 2, [strictest + [{2: False}]], [one])
    h.write(0, 3, [once + [{1: [2027]}]])
    return h.vector()


def not_known(world):
    h = History(world, "kinds that are not known, and one number under several kinds")
    h.write(1, 0, [[60, 6, 3, "later"], [60, 77, 0, [1, 2]], value(60, 1), [60, 4, 0, 2]])
    h.write(0, 0, [add(3, 60), append(4, 60), [60, 5, 0, 5], [61, 6, 0, None]])
    h.write(0, 1, [add([[[[[]]]]], 62), append({1: [{2: [{}]}]}, 62), value(62, [[[[[]]]]])])
    return h.vector()


def everything(world):
    h = History(world, "all of it together")
    h.write(0, 0, [value(1002, "urgent"), append({1: "send"}, 1001)], (),
            (h.random, {1: world.mekong.id, 2: world.tokyo.id, 3: "warm"}))
    sent = h.write(0, 60, [add("shelter", 1033), add("legal", 1033)])
    received = h.write(2, 7200, [append({1: "receive", 2: [wire.item(h.logs[2].id, 1, 0)]}, 2001)],
                       [sent])
    h.write(0, 3600, [value(1002, "routine"), remove("legal", 1033), value(1003, NOON)])
    h.write(2, 7300, [append({1: "accept"}, 2001), value(1002, "asap")], [sent])
    h.write(0, 9000, [strike(h.logs[2], received.seq, 0, 2001), [3001, 5, 0, {2: "phone"}],
                      [1041, 4, 0, {1: False}], [1099, 9, 9, 9]], [received])
    h.write(1, 9000, [value(1002, None)])
    return h.vector()


ALL = [nothing_yet, created, siblings, rows_that_do_not_count, sets, lists, for_ever, not_known,
       everything]
