#include "store/peer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/counter.h"
#include "store/logs.h"

#define ROW_ELEMENTS   3u
#define ROW_BYTES_MAX  32u
#define HEAD_ELEMENTS  2u
#define HEAD_BYTES_MAX 64u
#define PEER_KEY_BYTES (SPEAN_ID_BYTES + SPEAN_KEY_BYTES)

static struct spean_db_key peer_key(const struct spean_peer *peer)
{
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, peer->org.bytes, sizeof(peer->org.bytes));
    spean_db_key_put_bytes(&key, peer->signing.bytes, sizeof(peer->signing.bytes));
    return key;
}

static spean_err row_decode(struct spean_view key, struct spean_view value,
                            struct spean_peer_row *out)
{
    if (key.len != PEER_KEY_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_peer_row row = {0};
    (void)memcpy(row.peer.org.bytes, key.data, SPEAN_ID_BYTES);
    (void)memcpy(row.peer.signing.bytes, key.data + SPEAN_ID_BYTES, SPEAN_KEY_BYTES);
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, ROW_ELEMENTS, ROW_ELEMENTS);
    row.number = (uint32_t)spean_reader_uint(&r, SPEAN_PEERS_MAX);
    row.contact_s = spean_reader_uint(&r, UINT64_MAX);
    row.way = (enum spean_peer_way)spean_reader_uint(&r, SPEAN_PEER_BUNDLE);
    if (spean_reader_end(&r) != SPEAN_OK || row.number == 0) {
        return SPEAN_ECORRUPT;
    }
    *out = row;
    return SPEAN_OK;
}

static spean_err row_put(struct spean_tx *tx, const struct spean_peer_row *row)
{
    uint8_t buf[ROW_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, ROW_ELEMENTS);
    spean_writer_uint(&w, row->number);
    spean_writer_uint(&w, row->contact_s);
    spean_writer_uint(&w, (uint64_t)row->way);
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = peer_key(&row->peer);
    return spean_tx_put(tx, SPEAN_TABLE_PEERS, spean_db_key_view(&key), value);
}

spean_err spean_peer_get(struct spean_tx *tx, const struct spean_peer *peer,
                         struct spean_peer_row *out)
{
    assert(peer != NULL);
    assert(out != NULL);

    const struct spean_db_key key = peer_key(peer);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_PEERS, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? row_decode(spean_db_key_view(&key), value, out) : err;
}

/* Look a peer up, and number it if it is new; the row is then not yet written. */
static spean_err row_open(struct spean_tx *tx, const struct spean_peer *peer,
                          struct spean_peer_row *out)
{
    const spean_err err = spean_peer_get(tx, peer, out);
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    *out = (struct spean_peer_row){.peer = *peer};
    return spean_counter_next(tx, "peers", SPEAN_PEERS_MAX, &out->number);
}

spean_err spean_peer_contact(struct spean_tx *tx, const struct spean_peer *peer,
                             enum spean_peer_way way, uint64_t now_s)
{
    assert(peer != NULL);

    struct spean_peer_row row;
    const spean_err err = row_open(tx, peer, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    row.contact_s = now_s;
    row.way = way;
    return row_put(tx, &row);
}

static struct spean_db_key head_key(uint32_t peer_number, uint32_t log_number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, peer_number);
    spean_db_key_put_u32(&key, log_number);
    return key;
}

static spean_err head_put(struct spean_tx *tx, uint32_t peer, uint32_t log,
                          const struct spean_place *place)
{
    uint8_t buf[HEAD_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, HEAD_ELEMENTS);
    spean_writer_uint(&w, place->seq);
    spean_writer_bin(&w, place->entry.bytes, sizeof(place->entry.bytes));
    struct spean_view value;
    const spean_err err = spean_writer_end(&w, &value);
    assert(err == SPEAN_OK);
    (void)err;
    const struct spean_db_key key = head_key(peer, log);
    return spean_tx_put(tx, SPEAN_TABLE_PEER_HEADS, spean_db_key_view(&key), value);
}

spean_err spean_peer_holds(struct spean_tx *tx, const struct spean_peer *peer,
                           const struct spean_id *log, const struct spean_place *place)
{
    assert(peer != NULL);
    assert(place != NULL);

    struct spean_logs_row log_row;
    spean_err err = spean_logs_get(tx, log, &log_row);
    struct spean_peer_row row;
    if (err == SPEAN_OK) {
        err = row_open(tx, peer, &row);
    }
    if (err == SPEAN_OK && row.contact_s == 0) {
        err = row_put(tx, &row);
    }
    return err == SPEAN_OK ? head_put(tx, row.number, log_row.number, place) : err;
}

/* Whether a peer said that it holds as much as head of a log. */
static spean_err head_is_known(struct spean_tx *tx, uint32_t peer, uint32_t log,
                               const struct spean_place *head, bool *known)
{
    const struct spean_db_key key = head_key(peer, log);
    struct spean_view value;
    struct spean_place said = {0};
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_PEER_HEADS, spean_db_key_view(&key), &value);
    if (err == SPEAN_OK) {
        err = spean_peer_head_decode(value, &said);
    }
    *known = said.seq >= head->seq;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_peer_holds_all(struct spean_tx *tx, const struct spean_peer *peer,
                               const struct spean_frontier_row *rows, size_t count)
{
    assert(peer != NULL);
    assert(rows != NULL || count == 0);

    struct spean_peer_row row;
    spean_err err = row_open(tx, peer, &row);
    if (err == SPEAN_OK && row.contact_s == 0) {
        err = row_put(tx, &row);
    }
    for (size_t i = 0; err == SPEAN_OK && i < count; i++) {
        struct spean_logs_row log;
        bool known = false;
        err = spean_logs_get(tx, &rows[i].log, &log);
        if (err == SPEAN_ENOTFOUND) {
            err = SPEAN_OK;
            continue;
        }
        if (err == SPEAN_OK) {
            err = head_is_known(tx, row.number, log.number, &rows[i].head, &known);
        }
        if (err == SPEAN_OK && !known) {
            err = head_put(tx, row.number, log.number, &rows[i].head);
        }
    }
    return err;
}

spean_err spean_peer_next(struct spean_tx *tx, const struct spean_peer *after,
                          struct spean_peer_row *out)
{
    assert(out != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PEERS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    if (after == NULL) {
        err = spean_cursor_first(&cursor, &key, &value);
    } else {
        const struct spean_db_key at = peer_key(after);
        err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
        if (err == SPEAN_OK && key.len == at.len && memcmp(key.data, at.bytes, at.len) == 0) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_OK ? row_decode(key, value, out) : err;
}

spean_err spean_peer_head(struct spean_tx *tx, const struct spean_peer *peer,
                          const struct spean_id *log, struct spean_place *out)
{
    assert(out != NULL);

    struct spean_logs_row log_row;
    struct spean_peer_row row;
    spean_err err = spean_peer_get(tx, peer, &row);
    if (err == SPEAN_OK) {
        err = spean_logs_get(tx, log, &log_row);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key key = head_key(row.number, log_row.number);
    struct spean_view value;
    err = spean_tx_get(tx, SPEAN_TABLE_PEER_HEADS, spean_db_key_view(&key), &value);
    return err == SPEAN_OK ? spean_peer_head_decode(value, out) : err;
}

spean_err spean_peer_next_head(struct spean_tx *tx, uint32_t peer, uint32_t from, uint32_t *log,
                               struct spean_place *out)
{
    assert(log != NULL);
    assert(out != NULL);

    const struct spean_db_key at = head_key(peer, from);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PEER_HEADS,
                                      (struct spean_view){at.bytes, sizeof(peer)});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    uint32_t number = 0;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, sizeof(peer), &number);
    }
    if (err == SPEAN_OK) {
        err = spean_peer_head_decode(value, out);
    }
    if (err == SPEAN_OK) {
        *log = number;
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_peer_highest(struct spean_tx *tx, uint64_t *highest, uint32_t count)
{
    assert(highest != NULL || count == 0);

    if (count > 0) {
        (void)memset(highest, 0, count * sizeof(*highest));
    }
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PEER_HEADS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK) {
        uint32_t number = 0;
        struct spean_place place;
        err = spean_db_key_u32_at(key, sizeof(uint32_t), &number); /* Behind the peer's. */
        if (err == SPEAN_OK) {
            err = spean_peer_head_decode(value, &place);
        }
        if (err == SPEAN_OK && number < count && place.seq > highest[number]) {
            highest[number] = place.seq;
        }
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_peer_head_decode(struct spean_view value, struct spean_place *out)
{
    assert(out != NULL);

    struct spean_place place;
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, HEAD_ELEMENTS, HEAD_ELEMENTS);
    place.seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, place.entry.bytes, sizeof(place.entry.bytes));
    if (spean_reader_end(&r) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    *out = place;
    return SPEAN_OK;
}
