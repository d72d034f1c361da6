#include "store/history.h"

#include <assert.h>
#include <string.h>

#include "protocol/body.h"
#include "protocol/partkey.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/erased.h"
#include "store/fold.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "store/record.h"

#define NUMBER_AT SPEAN_PART_NAME_BYTES
#define SEQ_AT    (NUMBER_AT + 4u)

/* A stretch of the history that is being filled: the lowest places behind after so far. */
struct stretch {
    struct spean_tx *tx;
    const struct spean_authority *authority;
    const struct spean_history_place *after;
    struct spean_history_change *out;
    uint32_t cap;
    uint32_t count;
    bool more;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int places_compare(const struct spean_history_place *a, const struct spean_history_place *b)
{
    int order = compare_u64(a->time_s, b->time_s);
    order = order != 0 ? order : compare_u64(a->log, b->log);
    return order != 0 ? order : compare_u64(a->seq, b->seq);
}

/* Put a change where it belongs; what was put there before stays, and what is too many goes. */
static void put(struct stretch *s, const struct spean_history_change *change)
{
    if (s->after != NULL && places_compare(&change->place, s->after) <= 0) {
        return;
    }
    uint32_t at = s->count;
    while (at > 0 && places_compare(&s->out[at - 1].place, &change->place) > 0) {
        at--;
    }
    if (at > 0 && places_compare(&s->out[at - 1].place, &change->place) == 0) {
        return;
    }
    s->more = s->more || s->count == s->cap;
    if (at == s->cap) {
        return;
    }
    s->count -= s->count == s->cap ? 1 : 0;
    memmove(&s->out[at + 1], &s->out[at], (s->count - at) * sizeof(s->out[0]));
    s->out[at] = *change;
    s->count++;
}

/* Take an entry, of which part, number, seq and fate are known, if it is a change. */
static spean_err take(struct stretch *s, struct spean_history_change *change)
{
    struct spean_logs_row row;
    struct spean_run_entry entry;
    spean_err err = spean_logs_at(s->tx, change->number, &row);
    if (err == SPEAN_OK) {
        err = spean_entries_get(s->tx, &row, change->place.seq, &entry);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    bool erased = false;
    if (!entry.header.has_tag) {
        err = spean_erased_named(s->tx, &row.log, entry.header.seq, &entry.id, &erased);
    }
    if (err != SPEAN_OK || entry.header.kind != SPEAN_ENTRY_CHANGE) {
        return err; /* Grants bear the tags of their parts, too. */
    }
    if (erased) {
        change->fate = SPEAN_HISTORY_ERASED;
        change->aside = SPEAN_ASIDE_NOT;
    }
    change->place.time_s = entry.header.time;
    change->place.log = spean_short_of(&row.log);
    change->log = row.log;
    change->org = row.org;
    change->entry = entry.id;
    put(s, change);
    return SPEAN_OK;
}

/* -- Changes that were judged ---------------------------------------------------------------- */

/* Why a change is set aside; SPEAN_ASIDE_NOT: it is not. */
static spean_err aside_of(struct spean_tx *tx, uint32_t number, uint64_t seq, enum spean_aside *out)
{
    struct spean_fold_aside row;
    const spean_err err = spean_fold_aside_next(tx, number, seq, &row);
    const bool found = err == SPEAN_OK && row.number == number && row.seq == seq;
    *out = found ? row.reason : SPEAN_ASIDE_NOT;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err take_row(struct stretch *s, struct spean_view key, struct spean_view value)
{
    struct spean_part_name name;
    struct spean_history_change change = {.aside = SPEAN_ASIDE_NOT};
    if (value.len != 1 || spean_part_name_decode(key, &name) != SPEAN_OK ||
        spean_db_key_u32_at(key, NUMBER_AT, &change.number) != SPEAN_OK ||
        spean_db_key_u64_at(key, SEQ_AT, &change.place.seq) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    change.part = name.part;
    change.fate = SPEAN_HISTORY_FOLDED;
    if ((value.data[0] & SPEAN_CHANGE_FOLDED) == 0) {
        const spean_err err = aside_of(s->tx, change.number, change.place.seq, &change.aside);
        if (err != SPEAN_OK) {
            return err;
        }
        change.fate = change.aside == SPEAN_ASIDE_NOT ? SPEAN_HISTORY_WAITING : SPEAN_HISTORY_ASIDE;
    }
    return take(s, &change);
}

static spean_err take_judged(struct stretch *s, const struct spean_record_id *record)
{
    const struct spean_view prefix = {record->bytes, sizeof(record->bytes)};
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    spean_err err = spean_cursor_init(&cursor, s->tx, SPEAN_TABLE_CHANGES, prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK) {
        err = take_row(s, key, value);
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Changes that are known by the tags of their part ---------------------------------------- */

/* Take the entries of all logs whose bodies are in that state, and that the key with this proof
 * seals. */
static spean_err take_tagged(struct stretch *s, const struct spean_id *proof, uint32_t part,
                             enum spean_body_state state, enum spean_history_fate fate)
{
    const uint32_t logs_count = spean_authority_logs_count(s->authority);
    for (uint32_t i = 0; i < logs_count; i++) {
        struct spean_tag tag;
        struct spean_tagged at = {0, 0};
        spean_partkey_tag(&tag, proof, &spean_authority_log_at(s->authority, i)->id);
        spean_err err = spean_body_next(s->tx, &tag, state, &at, &at);
        while (err == SPEAN_OK) {
            struct spean_history_change change = {.place.seq = at.seq,
                                                  .fate = fate,
                                                  .aside = SPEAN_ASIDE_NOT,
                                                  .part = part,
                                                  .number = at.number};
            err = take(s, &change);
            at.seq++;
            if (err == SPEAN_OK) {
                err = spean_body_next(s->tx, &tag, state, &at, &at);
            }
        }
        if (err != SPEAN_ENOTFOUND) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err take_proofs(struct stretch *s, struct spean_view proofs, uint32_t part)
{
    spean_err err = SPEAN_OK;
    for (size_t at = 0; proofs.len - at >= SPEAN_ID_BYTES && err == SPEAN_OK;
         at += SPEAN_ID_BYTES) {
        struct spean_id proof;
        memcpy(proof.bytes, proofs.data + at, sizeof(proof.bytes));
        err = take_tagged(s, &proof, part, SPEAN_BODY_HELD, SPEAN_HISTORY_ERASED);
        if (err == SPEAN_OK) {
            err = take_tagged(s, &proof, part, SPEAN_BODY_LACKING, SPEAN_HISTORY_ERASED);
        }
    }
    return err;
}

/* Take what an erased part had, by the proofs that its erasures name. */
static spean_err take_erased(struct stretch *s, const struct spean_part_name *name)
{
    const struct spean_db_key prefix = spean_part_name_key(name);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    spean_err err =
        spean_cursor_init(&cursor, s->tx, SPEAN_TABLE_ERASURES, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK) {
        err = take_proofs(s, value, name->part);
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Take what is lacking of a part, by the keys of it that are held. */
static spean_err take_lacking(struct stretch *s, const struct spean_keys *keys,
                              const struct spean_part_name *name)
{
    struct spean_partkey key;
    spean_err err = spean_partkeys_next(s->tx, keys, name, 0, 0, &key);
    while (err == SPEAN_OK) {
        err = take_tagged(s, &key.proof, name->part, SPEAN_BODY_LACKING, SPEAN_HISTORY_WAITING);
        if (err == SPEAN_OK) {
            err = spean_partkeys_next(s->tx, keys, name, key.generation, key.number + 1, &key);
        }
    }
    spean_partkeys_wipe(&key);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_history_list(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_authority *authority,
                             const struct spean_record_id *record,
                             const struct spean_history_place *after,
                             struct spean_history_change *out, uint32_t cap, uint32_t *count,
                             bool *more)
{
    assert(cap > 0);
    struct stretch s = {.tx = tx, .authority = authority, .after = after, .out = out, .cap = cap};
    struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
    uint32_t parts_count = 0;
    spean_err err = spean_record_parts(tx, record, parts, &parts_count);
    for (uint32_t i = 0; i < parts_count && err == SPEAN_OK; i++) {
        const struct spean_part_name name = {*record, parts[i].part};
        if (parts[i].erased) {
            err = take_erased(&s, &name); /* First, so that it is told before the fold follows. */
        } else if (parts[i].incomplete) {
            err = take_lacking(&s, keys, &name);
        }
    }
    if (err == SPEAN_OK) {
        err = take_judged(&s, record);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    *count = s.count;
    *more = s.more;
    return SPEAN_OK;
}

/* -- What a change says ---------------------------------------------------------------------- */

static spean_err open_sealed(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_history_change *change, const struct spean_tag *tag,
                             struct spean_view body, uint8_t *buf, struct spean_view *content)
{
    struct spean_partkey key;
    spean_err err = spean_partkeys_by_tag(tx, keys, tag, &key);
    if (err == SPEAN_OK) {
        const struct spean_keyed_part part = spean_part_keyed(&key.part);
        err = spean_body_open(buf, SPEAN_BODY_BYTES_MAX, key.key, &part, &change->log,
                              change->place.seq, tag, body, content);
        err = err == SPEAN_OK ? SPEAN_OK : SPEAN_EFORMAT;
    }
    spean_partkeys_wipe(&key);
    return err;
}

spean_err spean_history_read(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_history_change *change,
                             uint8_t buf[SPEAN_BODY_BYTES_MAX], struct spean_change *out)
{
    assert(buf != NULL);
    struct spean_logs_row row;
    struct spean_run_entry entry;
    struct spean_view body;
    struct spean_view content;
    if (change->fate == SPEAN_HISTORY_ERASED) {
        return SPEAN_ENOTFOUND;
    }
    spean_err err = spean_logs_at(tx, change->number, &row);
    if (err == SPEAN_OK) {
        err = spean_entries_get(tx, &row, change->place.seq, &entry);
    }
    if (err == SPEAN_OK) {
        err = spean_body_get(tx, change->number, &entry.header, &body);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = entry.header.has_tag
              ? open_sealed(tx, keys, change, &entry.header.tag, body, buf, &content)
              : spean_body_unwrap(body, &content);
    if (err != SPEAN_OK) {
        return err == SPEAN_ELIMIT ? SPEAN_EFORMAT : err;
    }
    return spean_change_decode(content, out) == SPEAN_OK ? SPEAN_OK : SPEAN_EFORMAT;
}
