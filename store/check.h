/*
 * store/check.h - verify, first part: everything held of documents and logs is read and checked
 * again, while the node runs or stopped.
 *
 * The work is done in slices, each on a read transaction of its own that stays well below
 * SPEAN_DB_READ_MS_MAX, so that a store that grows meanwhile is checked as well. The authority is
 * lent to the whole check and is asked for signing keys and cuts. What was folded of them is the
 * second part, store/check_records.h.
 */
#ifndef SPEAN_STORE_CHECK_H
#define SPEAN_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/db.h"

/* X(code, text): text is English, for people. */
#define SPEAN_CHECK_KINDS(X)                                                                       \
    X(SPEAN_CHECK_DOCUMENT, "a document is damaged or does not follow those before")               \
    X(SPEAN_CHECK_LOG, "the row of a log is damaged")                                              \
    X(SPEAN_CHECK_UNKNOWN, "no document speaks of this log")                                       \
    X(SPEAN_CHECK_HEAD, "the head of a log is not its last entry")                                 \
    X(SPEAN_CHECK_BEYOND, "a log is held beyond its cut or on another branch")                     \
    X(SPEAN_CHECK_ENTRY, "an entry is damaged, missing or not chained to the one before")          \
    X(SPEAN_CHECK_BYTES, "the count of bytes of a log is wrong")                                   \
    X(SPEAN_CHECK_SIGNATURE, "a signature that was kept does not verify")                          \
    X(SPEAN_CHECK_UNSIGNED, "nothing vouches for the end of a log, or runs are long")              \
    X(SPEAN_CHECK_BODY, "a body is not the one that its header announced")                         \
    X(SPEAN_CHECK_TAG, "the index of tags does not agree with the entries")                        \
    X(SPEAN_CHECK_ARRIVAL, "a note of when a run arrived is damaged")                              \
    X(SPEAN_CHECK_ASIDE, "an entry that was set aside is damaged")                                 \
    X(SPEAN_CHECK_EVIDENCE, "evidence of a fork is damaged or proves nothing")                     \
    X(SPEAN_CHECK_PEER, "what is known of another node is damaged")                                \
    X(SPEAN_CHECK_STRAY, "a row belongs to nothing that is known")                                 \
    X(SPEAN_CHECK_STATE, "a part of a record is not what its changes make of it")                  \
    X(SPEAN_CHECK_RECORD, "what is known of a record is not what its creation says")               \
    X(SPEAN_CHECK_CHANGE, "a change is not listed where it belongs, or judged otherwise")          \
    X(SPEAN_CHECK_JUDGED, "an entry is set aside that is not to be, or the reverse")               \
    X(SPEAN_CHECK_WAITING, "it is not noted what a part of a record waits for")                    \
    X(SPEAN_CHECK_KEYS, "the keys of parts and their tags do not agree")                           \
    X(SPEAN_CHECK_GRANT, "a grant is not kept as opening it again gives it")                       \
    X(SPEAN_CHECK_LOOKUP, "a record is not found by its names, or by others")                      \
    X(SPEAN_CHECK_SEEN, "it is not noted what a node said that it has seen")

#define SPEAN_CHECK_ENUM(code, text) code,
enum spean_check_kind { SPEAN_CHECK_KINDS(SPEAN_CHECK_ENUM) SPEAN_CHECKS_COUNT };
#undef SPEAN_CHECK_ENUM

const char *spean_check_text(enum spean_check_kind kind);

struct spean_check_problem {
    enum spean_check_kind kind;
    struct spean_id log; /* All zero where no log is concerned, or not known which. */
    uint64_t seq;        /* Of the entry; of documents, the number of arrival; 0: of no one. */
    struct spean_record_id record; /* All zero where no record is concerned. */
    uint32_t part;
};

/* Describe a problem in English: what, and where. No personal data. */
#define SPEAN_CHECK_TEXT_BYTES 256u
void spean_check_describe(const struct spean_check_problem *problem,
                          char out[SPEAN_CHECK_TEXT_BYTES]);

/* Called for every problem, within a slice: take note and return. */
typedef void spean_check_report(void *ctx, const struct spean_check_problem *problem);

struct spean_check; /* Opaque. */

/* Begin a check; db and authority outlive it. SPEAN_ENOMEM. The caller frees *out. */
SPEAN_CHECK spean_err spean_check_new(struct spean_db *db, const struct spean_authority *authority,
                                      spean_check_report *report, void *ctx,
                                      struct spean_check **out);
void spean_check_free(struct spean_check *check); /* NULL is allowed. */

/*
 * Do one slice. *done: that was the last. Errors are those of spean_tx_begin(): end the check; and
 * SPEAN_ENOMEM. Problems are reported and are no errors.
 */
SPEAN_CHECK spean_err spean_check_step(struct spean_check *check, bool *done);

/* How far it is, for people: entries and bodies read so far, and the problems found. */
uint64_t spean_check_entries(const struct spean_check *check);
uint64_t spean_check_bodies(const struct spean_check *check);
uint64_t spean_check_problems(const struct spean_check *check);

#endif
