/*
 * Statements, charters and what follows from them. The first byte chooses: any bytes as one
 * document, as content of a heads entry and as an invitation; or a script of versions, honest and
 * not, composed and signed with known keys, since no fuzzer finds a signature. Whatever comes, an
 * authority keeps what it refused away, and the documents that it took give the same one again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/authority.h"
#include "protocol/charter.h"
#include "protocol/heads.h"
#include "protocol/invite.h"
#include "protocol/statement.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/identitykit.h"

#define ORGS       3u
#define STEPS_MAX  24u
#define KEPT_MAX   (STEPS_MAX + 8u)
#define CHARTER_OF 6u /* Seed of the first charter key. */

/* -- One document ------------------------------------------------------------------------------ */

static void check_document(struct spean_view bytes)
{
    static struct spean_document doc;
    static struct spean_statement statement;
    static struct spean_charter charter;
    static uint8_t buf[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    if (spean_document_decode(&doc, bytes) != SPEAN_OK) {
        return;
    }
    struct spean_view again = {0};
    spean_err err = spean_document_encode(&doc, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    assert(again.len == bytes.len);
    assert(memcmp(again.data, bytes.data, bytes.len) == 0);
    err = spean_document_verify(&doc);
    (void)err; /* Either is right. */
    err = spean_statement_decode(&statement, &doc);
    assert(err != SPEAN_OK || doc.type == SPEAN_DOCUMENT_STATEMENT);
    err = spean_charter_decode(&charter, &doc);
    assert(err != SPEAN_OK || doc.type == SPEAN_DOCUMENT_CHARTER);
}

static void check_heads(struct spean_view content)
{
    static struct spean_heads_row rows[SPEAN_HEADS_ROWS_MAX];
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    uint32_t count = 0;
    if (spean_heads_decode(content, rows, &count) != SPEAN_OK) {
        return;
    }
    struct spean_view again = {0};
    const spean_err err = spean_heads_encode(rows, count, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    assert(again.len == content.len);
    assert(memcmp(again.data, content.data, content.len) == 0);
}

static void check_invite(struct spean_view text)
{
    struct spean_invite invite;
    char again[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    if (spean_invite_decode(&invite, text) != SPEAN_OK) {
        return;
    }
    const spean_err err = spean_invite_encode(again, &invite);
    assert(err == SPEAN_OK);
    assert(strlen(again) == text.len);
    assert(memcmp(again, text.data, text.len) == 0);
}

/* No fuzzer finds a checksum: write an invitation of these fields and read it. */
static void check_invite_fields(struct spean_view fields)
{
    struct spean_invite invite = {.expires = (uint32_t)fields.len};
    struct spean_invite read;
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    const size_t secret_len =
        fields.len < sizeof(invite.secret) ? fields.len : sizeof(invite.secret);
    const size_t rest = fields.len - secret_len;
    const size_t endpoint_len = rest < sizeof(invite.endpoint) ? rest : sizeof(invite.endpoint);
    memcpy(invite.secret, fields.data, secret_len);
    memcpy(invite.endpoint, fields.data + secret_len, endpoint_len);
    if (spean_invite_encode(text, &invite) != SPEAN_OK) {
        return;
    }
    const struct spean_view whole = {(const uint8_t *)text, strlen(text)};
    const spean_err err = spean_invite_decode(&read, whole);
    assert(err == SPEAN_OK);
    assert(memcmp(read.secret, invite.secret, sizeof(read.secret)) == 0);
    assert(strcmp(read.endpoint, invite.endpoint) == 0);
}

/* -- A script ---------------------------------------------------------------------------------- */

struct script {
    const uint8_t *pos;
    const uint8_t *end;
    struct spean_authority *a;
    struct fixture_document *next; /* The one in hand. */
    uint32_t kept_count;
    struct kept {
        struct spean_id chain;
        struct spean_title title;
        size_t len;
        uint8_t *bytes;
    } kept[KEPT_MAX];
    struct spean_id ledger;
    struct spean_id orgs[ORGS];
    struct spean_handle handle;
};

static uint8_t take(struct script *s)
{
    return s->pos < s->end ? *s->pos++ : 0;
}

static void digest(const struct script *s, struct spean_id *out)
{
    spean_authority_digest(s->a, out);
}

/* What holds at any time: logs are of members, open ones have no cut, and are found again. */
static void check_logs(const struct script *s)
{
    for (uint32_t i = 0; i < spean_authority_logs_count(s->a); i++) {
        const struct spean_log *log = spean_authority_log_at(s->a, i);
        assert(spean_authority_log(s->a, &log->id) == log);
        if (log->status == SPEAN_LOG_OPEN) {
            assert(!log->cut.closed);
            assert(spean_authority_is_member(s->a, &log->org));
            assert(spean_authority_peer(s->a, &log->transport, &log->org, &log->signing) == log);
        } else {
            assert(log->cut.closed);
            assert(spean_authority_peer(s->a, &log->transport, &log->org, &log->signing) == NULL);
        }
    }
}

static void offer(struct script *s)
{
    const struct spean_view bytes = s->next->view;
    struct spean_id before;
    struct spean_id after;
    digest(s, &before);
    struct spean_authority_change change;
    const enum spean_authority_pending pending =
        take(s) % 2 == 0 ? SPEAN_PENDING_KEEP : SPEAN_PENDING_REFUSE;

    /* With any one bit changed it is never taken. */
    const size_t at = ((size_t)take(s) << 8 | take(s)) % bytes.len;
    s->next->bytes[at] ^= (uint8_t)(1u << take(s) % 8);
    spean_err err = spean_authority_add(s->a, bytes, pending, &change);
    assert(err != SPEAN_OK && err != SPEAN_ENOMEM);
    digest(s, &after);
    assert(spean_id_equal(&before, &after));
    err = spean_document_decode(&s->next->doc, bytes);
    if (err == SPEAN_OK) {
        err = spean_document_verify(&s->next->doc);
        assert(err != SPEAN_OK);
    }
}

static void add(struct script *s)
{
    const struct spean_view bytes = s->next->view;
    struct spean_id before;
    struct spean_id after;
    digest(s, &before);
    struct spean_authority_change change;
    spean_err err = spean_authority_add(s->a, bytes, SPEAN_PENDING_KEEP, &change);
    if (err != SPEAN_OK) {
        digest(s, &after);
        assert(err != SPEAN_ENOMEM);
        assert(spean_id_equal(&before, &after));
        return;
    }
    struct spean_authority_change ignored;
    err = spean_authority_add(s->a, bytes, SPEAN_PENDING_KEEP, &ignored);
    assert(err == SPEAN_EEXISTS);
    assert(s->kept_count < KEPT_MAX);
    struct kept *kept = &s->kept[s->kept_count++];
    *kept = (struct kept){change.chain, change.title, bytes.len, malloc(bytes.len)};
    assert(kept->bytes != NULL);
    memcpy(kept->bytes, bytes.data, bytes.len);
    check_logs(s);
}

/* One of the versions taken of a chain, any of them: so branches come about. */
static const struct kept *follow(struct script *s, const struct spean_id *chain)
{
    const struct kept *found = NULL;
    uint32_t back = take(s) % 4;
    for (uint32_t i = s->kept_count; i > 0; i--) {
        if (spean_id_equal(&s->kept[i - 1].chain, chain)) {
            found = &s->kept[i - 1];
            if (back-- == 0) {
                break;
            }
        }
    }
    return found;
}

/* Sign s->next->body by the seeds whose bits are set, of a base and those above it. */
static void sign(struct script *s, size_t len, unsigned base)
{
    unsigned seeds[8];
    size_t count = 0;
    const uint8_t who = take(s);
    for (unsigned i = 0; i < 8; i++) {
        if ((who >> i & 1) != 0) {
            seeds[count++] = base + i;
        }
    }
    if (count == 0) {
        seeds[count++] = base;
    }
    fixture_sign(s->next, len, (struct fixture_signers){seeds, count});
}

static struct spean_cut take_cut(struct script *s)
{
    const uint64_t seq = take(s) % 6;
    return fixture_cut(seq, take(s) % 3);
}

static void statement(struct script *s)
{
    const uint32_t o = take(s) % ORGS;
    const unsigned base = 1 + 20 * o;
    const struct kept *before = follow(s, &s->orgs[o]);
    const uint8_t what = take(s);
    struct spean_key admins[3] = {fixture_key(base), fixture_key(base + 3), fixture_key(base + 4)};
    const struct spean_id recovery = fixture_recovery(base + 1 + take(s) % 3 * 4);
    const struct spean_key sealing = fixture_x25519(take(s));
    struct spean_statement_node nodes[2];
    struct spean_statement_cut cuts[2];
    struct spean_statement_draft draft = {.version = before->title.version + 1,
                                          .previous = before->title.id};
    if ((what & 1) != 0) {
        draft.admins_count = 1 + take(s) % 3;
        draft.threshold = take(s) % 4;
        draft.admins = admins;
    }
    draft.recovery = (what & 2) != 0 ? &recovery : NULL;
    draft.generation = (what & 4) != 0 ? take(s) : 0;
    draft.sealing = (what & 4) != 0 ? &sealing : NULL;
    draft.handle = (what & 8) != 0 ? &s->handle : NULL;
    draft.nodes_count = (what >> 4 & 3) % 3;
    draft.cuts_count = (what >> 6 & 3) % 3;
    for (uint32_t i = 0; i < 2; i++) {
        nodes[i] = fixture_node(base + 9 + take(s) % 4, &s->orgs[o], &s->handle);
        cuts[i] = (struct spean_statement_cut){fixture_key(base + 9 + take(s) % 4), take_cut(s)};
    }
    draft.nodes = nodes;
    draft.cuts = cuts;
    struct spean_view body = {0};
    if (spean_statement_compose(&draft, s->next->body, sizeof(s->next->body), &body) == SPEAN_OK) {
        sign(s, body.len, base);
    }
}

static void charter(struct script *s)
{
    const struct kept *before = follow(s, &s->ledger);
    const uint8_t what = take(s);
    struct spean_steward stewards[3];
    struct spean_charter_member members[2];
    struct spean_charter_cut cuts[2];
    struct spean_pin pin;
    for (uint32_t i = 0; i < 3; i++) {
        stewards[i] = (struct spean_steward){s->orgs[take(s) % ORGS], fixture_key(CHARTER_OF + i)};
    }
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t o = take(s) % ORGS;
        members[i].org = s->orgs[o];
        members[i].status = take(s) % 2 == 0 ? SPEAN_MEMBER_ACTIVE : SPEAN_MEMBER_REMOVED;
        cuts[i].org = s->orgs[o];
        cuts[i].signing = fixture_key(1 + 20 * o + 9 + take(s) % 4);
        cuts[i].cut = take_cut(s);
    }
    struct spean_charter_draft draft = {.version = before->title.version + 1,
                                        .previous = before->title.id};
    draft.stewards_count = (what & 1) != 0 ? 1 + take(s) % 3 : 0;
    draft.threshold = draft.stewards_count > 0 ? take(s) % 4 : 0;
    draft.stewards = stewards;
    draft.members_count = (what >> 1 & 3) % 3;
    draft.members = members;
    draft.cuts_count = (what >> 3 & 3) % 3;
    draft.cuts = cuts;
    if ((what & 0x20) != 0) {
        const uint32_t o = take(s) % ORGS;
        pin = (struct spean_pin){s->orgs[o], follow(s, &s->orgs[o])->title.id};
        draft.pins_count = 1;
        draft.pins = &pin;
    }
    if ((what & 0x40) != 0) {
        draft.join = &follow(s, &s->ledger)->title.id;
    }
    struct spean_view body = {0};
    if (spean_charter_compose(&draft, s->next->body, sizeof(s->next->body), &body) == SPEAN_OK) {
        sign(s, body.len, CHARTER_OF);
    }
}

/* The ledger of org 0; the others have a first version and are not members yet. */
static void found(struct script *s)
{
    for (uint32_t i = 0; i < ORGS; i++) {
        fixture_org_first(s->next, 1 + 20 * i);
        s->orgs[i] = s->next->doc.id;
        if (i == 0) {
            fixture_genesis(s->next, &s->orgs[0], CHARTER_OF);
            s->ledger = s->next->doc.id;
            s->handle = spean_handle_of(&s->ledger);
            add(s);
        }
        fixture_org_first(s->next, 1 + 20 * i);
        add(s);
    }
}

/* Adding what was taken, in order, to a new authority gives the same one again. */
static void check_again(const struct script *s)
{
    struct spean_authority *a = NULL;
    spean_err err = spean_authority_new(&a, NULL);
    assert(err == SPEAN_OK);
    for (uint32_t i = 0; i < s->kept_count; i++) {
        struct spean_authority_change change;
        err = spean_authority_add(a, (struct spean_view){s->kept[i].bytes, s->kept[i].len},
                                  SPEAN_PENDING_KEEP, &change);
        assert(err == SPEAN_OK);
    }
    struct spean_id ours;
    struct spean_id theirs;
    digest(s, &ours);
    spean_authority_digest(a, &theirs);
    assert(spean_id_equal(&ours, &theirs));
    assert(spean_authority_logs_count(a) == spean_authority_logs_count(s->a));
    for (uint32_t i = 0; i < spean_authority_logs_count(a); i++) {
        const struct spean_log *x = spean_authority_log_at(a, i);
        const struct spean_log *y = spean_authority_log_at(s->a, i);
        assert(spean_id_equal(&x->id, &y->id));
        assert(x->status == y->status);
        assert(x->cut.seq == y->cut.seq);
        assert(spean_id_equal(&x->cut.entry, &y->cut.entry));
    }
    spean_authority_free(a);
}

static void run_script(const uint8_t *data, size_t size)
{
    struct script *s = calloc(1, sizeof(*s));
    assert(s != NULL);
    s->pos = data;
    s->end = data + size;
    s->next = calloc(1, sizeof(*s->next));
    assert(s->next != NULL);
    const spean_err err = spean_authority_new(&s->a, NULL);
    assert(err == SPEAN_OK);
    found(s);
    for (uint32_t i = 0; i < STEPS_MAX && s->pos < s->end; i++) {
        const uint8_t what = take(s);
        s->next->view.len = 0;
        if (what % 2 == 0) {
            statement(s);
        } else {
            charter(s);
        }
        if (s->next->view.len == 0) {
            continue; /* Not to be composed. */
        }
        if ((what & 0x80) != 0) {
            offer(s);
        } else {
            add(s);
        }
    }
    check_again(s);
    for (uint32_t i = 0; i < s->kept_count; i++) {
        free(s->kept[i].bytes);
    }
    spean_authority_free(s->a);
    free(s->next);
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct spean_view rest = {data + 1, size - 1};
    if (data[0] % 2 == 1) {
        run_script(rest.data, rest.len);
        return 0;
    }
    check_document(rest);
    check_heads(rest);
    check_invite(rest);
    check_invite_fields(rest);
    return 0;
}
