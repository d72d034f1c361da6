/* Telling a fork from a repetition, making evidence of it and passing it on (P5.8, P13.7). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/evidence.h"
#include "protocol/sync_internal.h"

static void load_ours(struct spean_sync *s, struct link *link, const struct want *w,
                      const struct spean_place *after)
{
    struct spean_place *place = sync_alloc(s, sizeof(*place));
    if (place == NULL) {
        return;
    }
    *place = *after;
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_RUN, link);
    effect->as.load_run.purpose = SPEAN_LOAD_COMPARE;
    effect->as.load_run.want = w->id;
    effect->as.load_run.log = w->log;
    effect->as.load_run.places = place;
    effect->as.load_run.places_count = after->seq > 0;
    effect->as.load_run.headers = true;
    effect->as.load_run.bytes_max = SPEAN_RUN_BYTES_MAX;
    effect->as.load_run.org = s->config.org;
}

void sync_fork_suspect(struct spean_sync *s, struct link *link, struct want *w,
                       struct spean_view run, const struct spean_place *after)
{
    const struct spean_log *log = spean_authority_log(s->authority, &w->log);
    spean_err err = log == NULL ? SPEAN_EDENIED : spean_run_decode(s->other, run, &w->log, after);
    if (err == SPEAN_OK) {
        const struct spean_place cut = {log->cut.seq, log->cut.entry};
        err = spean_run_verify(s->other, &log->signing, log->cut.closed ? &cut : NULL);
    }
    if (err != SPEAN_OK) {
        sync_refuse(s, link, 507, err); /* Nobody is accused by what does not verify. */
        return;
    }
    w->suspect = malloc(run.len);
    if (w->suspect == NULL) {
        sync_no_memory(s);
        return;
    }
    memcpy(w->suspect, run.data, run.len);
    w->suspect_len = run.len;
    w->suspect_after = *after;
    w->suspect_seen = 0;
    sync_want_suspected(s, link, w, spean_run_size(s->other));
    load_ours(s, link, w, after);
}

/* Entries first and above of a decoded run as a run without bodies. */
static bool tail_of(struct spean_sync *s, const struct spean_run *run, uint32_t first,
                    struct spean_view *out)
{
    const uint32_t count = spean_run_count(run) - first;
    struct spean_run_source *sources = sync_alloc(s, count * sizeof(*sources));
    uint8_t *buf = sync_alloc(s, SPEAN_EVIDENCE_BYTES_MAX);
    if (sources == NULL || buf == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        sources[i].header = spean_run_entry(run, first + i)->header_bytes;
        sources[i].body = (struct spean_view){0};
    }
    const spean_err err = spean_run_encode(sources, count, spean_run_signature(run), buf,
                                           SPEAN_EVIDENCE_BYTES_MAX, out);
    sync_try(s, err);
    return err == SPEAN_OK;
}

/* Tell every session, and stop asking for the log: each node keeps the chain it has. */
static void spread(struct spean_sync *s, const struct spean_id *log, struct spean_view bytes)
{
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_EVIDENCE, NULL);
    effect->as.evidence.log = *log;
    effect->as.evidence.bytes = bytes;
    sync_report(s, NULL, SPEAN_REPORT_FORK, SPEAN_EFORK, 0);
    (void)sync_want_abandon(s, log); /* Whether it was asked for or not. */
    sync_exclude(s, log);
    const struct spean_message m = {.type = SPEAN_MESSAGE_EVIDENCE, .as.evidence = bytes};
    for (size_t i = 0; i < SPEAN_SYNC_LINKS_MAX; i++) {
        struct link *link = s->links[i];
        if (link == NULL || link->phase < PHASE_COMPARE || link->phase > PHASE_FETCH) {
            continue;
        }
        sync_send(s, link, &m);
        if (link->phase == PHASE_FETCH) {
            sync_compare_begin(s, link);
        }
    }
}

/* Ours and theirs differ at entry ours_at of s->run, theirs_at of s->other. */
static void prove(struct spean_sync *s, const struct want *w, uint32_t ours_at, uint32_t theirs_at)
{
    struct spean_evidence e = {.log = w->log, .after = w->suspect_after};
    if (theirs_at > 0) {
        const struct spean_run_entry *last = spean_run_entry(s->other, theirs_at - 1);
        e.after = (struct spean_place){last->header.seq, last->id};
    }
    uint8_t *buf = sync_alloc(s, SPEAN_EVIDENCE_BYTES_MAX);
    struct spean_view bytes = {0};
    if (buf == NULL || !tail_of(s, s->run, ours_at, &e.runs[0]) ||
        !tail_of(s, s->other, theirs_at, &e.runs[1])) {
        return;
    }
    const spean_err err = spean_evidence_encode(&e, buf, SPEAN_EVIDENCE_BYTES_MAX, &bytes);
    assert(err == SPEAN_OK); /* Any two runs fit. */
    const struct spean_id log = w->log;
    if (spean_id_equal(&log, &s->own_log)) {
        sync_report(s, NULL, SPEAN_REPORT_OWN_LOG_AHEAD, SPEAN_EFORK, spean_run_last(s->other).seq);
    }
    spread(s, &log, bytes);
}

/* No difference so far: go on with more of ours, or of theirs. */
static void look_further(struct spean_sync *s, struct link *link, struct want *w, bool more)
{
    if (w->suspect_seen < spean_run_count(s->other)) {
        if (!more) {
            /* Our head is on its chain, so it had to start above it (P13.6). */
            sync_refuse(s, link, 1306, SPEAN_EEXISTS);
            return;
        }
        const struct spean_run_entry *last = spean_run_entry(s->other, w->suspect_seen - 1);
        const struct spean_place after = {last->header.seq, last->id};
        load_ours(s, link, w, &after);
        return;
    }
    /* A repetition. The next run follows it: its end is one more place that both sides share. */
    const struct spean_place last = spean_run_last(s->other);
    free(w->suspect);
    w->suspect = NULL;
    if (w->places_count < SPEAN_PLACES_MAX) {
        w->places_count++;
    }
    w->places[w->places_count - 1] = last;
    sync_want_repeated(s, link, w);
}

void sync_fork_loaded(struct spean_sync *s, struct link *link, struct want *w,
                      const struct spean_sync_event *event)
{
    struct spean_place after = w->suspect_after;
    const struct spean_view theirs = {w->suspect, w->suspect_len};
    spean_err err = spean_run_decode(s->other, theirs, &w->log, &after);
    assert(err == SPEAN_OK); /* It was decoded when it came. */
    if (w->suspect_seen > 0) {
        const struct spean_run_entry *last = spean_run_entry(s->other, w->suspect_seen - 1);
        after = (struct spean_place){last->header.seq, last->id};
    }
    err = event->as.loaded_run.served && event->as.loaded_run.run.len > 0
              ? spean_run_decode(s->run, event->as.loaded_run.run, &w->log, &after)
              : SPEAN_ENOTFOUND;
    if (err != SPEAN_OK) {
        sync_want_close(s, link, w); /* Cut or moved meanwhile: another session looks again. */
        return;
    }
    const uint32_t before = w->suspect_seen;
    uint32_t i = 0;
    while (i < spean_run_count(s->run) && before + i < spean_run_count(s->other)) {
        if (!spean_id_equal(&spean_run_entry(s->run, i)->id,
                            &spean_run_entry(s->other, before + i)->id)) {
            prove(s, w, i, before + i);
            return;
        }
        i++;
    }
    w->suspect_seen = before + i;
    look_further(s, link, w, event->as.loaded_run.more);
}

void sync_fork_evidence(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    struct spean_evidence e;
    spean_err err = spean_evidence_decode(m->as.evidence, &e);
    const struct spean_log *log =
        err == SPEAN_OK ? spean_authority_log(s->authority, &e.log) : NULL;
    if (err == SPEAN_OK && (log == NULL || log->cut.closed || sync_is_excluded(s, &e.log))) {
        return; /* Not ours to judge, settled by a cut, or known. */
    }
    if (err == SPEAN_OK) {
        err = spean_evidence_verify(&e, &log->signing, NULL, s->other);
    }
    if (err != SPEAN_OK) {
        sync_refuse(s, link, 508, err);
        return;
    }
    spread(s, &e.log, m->as.evidence);
}
