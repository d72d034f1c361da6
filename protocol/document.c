#include "protocol/document.h"

#include <assert.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/sign.h"

#define FORMAT 1u /* The only one so far; a later one announces new keys (P2.2). */

static const char *id_domain(enum spean_document_type type)
{
    return type == SPEAN_DOCUMENT_CHARTER ? SPEAN_DOMAIN_CHARTER : SPEAN_DOMAIN_STATEMENT;
}

static const char *sign_domain(enum spean_document_type type)
{
    return type == SPEAN_DOCUMENT_CHARTER ? SPEAN_DOMAIN_CHARTER_SIGN : SPEAN_DOMAIN_STATEMENT_SIGN;
}

static struct spean_view id_view(const struct spean_id *id)
{
    const struct spean_view view = {id->bytes, sizeof(id->bytes)};
    return view;
}

/* Read the type; another number than the two is not a document of this protocol. */
static enum spean_document_type read_type(struct spean_reader *r)
{
    const uint64_t type = spean_reader_uint(r, SPEAN_DOCUMENT_CHARTER);
    if (type < SPEAN_DOCUMENT_STATEMENT) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    return type == SPEAN_DOCUMENT_CHARTER ? SPEAN_DOCUMENT_CHARTER : SPEAN_DOCUMENT_STATEMENT;
}

spean_err spean_document_begin(struct spean_document *doc, struct spean_view body)
{
    assert(doc != NULL);

    if (body.len > SPEAN_DOCUMENT_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    memset(doc, 0, sizeof(*doc));
    doc->body = body;

    struct spean_reader r;
    spean_reader_init(&r, body);
    (void)spean_reader_array(&r, 5, 5);
    const uint64_t format = spean_reader_uint(&r, UINT64_MAX);
    if (!spean_reader_failed(&r) && format != FORMAT) {
        return format > FORMAT ? SPEAN_EVERSION : SPEAN_EFORMAT;
    }
    doc->type = read_type(&r);
    doc->version = spean_reader_uint(&r, UINT64_MAX);
    const bool first = spean_reader_nil(&r);
    if (!first) {
        spean_reader_bin_fixed(&r, doc->previous.bytes, sizeof(doc->previous.bytes));
    }
    if (doc->version == 0 || first != (doc->version == 1)) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    if (spean_reader_peek(&r) != SPEAN_READER_MAP) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    doc->changes = spean_reader_value(&r, SPEAN_DOCUMENT_BYTES_MAX);
    const spean_err err = spean_reader_end(&r);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_hash(doc->id.bytes, sizeof(doc->id.bytes), id_domain(doc->type), body.data, body.len);
    return SPEAN_OK;
}

static void read_signatures(struct spean_reader *r, struct spean_document *doc)
{
    const uint32_t count = spean_reader_array(r, 0, SPEAN_DOCUMENT_SIGNATURES_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        struct spean_document_signature *s = &doc->signatures[i];
        (void)spean_reader_array(r, 2, 2);
        spean_reader_bin_fixed(r, s->key.bytes, sizeof(s->key.bytes));
        spean_reader_bin_fixed(r, s->signature.bytes, sizeof(s->signature.bytes));
        if (i > 0 && spean_key_compare(&doc->signatures[i - 1].key, &s->key) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    doc->signatures_count = count;
}

spean_err spean_document_decode(struct spean_document *doc, struct spean_view bytes)
{
    assert(doc != NULL);

    if (bytes.len > SPEAN_DOCUMENT_ENCODED_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, 2, 2);
    const struct spean_view body = spean_reader_bin(&r, 1, SPEAN_DOCUMENT_BYTES_MAX);
    if (spean_reader_failed(&r)) {
        return spean_reader_end(&r);
    }
    const spean_err err = spean_document_begin(doc, body);
    if (err != SPEAN_OK) {
        return err;
    }
    read_signatures(&r, doc);
    return spean_reader_end(&r);
}

spean_err spean_document_sign(struct spean_document *doc, const uint8_t seed[SPEAN_KEY_BYTES])
{
    assert(doc != NULL);
    assert(seed != NULL);

    if (doc->signatures_count == SPEAN_DOCUMENT_SIGNATURES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_document_signature made;
    spean_sign_public(&made.key, seed);
    uint32_t at = 0;
    while (at < doc->signatures_count &&
           spean_key_compare(&doc->signatures[at].key, &made.key) < 0) {
        at++;
    }
    if (at < doc->signatures_count && spean_key_equal(&doc->signatures[at].key, &made.key)) {
        return SPEAN_EEXISTS;
    }
    spean_sign(&made.signature, sign_domain(doc->type), id_view(&doc->id), seed);
    memmove(&doc->signatures[at + 1], &doc->signatures[at],
            (doc->signatures_count - at) * sizeof(made));
    doc->signatures[at] = made;
    doc->signatures_count++;
    return SPEAN_OK;
}

spean_err spean_document_encode(const struct spean_document *doc, uint8_t *buf, size_t cap,
                                struct spean_view *out)
{
    assert(doc != NULL);
    assert(out != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, 2);
    spean_writer_bin(&w, doc->body.data, doc->body.len);
    spean_writer_array(&w, doc->signatures_count);
    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        const struct spean_document_signature *s = &doc->signatures[i];
        spean_writer_array(&w, 2);
        spean_writer_bin(&w, s->key.bytes, sizeof(s->key.bytes));
        spean_writer_bin(&w, s->signature.bytes, sizeof(s->signature.bytes));
    }
    return spean_writer_end(&w, out);
}

spean_err spean_document_verify(const struct spean_document *doc)
{
    assert(doc != NULL);

    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        const struct spean_document_signature *s = &doc->signatures[i];
        const spean_err err =
            spean_verify(&s->signature, sign_domain(doc->type), id_view(&doc->id), &s->key);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

void spean_document_write_head(struct spean_writer *w, enum spean_document_type type,
                               uint64_t version, const struct spean_id *previous)
{
    assert(w != NULL);
    assert(version == 1 || previous != NULL);

    spean_writer_array(w, 5);
    spean_writer_uint(w, FORMAT);
    spean_writer_uint(w, (uint64_t)type);
    spean_writer_uint(w, version);
    if (version == 1) {
        spean_writer_nil(w);
    } else {
        spean_writer_bin(w, previous->bytes, sizeof(previous->bytes));
    }
}
