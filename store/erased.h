/*
 * store/erased.h - public entries that erasures name, and how far each is destroyed (P8.7).
 *
 * The fold notes which places erasures that count name; a change that stands there is hidden at
 * once. Nobody can ask for the body of a public entry by itself, so that a cut would not bring one
 * back that was not given on meanwhile: it is given and taken as ever until it is destroyed here
 * (store/destroy.h), and refused from then on. What grants, erasures and heads say stays.
 *
 * Nothing here needs the keys. Errors as of spean_tx_get(), and SPEAN_ECORRUPT.
 */
#ifndef SPEAN_STORE_ERASED_H
#define SPEAN_STORE_ERASED_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "store/db.h"
#include "store/logs.h"

/* The start of the rows about a seq of a log: one row for each erasure that names it, which ends
 * with number and seq of that erasure, and has the id of the entry that it names. */
struct spean_db_key spean_erased_key(const struct spean_id *log, uint64_t seq);

/* Say whether an erasure that counts names this entry. */
SPEAN_CHECK spean_err spean_erased_named(struct spean_tx *tx, const struct spean_id *log,
                                         uint64_t seq, const struct spean_id *entry, bool *named);

/* Say whether the body of an entry of log is refused: it is a public change, and was destroyed. */
SPEAN_CHECK spean_err spean_erased_refused(struct spean_tx *tx, const struct spean_id *log,
                                           const struct spean_run_entry *entry, bool *refused);

#endif
