#include "protocol/evidence.h"

#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"

#define EVIDENCE_ELEMENTS 5u

spean_err spean_evidence_decode(struct spean_view bytes, struct spean_evidence *out)
{
    if (bytes.len > SPEAN_EVIDENCE_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_evidence e = {0};
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, EVIDENCE_ELEMENTS, EVIDENCE_ELEMENTS);
    spean_reader_bin_fixed(&r, e.log.bytes, sizeof(e.log.bytes));
    const uint64_t first_seq = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, e.after.entry.bytes, sizeof(e.after.entry.bytes));
    for (size_t i = 0; i < 2; i++) {
        e.runs[i] = spean_reader_value(&r, SPEAN_EVIDENCE_BYTES_MAX);
    }
    if (first_seq == 0) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    const spean_err err = spean_reader_end(&r);
    if (err != SPEAN_OK) {
        return err;
    }
    e.after.seq = first_seq - 1;
    *out = e;
    return SPEAN_OK;
}

spean_err spean_evidence_encode(const struct spean_evidence *e, uint8_t *buf, size_t cap,
                                struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, EVIDENCE_ELEMENTS);
    spean_writer_bin(&w, e->log.bytes, sizeof(e->log.bytes));
    spean_writer_uint(&w, e->after.seq + 1);
    spean_writer_bin(&w, e->after.entry.bytes, sizeof(e->after.entry.bytes));
    spean_writer_raw(&w, e->runs[0]);
    spean_writer_raw(&w, e->runs[1]);
    return spean_writer_end(&w, out);
}

static bool has_bodies(const struct spean_run *run)
{
    for (uint32_t i = 0; i < spean_run_count(run); i++) {
        if (spean_run_entry(run, i)->body.len > 0) {
            return true;
        }
    }
    return false;
}

spean_err spean_evidence_verify(const struct spean_evidence *e, const struct spean_key *signing,
                                const struct spean_place *cut, struct spean_run *scratch)
{
    struct spean_id first[2];
    for (size_t i = 0; i < 2; i++) {
        spean_err err = spean_run_decode(scratch, e->runs[i], &e->log, &e->after);
        if (err == SPEAN_OK) {
            err = has_bodies(scratch) ? SPEAN_EFORMAT : SPEAN_OK;
        }
        if (err == SPEAN_OK) {
            err = spean_run_verify(scratch, signing, cut);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        first[i] = spean_run_entry(scratch, 0)->id;
    }
    return spean_id_equal(&first[0], &first[1]) ? SPEAN_ESTATE : SPEAN_OK;
}
