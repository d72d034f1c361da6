#include "protocol/erasure.h"

#include <assert.h>

#include "protocol/reader.h"
#include "protocol/writer.h"

#define FORM_PART       1u
#define FORM_PLACES     2u
#define PART_ELEMENTS   5u
#define PLACES_ELEMENTS 3u
#define PLACE_ELEMENTS  3u
#define PROOF_BYTES     (2u + SPEAN_ID_BYTES) /* Encoded. */

static bool reason_fits(const struct spean_view *reason)
{
    return reason == NULL || reason->len <= SPEAN_ERASURE_REASON_BYTES_MAX;
}

static void write_reason(struct spean_writer *w, const struct spean_view *reason)
{
    if (reason == NULL) {
        spean_writer_nil(w);
        return;
    }
    spean_writer_bin(w, reason->data, reason->len);
}

spean_err spean_erasure_encode_part(const struct spean_record_id *record, uint64_t part,
                                    const struct spean_id *proofs, uint32_t proofs_count,
                                    const struct spean_view *reason, uint8_t *buf, size_t cap,
                                    struct spean_view *out)
{
    assert(record != NULL);
    assert(proofs != NULL);
    assert(proofs_count > 0);

    if (proofs_count > SPEAN_PART_GENERATIONS_MAX || !reason_fits(reason)) {
        return SPEAN_ELIMIT;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, PART_ELEMENTS);
    spean_writer_uint(&w, FORM_PART);
    spean_writer_bin(&w, record->bytes, sizeof(record->bytes));
    spean_writer_uint(&w, part);
    spean_writer_array(&w, proofs_count);
    for (uint32_t i = 0; i < proofs_count; i++) {
        spean_writer_bin(&w, proofs[i].bytes, sizeof(proofs[i].bytes));
    }
    write_reason(&w, reason);
    return spean_writer_end(&w, out);
}

spean_err spean_erasure_encode_places(const struct spean_erasure_place *places,
                                      uint32_t places_count, const struct spean_view *reason,
                                      uint8_t *buf, size_t cap, struct spean_view *out)
{
    assert(places != NULL);
    assert(places_count > 0);

    if (places_count > SPEAN_ERASURE_PLACES_MAX || !reason_fits(reason)) {
        return SPEAN_ELIMIT;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, PLACES_ELEMENTS);
    spean_writer_uint(&w, FORM_PLACES);
    spean_writer_array(&w, places_count);
    for (uint32_t i = 0; i < places_count; i++) {
        spean_writer_array(&w, PLACE_ELEMENTS);
        spean_writer_bin(&w, places[i].log.bytes, sizeof(places[i].log.bytes));
        spean_writer_uint(&w, places[i].seq);
        spean_writer_bin(&w, places[i].entry.bytes, sizeof(places[i].entry.bytes));
    }
    write_reason(&w, reason);
    return spean_writer_end(&w, out);
}

static struct spean_view since(const struct spean_reader *r, const uint8_t *start)
{
    return (struct spean_view){start, (size_t)(r->pos - start)};
}

static void read_part(struct spean_reader *r, struct spean_erasure *e)
{
    spean_reader_bin_fixed(r, e->record.bytes, sizeof(e->record.bytes));
    e->part = spean_reader_uint(r, UINT64_MAX);
    e->proofs_count = spean_reader_array(r, 1, SPEAN_PART_GENERATIONS_MAX);
    const uint8_t *const start = r->pos;
    for (uint32_t i = 0; i < e->proofs_count && !spean_reader_failed(r); i++) {
        struct spean_id proof;
        spean_reader_bin_fixed(r, proof.bytes, sizeof(proof.bytes));
    }
    e->proofs = since(r, start);
}

static void read_place(struct spean_reader *r, struct spean_erasure_place *place)
{
    (void)spean_reader_array(r, PLACE_ELEMENTS, PLACE_ELEMENTS);
    spean_reader_bin_fixed(r, place->log.bytes, sizeof(place->log.bytes));
    place->seq = spean_reader_uint(r, UINT64_MAX);
    spean_reader_bin_fixed(r, place->entry.bytes, sizeof(place->entry.bytes));
    if (place->seq == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_places(struct spean_reader *r, struct spean_erasure *e)
{
    e->places_count = spean_reader_array(r, 1, SPEAN_ERASURE_PLACES_MAX);
    const uint8_t *const start = r->pos;
    for (uint32_t i = 0; i < e->places_count && !spean_reader_failed(r); i++) {
        struct spean_erasure_place place;
        read_place(r, &place);
    }
    e->places = since(r, start);
}

spean_err spean_erasure_decode(struct spean_view content, struct spean_erasure *out)
{
    assert(out != NULL);

    struct spean_erasure e = {0};
    struct spean_reader r;
    spean_reader_init(&r, content);
    const uint32_t elements = spean_reader_array(&r, PLACES_ELEMENTS, PART_ELEMENTS);
    const uint64_t form = spean_reader_uint(&r, FORM_PLACES);
    e.of_part = form == FORM_PART;
    if (form == 0 || elements != (e.of_part ? PART_ELEMENTS : PLACES_ELEMENTS)) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    if (e.of_part) {
        read_part(&r, &e);
    } else {
        read_places(&r, &e);
    }
    e.has_reason = !spean_reader_nil(&r);
    if (e.has_reason) {
        e.reason = spean_reader_bin(&r, 0, SPEAN_ERASURE_REASON_BYTES_MAX);
    }
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = e;
    }
    return err;
}

void spean_erasure_proof(const struct spean_erasure *erasure, uint32_t index, struct spean_id *out)
{
    assert(erasure != NULL);
    assert(index < erasure->proofs_count);

    struct spean_reader r;
    const size_t at = (size_t)index * PROOF_BYTES;
    spean_reader_init(&r, (struct spean_view){erasure->proofs.data + at, PROOF_BYTES});
    spean_reader_bin_fixed(&r, out->bytes, sizeof(out->bytes));
    assert(!spean_reader_failed(&r)); /* Decoding has read it. */
}

bool spean_erasure_place_next(struct spean_view *left, struct spean_erasure_place *out)
{
    assert(left != NULL);
    assert(out != NULL);

    if (left->len == 0) {
        return false;
    }
    struct spean_reader r;
    spean_reader_init(&r, *left);
    read_place(&r, out);
    assert(!spean_reader_failed(&r)); /* Decoding has read it. */
    *left = (struct spean_view){r.pos, (size_t)(r.end - r.pos)};
    return true;
}

enum spean_erasure_reach spean_erasure_may(bool of_part, const struct spean_id *author,
                                           bool author_is_steward, const struct spean_id *owner)
{
    assert(author != NULL);
    assert(owner != NULL);

    if (spean_id_equal(author, owner) || (!of_part && author_is_steward)) {
        return SPEAN_ERASURE_ALL;
    }
    return of_part ? SPEAN_ERASURE_OWN : SPEAN_ERASURE_NOBODY;
}

bool spean_erasure_binds(enum spean_erasure_reach reach, const struct spean_id *author,
                         const struct spean_id *org)
{
    assert(author != NULL);
    assert(org != NULL);

    return reach == SPEAN_ERASURE_ALL ||
           (reach == SPEAN_ERASURE_OWN && spean_id_equal(author, org));
}
