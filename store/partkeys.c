#include "store/partkeys.h"

#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "protocol/partkey.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/body.h"
#include "store/logs.h"
#include "store/seal.h"

#define KEY_ELEMENTS   9u
#define NUMBER_BYTES   4u
#define ROW_BYTES_MAX  16384u /* A key with the largest audience. */
#define WANTED_TAG_KEY (1u + SPEAN_TAG_BYTES)
#define WANTED_BY_TAG  1u /* First byte of keys in the table of wanted tags. */
#define WANTED_BY_PART 2u

static const uint8_t nothing[1];

static struct spean_view empty(void)
{
    return (struct spean_view){nothing, 0};
}

/* -- Names of parts -------------------------------------------------------------------------- */

struct spean_db_key spean_part_name_key(const struct spean_part_name *part)
{
    assert(part != NULL);

    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, part->record.bytes, sizeof(part->record.bytes));
    spean_db_key_put_u32(&key, part->part);
    return key;
}

spean_err spean_part_name_decode(struct spean_view key, struct spean_part_name *out)
{
    assert(out != NULL);

    uint32_t part;
    const spean_err err = spean_db_key_u32_at(key, SPEAN_RECORD_ID_BYTES, &part);
    if (err == SPEAN_OK) {
        (void)memcpy(out->record.bytes, key.data, sizeof(out->record.bytes));
        out->part = part;
    }
    return err;
}

bool spean_part_name_equal(const struct spean_part_name *a, const struct spean_part_name *b)
{
    return a->part == b->part && spean_record_id_equal(&a->record, &b->record);
}

struct spean_keyed_part spean_part_keyed(const struct spean_part_name *part)
{
    return (struct spean_keyed_part){part->record, part->part};
}

/* -- Rows ------------------------------------------------------------------------------------ */

static struct spean_db_key number_key(uint32_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    return key;
}

static struct spean_db_key generation_key(const struct spean_part_name *part, uint32_t generation,
                                          uint32_t number)
{
    struct spean_db_key key = spean_part_name_key(part);
    spean_db_key_put_u32(&key, generation);
    spean_db_key_put_u32(&key, number);
    return key;
}

static struct spean_view tag_view(const struct spean_tag *tag)
{
    return (struct spean_view){tag->bytes, sizeof(tag->bytes)};
}

void spean_partkeys_wipe(struct spean_partkey *key)
{
    assert(key != NULL);
    sodium_memzero(key, sizeof(*key));
}

bool spean_partkeys_reaches(const struct spean_partkey *key, const struct spean_id *org)
{
    assert(key != NULL);
    assert(org != NULL);

    for (uint32_t i = 0; i < key->audience_count; i++) {
        if (spean_id_equal(&key->audience[i], org)) {
            return true;
        }
    }
    return false;
}

static spean_err key_decode(struct spean_view bytes, struct spean_partkey *out)
{
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, KEY_ELEMENTS, KEY_ELEMENTS);
    spean_reader_bin_fixed(&r, out->part.record.bytes, sizeof(out->part.record.bytes));
    out->part.part = (uint32_t)spean_reader_uint(&r, UINT32_MAX);
    out->generation = (uint32_t)spean_reader_uint(&r, SPEAN_PART_GENERATIONS_MAX);
    spean_reader_bin_fixed(&r, out->key, sizeof(out->key));
    spean_reader_bin_fixed(&r, out->proof.bytes, sizeof(out->proof.bytes));
    spean_reader_bin_fixed(&r, out->owner.bytes, sizeof(out->owner.bytes));
    spean_reader_bin_fixed(&r, out->granted_log.bytes, sizeof(out->granted_log.bytes));
    out->granted_seq = spean_reader_uint(&r, UINT64_MAX);
    out->audience_count = spean_reader_array(&r, 0, SPEAN_PARTKEYS_AUDIENCE_MAX);
    for (uint32_t i = 0; i < out->audience_count; i++) {
        spean_reader_bin_fixed(&r, out->audience[i].bytes, sizeof(out->audience[i].bytes));
    }
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

spean_err spean_partkeys_get(struct spean_tx *tx, const struct spean_keys *keys, uint32_t number,
                             struct spean_partkey *out)
{
    assert(out != NULL);

    uint8_t buf[ROW_BYTES_MAX];
    size_t len;
    const struct spean_db_key key = number_key(number);
    spean_err err = spean_seal_get(tx, keys, SPEAN_TABLE_PART_KEYS, spean_db_key_view(&key), buf,
                                   sizeof(buf), &len);
    if (err == SPEAN_OK) {
        err = key_decode((struct spean_view){buf, len}, out);
        out->number = number;
    }
    sodium_memzero(buf, sizeof(buf));
    return err == SPEAN_ELIMIT ? SPEAN_ECORRUPT : err;
}

spean_err spean_partkeys_scan(struct spean_tx *tx, const struct spean_keys *keys, uint32_t from,
                              struct spean_partkey *out)
{
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_KEYS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key at = number_key(from);
    struct spean_view key;
    struct spean_view value;
    uint32_t number = 0;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, 0, &number);
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_OK ? spean_partkeys_get(tx, keys, number, out) : err;
}

/* -- By tag and by part ---------------------------------------------------------------------- */

spean_err spean_partkeys_number_of(struct spean_tx *tx, const struct spean_tag *tag,
                                   uint32_t *number)
{
    assert(tag != NULL);
    assert(number != NULL);

    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_PART_TAGS, tag_view(tag), &value);
    return err == SPEAN_OK ? spean_db_key_u32_at(value, 0, number) : err;
}

spean_err spean_partkeys_by_tag(struct spean_tx *tx, const struct spean_keys *keys,
                                const struct spean_tag *tag, struct spean_partkey *out)
{
    uint32_t number;
    const spean_err err = spean_partkeys_number_of(tx, tag, &number);
    if (err != SPEAN_OK) {
        return err;
    }
    return number == 0 ? SPEAN_ENOTFOUND : spean_partkeys_get(tx, keys, number, out);
}

spean_err spean_partkeys_refused(struct spean_tx *tx, const struct spean_tag *tag, bool *refused)
{
    assert(refused != NULL);

    uint32_t number = 0;
    const spean_err err = spean_partkeys_number_of(tx, tag, &number);
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        *refused = err == SPEAN_OK && number == 0;
        return SPEAN_OK;
    }
    return err;
}

/* Find the number of the first key of a part at (generation, number) or behind. */
static spean_err number_next(struct spean_tx *tx, const struct spean_part_name *part,
                             uint32_t generation, uint32_t number, uint32_t *found)
{
    const struct spean_db_key at = generation_key(part, generation, number);
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_KEY_NUMBERS,
                                      (struct spean_view){at.bytes, SPEAN_PART_NAME_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, SPEAN_PART_NAME_BYTES + NUMBER_BYTES, found);
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_partkeys_next(struct spean_tx *tx, const struct spean_keys *keys,
                              const struct spean_part_name *part, uint32_t generation,
                              uint32_t number, struct spean_partkey *out)
{
    uint32_t found = 0;
    const spean_err err = number_next(tx, part, generation, number, &found);
    return err == SPEAN_OK ? spean_partkeys_get(tx, keys, found, out) : err;
}

/* Find the highest generation of which a key of part is held. */
static spean_err generation_last(struct spean_tx *tx, const struct spean_part_name *part,
                                 uint32_t *generation)
{
    const struct spean_db_key prefix = spean_part_name_key(part);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_KEY_NUMBERS, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_last(&cursor, &key, &value);
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, SPEAN_PART_NAME_BYTES, generation);
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_partkeys_newest(struct spean_tx *tx, const struct spean_keys *keys,
                                const struct spean_part_name *part, struct spean_partkey *out)
{
    assert(out != NULL);

    uint32_t generation = 0;
    spean_err err = generation_last(tx, part, &generation);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_partkeys_next(tx, keys, part, generation, 0, out);
    struct spean_partkey other;
    uint32_t number = out->number;
    while (err == SPEAN_OK) {
        err = spean_partkeys_next(tx, keys, part, generation, number + 1, &other);
        if (err == SPEAN_OK) {
            number = other.number;
            if (spean_id_compare(&other.proof, &out->proof) < 0) {
                *out = other;
            }
        }
    }
    spean_partkeys_wipe(&other);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

bool spean_partkeys_travels(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_header *header, const struct spean_id *org)
{
    assert(header != NULL);
    assert(org != NULL);

    if (!spean_header_is_sealed(header)) {
        return true;
    }
    struct spean_partkey key;
    const spean_err err = spean_partkeys_by_tag(tx, keys, &header->tag, &key);
    const bool travels = err == SPEAN_OK && spean_partkeys_reaches(&key, org);
    spean_partkeys_wipe(&key);
    return travels;
}

/* -- Bodies that are lacking ----------------------------------------------------------------- */

static struct spean_db_key wanted_key(const struct spean_tag *tag)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u8(&key, WANTED_BY_TAG);
    spean_db_key_put_bytes(&key, tag->bytes, sizeof(tag->bytes));
    return key;
}

static struct spean_db_key wanted_part_key(const struct spean_part_name *part)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u8(&key, WANTED_BY_PART);
    spean_db_key_put_bytes(&key, part->record.bytes, sizeof(part->record.bytes));
    spean_db_key_put_u32(&key, part->part);
    return key;
}

spean_err spean_partkeys_want(struct spean_tx *tx, const struct spean_tag *tag,
                              const struct spean_part_name *part, uint32_t number, bool wanted)
{
    assert(tag != NULL);
    assert(part != NULL);

    const struct spean_db_key by_tag = wanted_key(tag);
    struct spean_db_key by_part = wanted_part_key(part);
    spean_db_key_put_bytes(&by_part, tag->bytes, sizeof(tag->bytes));
    if (wanted) {
        const struct spean_db_key value = number_key(number);
        const struct spean_view log = spean_db_key_view(&value);
        (void)spean_tx_put(tx, SPEAN_TABLE_PART_WANTED, spean_db_key_view(&by_tag), log);
        return spean_tx_put(tx, SPEAN_TABLE_PART_WANTED, spean_db_key_view(&by_part), log);
    }
    (void)spean_tx_del(tx, SPEAN_TABLE_PART_WANTED, spean_db_key_view(&by_tag));
    (void)spean_tx_del(tx, SPEAN_TABLE_PART_WANTED, spean_db_key_view(&by_part));
    return spean_tx_err(tx);
}

/* Give the first wanted tag at or behind *at, and the number of its log. */
static spean_err wanted_next(struct spean_tx *tx, const struct spean_tag *at, struct spean_tag *out,
                             uint32_t *number)
{
    const uint8_t prefix = WANTED_BY_TAG;
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_WANTED,
                                      (struct spean_view){&prefix, sizeof(prefix)});
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key from = wanted_key(at);
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&from), &key, &value);
    if (err == SPEAN_OK && key.len != WANTED_TAG_KEY) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(value, 0, number);
    }
    if (err == SPEAN_OK) {
        (void)memcpy(out->bytes, key.data + 1, sizeof(out->bytes));
    }
    spean_cursor_fini(&cursor);
    return err;
}

/* Go to the tag behind; false behind the last there can be. */
static bool tag_step(struct spean_tag *tag)
{
    for (size_t i = sizeof(tag->bytes); i-- > 0;) {
        tag->bytes[i]++;
        if (tag->bytes[i] != 0) {
            return true;
        }
    }
    return false;
}

/* Fill *out with what is lacking under its tag, in its log, at seq or above. SPEAN_ENOTFOUND:
 * nothing for org. Entries of other logs may bear the same tag; they are nobody's. */
static spean_err group_fill(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_id *org, uint64_t seq, struct spean_lacking *out)
{
    struct spean_partkey key;
    struct spean_logs_row row;
    spean_err err = spean_partkeys_by_tag(tx, keys, &out->tag, &key);
    if (err == SPEAN_OK && org != NULL && !spean_partkeys_reaches(&key, org)) {
        err = SPEAN_ENOTFOUND;
    }
    if (err == SPEAN_OK) {
        err = spean_logs_at(tx, out->number, &row);
    }
    if (err == SPEAN_OK) {
        bool more;
        out->log = row.log;
        out->proof = key.proof;
        err = spean_body_lacking(tx, &out->tag, out->number, seq, out->seqs, SPEAN_FETCH_SEQS_MAX,
                                 &out->seqs_count, &more);
    }
    spean_partkeys_wipe(&key);
    return err == SPEAN_OK && out->seqs_count == 0 ? SPEAN_ENOTFOUND : err;
}

spean_err spean_partkeys_lacking(struct spean_tx *tx, const struct spean_keys *keys,
                                 const struct spean_id *org, struct spean_lacking_at *at,
                                 struct spean_lacking *out)
{
    assert(at != NULL);
    assert(out != NULL);

    for (;;) {
        spean_err err = wanted_next(tx, &at->tag, &out->tag, &out->number);
        if (err != SPEAN_OK) {
            return err;
        }
        if (!spean_tag_equal(&out->tag, &at->tag)) {
            at->seq = 0;
        }
        at->tag = out->tag;
        err = group_fill(tx, keys, org, at->seq, out);
        if (err == SPEAN_OK) {
            at->seq = out->seqs[out->seqs_count - 1] + 1;
            return SPEAN_OK;
        }
        if (err != SPEAN_ENOTFOUND) {
            return err;
        }
        at->seq = 0;
        if (!tag_step(&at->tag)) {
            return SPEAN_ENOTFOUND;
        }
    }
}

/* Count the lacking bodies under one tag in its log. */
static spean_err count_tag(struct spean_tx *tx, const struct spean_tag *tag, uint32_t number,
                           uint64_t *count)
{
    struct spean_tagged at = {number, 0};
    spean_err err = spean_body_next(tx, tag, SPEAN_BODY_LACKING, &at, &at);
    while (err == SPEAN_OK && at.number == number) {
        (*count)++;
        at.seq++;
        err = spean_body_next(tx, tag, SPEAN_BODY_LACKING, &at, &at);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_partkeys_lacking_count(struct spean_tx *tx, uint64_t *count)
{
    assert(count != NULL);

    uint64_t found = 0;
    struct spean_tag at = {0};
    struct spean_tag tag;
    uint32_t number = 0;
    spean_err err = wanted_next(tx, &at, &tag, &number);
    while (err == SPEAN_OK) {
        err = count_tag(tx, &tag, number, &found);
        at = tag;
        if (err == SPEAN_OK) {
            err = tag_step(&at) ? wanted_next(tx, &at, &tag, &number) : SPEAN_ENOTFOUND;
        }
    }
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    return SPEAN_OK;
}

spean_err spean_partkeys_grants(struct spean_tx *tx, const struct spean_part_name *part,
                                uint32_t number, uint32_t *count, uint64_t *last_seq)
{
    assert(part != NULL);
    assert(count != NULL);
    assert(last_seq != NULL);

    struct spean_db_key prefix = spean_part_name_key(part);
    spean_db_key_put_u32(&prefix, number);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t found = 0;
    uint64_t seq = 0;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK) {
        found++;
        err = spean_db_key_u64_at(key, prefix.len, &seq);
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    *last_seq = seq;
    return SPEAN_OK;
}

spean_err spean_partkeys_lacks(struct spean_tx *tx, const struct spean_part_name *part, bool *lacks)
{
    assert(part != NULL);
    assert(lacks != NULL);

    const struct spean_db_key prefix = wanted_part_key(part);
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_WANTED, spean_db_key_view(&prefix));
    if (err != SPEAN_OK) {
        return err;
    }
    bool found = false;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK && !found) {
        struct spean_tag tag;
        uint64_t count = 0;
        uint32_t number;
        if (key.len != prefix.len + sizeof(tag.bytes) ||
            spean_db_key_u32_at(value, 0, &number) != SPEAN_OK) {
            err = SPEAN_ECORRUPT;
            break;
        }
        (void)memcpy(tag.bytes, key.data + prefix.len, sizeof(tag.bytes));
        err = count_tag(tx, &tag, number, &count);
        found = count > 0;
        if (err == SPEAN_OK) {
            err = spean_cursor_next(&cursor, &key, &value);
        }
    }
    spean_cursor_fini(&cursor);
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        *lacks = found;
        return SPEAN_OK;
    }
    return err;
}

/* -- For the fold ---------------------------------------------------------------------------- */

static spean_err key_encode(const struct spean_partkey *key, uint8_t *buf, size_t cap,
                            struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, KEY_ELEMENTS);
    spean_writer_bin(&w, key->part.record.bytes, sizeof(key->part.record.bytes));
    spean_writer_uint(&w, key->part.part);
    spean_writer_uint(&w, key->generation);
    spean_writer_bin(&w, key->key, sizeof(key->key));
    spean_writer_bin(&w, key->proof.bytes, sizeof(key->proof.bytes));
    spean_writer_bin(&w, key->owner.bytes, sizeof(key->owner.bytes));
    spean_writer_bin(&w, key->granted_log.bytes, sizeof(key->granted_log.bytes));
    spean_writer_uint(&w, key->granted_seq);
    spean_writer_array(&w, key->audience_count);
    for (uint32_t i = 0; i < key->audience_count; i++) {
        spean_writer_bin(&w, key->audience[i].bytes, sizeof(key->audience[i].bytes));
    }
    return spean_writer_end(&w, out);
}

spean_err spean_partkeys_put(struct spean_tx *tx, const struct spean_keys *keys,
                             struct spean_partkey *key)
{
    assert(key != NULL);
    assert(key->generation > 0);
    assert(key->audience_count <= SPEAN_PARTKEYS_AUDIENCE_MAX);

    spean_err err = SPEAN_OK;
    if (key->number == 0) {
        err = spean_tx_number_next(tx, SPEAN_TABLE_PART_KEYS, 1, &key->number);
    }
    if (err != SPEAN_OK) {
        return spean_tx_fail(tx, err);
    }
    uint8_t buf[ROW_BYTES_MAX];
    struct spean_view bytes;
    err = key_encode(key, buf, sizeof(buf), &bytes);
    assert(err == SPEAN_OK); /* There is room for the largest audience. */
    const struct spean_db_key number = number_key(key->number);
    const struct spean_db_key by_part = generation_key(&key->part, key->generation, key->number);
    (void)spean_tx_put(tx, SPEAN_TABLE_PART_KEY_NUMBERS, spean_db_key_view(&by_part), empty());
    err = spean_seal_put(tx, keys, SPEAN_TABLE_PART_KEYS, spean_db_key_view(&number), bytes);
    sodium_memzero(buf, sizeof(buf));
    return err;
}

spean_err spean_partkeys_put_tag(struct spean_tx *tx, const struct spean_tag *tag, uint32_t number)
{
    assert(tag != NULL);

    const struct spean_db_key value = number_key(number);
    return spean_tx_put(tx, SPEAN_TABLE_PART_TAGS, tag_view(tag), spean_db_key_view(&value));
}

spean_err spean_partkeys_del_tag(struct spean_tx *tx, const struct spean_tag *tag)
{
    assert(tag != NULL);

    (void)spean_tx_del(tx, SPEAN_TABLE_PART_TAGS, tag_view(tag));
    return spean_tx_err(tx);
}

/* Give the first tag behind *at, and move *at to it. */
static spean_err tag_next(struct spean_tx *tx, struct spean_db_key *at, uint32_t *number)
{
    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_TAGS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_behind(&cursor, spean_db_key_view(at), &key, &value);
    if (err == SPEAN_OK) {
        *at = (struct spean_db_key){0};
        spean_db_key_put_bytes(at, key.data, key.len);
        err = spean_db_key_u32_at(value, 0, number);
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_partkeys_reset_tags(struct spean_tx *tx)
{
    struct spean_db_key at = {0};
    uint32_t number = 0;
    spean_err err = tag_next(tx, &at, &number);
    while (err == SPEAN_OK) {
        if (number != 0) {
            err = spean_tx_del(tx, SPEAN_TABLE_PART_TAGS, spean_db_key_view(&at));
        }
        if (err == SPEAN_OK) {
            err = tag_next(tx, &at, &number);
        }
    }
    return err == SPEAN_ENOTFOUND ? spean_tx_err(tx) : spean_tx_fail(tx, err);
}

spean_err spean_partkeys_del(struct spean_tx *tx, const struct spean_partkey *key)
{
    assert(key != NULL);

    const struct spean_db_key number = number_key(key->number);
    const struct spean_db_key by_part = generation_key(&key->part, key->generation, key->number);
    (void)spean_tx_del(tx, SPEAN_TABLE_PART_KEY_NUMBERS, spean_db_key_view(&by_part));
    (void)spean_tx_del(tx, SPEAN_TABLE_PART_KEYS, spean_db_key_view(&number));
    return spean_tx_err(tx);
}
