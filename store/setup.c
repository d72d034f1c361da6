#include "store/setup.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/hash.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/text.h"
#include "protocol/writer.h"

/* The row is [1, statement: bin, name: str, country: str] behind its hash. */
#define DOMAIN        "spean/store-setup/1"
#define FORMAT        1u
#define FIELDS_COUNT  4u
#define ROW_BYTES_MAX (SPEAN_DOCUMENT_ENCODED_BYTES_MAX + SPEAN_SETUP_NAME_BYTES_MAX + 64u)

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

spean_err spean_setup_put(struct spean_tx *tx, const struct spean_setup *setup)
{
    assert(tx != NULL);
    assert(setup != NULL);
    struct spean_document doc;
    spean_err err = setup_check(setup, &doc);
    if (err != SPEAN_OK) {
        return SPEAN_EINPUT;
    }

    uint8_t row[SPEAN_ID_BYTES + ROW_BYTES_MAX];
    struct spean_writer w;
    struct spean_view body;
    spean_writer_init(&w, row + SPEAN_ID_BYTES, ROW_BYTES_MAX);
    spean_writer_array(&w, FIELDS_COUNT);
    spean_writer_uint(&w, FORMAT);
    spean_writer_bin(&w, setup->statement.data, setup->statement.len);
    spean_writer_str(&w, setup->name.data, setup->name.len);
    spean_writer_str(&w, setup->country.data, setup->country.len);
    err = spean_writer_end(&w, &body);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_hash(row, SPEAN_ID_BYTES, DOMAIN, body.data, body.len);
    return spean_tx_put_new(tx, SPEAN_TABLE_META, row_key,
                            (struct spean_view){.data = row, .len = SPEAN_ID_BYTES + body.len});
}

/* Read a row that has been hashed already. */
static spean_err row_read(struct spean_view body, struct spean_setup *setup)
{
    struct spean_reader r;
    spean_reader_init(&r, body);
    (void)spean_reader_array(&r, FIELDS_COUNT, FIELDS_COUNT);
    if (spean_reader_uint(&r, UINT64_MAX) > FORMAT) {
        return SPEAN_EVERSION;
    }
    setup->statement = spean_reader_bin(&r, 1, SPEAN_DOCUMENT_ENCODED_BYTES_MAX);
    setup->name = spean_reader_str(&r, 1, SPEAN_SETUP_NAME_BYTES_MAX);
    setup->country = spean_reader_str(&r, SPEAN_SETUP_COUNTRY_LEN, SPEAN_SETUP_COUNTRY_LEN);
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
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
    struct spean_setup read;
    err = row_read(body, &read);
    if (err == SPEAN_OK) {
        err = setup_check(&read, doc);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_EVERSION ? err : SPEAN_ECORRUPT;
    }
    *setup = read;
    return SPEAN_OK;
}
