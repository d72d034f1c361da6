/* What status says of partners: how the last session with each of their nodes went. */
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "store/peer.h"

/* A slot for one more: a new one, or that of a node which is not connected. NULL: there is none. */
static struct spean_partner *free_slot(struct spean_core *core)
{
    if (core->partners_count < SPEAN_CORE_PARTNERS_MAX) {
        return &core->partners[core->partners_count++];
    }
    uint32_t i = 0;
    while (i < core->partners_count && core->partners[i].connected) {
        i++;
    }
    return i < core->partners_count ? &core->partners[i] : NULL;
}

/* The partner with this key. NULL: no room, or a stranger's, who must not take a partner's room. */
static struct spean_partner *partner_of(struct spean_core *core, const struct spean_key *transport)
{
    for (uint32_t i = 0; i < core->partners_count; i++) {
        if (spean_key_equal(&core->partners[i].transport, transport)) {
            return &core->partners[i];
        }
    }
    const bool inviter =
        core->joining.active && spean_key_equal(&core->joining.transport, transport);
    if (!inviter && spean_authority_log_by_transport(core->authority, transport) == NULL) {
        return NULL;
    }
    struct spean_partner *partner = free_slot(core);
    if (partner == NULL) {
        return NULL;
    }
    memset(partner, 0, sizeof(*partner));
    partner->transport = *transport;
    return partner;
}

static void note(struct spean_partner *partner, const struct spean_sync_effect *effect)
{
    switch (effect->as.report.kind) {
    case SPEAN_REPORT_SESSION_OPEN:
        partner->org = effect->as.report.org;
        partner->connected = true;
        partner->equal = false;
        partner->broke = SPEAN_OK;
        break;
    case SPEAN_REPORT_EQUAL:
    case SPEAN_REPORT_UNEQUAL:
        partner->equal = effect->as.report.kind == SPEAN_REPORT_EQUAL;
        partner->missing = effect->as.report.count;
        break;
    case SPEAN_REPORT_PEER_BROKE:
    case SPEAN_REPORT_PEER_REFUSED:
        partner->broke = effect->as.report.err;
        break;
    case SPEAN_REPORT_CLOCK:
        partner->clock_apart_s = effect->as.report.count;
        break;
    case SPEAN_REPORT_PEER_SILENT:
    case SPEAN_REPORT_UNANSWERED:
    case SPEAN_REPORT_ANSWERED:
    case SPEAN_REPORT_FORK:
    case SPEAN_REPORT_SET_ASIDE:
    case SPEAN_REPORT_OWN_LOG_AHEAD:
        break;
    }
}

static const char *name_of(enum spean_sync_report_kind kind)
{
    switch (kind) {
    case SPEAN_REPORT_SESSION_OPEN:
        return "session_open";
    case SPEAN_REPORT_EQUAL:
        return "session_equal";
    case SPEAN_REPORT_UNEQUAL:
        return "session_unequal";
    case SPEAN_REPORT_PEER_BROKE:
        return "peer_broke_rule";
    case SPEAN_REPORT_PEER_REFUSED:
        return "peer_refused_us";
    case SPEAN_REPORT_PEER_SILENT:
        return "peer_silent";
    case SPEAN_REPORT_UNANSWERED:
        return "peer_unanswered";
    case SPEAN_REPORT_ANSWERED:
        return "peer_answered";
    case SPEAN_REPORT_FORK:
        return "fork";
    case SPEAN_REPORT_CLOCK:
        return "peer_clock";
    case SPEAN_REPORT_SET_ASIDE:
        return "beyond_cut";
    case SPEAN_REPORT_OWN_LOG_AHEAD:
        return "own_log_ahead";
    }
    return "report";
}

static enum spean_journal_level level_of(enum spean_sync_report_kind kind)
{
    const bool plain = kind == SPEAN_REPORT_SESSION_OPEN || kind == SPEAN_REPORT_EQUAL ||
                       kind == SPEAN_REPORT_PEER_SILENT || kind == SPEAN_REPORT_UNANSWERED ||
                       kind == SPEAN_REPORT_ANSWERED;
    const bool grave = kind == SPEAN_REPORT_FORK || kind == SPEAN_REPORT_OWN_LOG_AHEAD;
    return plain ? SPEAN_JOURNAL_INFO : (grave ? SPEAN_JOURNAL_ERROR : SPEAN_JOURNAL_WARNING);
}

/* Note that the node at the other end was there at that time. */
static void note_met(struct spean_core *core, const struct core_link *link, uint64_t at_s)
{
    const struct spean_log *log =
        spean_authority_log_by_transport(core->authority, &link->transport);
    if (log != NULL) {
        const struct spean_peer peer = {log->org, log->signing};
        core_note_met(core, &peer, link->dialled ? SPEAN_PEER_DIALLED : SPEAN_PEER_ANSWERED, at_s);
    }
}

/* Whether there are links with a node, but for one that goes, and none of them is answered. */
static bool is_silent(const struct spean_core *core, const struct spean_key *transport,
                      uint64_t going)
{
    uint32_t count = 0;
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        const struct core_link *link = &core->links[i];
        if (link->id == 0 || link->id == going || link->lobby ||
            !spean_key_equal(&link->transport, transport)) {
            continue;
        }
        if (!link->unanswered) {
            return false;
        }
        count++;
    }
    return count > 0;
}

void core_partner_report(struct spean_core *core, struct core_link *link,
                         const struct spean_sync_effect *effect)
{
    const enum spean_sync_report_kind kind = effect->as.report.kind;
    char short_org[9];
    (void)snprintf(short_org, sizeof(short_org), "%02x%02x%02x%02x", effect->as.report.org.bytes[0],
                   effect->as.report.org.bytes[1], effect->as.report.org.bytes[2],
                   effect->as.report.org.bytes[3]);
    SPEAN_JOURNAL_EVENT(core->journal, level_of(kind), name_of(kind),
                        spean_journal_number("link", effect->link),
                        spean_journal_text("org", short_org),
                        spean_journal_text("err", spean_err_name(effect->as.report.err)),
                        spean_journal_number("count", effect->as.report.count));
    if (link == NULL) {
        return;
    }
    if (kind == SPEAN_REPORT_UNANSWERED || kind == SPEAN_REPORT_ANSWERED) {
        link->unanswered = kind == SPEAN_REPORT_UNANSWERED;
    }
    if (kind == SPEAN_REPORT_SESSION_OPEN || kind == SPEAN_REPORT_EQUAL) {
        note_met(core, link, core_now_s());
    }
    if (kind == SPEAN_REPORT_EQUAL) {
        core_dial_worked(core, link);
    }
    (void)pthread_rwlock_wrlock(&core->lock);
    struct spean_partner *partner = partner_of(core, &link->transport);
    if (partner != NULL) {
        note(partner, effect);
        partner->silent = is_silent(core, &link->transport, 0);
    }
    (void)pthread_rwlock_unlock(&core->lock);
}

/* Whether there is another link with the same node: both may have dialled. */
static bool has_other(const struct spean_core *core, const struct core_link *link)
{
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        const struct core_link *other = &core->links[i];
        if (other->id != 0 && other->id != link->id && !other->lobby &&
            spean_key_equal(&other->transport, &link->transport)) {
            return true;
        }
    }
    return false;
}

void core_partner_down(struct spean_core *core, const struct core_link *link)
{
    const bool other = has_other(core, link);
    bool was_connected = false;
    (void)pthread_rwlock_wrlock(&core->lock);
    for (uint32_t i = 0; i < core->partners_count; i++) {
        struct spean_partner *partner = &core->partners[i];
        if (!spean_key_equal(&partner->transport, &link->transport)) {
            continue;
        }
        partner->silent = is_silent(core, &link->transport, link->id);
        if (!other) {
            was_connected = was_connected || partner->connected;
            partner->connected = false;
            partner->clock_apart_s = 0; /* The next session compares clocks first. */
        }
    }
    (void)pthread_rwlock_unlock(&core->lock);
    if (was_connected && link->heard_s > 0) {
        note_met(core, link, link->heard_s); /* It was there until then. */
    }
}
