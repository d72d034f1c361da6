/*
 * store/news.h - the records in the order in which they last changed: what somebody who reads on
 * from a place has not seen yet.
 *
 * The fold puts a record here when it writes, or forgets, the state of one of its parts, in the
 * transaction in which it does so. Each record stands in the list once, at its last change: the
 * list is never longer than there are records, and whoever comes back after a year is told of each
 * of them once. Numbers rise and are never given again, so a place stays one over restarts.
 */
#ifndef SPEAN_STORE_NEWS_H
#define SPEAN_STORE_NEWS_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"

struct spean_news {
    uint64_t number; /* From 1. */
    struct spean_record_id record;
    uint64_t time_s; /* Of the change, by our clock. */
};

/* Move a record to the end. SPEAN_ECORRUPT: a row is damaged. Errors stick to tx. */
SPEAN_CHECK spean_err spean_news_put(struct spean_tx *tx, const struct spean_record_id *record,
                                     uint64_t time_s);

/* Give the first row whose number is above after. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_news_next(struct spean_tx *tx, uint64_t after, struct spean_news *out);

/* The number at the end; 0: the list is empty. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_news_last(struct spean_tx *tx, uint64_t *number);

#endif
