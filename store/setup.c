#include "store/setup.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/hash.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/text.h"
#include "protocol/writer.h"

/* The row is [1, statement: bin, name: str, country: str], or [2, org: bin32], behind its hash. */
#define DOMAIN         "spean/store-setup/1"
#define FORMAT         1u
#define FORMAT_FURTHER 2u
#define FIELDS_COUNT   4u
#define FIELDS_FURTHER 2u
#define ROW_BYTES_MAX  (SPEAN_DOCUMENT_ENCODED_BYTES_MAX + SPEAN_SETUP_NAME_BYTES_MAX + 64u)

static const uint8_t row_name[] = {'s', 'e', 't', 'u', 'p'};
static const struct spean_view row_key = {row_name, sizeof(row_name)};

static bool is_country(struct spean_view country)
{
    if (country.len != SPEAN_SETUP_COUNTRY_LEN) {
        return false;
    }
    for (size_t i = 0; i < country.len; i++) {
        if (country.data[i] < 'A' || country.data[i] > 'Z') {
            return false;
        }
    }
    return true;
}

/* Check what both a caller and a stored row must keep to; doc is decoded on the way. */
static spean_err setup_check(const struct spean_setup *setup, struct spean_document *doc)
{
    if (!is_country(setup->country) || setup->name.len == 0 ||
        setup->name.len > SPEAN_SETUP_NAME_BYTES_MAX || !spean_text_valid(setup->name)) {
        return SPEAN_EINPUT;
    }
    const spean_err err = spean_document_decode(doc, setup->statement);
    if (err != SPEAN_OK) {
        return err == SPEAN_EVERSION ? err : SPEAN_EINPUT;
    }
    return doc->type == SPEAN_DOCUMENT_STATEMENT && doc->version == 1 ? SPEAN_OK : SPEAN_EINPUT;
}

/* Put the row that w has written behind its hash; row has room for both. */
static spean_err row_put(struct spean_tx *tx, struct spean_writer *w, uint8_t *row)
{
    struct spean_view body;
    const spean_err err = spean_writer_end(w, &body);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_hash(row, SPEAN_ID_BYTES, DOMAIN, body.data, body.len);
    return spean_tx_put_new(tx, SPEAN_TABLE_META, row_key,
                            (struct spean_view){.data = row, .len = SPEAN_ID_BYTES + body.len});
}

spean_err spean_setup_put(struct spean_tx *tx, const struct spean_setup *setup)
{
    assert(tx != NULL);
    assert(setup != NULL);
    struct spean_document doc;
    const spean_err err = setup_check(setup, &doc);
    if (err != SPEAN_OK) {
        return SPEAN_EINPUT;
    }

    uint8_t row[SPEAN_ID_BYTES + ROW_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, row + SPEAN_ID_BYTES, ROW_BYTES_MAX);
    spean_writer_array(&w, FIELDS_COUNT);
    spean_writer_uint(&w, FORMAT);
    spean_writer_bin(&w, setup->statement.data, setup->statement.len);
    spean_writer_str(&w, setup->name.data, setup->name.len);
    spean_writer_str(&w, setup->country.data, setup->country.len);
    return row_put(tx, &w, row);
}

spean_err spean_setup_put_further(struct spean_tx *tx, const struct spean_id *org)
{
    assert(tx != NULL);
    assert(org != NULL);
    uint8_t row[2 * SPEAN_ID_BYTES + 16];
    struct spean_writer w;
    spean_writer_init(&w, row + SPEAN_ID_BYTES, sizeof(row) - SPEAN_ID_BYTES);
    spean_writer_array(&w, FIELDS_FURTHER);
    spean_writer_uint(&w, FORMAT_FURTHER);
    spean_writer_bin(&w, org->bytes, sizeof(org->bytes));
    return row_put(tx, &w, row);
}

/* Read a row that has been hashed already; doc, too, if there is a statement. */
static spean_err row_read(struct spean_view body, struct spean_setup *setup,
                          struct spean_document *doc)
{
    struct spean_reader r;
    spean_reader_init(&r, body);
    const uint32_t fields = spean_reader_array(&r, FIELDS_FURTHER, FIELDS_COUNT);
    const uint64_t format = spean_reader_uint(&r, UINT64_MAX);
    if (format > FORMAT_FURTHER) {
        return SPEAN_EVERSION;
    }
    if (format == FORMAT_FURTHER) {
        spean_reader_bin_fixed(&r, setup->org.bytes, sizeof(setup->org.bytes));
        return spean_reader_end(&r) == SPEAN_OK && fields == FIELDS_FURTHER ? SPEAN_OK
                                                                            : SPEAN_ECORRUPT;
    }
    setup->statement = spean_reader_bin(&r, 1, SPEAN_DOCUMENT_ENCODED_BYTES_MAX);
    setup->name = spean_reader_str(&r, 1, SPEAN_SETUP_NAME_BYTES_MAX);
    setup->country = spean_reader_str(&r, SPEAN_SETUP_COUNTRY_LEN, SPEAN_SETUP_COUNTRY_LEN);
    if (spean_reader_end(&r) != SPEAN_OK || fields != FIELDS_COUNT) {
        return SPEAN_ECORRUPT;
    }
    const spean_err err = setup_check(setup, doc);
    setup->org = err == SPEAN_OK ? doc->id : setup->org;
    return err;
}

spean_err spean_setup_get(struct spean_tx *tx, struct spean_setup *setup,
                          struct spean_document *doc)
{
    assert(tx != NULL);
    assert(setup != NULL);
    assert(doc != NULL);
    struct spean_view row;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_META, row_key, &row);
    if (err != SPEAN_OK) {
        return err;
    }
    if (row.len < SPEAN_ID_BYTES) {
        return SPEAN_ECORRUPT;
    }
    const struct spean_view body = {.data = row.data + SPEAN_ID_BYTES,
                                    .len = row.len - SPEAN_ID_BYTES};
    uint8_t hash[SPEAN_ID_BYTES];
    spean_hash(hash, sizeof(hash), DOMAIN, body.data, body.len);
    if (memcmp(hash, row.data, sizeof(hash)) != 0) {
        return SPEAN_ECORRUPT;
    }
    struct spean_setup read = {.statement = {0}};
    err = row_read(body, &read, doc);
    if (err != SPEAN_OK) {
        return err == SPEAN_EVERSION ? err : SPEAN_ECORRUPT;
    }
    *setup = read;
    return SPEAN_OK;
}
