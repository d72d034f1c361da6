/* tests/support/logkit.h - signed logs made in memory, for tests. */
#ifndef SPEAN_TESTS_SUPPORT_LOGKIT_H
#define SPEAN_TESTS_SUPPORT_LOGKIT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/entry.h"
#include "protocol/run.h"

#define LOGKIT_ENTRIES_MAX 8192u

struct logkit_entry {
    uint8_t header_buf[SPEAN_HEADER_BYTES_MAX];
    struct spean_view header;
    uint8_t *body;
    size_t body_len;
    struct spean_id id;
    bool ends_commit;
    struct spean_signature signature; /* When it ends a commit. */
};

struct logkit {
    struct spean_id log;
    struct spean_key signing;
    uint8_t seed[SPEAN_KEY_BYTES];
    uint32_t count;
    struct logkit_entry *entries; /* Entry with seq s is entries[s - 1]. */
};

/* An empty log whose keys follow from number alone. Aborts without memory. */
struct logkit *logkit_new(uint8_t number);
void logkit_free(struct logkit *k);

/* A log of the same key with the same first count entries: to make forks from. */
struct logkit *logkit_branch(const struct logkit *k, uint32_t count);

/* Append an entry of body_len bytes of fill; tag NULL for none. */
void logkit_add(struct logkit *k, enum spean_entry_kind kind, const struct spean_tag *tag,
                size_t body_len, uint8_t fill, uint64_t time, bool ends_commit);

/* Append an entry with this body. */
void logkit_add_body(struct logkit *k, enum spean_entry_kind kind, const struct spean_tag *tag,
                     struct spean_view body, uint64_t time, bool ends_commit);

/* Append count single-entry commits of public changes with distinct bodies of 64 bytes. */
void logkit_fill(struct logkit *k, uint32_t count);

struct spean_place logkit_place(const struct logkit *k, uint32_t seq); /* seq 0: the start. */

/* Encode entries first to last as a run signed at its end. buf has SPEAN_FRAME_BYTES_MAX. */
struct spean_view logkit_run(const struct logkit *k, uint32_t first, uint32_t last, bool bodies,
                             uint8_t *buf);

#endif
