/* protocol/evidence.h - proof that a log forked, which anybody can check (P5.8). */
#ifndef SPEAN_PROTOCOL_EVIDENCE_H
#define SPEAN_PROTOCOL_EVIDENCE_H

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/run.h"

/* Any two runs without bodies, and the place: an entry costs less there than its header. One
 * frame, which adds 7 bytes, carries it. */
#define SPEAN_EVIDENCE_BYTES_MAX (SPEAN_FRAME_BYTES_MAX - 16u)

/* Views into the bytes it was decoded from. */
struct spean_evidence {
    struct spean_id log;
    struct spean_place after; /* The last place that both runs share; seq 0 for none. */
    struct spean_view runs[2];
};

/* SPEAN_EFORMAT: not canonical; SPEAN_ELIMIT. *out is written on success only. */
SPEAN_CHECK spean_err spean_evidence_decode(struct spean_view bytes, struct spean_evidence *out);

/* Encode at buf. SPEAN_ELIMIT: cap is too small. */
SPEAN_CHECK spean_err spean_evidence_encode(const struct spean_evidence *e, uint8_t *buf,
                                            size_t cap, struct spean_view *out);

/*
 * Check that the log with this signing key did fork: both runs follow e->after, end on a signature
 * or on *cut (NULL for none), and differ in their first entry. scratch is used for decoding.
 * SPEAN_ESTATE: the runs do not differ there, so this proves nothing; other errors as
 * spean_run_decode() and spean_run_verify(). Refuse the evidence in each case.
 */
SPEAN_CHECK spean_err spean_evidence_verify(const struct spean_evidence *e,
                                            const struct spean_key *signing,
                                            const struct spean_place *cut,
                                            struct spean_run *scratch);

#endif
