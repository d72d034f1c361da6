/* Finding what differs by digests, and proving equality at the end (P13.5, P13.11). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/sync_internal.h"
#include "protocol/writer.h"

#define ROW_BYTES_MAX 80u /* Array, log, seq, entry. */

static struct spean_excluded excluded_of(const struct link *link)
{
    return (struct spean_excluded){link->excluded, link->excluded_count};
}

void sync_compare_snapshot(struct spean_sync *s, struct link *link)
{
    if (spean_frontier_copy(link->target, s->frontier) != SPEAN_OK) {
        sync_no_memory(s);
        return;
    }
    spean_frontier_digest(link->target, (struct spean_excluded){s->excluded, s->excluded_count},
                          &link->my_synced);
}

/* Logs that this node pushes: its own, and every one if the charter names it a relay (P13.9). */
static bool is_pushed(const struct spean_sync *s, const struct spean_id *log)
{
    return s->relay || spean_id_equal(log, &s->own_log);
}

/* In the buckets that do not differ the peer holds what we hold. */
static void assume_equal_rows(struct spean_sync *s, struct link *link)
{
    for (size_t i = 0; i < spean_frontier_count(link->target); i++) {
        const struct spean_frontier_row *row = spean_frontier_row(link->target, i);
        const uint32_t bucket = spean_frontier_bucket(&row->log);
        if ((link->differing >> bucket & 1) == 0 && is_pushed(s, &row->log) &&
            spean_frontier_set(link->theirs, &row->log, &row->head) != SPEAN_OK) {
            sync_no_memory(s);
        }
    }
}

static void begin_fetching(struct spean_sync *s, struct link *link)
{
    link->phase = PHASE_FETCH;
    link->next_target = 0;
    assume_equal_rows(s, link);
    sync_want_next(s, link);
    sync_compare_settle(s, link);
}

void sync_compare_equal(struct spean_sync *s, struct link *link)
{
    link->differing = 0;
    link->digest_sent = true;
    link->rows_sent = true;
    link->rows_received = true;
    begin_fetching(s, link);
}

/* What was pushed of a log that is excluded now is not HELD any more. */
static void forget_pushed(struct spean_sync *s, struct link *link)
{
    const struct spean_place none = {0};
    for (size_t i = spean_frontier_count(link->pushed); i > 0; i--) {
        const struct spean_id log = spean_frontier_row(link->pushed, i - 1)->log;
        if (spean_excluded_has(excluded_of(link), &log)) {
            sync_try(s, spean_frontier_set(link->pushed, &log, &none));
        }
    }
}

/* Merge the peer's exclusions with ours into the link's. */
static void merge_exclusions(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    const uint32_t theirs = m->as.digest.excluded_count;
    uint64_t *all = malloc(((size_t)theirs + s->excluded_count + 1) * sizeof(*all));
    if (all == NULL) {
        sync_no_memory(s);
        return;
    }
    uint32_t count = 0;
    uint32_t mine = 0;
    for (uint32_t i = 0; i < theirs; i++) {
        const uint64_t name =
            spean_u64_get(m->as.digest.excluded.data + (size_t)i * SPEAN_SHORT_BYTES);
        while (mine < s->excluded_count && s->excluded[mine] < name) {
            all[count++] = s->excluded[mine++];
        }
        mine += mine < s->excluded_count && s->excluded[mine] == name ? 1 : 0;
        all[count++] = name;
    }
    while (mine < s->excluded_count) {
        all[count++] = s->excluded[mine++];
    }
    free(link->excluded);
    link->excluded = all;
    link->excluded_count = count;
    forget_pushed(s, link);
}

/* Send our rows of the buckets that differ. */
static void send_rows(struct spean_sync *s, struct link *link)
{
    link->rows_sent = true;
    link->rows_count = 0; /* Theirs answer these. */
    struct spean_message m = {.type = SPEAN_MESSAGE_ROWS, .as.rows.buckets = link->differing};
    const size_t total = spean_frontier_count(link->target);
    size_t i = 0;
    do {
        uint8_t *buf = sync_alloc(s, SPEAN_MESSAGE_ROWS_MAX * ROW_BYTES_MAX);
        if (buf == NULL) {
            return;
        }
        struct spean_writer w;
        spean_writer_init(&w, buf, SPEAN_MESSAGE_ROWS_MAX * ROW_BYTES_MAX);
        uint32_t count = 0;
        for (; i < total && count < SPEAN_MESSAGE_ROWS_MAX; i++) {
            const struct spean_frontier_row *row = spean_frontier_row(link->target, i);
            if ((link->differing >> spean_frontier_bucket(&row->log) & 1) == 0 ||
                spean_excluded_has(excluded_of(link), &row->log)) {
                continue;
            }
            spean_writer_array(&w, 3);
            spean_writer_bin(&w, row->log.bytes, sizeof(row->log.bytes));
            spean_writer_uint(&w, row->head.seq);
            spean_writer_bin(&w, row->head.entry.bytes, sizeof(row->head.entry.bytes));
            count++;
        }
        m.as.rows.rows.count = count;
        m.as.rows.more = i < total;
        const spean_err err = spean_writer_end(&w, &m.as.rows.rows.bytes);
        assert(err == SPEAN_OK); /* ROW_BYTES_MAX is enough for each. */
        sync_send(s, link, &m);
    } while (i < total);
}

/* Both DIGESTs are there. */
static void find_difference(struct spean_sync *s, struct link *link)
{
    link->differing = 0;
    for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
        const size_t at = (size_t)b * SPEAN_BUCKET_DIGEST_BYTES;
        if (memcmp(link->my_buckets + at, link->their_buckets + at, SPEAN_BUCKET_DIGEST_BYTES) !=
            0) {
            link->differing |= UINT64_C(1) << b;
        }
    }
    link->digest_received = false; /* Taken. */
    if (link->differing == 0) {
        link->rows_sent = true;
        link->rows_received = true;
        begin_fetching(s, link);
        return;
    }
    send_rows(s, link);
}

void sync_compare_begin(struct spean_sync *s, struct link *link)
{
    link->phase = PHASE_COMPARE;
    link->rows_sent = false;
    link->synced_sent = false;
    link->synced_received = false;
    sync_compare_snapshot(s, link);
    if (s->excluded_count > 0) {
        (void)sync_effect(s, SPEAN_SYNC_LOAD_EVIDENCE, link); /* Evidence before runs (P13.3). */
    }

    uint8_t *names = sync_alloc(s, s->excluded_count * SPEAN_SHORT_BYTES + 1);
    if (names == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->excluded_count; i++) {
        spean_u64_put(names + i * SPEAN_SHORT_BYTES, s->excluded[i]);
    }
    const struct spean_excluded mine = {s->excluded, s->excluded_count};
    for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
        spean_frontier_bucket_digest(link->target, b, mine,
                                     link->my_buckets + b * SPEAN_BUCKET_DIGEST_BYTES);
    }
    struct spean_message m = {.type = SPEAN_MESSAGE_DIGEST};
    m.as.digest.excluded =
        (struct spean_view){names, (size_t)s->excluded_count * SPEAN_SHORT_BYTES};
    m.as.digest.buckets = link->my_buckets;
    sync_send(s, link, &m);
    link->digest_sent = true;
    link->exclusions_named = s->exclusions_serial;
    if (link->digest_received) {
        find_difference(s, link);
    }
}

void sync_compare_digest(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    merge_exclusions(s, link, m);
    memcpy(link->their_buckets, m->as.digest.buckets, sizeof(link->their_buckets));
    link->digest_received = true;
    link->rows_received = false;
    link->synced_received = false;
    if (link->phase == PHASE_DOCUMENTS) {
        return; /* Ours follows when the documents are in. */
    }
    if (link->phase == PHASE_FETCH) {
        sync_compare_begin(s, link); /* The peer began another round. */
        return;
    }
    if (link->digest_sent) {
        find_difference(s, link);
    }
}

void sync_compare_told(struct spean_sync *s, struct link *link, const struct spean_id *log,
                       const struct spean_place *place)
{
    if (spean_authority_log(s->authority, log) == NULL) {
        return; /* Its statement will come first (P13.3). */
    }
    const struct spean_place known = spean_frontier_get(link->theirs, log);
    if (place->seq > known.seq && spean_frontier_set(link->theirs, log, place) != SPEAN_OK) {
        sync_no_memory(s);
    }
    link->next_target = 0;
}

void sync_compare_head(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    const struct spean_id *log = &m->as.place.log;
    if (spean_authority_log(s->authority, log) != NULL) {
        sync_peer_holds(s, link, log, &m->as.place.place);
    }
    sync_compare_told(s, link, log, &m->as.place.place);
    sync_want_next(s, link);
}

/* Take one of the peer's rows into target and theirs. */
static void take_row(struct spean_sync *s, struct link *link, const struct spean_frontier_row *row)
{
    /* A log that is not known cannot be asked for; rows of it would only fill our memory. */
    if (spean_excluded_has(excluded_of(link), &row->log) ||
        spean_authority_log(s->authority, &row->log) == NULL) {
        return;
    }
    sync_peer_holds(s, link, &row->log, &row->head);
    const struct spean_place ours = spean_frontier_get(link->target, &row->log);
    spean_err err = spean_frontier_set(link->theirs, &row->log, &row->head);
    if (err == SPEAN_OK && row->head.seq > ours.seq) {
        err = spean_frontier_set(link->target, &row->log, &row->head);
    }
    if (err == SPEAN_ELIMIT) {
        sync_refuse(s, link, 1305, err);
    } else if (err != SPEAN_OK) {
        sync_no_memory(s);
    }
}

void sync_compare_rows(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (link->phase == PHASE_DOCUMENTS) {
        return; /* Of a round that the documents overtook. */
    }
    if (link->phase != PHASE_COMPARE || !link->rows_sent || link->rows_received ||
        m->as.rows.buckets != link->differing) {
        sync_refuse(s, link, 1305, SPEAN_ESTATE);
        return;
    }
    struct spean_list rows = m->as.rows.rows;
    if ((m->as.rows.more && rows.count == 0) ||
        rows.count > SPEAN_FRONTIER_LOGS_MAX - link->rows_count) {
        sync_refuse(s, link, 1305, SPEAN_ELIMIT); /* It would never end. */
        return;
    }
    struct spean_frontier_row row;
    while (link->phase != PHASE_ENDED && spean_row_next(&rows, &row)) {
        const bool named = (link->differing >> spean_frontier_bucket(&row.log) & 1) != 0;
        if (!named || (link->rows_count > 0 && spean_id_compare(&row.log, &link->rows_log) <= 0)) {
            sync_refuse(s, link, 1305, SPEAN_EFORMAT); /* They ascend over all messages. */
            return;
        }
        link->rows_log = row.log;
        link->rows_count++;
        take_row(s, link, &row);
    }
    if (link->phase != PHASE_ENDED && !m->as.rows.more) {
        link->rows_received = true;
        begin_fetching(s, link);
    }
}

/* -- SYNCED ---------------------------------------------------------------------------------- */

/* Whether we hold less of a row of the target than was named. */
static bool is_short(const struct spean_sync *s, const struct spean_frontier_row *row)
{
    return !sync_is_excluded(s, &row->log) &&
           spean_frontier_get(s->frontier, &row->log).seq < row->head.seq;
}

/* Digest the target as far as it is held: rows that could not be had count as far as we are. */
static void digest_held(struct spean_sync *s, struct link *link, struct spean_frontier *held)
{
    sync_try(s, spean_frontier_copy(held, link->target));
    link->fell_short = false;
    for (size_t i = spean_frontier_count(held); i > 0; i--) {
        const struct spean_frontier_row row = *spean_frontier_row(held, i - 1);
        const struct spean_place none = {0};
        if (sync_is_excluded(s, &row.log)) {
            sync_try(s, spean_frontier_set(held, &row.log, &none));
        } else if (is_short(s, &row)) {
            const struct spean_place ours = spean_frontier_get(s->frontier, &row.log);
            sync_try(s, spean_frontier_set(held, &row.log, &ours));
            link->fell_short = true;
        }
    }
    spean_frontier_digest(held, excluded_of(link), &link->my_synced);
}

void sync_compare_settle(struct spean_sync *s, struct link *link)
{
    if (link->phase != PHASE_FETCH || link->synced_sent || sync_want_open(link)) {
        return;
    }
    sync_bodies_load(s, link); /* Its answer is followed by SYNCED. */
}

/* Equality is proven, so the peer holds what was compared, from whomever it came. */
static void take_as_told(struct spean_sync *s, const struct link *proven)
{
    const size_t count = spean_frontier_count(proven->target);
    struct spean_frontier_row *rows = sync_alloc(s, count * sizeof(*rows));
    size_t told = 0;
    for (size_t i = 0; rows != NULL && i < count; i++) {
        const struct spean_frontier_row row = *spean_frontier_row(proven->target, i);
        /* Not less than it told since then. */
        const bool newest = row.head.seq >= spean_frontier_get(proven->theirs, &row.log).seq;
        if (newest && !spean_excluded_has(excluded_of(proven), &row.log) && !is_short(s, &row)) {
            rows[told++] = row;
        }
        for (size_t k = 0; is_pushed(s, &row.log) && k < SPEAN_SYNC_LINKS_MAX; k++) {
            if (s->links[k] != NULL &&
                spean_key_equal(&s->links[k]->transport, &proven->transport)) {
                sync_compare_told(s, s->links[k], &row.log, &row.head);
            }
        }
    }
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_PEER_HOLDS_ALL, proven);
    effect->as.holds_all.org = proven->org;
    effect->as.holds_all.signing = proven->signing;
    effect->as.holds_all.count = told;
    effect->as.holds_all.rows = rows;
}

static void judge(struct spean_sync *s, struct link *link)
{
    if (link->digest_sent && link->exclusions_named != s->exclusions_serial) {
        sync_compare_begin(s, link); /* A log was excluded meanwhile, or no longer is. */
    } else if (spean_id_equal(&link->my_synced, &link->their_synced)) {
        take_as_told(s, link);
        sync_report(s, link, SPEAN_REPORT_EQUAL, SPEAN_OK, link->missing);
        sync_serve_since(s, link);
        sync_aside_begin(s, link);
    } else {
        sync_report(s, link, SPEAN_REPORT_UNEQUAL, SPEAN_OK, link->missing);
        sync_serve_since(s, link);
        sync_aside_begin(s, link);
    }
}

void sync_compare_send_synced(struct spean_sync *s, struct link *link)
{
    struct spean_frontier *held = NULL;
    if (spean_frontier_new(&held) != SPEAN_OK) {
        sync_no_memory(s);
        return;
    }
    const struct spean_id before = link->my_synced;
    digest_held(s, link, held);
    spean_frontier_free(held);
    const struct spean_message m = {.type = SPEAN_MESSAGE_SYNCED,
                                    .as.synced = {link->my_synced, link->missing}};
    sync_send(s, link, &m);
    const bool news = !link->synced_sent || !spean_id_equal(&before, &link->my_synced);
    link->synced_sent = true;
    if (news && link->synced_received) {
        judge(s, link);
    }
}

void sync_compare_caught_up(struct spean_sync *s, struct link *link)
{
    if (link->phase != PHASE_FETCH || !link->synced_sent || !link->fell_short) {
        return;
    }
    for (size_t i = 0; i < spean_frontier_count(link->target); i++) {
        if (is_short(s, spean_frontier_row(link->target, i))) {
            return;
        }
    }
    sync_compare_send_synced(s, link);
}

void sync_compare_synced(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (link->phase == PHASE_DOCUMENTS) {
        return; /* Of a round that the documents overtook. */
    }
    link->their_synced = m->as.synced.frontier;
    link->synced_received = true;
    if (link->synced_sent) {
        judge(s, link);
    }
}
