#include "node/trail.h"

#include <stdlib.h>
#include <string.h>

#include "node/json_value.h"
#include "protocol/body.h"
#include "protocol/heads.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/fold.h"
#include "store/logs.h"
#include "store/peer.h"

#define HEADS_SCAN_MAX 65536u /* Entries of a log that are looked through, from its end. */

/* What proves that something reached somebody; the earliest that is known counts. */
struct proof {
    bool found;
    uint64_t at_s;
    struct spean_id by;
    const char *how;
};

static void take_proof(struct proof *proof, uint64_t at_s, const struct spean_id *by,
                       const char *how)
{
    if (!proof->found || at_s < proof->at_s) {
        *proof = (struct proof){true, at_s, *by, how};
    }
}

/* Where the referral was sent: the log and entry of the first step send. */
struct sent {
    const struct spean_log *log;
    uint64_t seq;
    uint64_t at_s;
};

static const struct spean_field *steps_field(const struct spean_records_item *item, uint64_t number)
{
    const struct spean_part *part = item->parts[SPEAN_PART_STEPS];
    return part == NULL ? NULL : spean_part_find(part, number, SPEAN_KIND_LIST);
}

static const struct spean_log *log_of(const struct spean_records *at, uint64_t short_name)
{
    uint8_t name[SPEAN_SHORT_BYTES];
    spean_u64_put(name, short_name);
    return spean_authority_log_by_short(at->view.authority, name);
}

static bool find_sent(const struct spean_records *at, const struct spean_records_item *item,
                      const struct spean_referral_now *now, struct sent *out)
{
    const struct spean_field *field = steps_field(item, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS);
    for (size_t i = 0; field != NULL && i < now->of_origin.count; i++) {
        const struct spean_referral_item *step = &now->of_origin.items[i];
        struct spean_write write;
        if (step->step != SPEAN_STEP_SEND) {
            continue;
        }
        spean_field_get_write(field, now->of_origin.writes[i], &write);
        *out = (struct sent){log_of(at, step->name.log), step->name.seq, write.time};
        return out->log != NULL;
    }
    return false;
}

/* -- Peers ------------------------------------------------------------------------------------- */

/* Whoever said that it holds the entry. When it said so is not kept: it had by our last contact. */
static spean_err look_at_peers(const struct spean_records *at, const struct sent *sent,
                               const struct spean_id *target, struct proof *left,
                               struct proof *arrived)
{
    struct spean_peer_row row;
    struct spean_peer before;
    spean_err err = spean_peer_next(at->view.tx, NULL, &row);
    while (err == SPEAN_OK) {
        struct spean_place place;
        err = spean_peer_head(at->view.tx, &row.peer, &sent->log->id, &place);
        if (err == SPEAN_OK && place.seq >= sent->seq &&
            !spean_id_equal(&row.peer.org, &sent->log->org)) {
            /* A session that stands may have begun before the entry was written. */
            const uint64_t at_s = row.contact_s > sent->at_s ? row.contact_s : sent->at_s;
            take_proof(left, at_s, &row.peer.org, "direct");
            if (spean_id_equal(&row.peer.org, target)) {
                take_proof(arrived, at_s, &row.peer.org, "direct");
            }
        }
        if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
            before = row.peer;
            err = spean_peer_next(at->view.tx, &before, &row);
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Heads entries ----------------------------------------------------------------------------- */

/* Whether a heads entry names the log up to seq at least. rows is room for its own. */
static bool names_it(const struct spean_records *at, const struct spean_logs_row *log,
                     const struct spean_run_entry *entry, const struct sent *sent,
                     struct spean_heads_row *rows)
{
    struct spean_view body;
    struct spean_view content;
    uint32_t count = 0;
    if (spean_body_get(at->view.tx, log->number, &entry->header, &body) != SPEAN_OK ||
        spean_body_unwrap(body, &content) != SPEAN_OK ||
        spean_heads_decode(content, rows, &count) != SPEAN_OK) {
        return false;
    }
    const uint64_t name = spean_short_of(&sent->log->id);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].log == name && rows[i].seq >= sent->seq) {
            return true;
        }
    }
    return false;
}

/* Find the first heads entry of a log that proves it. */
static spean_err scan_heads(const struct spean_records *at, const struct spean_logs_row *log,
                            const struct sent *sent, struct spean_heads_row *rows, bool *found,
                            uint64_t *at_s)
{
    const uint64_t head = log->head.seq;
    struct spean_entries_scan scan;
    struct spean_run_entry entry;
    spean_err err = spean_entries_scan_init(&scan, at->view.tx, log,
                                            head > HEADS_SCAN_MAX ? head - HEADS_SCAN_MAX : 1);
    if (err != SPEAN_OK) {
        return err;
    }
    *found = false;
    while (err == SPEAN_OK && !*found) {
        err = spean_entries_scan_next(&scan, &entry);
        if (err == SPEAN_OK && entry.header.kind == SPEAN_ENTRY_HEADS) {
            *found = names_it(at, log, &entry, sent, rows);
            *at_s = entry.header.time;
        }
    }
    spean_entries_scan_fini(&scan);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err look_at_heads(const struct spean_records *at, const struct sent *sent,
                               const struct spean_id *target, struct proof *arrived)
{
    struct spean_heads_row *rows = calloc(SPEAN_HEADS_ROWS_MAX, sizeof(*rows));
    struct spean_logs_row log;
    uint32_t from = 0;
    spean_err err = rows == NULL ? SPEAN_ENOMEM : spean_logs_next(at->view.tx, from, &log);
    while (err == SPEAN_OK) {
        uint64_t seen = 0;
        uint64_t said = 0;
        uint64_t at_s = 0;
        bool found = false;
        from = log.number + 1;
        if (spean_id_equal(&log.org, target)) {
            err = spean_fold_seen(at->view.tx, log.number, spean_short_of(&sent->log->id), &seen,
                                  &said);
        }
        if (err == SPEAN_OK && seen >= sent->seq) {
            err = scan_heads(at, &log, sent, rows, &found, &at_s);
        }
        if (err == SPEAN_OK && found) {
            take_proof(arrived, at_s, target, "heads");
        }
        if (err == SPEAN_OK) {
            err = spean_logs_next(at->view.tx, from, &log);
        }
    }
    free(rows);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Steps ------------------------------------------------------------------------------------- */

/* The first step of the target proves that it arrived, and that somebody has seen it. */
static void look_at_steps(const struct spean_records_item *item,
                          const struct spean_referral_now *now, struct proof *arrived,
                          struct proof *seen)
{
    const struct spean_field *field = steps_field(item, SPEAN_FIELD_REFERRAL_TARGET_STEPS);
    for (size_t i = 0; field != NULL && i < now->of_target.count; i++) {
        struct spean_write write;
        spean_field_get_write(field, now->of_target.writes[i], &write);
        take_proof(arrived, write.time, &write.org, "step");
        take_proof(seen, write.time, &write.org, "step");
    }
}

/* When the run with it came to this very node. */
static spean_err look_here(const struct spean_records *at, const struct sent *sent,
                           struct proof *arrived)
{
    struct spean_logs_row row;
    struct spean_arrival arrival;
    spean_err err = spean_logs_get(at->view.tx, &sent->log->id, &row);
    if (err == SPEAN_OK) {
        err = spean_logs_next_arrival(at->view.tx, row.number, sent->seq, &arrival);
    }
    if (err == SPEAN_OK) {
        take_proof(arrived, arrival.time, spean_core_org(at->view.core), "here");
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Showing ----------------------------------------------------------------------------------- */

static bool append(struct spean_records *at, json_t *trail, const char *event,
                   const struct proof *proof)
{
    if (!proof->found) {
        return true;
    }
    json_t *row = json_pack("{s:s, s:s}", "event", event, "proof", proof->how);
    const bool done = row != NULL && spean_json_set_time(row, "at", proof->at_s) &&
                      spean_json_set_org(row, "by", &proof->by, &at->names);
    if (!done) {
        json_decref(row);
        return false;
    }
    return json_array_append_new(trail, row) == 0;
}

/* What became of it: each step of the target after which its track is in another state. */
static bool append_states(struct spean_records *at, const struct spean_records_item *item,
                          const struct spean_referral_now *now, json_t *trail)
{
    const struct spean_field *field = steps_field(item, SPEAN_FIELD_REFERRAL_TARGET_STEPS);
    for (size_t place = 0; field != NULL && place < now->of_target.count; place++) {
        const size_t i = spean_referral_steps_at(&now->of_target, place);
        const enum spean_referral_step step = now->of_target.items[i].step;
        struct spean_write write;
        if (step == SPEAN_STEP_RECEIVE || step == SPEAN_STEP_NOTE ||
            step == SPEAN_STEP_ACK_CANCEL || step == SPEAN_STEP_UNKNOWN) {
            continue;
        }
        spean_field_get_write(field, now->of_target.writes[i], &write);
        const struct proof proof = {true, write.time, write.org, "step"};
        if (!append(at, trail, spean_referral_track_name(now->of_target.marks[i].after), &proof)) {
            return false;
        }
    }
    return true;
}

static spean_err fill(struct spean_records *at, const struct spean_records_item *item,
                      const struct spean_referral_now *now, json_t *trail)
{
    struct sent sent;
    struct proof left = {.found = false};
    struct proof arrived = {.found = false};
    struct proof seen = {.found = false};
    if (!find_sent(at, item, now, &sent)) {
        return SPEAN_OK;
    }
    const struct proof saved = {true, sent.at_s, now->origin, "log"};
    spean_err err = look_at_peers(at, &sent, &now->target, &left, &arrived);
    if (err == SPEAN_OK) {
        err = look_at_heads(at, &sent, &now->target, &arrived);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    look_at_steps(item, now, &arrived, &seen);
    if (now->side == SPEAN_SIDE_TARGET) {
        err = look_here(at, &sent, &arrived);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (!left.found) {
        left = arrived; /* What arrived was sent. */
    }
    return append(at, trail, "saved", &saved) && append(at, trail, "sent", &left) &&
                   append(at, trail, "arrived", &arrived) && append(at, trail, "seen", &seen) &&
                   append_states(at, item, now, trail)
               ? SPEAN_OK
               : SPEAN_ENOMEM;
}

spean_err spean_trail_show(struct spean_records *at, const struct spean_records_item *item,
                           const struct spean_referral_now *now, json_t *object)
{
    json_t *trail = json_array();
    if (trail == NULL || json_object_set_new(object, "trail", trail) != 0) {
        return SPEAN_ENOMEM;
    }
    return fill(at, item, now, trail);
}
