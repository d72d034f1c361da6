"""tests/system/spean_fold.py - the fold of docs/PROTOCOL.md, section 10, written a second time.

As slow and as plain as the text: it keeps every write for ever and works out what is covered only
when the state is asked for.
"""

from spean_wire import (ADD, LIST, ONE_WAY, SET, STRICTEST, STRIKE, VALUE, hash32, pack, unpack)


class Write:
    """One operation, with what its entry says about it."""

    def __init__(self, log, entry, org, actor, index, value):
        self.log = log[:8]
        self.entry = entry
        self.org = org
        self.actor = actor
        self.index = index
        self.value = value

    @property
    def dot(self):
        return (self.log, self.entry.seq, self.index)

    def row(self):
        return [list(self.dot), self.entry.time, self.entry.id, self.org, self.actor, self.value]

    def list_row(self, struck):
        return self.row()[:5] + [struck, self.value]


class Clock:
    """For each log a seq at or below which every write is covered (P10.2)."""

    def __init__(self):
        self.seqs = {}

    def raise_to(self, log, seq):
        self.seqs[log] = max(self.seqs.get(log, 0), seq)

    def covers(self, dot):
        return dot[1] <= self.seqs.get(dot[0], 0)

    def rows(self):
        return [[log, self.seqs[log]] for log in sorted(self.seqs) if self.seqs[log] > 0]


class Cell:
    """What shares one clock: a field of one value, or one element of a set."""

    def __init__(self):
        self.clock = Clock()
        self.writes = {}

    def write(self, write, context, removes=False):
        self.clock.raise_to(write.log, write.entry.seq - (0 if removes else 1))
        for log, seq in context:
            self.clock.raise_to(log, seq)
        if not removes:
            self.writes[write.dot] = write

    def held(self, every=False):
        """The writes that are not covered (or every one), ascending by dot."""
        dots = [dot for dot in sorted(self.writes) if every or not self.clock.covers(dot)]
        return [self.writes[dot] for dot in dots]


class Items:
    """A list: appended items and strikes (P10.5)."""

    def __init__(self):
        self.items = {}
        self.strikes = set()

    def content(self):
        order = sorted(self.items.values(), key=lambda w: (w.entry.time, w.entry.id, w.index))
        rows = [write.list_row(write.dot in self.strikes) for write in order]
        return [rows, [list(dot) for dot in sorted(self.strikes - set(self.items))]]


class Part:
    """One part of a record. counts(log, seq, entry) says whether a context row counts (P9.3)."""

    def __init__(self, kind, record, part, counts):
        self.names = [kind, record, part]
        self.counts = counts
        self.owner = None
        self.fixed = None
        self.fields = {}
        self.unknown = {}

    def apply(self, log, entry, org, content):
        """Fold the change with this content, which stands at entry of log, written by org."""
        _, _, _, _, actor, create, operations, rows = unpack(content)
        if create is not None:
            self.owner, self.fixed = org, create[1]
        context = [(row[0], row[1]) for row in rows if self.counts(*row)]
        for index, operation in enumerate(operations):
            write = Write(log, entry, org, actor, index, operation[3])
            self.operate(operation, write, context)

    def operate(self, operation, write, context):
        number, kind, verb, value = operation
        place = (number, kind)
        if kind in (VALUE, STRICTEST, ONE_WAY):
            self.fields.setdefault(place, Cell()).write(write, context)
        elif kind == SET:
            elements = self.fields.setdefault(place, {})
            elements.setdefault(pack(value), Cell()).write(write, context, verb != ADD)
        elif kind == LIST and verb == STRIKE:
            log, seq, index = value
            self.fields.setdefault(place, Items()).strikes.add((log, seq, index))
        elif kind == LIST:
            self.fields.setdefault(place, Items()).items[write.dot] = write
        else:
            self.unknown[write.dot] = operation

    def field_content(self, kind, field):
        if kind == LIST:
            return field.content()
        if kind == SET:
            return [
                [unpack(element), cell.clock.rows(), [list(held.dot) for held in cell.held()]]
                for element, cell in sorted(field.items())
            ]
        writes = field.held(every=kind == ONE_WAY)
        return [field.clock.rows(), [write.row() for write in writes]]

    def state(self):
        """The canonical state (P10.9), encoded."""
        fields = [
            [number, kind, self.field_content(kind, field)]
            for (number, kind), field in sorted(self.fields.items())
        ]
        unknown = [[list(dot), self.unknown[dot]] for dot in sorted(self.unknown)]
        return pack(self.names + [self.owner, self.fixed, fields, unknown])


def state_hash(state):
    return hash32("spean/state/1", state)
