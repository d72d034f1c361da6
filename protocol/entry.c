#include "protocol/entry.h"

#include <assert.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/sign.h"
#include "protocol/writer.h"

#define HEADER_ELEMENTS      9u
#define HEADER_ELEMENTS_MAX  15u /* So that the head stays one byte. */
#define COMMIT_MESSAGE_BYTES (2u * SPEAN_ID_BYTES)

void spean_log_id(struct spean_id *out, const struct spean_id *ledger, const struct spean_id *org,
                  const struct spean_key *signing)
{
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_LOG, sizeof(out->bytes));
    spean_hash_update(&h, ledger->bytes, sizeof(ledger->bytes));
    spean_hash_update(&h, org->bytes, sizeof(org->bytes));
    spean_hash_update(&h, signing->bytes, sizeof(signing->bytes));
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}

spean_err spean_header_encode(const struct spean_header *h, uint8_t *buf, size_t cap,
                              struct spean_view *out)
{
    assert(h->seq > 0);
    assert(h->body_len > 0);
    assert(h->body_len <= SPEAN_BODY_BYTES_MAX);
    assert(h->rest_count <= HEADER_ELEMENTS_MAX - HEADER_ELEMENTS);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap < SPEAN_HEADER_BYTES_MAX ? cap : SPEAN_HEADER_BYTES_MAX);
    spean_writer_array(&w, HEADER_ELEMENTS + h->rest_count);
    spean_writer_uint(&w, h->format);
    spean_writer_uint(&w, h->seq);
    spean_writer_bin(&w, h->previous.bytes, sizeof(h->previous.bytes));
    spean_writer_uint(&w, h->time);
    spean_writer_uint(&w, h->kind);
    spean_writer_uint(&w, h->flags);
    if (h->has_tag) {
        spean_writer_bin(&w, h->tag.bytes, sizeof(h->tag.bytes));
    } else {
        spean_writer_nil(&w);
    }
    spean_writer_uint(&w, h->body_len);
    spean_writer_bin(&w, h->body_hash.bytes, sizeof(h->body_hash.bytes));
    spean_writer_raw(&w, h->rest);
    return spean_writer_end(&w, out);
}

/* Read the elements that a later format appends; format 1 has none (P5.4). */
static void read_rest(struct spean_reader *r, struct spean_header *h, uint32_t count)
{
    const uint8_t *start = r->pos;
    for (uint32_t i = 0; i < count; i++) {
        (void)spean_reader_value(r, SPEAN_HEADER_BYTES_MAX); /* Kept as bytes, judged by shape. */
    }
    h->rest = (struct spean_view){count > 0 ? start : NULL, (size_t)(r->pos - start)};
    h->rest_count = count;
    if ((h->format == SPEAN_ENTRY_FORMAT) != (count == 0)) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

spean_err spean_header_decode(struct spean_view bytes, struct spean_header *out)
{
    if (bytes.len > SPEAN_HEADER_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }

    struct spean_header h = {0};
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    const uint32_t elements = spean_reader_array(&r, HEADER_ELEMENTS, HEADER_ELEMENTS_MAX);
    h.format = spean_reader_uint(&r, UINT64_MAX);
    h.seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, h.previous.bytes, sizeof(h.previous.bytes));
    h.time = spean_reader_uint(&r, INT64_MAX);
    h.kind = spean_reader_uint(&r, UINT64_MAX);
    h.flags = spean_reader_uint(&r, UINT64_MAX);
    h.has_tag = !spean_reader_nil(&r);
    if (h.has_tag) {
        spean_reader_bin_fixed(&r, h.tag.bytes, sizeof(h.tag.bytes));
    }
    h.body_len = (uint32_t)spean_reader_uint(&r, SPEAN_BODY_BYTES_MAX);
    spean_reader_bin_fixed(&r, h.body_hash.bytes, sizeof(h.body_hash.bytes));
    if (spean_reader_failed(&r)) {
        return r.err;
    }
    read_rest(&r, &h, elements - HEADER_ELEMENTS);
    if (h.format == 0 || h.seq == 0 || h.body_len == 0) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = h;
    }
    return err;
}

bool spean_header_is_sealed(const struct spean_header *h)
{
    assert(h != NULL);

    return h->kind == SPEAN_ENTRY_CHANGE && h->has_tag;
}

void spean_entry_id(struct spean_id *out, const struct spean_id *log, struct spean_view header)
{
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_ENTRY, sizeof(out->bytes));
    spean_hash_update(&h, log->bytes, sizeof(log->bytes));
    spean_hash_update(&h, header.data, header.len);
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}

void spean_body_hash(struct spean_id *out, struct spean_view body)
{
    spean_hash(out->bytes, sizeof(out->bytes), SPEAN_DOMAIN_BODY, body.data, body.len);
}

spean_err spean_body_check(const struct spean_header *h, struct spean_view body)
{
    if (body.len != h->body_len) {
        return SPEAN_ESIGNATURE;
    }
    struct spean_id hash;
    spean_body_hash(&hash, body);
    return spean_id_equal(&hash, &h->body_hash) ? SPEAN_OK : SPEAN_ESIGNATURE;
}

static struct spean_view commit_message(uint8_t buf[COMMIT_MESSAGE_BYTES],
                                        const struct spean_id *log, const struct spean_id *entry)
{
    memcpy(buf, log->bytes, sizeof(log->bytes));
    memcpy(buf + sizeof(log->bytes), entry->bytes, sizeof(entry->bytes));
    return (struct spean_view){buf, COMMIT_MESSAGE_BYTES};
}

void spean_commit_sign(struct spean_signature *out, const struct spean_id *log,
                       const struct spean_id *entry, const uint8_t seed[SPEAN_KEY_BYTES])
{
    uint8_t buf[COMMIT_MESSAGE_BYTES];
    spean_sign(out, SPEAN_DOMAIN_COMMIT, commit_message(buf, log, entry), seed);
}

void spean_commit_sign_by(struct spean_signature *out, const struct spean_id *log,
                          const struct spean_id *entry, const struct spean_signer *signer)
{
    uint8_t buf[COMMIT_MESSAGE_BYTES];
    spean_signer_sign(out, SPEAN_DOMAIN_COMMIT, commit_message(buf, log, entry), signer);
}

spean_err spean_commit_verify(const struct spean_signature *sig, const struct spean_id *log,
                              const struct spean_id *entry, const struct spean_key *key)
{
    uint8_t buf[COMMIT_MESSAGE_BYTES];
    return spean_verify(sig, SPEAN_DOMAIN_COMMIT, commit_message(buf, log, entry), key);
}
