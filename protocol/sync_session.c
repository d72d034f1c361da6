/* Opening a session: HELLO, the lobby, and the exchange of documents (P12, P13.2, P13.3). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/sync_internal.h"
#include "protocol/writer.h"

#define TITLES_PER_MESSAGE 300u /* With as many heads as may be, they fit a frame. */
#define TITLE_BYTES_MAX    48u  /* Array, version, id. */
#define CHAIN_BYTES_MAX    (48u + SPEAN_MESSAGE_HEADS_MAX * TITLE_BYTES_MAX)
#define NAMES_MAX          (2u * SPEAN_DOCUMENT_VERSIONS_MAX)
#define OFFER_VERSIONS_MAX 64u /* A node that was retired lacks the newest few. */

/* -- HELLO ----------------------------------------------------------------------------------- */

static void send_hello(struct spean_sync *s, struct link *link)
{
    struct spean_message m = {.type = SPEAN_MESSAGE_HELLO};
    struct spean_hello *hello = &m.as.hello;
    hello->lowest = SPEAN_VERSION_LOWEST;
    hello->highest = SPEAN_VERSION_HIGHEST;
    hello->handle = s->config.handle;
    hello->org = s->config.org;
    hello->signing = s->config.signing;
    hello->time = s->now_s;
    spean_authority_digest(s->authority, &hello->authority);
    sync_compare_snapshot(s, link);
    hello->frontier = link->my_synced;
    sync_send(s, link, &m);
}

static void send_join(struct spean_sync *s, struct link *link, struct spean_view join)
{
    uint8_t *copy = sync_alloc(s, join.len);
    if (copy != NULL) {
        memcpy(copy, join.data, join.len);
        sync_effect(s, SPEAN_SYNC_SEND, link)->as.message = (struct spean_view){copy, join.len};
    }
}

/* Behind STANDING 4 HELLO was said, and a JOIN has no place any more (P12.3, P13.1), however long
 * the documents take that make us a member here. */
void sync_session_ask_again(struct spean_sync *s, struct link *link, struct spean_view join)
{
    if (link != NULL && link->mode == SPEAN_LINK_JOINING && link->phase == PHASE_LOBBY) {
        send_join(s, link, join);
    }
}

void sync_session_up(struct spean_sync *s, struct link *link, struct spean_view join)
{
    if (link->mode == SPEAN_LINK_JOINING) {
        send_join(s, link, join);
    } else if (link->mode == SPEAN_LINK_MEMBER && link->dialled) {
        send_hello(s, link); /* P13.2: the dialler speaks first. */
    }
}

static void check_clock(struct spean_sync *s, const struct link *link, uint64_t theirs)
{
    const uint64_t apart = theirs > s->now_s ? theirs - s->now_s : s->now_s - theirs;
    if (apart > SYNC_CLOCK_TOLERANCE_S) {
        sync_report(s, link, SPEAN_REPORT_CLOCK, SPEAN_OK, apart);
    }
}

static void begin_titles(struct spean_sync *s, struct link *link);

/* Both HELLOs are there: skip what is equal already. */
static void after_hello(struct spean_sync *s, struct link *link, const struct spean_hello *hello)
{
    struct spean_id authority;
    spean_authority_digest(s->authority, &authority);
    sync_report(s, link, SPEAN_REPORT_SESSION_OPEN, SPEAN_OK, 0);
    if (!spean_id_equal(&authority, &hello->authority)) {
        begin_titles(s, link);
        return;
    }
    link->agreed = authority;
    if (spean_id_equal(&hello->frontier, &link->my_synced)) {
        sync_compare_equal(s, link);
    } else {
        sync_compare_begin(s, link);
    }
}

void sync_session_hello(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    const struct spean_hello *hello = &m->as.hello;
    if (link->hello_received) {
        sync_refuse(s, link, 1302, SPEAN_ESTATE);
        return;
    }
    if (hello->lowest > SPEAN_VERSION_HIGHEST || hello->highest < SPEAN_VERSION_LOWEST) {
        sync_refuse(s, link, 1302, SPEAN_EVERSION);
        return;
    }
    if (!spean_handle_equal(&hello->handle, &s->config.handle)) {
        sync_refuse(s, link, 1302, SPEAN_EDENIED);
        return;
    }
    const struct spean_log *peer =
        spean_authority_peer(s->authority, &link->transport, &hello->org, &hello->signing);
    /* Whom we joined through is proven by the invitation's transport key alone (P12.4). */
    if (peer == NULL && link->mode != SPEAN_LINK_JOINING) {
        sync_refuse(s, link, 1302, SPEAN_EDENIED);
        return;
    }
    link->hello_received = true;
    link->org = hello->org;
    link->signing = hello->signing;
    check_clock(s, link, hello->time);
    if (!link->dialled) {
        send_hello(s, link);
    }
    after_hello(s, link, hello);
}

/* -- Lobby ----------------------------------------------------------------------------------- */

static void put_documents(struct spean_sync *s, struct link *link, struct spean_list list,
                          bool lobby)
{
    struct spean_view *documents = sync_alloc(s, list.count * sizeof(*documents) + 1);
    if (documents == NULL) {
        return;
    }
    uint32_t count = 0;
    while (spean_document_next(&list, &documents[count])) {
        count++;
    }
    if (count == 0) {
        return;
    }
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_PUT_DOCUMENTS, link);
    effect->as.put_documents.documents = documents;
    effect->as.put_documents.count = count;
    effect->as.put_documents.lobby = lobby;
    link->puts++;
}

/* We dialled the node that invited us. */
static void joining_message(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (m->type == SPEAN_MESSAGE_CHALLENGE) {
        struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOBBY_ANSWER, link);
        effect->as.answer.challenge = true;
        memcpy(effect->as.answer.fresh, m->as.fresh, sizeof(m->as.fresh));
        return;
    }
    if (m->type == SPEAN_MESSAGE_STANDING) {
        struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOBBY_ANSWER, link);
        effect->as.answer.standing = (uint32_t)m->as.number; /* Decoding has bounded it. */
        if (m->as.number == SPEAN_STANDING_MEMBER) {
            link->phase = PHASE_HELLO;
            send_hello(s, link);
        } else if (spean_standing_is_final(m->as.number)) {
            sync_end(s, link, SPEAN_OK); /* Asking again would change nothing (P12.3). */
        }
        return;
    }
    if (m->type == SPEAN_MESSAGE_REFUSE) {
        sync_report(s, link, SPEAN_REPORT_PEER_REFUSED, SPEAN_EDENIED, m->as.refuse.rule);
        sync_end(s, link, SPEAN_EDENIED);
        return;
    }
    sync_refuse(s, link, 1202, SPEAN_ESTATE);
}

/* We dialled, and are told that our own log is closed: the documents say so, or say nothing. */
void sync_session_offered(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    put_documents(s, link, m->as.documents.documents, true);
}

/* The charter names a newcomer by now: whether it asks again or not. */
void sync_session_admitted(struct spean_sync *s, struct link *link)
{
    const struct spean_message m = {.type = SPEAN_MESSAGE_STANDING,
                                    .as.number = SPEAN_STANDING_MEMBER};
    sync_send(s, link, &m);
}

/* -- TITLES ---------------------------------------------------------------------------------- */

static void write_titles(struct spean_writer *w, const struct spean_authority *a,
                         const struct spean_id *chain)
{
    struct spean_title heads[SPEAN_MESSAGE_HEADS_MAX];
    uint32_t count = spean_authority_heads(a, chain, heads, SPEAN_MESSAGE_HEADS_MAX);
    count = count < SPEAN_MESSAGE_HEADS_MAX ? count : SPEAN_MESSAGE_HEADS_MAX;
    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(w, 2);
        spean_writer_uint(w, heads[i].version);
        spean_writer_bin(w, heads[i].id.bytes, sizeof(heads[i].id.bytes));
    }
}

/* Without the head of the array, which a list in a message carries as its count. */
static struct spean_list list_titles(struct spean_sync *s, const struct spean_id *chain)
{
    struct spean_list list = {0};
    uint8_t *buf = sync_alloc(s, CHAIN_BYTES_MAX);
    if (buf == NULL || chain == NULL) {
        return list;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, CHAIN_BYTES_MAX);
    write_titles(&w, s->authority, chain);
    struct spean_view bytes = {0};
    if (spean_writer_end(&w, &bytes) != SPEAN_OK) {
        return list;
    }
    /* At most 15 heads, so the array's own head is one byte. */
    list.count = bytes.data[0] & 0x0fu;
    list.bytes = (struct spean_view){bytes.data + 1, bytes.len - 1};
    return list;
}

/* The chains of orgs first to end of the authority's list; those without statements are left out.
 */
static struct spean_list list_chains(struct spean_sync *s, uint32_t first, uint32_t end)
{
    struct spean_list list = {0};
    const size_t cap = (size_t)(end - first) * CHAIN_BYTES_MAX + 1;
    uint8_t *buf = sync_alloc(s, cap < SPEAN_FRAME_BYTES_MAX ? cap : SPEAN_FRAME_BYTES_MAX);
    if (buf == NULL) {
        return list;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, cap < SPEAN_FRAME_BYTES_MAX ? cap : SPEAN_FRAME_BYTES_MAX);
    for (uint32_t i = first; i < end; i++) {
        const struct spean_authority_org org = spean_authority_org_at(s->authority, i);
        if (org.heads_count == 0 || !org.named) {
            continue; /* P12.3: nobody hears of a newcomer before the charter names it. */
        }
        spean_writer_array(&w, 2);
        spean_writer_bin(&w, org.id.bytes, sizeof(org.id.bytes));
        write_titles(&w, s->authority, &org.id);
        list.count++;
    }
    if (spean_writer_end(&w, &list.bytes) != SPEAN_OK) {
        sync_no_memory(s);
    }
    return list;
}

static void send_titles(struct spean_sync *s, struct link *link)
{
    const struct spean_ledger *ledger = spean_authority_ledger(s->authority);
    const uint32_t orgs = spean_authority_orgs_count(s->authority);
    uint32_t first = 0;
    do {
        const uint32_t left = orgs - first;
        const uint32_t end = first + (left < TITLES_PER_MESSAGE ? left : TITLES_PER_MESSAGE);
        struct spean_message m = {.type = SPEAN_MESSAGE_TITLES};
        if (ledger != NULL && first == 0) {
            const struct spean_id id = ledger->id;
            m.as.titles.charter = list_titles(s, &id);
        }
        m.as.titles.orgs = list_chains(s, first, end);
        m.as.titles.more = end < orgs;
        sync_send(s, link, &m);
        first = end;
    } while (first < orgs);
    link->titles_sent = true;
}

static void begin_titles(struct spean_sync *s, struct link *link)
{
    link->phase = PHASE_DOCUMENTS;
    link->documents_sent = false;
    link->documents_received = false;
    send_titles(s, link);
}

/* Keep the heads of one chain for later. */
static void keep_chain(struct spean_sync *s, struct link *link, const struct spean_id *chain,
                       struct spean_list titles)
{
    if (link->their_chains_count > SPEAN_MEMBERS_MAX) {
        sync_refuse(s, link, 1303, SPEAN_ELIMIT);
        return;
    }
    const size_t titles_count = link->their_titles_count + titles.count;
    struct spean_title *all =
        realloc(link->their_titles, (titles_count + 1) * sizeof(*link->their_titles));
    struct their_chain *chains =
        realloc(link->their_chains, (link->their_chains_count + 1) * sizeof(*link->their_chains));
    link->their_titles = all != NULL ? all : link->their_titles;
    link->their_chains = chains != NULL ? chains : link->their_chains;
    if (all == NULL || chains == NULL) {
        sync_no_memory(s);
        return;
    }
    struct their_chain *kept = &chains[link->their_chains_count++];
    *kept = (struct their_chain){*chain, link->their_titles_count, titles.count};
    struct spean_title *title = &all[link->their_titles_count];
    while (spean_title_next(&titles, &title->version, &title->id)) {
        title = &all[++link->their_titles_count];
    }
}

static void names_add(struct spean_document_name **names, uint32_t *count,
                      const struct spean_id *chain, const struct spean_title *titles,
                      uint32_t titles_count, struct spean_sync *s)
{
    if (titles_count == 0 || titles_count > NAMES_MAX - *count) {
        return;
    }
    struct spean_document_name *all = realloc(*names, (*count + titles_count) * sizeof(**names));
    if (all == NULL) {
        sync_no_memory(s);
        return;
    }
    for (uint32_t i = 0; i < titles_count; i++) {
        all[*count + i] = (struct spean_document_name){*chain, titles[i]};
    }
    *names = all;
    *count += titles_count;
}

/* Add to names what the peer lacks of one of our chains. */
static void name_chain(struct spean_sync *s, const struct link *link, const struct spean_id *chain,
                       struct spean_document_name **names, uint32_t *count)
{
    const struct spean_title *heads = NULL;
    uint32_t heads_count = 0;
    for (uint32_t i = 0; i < link->their_chains_count; i++) {
        if (spean_id_equal(&link->their_chains[i].chain, chain)) {
            heads = &link->their_titles[link->their_chains[i].first];
            heads_count = link->their_chains[i].count;
        }
    }
    struct spean_title *titles = NULL;
    uint32_t titles_count = 0;
    const spean_err err =
        spean_authority_lacking(s->authority, chain, heads, heads_count, &titles, &titles_count);
    if (err == SPEAN_ENOMEM) {
        sync_no_memory(s);
    }
    if (err == SPEAN_OK) {
        names_add(names, count, chain, titles, titles_count, s);
    }
    free(titles);
}

/* Ask for documents by a copy of their names that lives as long as the effect. */
static void lend_names(struct spean_sync *s, struct link *link,
                       const struct spean_document_name *names, uint32_t count)
{
    struct spean_document_name *lent = sync_alloc(s, count * sizeof(*lent) + 1);
    if (lent == NULL) {
        return;
    }
    if (count > 0) {
        memcpy(lent, names, count * sizeof(*lent));
    }
    struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOAD_DOCUMENTS, link);
    effect->as.load_documents.names = lent;
    effect->as.load_documents.count = count;
}

/* Both TITLES are complete: load what the peer lacks, the charter first (P13.3). */
static void load_documents(struct spean_sync *s, struct link *link)
{
    struct spean_document_name *names = NULL;
    uint32_t count = 0;
    const struct spean_ledger *ledger = spean_authority_ledger(s->authority);
    if (ledger != NULL) {
        const struct spean_id id = ledger->id;
        name_chain(s, link, &id, &names, &count);
    }
    for (uint32_t i = 0; i < spean_authority_orgs_count(s->authority); i++) {
        const struct spean_authority_org org = spean_authority_org_at(s->authority, i);
        if (org.named) {
            name_chain(s, link, &org.id, &names, &count);
        }
    }
    lend_names(s, link, names, count);
    free(names);
}

static void forget_titles(struct link *link)
{
    link->titles_received = false;
    link->their_titles_count = 0;
    link->their_chains_count = 0;
    link->titles_messages = 0;
    memset(&link->titles_org, 0, sizeof(link->titles_org));
}

/* The peer has all of this round and may begin the next, while what it gave is still written. */
static bool may_begin_next(const struct link *link)
{
    return link->phase == PHASE_DOCUMENTS && link->titles_received && !link->titles_ahead &&
           link->documents_sent && link->documents_received;
}

void sync_session_titles(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (may_begin_next(link)) {
        forget_titles(link);
        link->titles_ahead = true;
    }
    if (link->titles_received) {
        sync_refuse(s, link, 1303, SPEAN_ESTATE);
        return;
    }
    if (link->titles_messages == SPEAN_MEMBERS_MAX) {
        sync_refuse(s, link, 1303, SPEAN_ELIMIT);
        return;
    }
    /* The ledger is the same (P13.2), so its chain needs no name in TITLES. */
    const struct spean_ledger *ledger = spean_authority_ledger(s->authority);
    if (m->as.titles.charter.count > 0 && ledger != NULL) {
        const struct spean_id id = ledger->id;
        keep_chain(s, link, &id, m->as.titles.charter);
    }
    struct spean_list orgs = m->as.titles.orgs;
    struct spean_id org;
    struct spean_list titles;
    while (link->phase != PHASE_ENDED && spean_chain_next(&orgs, &org, &titles)) {
        if (link->titles_messages > 0 && spean_id_compare(&org, &link->titles_org) <= 0) {
            sync_refuse(s, link, 1303, SPEAN_EFORMAT); /* They ascend over all messages. */
            return;
        }
        keep_chain(s, link, &org, titles);
    }
    if (m->as.titles.orgs.count > 0) {
        link->titles_org = org;
    }
    link->titles_messages++;
    if (link->phase == PHASE_ENDED || m->as.titles.more) {
        return;
    }
    link->titles_received = true;
    link->digest_received = false; /* What it said before its TITLES is out of date. */
    link->rows_received = false;
    if (link->titles_ahead) {
        return; /* Their turn comes when this round is over. */
    }
    if (!link->titles_sent) {
        begin_titles(s, link); /* The peer began this round. */
    }
    load_documents(s, link);
}

/* -- DOCUMENTS ------------------------------------------------------------------------------- */

static void send_list(struct spean_sync *s, struct link *link, enum spean_message_type type,
                      const struct spean_view *documents, uint32_t count, bool more)
{
    uint8_t *buf = sync_alloc(s, SPEAN_FRAME_BYTES_MAX);
    if (buf == NULL) {
        return;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, SPEAN_FRAME_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_bin(&w, documents[i].data, documents[i].len);
    }
    struct spean_message m = {.type = type};
    m.as.documents.documents.count = count;
    m.as.documents.more = more;
    const spean_err err = spean_writer_end(&w, &m.as.documents.documents.bytes);
    assert(err == SPEAN_OK); /* The caller keeps within a frame. */
    sync_send(s, link, &m);
}

/* Say whether a head that the peer named in this round is not held here. */
static bool lacks_named(const struct spean_sync *s, const struct link *link)
{
    for (uint32_t i = 0; i < link->their_chains_count; i++) {
        const struct their_chain *const chain = &link->their_chains[i];
        for (uint32_t k = 0; k < chain->count; k++) {
            const struct spean_title *const title = &link->their_titles[chain->first + k];
            if (!spean_authority_has(s->authority, &chain->chain, &title->id)) {
                return true;
            }
        }
    }
    return false;
}

/* A side that saw only higher heads of a fork sends nothing of its branch until it holds the other:
 * then another round brings it (P13.3). */
static bool another_round(struct spean_sync *s, struct link *link, bool lacks)
{
    link->rounds_lacking = lacks ? link->rounds_lacking + 1 : 0;
    if (link->documents_again || (lacks && link->rounds_lacking < SYNC_ROUNDS_MAX)) {
        return true;
    }
    if (lacks) {
        link->rounds_lacking = SYNC_ROUNDS_MAX; /* And no more until a round leaves nothing out. */
        sync_report(s, link, SPEAN_REPORT_UNEQUAL, SPEAN_EGAP, 0);
    }
    return false;
}

static void finish_documents(struct spean_sync *s, struct link *link)
{
    if (!link->documents_sent || !link->documents_received || link->puts > 0) {
        return;
    }
    const bool ahead = link->titles_ahead; /* Then those of this round are forgotten. */
    const bool lacks = !ahead && lacks_named(s, link);
    link->titles_ahead = false;
    link->titles_sent = false;
    if (!ahead) {
        forget_titles(link);
    }
    spean_authority_digest(s->authority, &link->agreed);
    if (!sync_peer_stands(s, link)) {
        sync_end(s, link, SPEAN_EDENIED);
        return;
    }
    link->mode = SPEAN_LINK_MEMBER;
    if (ahead || another_round(s, link, lacks)) {
        link->documents_again = false;
        begin_titles(s, link);
        if (link->titles_received) {
            load_documents(s, link);
        }
        return;
    }
    sync_compare_begin(s, link);
}

/* Tell a closed node that it is one, as far as a frame goes, and end (P12.6). */
static void offer_closing(struct spean_sync *s, struct link *link,
                          const struct spean_view *documents, uint32_t count)
{
    uint32_t first = count;
    size_t size = 0;
    while (first > 0 && size + documents[first - 1].len < SPEAN_FRAME_BYTES_MAX / 2) {
        first--;
        size += documents[first].len;
    }
    send_list(s, link, SPEAN_MESSAGE_OFFER, documents + first, count - first, false);
    sync_refuse(s, link, 1302, SPEAN_EDENIED);
}

/* Frames of a quarter of the limit: the largest document fits, and nothing waits for long. */
void sync_session_loaded_documents(struct spean_sync *s, struct link *link,
                                   const struct spean_sync_event *event)
{
    const uint32_t total = event->as.loaded_documents.count;
    const struct spean_view *documents = event->as.loaded_documents.documents;
    uint32_t first = 0;
    if (link->phase == PHASE_LOBBY) {
        offer_closing(s, link, documents, total);
        return;
    }
    do {
        size_t size = 0;
        uint32_t end = first;
        while (end < total && end - first < SPEAN_MESSAGE_DOCS_MAX &&
               (end == first || size + documents[end].len < SPEAN_FRAME_BYTES_MAX / 4)) {
            size += documents[end].len;
            end++;
        }
        const bool more = end < total || event->as.loaded_documents.more;
        send_list(s, link, SPEAN_MESSAGE_DOCUMENTS, documents + first, end - first, more);
        first = end;
    } while (first < total);
    if (!event->as.loaded_documents.more) {
        link->documents_sent = true;
        finish_documents(s, link);
    }
}

void sync_session_documents(struct spean_sync *s, struct link *link, const struct spean_message *m)
{
    if (link->phase != PHASE_DOCUMENTS || !link->titles_received || link->documents_received) {
        sync_refuse(s, link, 1303, SPEAN_ESTATE);
        return;
    }
    put_documents(s, link, m->as.documents.documents, false);
    link->documents_received = !m->as.documents.more;
    finish_documents(s, link);
}

/* Whether documents were not kept for a reason of ours: nothing is wrong with them (P13.3). */
static bool is_our_fault(spean_err err)
{
    return err == SPEAN_EFULL || err == SPEAN_EBUSY || err == SPEAN_ENOMEM || err == SPEAN_EIO ||
           err == SPEAN_ECORRUPT;
}

void sync_session_documents_put(struct spean_sync *s, struct link *link, spean_err err)
{
    assert(link->puts > 0);
    link->puts--;
    /* What has no room or no place here may have both there: an org's admins can make more branches
     * than anybody keeps, and must not part others by it. It shows as a head that is not held. */
    const bool left_out = err == SPEAN_ELIMIT || err == SPEAN_EWAIT || err == SPEAN_EGAP;
    if (is_our_fault(err)) {
        sync_end(s, link, err); /* The next session brings them again. */
        return;
    }
    if (err != SPEAN_OK && (link->phase == PHASE_LOBBY || !left_out)) {
        sync_refuse(s, link, link->phase == PHASE_LOBBY ? 1202 : 203, err);
        return;
    }
    if (link->phase == PHASE_DOCUMENTS) {
        finish_documents(s, link);
    }
}

/* -- Strangers ------------------------------------------------------------------------------- */

/* Whether this HELLO is that of a node whose log its org closed: it may not know (P12.6). */
static bool is_closed_node(const struct spean_sync *s, const struct link *link,
                           const struct spean_hello *hello)
{
    for (uint32_t i = 0; i < spean_authority_logs_count(s->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(s->authority, i);
        if (log->status == SPEAN_LOG_CLOSED && spean_id_equal(&log->org, &hello->org) &&
            spean_key_equal(&log->signing, &hello->signing) &&
            spean_key_equal(&log->transport, &link->transport)) {
            return true;
        }
    }
    return false;
}

/* Load the newest versions of the org's statement, to be offered. */
static void load_closing(struct spean_sync *s, struct link *link, const struct spean_id *org)
{
    struct spean_document_name *names = NULL;
    uint32_t count = 0;
    name_chain(s, link, org, &names, &count);
    const uint32_t first = count > OFFER_VERSIONS_MAX ? count - OFFER_VERSIONS_MAX : 0;
    lend_names(s, link, names + first, count - first);
    free(names);
}

/* We are the node that a stranger dialled. */
static void lobby_message(struct spean_sync *s, struct link *link, const struct spean_message *m,
                          struct spean_view frame)
{
    if (m->type == SPEAN_MESSAGE_OFFER) {
        put_documents(s, link, m->as.documents.documents, true);
        return;
    }
    if (m->type == SPEAN_MESSAGE_JOIN || m->type == SPEAN_MESSAGE_NODE) {
        struct spean_sync_effect *effect = sync_effect(s, SPEAN_SYNC_LOBBY_JOIN, link);
        effect->as.join.transport = link->transport;
        effect->as.join.message = frame;
        return;
    }
    if (m->type == SPEAN_MESSAGE_HELLO && is_closed_node(s, link, &m->as.hello)) {
        load_closing(s, link, &m->as.hello.org);
        return;
    }
    sync_refuse(s, link, 1202, SPEAN_EDENIED);
}

void sync_session_lobby(struct spean_sync *s, struct link *link, const struct spean_message *m,
                        struct spean_view frame)
{
    if (link->mode == SPEAN_LINK_JOINING) {
        joining_message(s, link, m);
    } else {
        lobby_message(s, link, m, frame);
    }
}

/* The authority changed: end what it no longer admits, tell the others. */
void sync_session_authority(struct spean_sync *s, struct link *link)
{
    if (link->phase == PHASE_HELLO || link->phase == PHASE_LOBBY || link->phase == PHASE_ENDED) {
        return;
    }
    if (link->mode == SPEAN_LINK_MEMBER && !sync_peer_stands(s, link)) {
        sync_end(s, link, SPEAN_EDENIED); /* P13.4 */
        return;
    }
    if (link->phase == PHASE_DOCUMENTS) {
        link->documents_again = link->documents_again || link->puts == 0; /* By somebody else. */
        return;
    }
    struct spean_id authority;
    spean_authority_digest(s->authority, &authority);
    if (!spean_id_equal(&authority, &link->agreed)) {
        begin_titles(s, link);
    }
}
