/*
 * store/check_records.h - verify, second part: what was folded is folded again and compared.
 *
 * Every part of a record is folded from its changes in memory, by the fold's own rules, and its
 * canonical state is compared byte for byte with the one that is stored. Beside it: every change
 * that can be read is listed, every change listed is there, what is set aside is so for the reason
 * that its judgement gives, and keys of parts agree with their tags. Grants are opened and judged
 * again, which gives those keys, whom they reach, and which grants are set aside.
 *
 * In slices, as store/check.h, which comes first; a slice is one read transaction, so others may
 * write meanwhile. A part is one piece: the largest there may be takes longer than a slice.
 *
 * Where the keys are locked, sealed parts are counted as not checked, and no grant is opened. So is
 * what differs while something waits to be folded, since nobody can say yet what it should be.
 */
#ifndef SPEAN_STORE_CHECK_RECORDS_H
#define SPEAN_STORE_CHECK_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/err.h"
#include "store/check.h"
#include "store/db.h"
#include "store/keystore.h"

struct spean_check_records; /* Opaque. */

/*
 * Begin to check the store of a node of org (NULL: not known, then no grant is opened); db,
 * authority and keys outlive it. Nothing is written, and keys may be locked and
 * unlocked between slices. SPEAN_ENOMEM, SPEAN_EMEMLOCK. The caller frees *out.
 */
SPEAN_CHECK spean_err spean_check_records_new(struct spean_db *db,
                                              const struct spean_authority *authority,
                                              struct spean_keys *keys, const struct spean_id *org,
                                              spean_check_report *report, void *ctx,
                                              struct spean_check_records **out);
void spean_check_records_free(struct spean_check_records *check); /* NULL is allowed. Wipes. */

/*
 * Do one slice. *done: that was the last. Errors are those of spean_tx_begin(): end the check; and
 * SPEAN_ENOMEM. Problems are reported and are no errors. An authority that knows no genesis has no
 * records: it is done at once.
 */
SPEAN_CHECK spean_err spean_check_records_step(struct spean_check_records *check, bool *done);

/* Parts of records compared so far; what could not be checked; and the problems found. */
uint64_t spean_check_records_parts(const struct spean_check_records *check);
uint64_t spean_check_records_skipped(const struct spean_check_records *check);
uint64_t spean_check_records_problems(const struct spean_check_records *check);

#endif
