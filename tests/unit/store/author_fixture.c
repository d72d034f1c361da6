#include "tests/unit/store/author_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/entry.h"
#include "protocol/pair.h"
#include "protocol/schema_numbers.h"
#include "protocol/sign.h"
#include "protocol/writer.h"
#include "store/body.h"
#include "store/log.h"
#include "store/partkeys.h"
#include "store/record.h"
#include "store/serve.h"

#define ADMIN_A AUTHOR_ADMIN
#define ADMIN_B 11u
#define ADMIN_C 21u

static const uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};

static void org_secret(unsigned admin, uint8_t secret[SPEAN_KEY_BYTES])
{
    (void)memset(secret, (int)(0xa0u + admin), SPEAN_KEY_BYTES);
}

static unsigned admin_of(enum author_who who)
{
    return who == C1 ? ADMIN_C : who == B1 ? ADMIN_B : ADMIN_A;
}

static void open_node(struct author_node *node, enum author_who who, bool has_secret)
{
    const struct spean_unlock unlock = {
        .kind = SPEAN_UNLOCK_CREDENTIAL,
        .bytes = {credential, sizeof(credential)},
    };
    void *store = NULL;
    (void)fixture_store_setup(&store); /* Asserts inside. */
    node->store = store;
    assert_int_equal(spean_keys_new(&node->keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(node->keys, node->store->db, &unlock), SPEAN_OK);
    if (has_secret) {
        uint8_t secret[SPEAN_KEY_BYTES];
        org_secret(admin_of(who), secret);
        assert_int_equal(spean_keys_add_org(node->keys, node->store->db, 1, secret), SPEAN_OK);
    }
    spean_sign_public(&node->signing, spean_keys_signing_seed(node->keys));
    assert_int_equal(spean_authority_new(&node->authority, NULL), SPEAN_OK);
}

static struct spean_statement_node describe(const struct author_node *node,
                                            const struct spean_id *org,
                                            const struct spean_handle *handle)
{
    struct spean_statement_node row = {.signing = node->signing};
    spean_x25519_public(&row.sealing, spean_keys_sealing_secret(node->keys));
    spean_x25519_public(&row.transport, spean_keys_transport_secret(node->keys));
    spean_statement_accept(&row, org, handle, spean_keys_signing_seed(node->keys));
    return row;
}

static void org_first(struct fixture_document *out, unsigned admin)
{
    uint8_t secret[SPEAN_KEY_BYTES];
    struct spean_key sealing;
    org_secret(admin, secret);
    spean_x25519_public(&sealing, secret);
    struct spean_key key = fixture_key(admin);
    const struct spean_id recovery = fixture_recovery(admin + 1);
    const struct spean_statement_draft draft = {
        .version = 1,
        .threshold = 1,
        .admins_count = 1,
        .admins = &key,
        .recovery = &recovery,
        .generation = 1,
        .sealing = &sealing,
    };
    fixture_statement(out, &draft, SIGNED_BY(admin));
}

static void org_nodes(struct fixture_document *out, const struct spean_document *before,
                      const struct spean_id *org, const struct spean_handle *handle,
                      const struct author_node *nodes, uint32_t count, unsigned admin)
{
    struct spean_statement_node rows[AUTHOR_NODES];
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = describe(&nodes[i], org, handle);
    }
    const struct spean_statement_draft draft = {
        .version = 2,
        .previous = before->id,
        .handle = handle,
        .nodes_count = count,
        .nodes = rows,
    };
    fixture_statement(out, &draft, SIGNED_BY(admin));
}

/* The node's own log is found anew whenever documents came. */
static void find_log(struct author_node *node)
{
    struct spean_id id;
    spean_log_id(&id, &spean_authority_ledger(node->authority)->id, &node->org, &node->signing);
    node->author.log = spean_authority_log(node->authority, &id);
    assert_non_null(node->author.log);
}

void author_fixture_add(struct author_fixture *f, const struct fixture_document *document)
{
    for (size_t i = 0; i < AUTHOR_NODES; i++) {
        struct spean_authority_change change;
        assert_int_equal(
            spean_authority_add(f->nodes[i].authority, document->view, SPEAN_PENDING_KEEP, &change),
            SPEAN_OK);
    }
}

/* An organisation with one node becomes a member. */
static void join(struct author_fixture *f, enum author_who who, const struct spean_handle *handle)
{
    const unsigned admin = admin_of(who);
    struct fixture_document *d = calloc(3, sizeof(*d));
    assert_non_null(d);
    org_first(&d[0], admin);
    const struct spean_id org = d[0].doc.id;
    fixture_charter_member(&d[1], &f->charter.doc, &org, SPEAN_MEMBER_ACTIVE, AUTHOR_STEWARD);
    author_fixture_add(f, &d[1]);
    author_fixture_add(f, &d[0]);
    org_nodes(&d[2], &d[0].doc, &org, handle, &f->nodes[who], 1, admin);
    author_fixture_add(f, &d[2]);
    f->nodes[who].org = org;

    /* The charter goes on from this version: decode it again, for it is a view of its bytes. */
    (void)memcpy(f->charter.bytes, d[1].bytes, sizeof(d[1].bytes));
    f->charter.view = (struct spean_view){f->charter.bytes, d[1].view.len};
    assert_int_equal(spean_document_decode(&f->charter.doc, f->charter.view), SPEAN_OK);
    free(d);
}

/* Three organisations, the ledger, a member without a statement. */
static void found(struct author_fixture *f)
{
    struct fixture_document *d = calloc(2, sizeof(*d));
    assert_non_null(d);
    org_first(&d[0], ADMIN_A);
    const struct spean_id a = d[0].doc.id;
    f->absent = fixture_id(0x5151);
    f->stranger = fixture_id(0x6161);
    fixture_genesis(&d[1], &a, AUTHOR_STEWARD);
    const struct spean_handle handle = spean_handle_of(&d[1].doc.id);
    author_fixture_add(f, &d[1]);
    author_fixture_add(f, &d[0]);
    fixture_charter_member(&f->charter, &d[1].doc, &f->absent, SPEAN_MEMBER_ACTIVE, AUTHOR_STEWARD);
    author_fixture_add(f, &f->charter);
    org_nodes(&f->statement, &d[0].doc, &a, &handle, &f->nodes[A1], 2, ADMIN_A);
    author_fixture_add(f, &f->statement);
    f->nodes[A1].org = a;
    f->nodes[A2].org = a;
    free(d);
    join(f, B1, &handle);
    join(f, C1, &handle);
}

static int set_up(void **state, bool new_node)
{
    struct author_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    for (size_t i = 0; i < AUTHOR_NODES; i++) {
        open_node(&f->nodes[i], (enum author_who)i, i != A2 || !new_node);
    }
    found(f);
    for (size_t i = 0; i < AUTHOR_NODES; i++) {
        struct author_node *node = &f->nodes[i];
        assert_int_equal(
            spean_fold_new(node->store->db, node->keys, &node->org, &node->signing, &node->fold),
            SPEAN_OK);
        node->author = (struct spean_author){
            .db = node->store->db,
            .keys = node->keys,
            .authority = node->authority,
            .now_s = AUTHOR_NOW_S + i,
        };
        find_log(node);
    }
    assert_int_equal(spean_run_new(&f->run), SPEAN_OK);
    f->buf = malloc(SPEAN_LOG_RUN_BYTES_MAX);
    assert_non_null(f->buf);
    *state = f;
    return 0;
}

int author_fixture_setup(void **state)
{
    return set_up(state, false);
}

int author_fixture_setup_new_node(void **state)
{
    return set_up(state, true);
}

int author_fixture_teardown(void **state)
{
    struct author_fixture *f = *state;
    for (size_t i = 0; i < AUTHOR_NODES; i++) {
        struct author_node *node = &f->nodes[i];
        spean_fold_free(node->fold);
        spean_authority_free(node->authority);
        spean_keys_free(node->keys);
        void *store = node->store;
        (void)fixture_teardown(&store);
    }
    spean_run_free(f->run);
    free(f->buf);
    free(f);
    return 0;
}

static struct spean_tx *begin(struct author_node *node, enum spean_tx_mode mode)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(node->store->db, mode, &tx), SPEAN_OK);
    return tx;
}

void author_fixture_fold(struct author_node *node)
{
    bool more = true;
    for (uint32_t i = 0; more; i++) {
        assert_true(i < 100);
        assert_int_equal(
            spean_fold_step(node->fold, node->authority, SPEAN_FOLD_BATCH_MAX, AUTHOR_NOW_S, &more),
            SPEAN_OK);
    }
}

/* -- Copying --------------------------------------------------------------------------------- */

/* What decides whether a body travels: the server's keys, and who asks. */
struct asker {
    struct spean_tx *tx;
    const struct spean_keys *keys;
    struct spean_id org;
};

static bool may_travel(void *ctx, const struct spean_header *header)
{
    const struct asker *asker = ctx;
    return spean_partkeys_travels(asker->tx, asker->keys, header, &asker->org);
}

/* Copy one run of a log; false: there is nothing more. */
static bool copy_run(struct author_fixture *f, struct author_node *from, struct author_node *to,
                     const struct spean_log *log)
{
    struct spean_logs_row held = {0};
    struct spean_tx *tx = begin(to, SPEAN_TX_READ);
    const spean_err known = spean_logs_get(tx, &log->id, &held);
    spean_tx_abort(tx);
    assert_true(known == SPEAN_OK || known == SPEAN_ENOTFOUND);

    struct spean_logs_row theirs = {0};
    tx = begin(from, SPEAN_TX_READ);
    if (spean_logs_get(tx, &log->id, &theirs) != SPEAN_OK || theirs.head.seq <= held.head.seq) {
        spean_tx_abort(tx);
        return false; /* `to` is not behind: it is its own log, mostly. */
    }
    struct asker asker = {tx, from->keys, to->org};
    const struct spean_serve_request request = {
        .log = log,
        .places = &held.head,
        .places_count = held.head.seq == 0 ? 0 : 1,
        .bytes_max = SPEAN_RUN_BYTES_MAX,
        .travels = may_travel,
        .ctx = &asker,
    };
    struct spean_served served;
    const spean_err err = spean_serve_run(tx, &request, f->buf, SPEAN_LOG_RUN_BYTES_MAX, &served);
    spean_tx_abort(tx);
    if (err == SPEAN_ENOTFOUND || (err == SPEAN_OK && served.run.len == 0)) {
        return false;
    }
    assert_int_equal(err, SPEAN_OK);
    assert_int_equal(spean_run_decode(f->run, served.run, &log->id, &held.head), SPEAN_OK);
    assert_int_equal(spean_run_verify(f->run, &log->signing, NULL), SPEAN_OK);
    const struct spean_log_arrival arrival = {.from = &log->transport, .now_s = AUTHOR_NOW_S};
    tx = begin(to, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_append(tx, f->run, log, &arrival), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    return true;
}

/* Fetch one group of bodies that `to` can read and lacks; false: there is none. */
static bool fetch_group(struct author_node *from, struct author_node *to)
{
    struct spean_lacking *group = calloc(1, sizeof(*group));
    assert_non_null(group);
    struct spean_lacking_at at = {0};
    struct spean_tx *tx = begin(to, SPEAN_TX_WRITE);
    struct spean_tx *theirs = begin(from, SPEAN_TX_READ);
    const spean_err err = spean_partkeys_lacking(tx, to->keys, &from->org, &at, group);
    for (uint32_t i = 0; err == SPEAN_OK && i < group->seqs_count; i++) {
        struct spean_logs_row row;
        struct spean_view body;
        assert_int_equal(spean_logs_get(theirs, &group->log, &row), SPEAN_OK);
        assert_int_equal(spean_body_load(theirs, &row, &group->tag, group->seqs[i], &body),
                         SPEAN_OK);
        assert_int_equal(spean_logs_get(tx, &group->log, &row), SPEAN_OK);
        assert_int_equal(spean_body_put(tx, &row, group->seqs[i], body), SPEAN_OK);
        assert_int_equal(spean_fold_body(tx, row.number, group->seqs[i]), SPEAN_OK);
    }
    spean_tx_abort(theirs);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    free(group);
    assert_true(err == SPEAN_OK || err == SPEAN_ENOTFOUND);
    return err == SPEAN_OK;
}

void author_fixture_copy(struct author_fixture *f, enum author_who from, enum author_who to)
{
    const struct spean_authority *authority = f->nodes[to].authority;
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        bool copied = true;
        while (copied) {
            copied = copy_run(f, &f->nodes[from], &f->nodes[to], log);
        }
    }
    author_fixture_fold(&f->nodes[to]);
    while (fetch_group(&f->nodes[from], &f->nodes[to])) {
        author_fixture_fold(&f->nodes[to]);
    }
}

/* -- Writing --------------------------------------------------------------------------------- */

struct spean_draft *author_fixture_draft(struct author_fixture *f, enum author_who who)
{
    struct author_node *node = &f->nodes[who];
    struct spean_draft *draft = NULL;
    assert_int_equal(spean_draft_new(node->authority, node->author.log, &draft), SPEAN_OK);
    return draft;
}

spean_err author_fixture_commit(struct author_fixture *f, enum author_who who,
                                struct spean_draft *draft)
{
    const spean_err err = spean_author_commit(&f->nodes[who].author, draft, fixture_text("p-7"),
                                              false, &f->done, &f->problem);
    author_fixture_fold(&f->nodes[who]);
    return err;
}

struct spean_place author_fixture_head(struct author_fixture *f, enum author_who who)
{
    struct author_node *node = &f->nodes[who];
    struct spean_logs_row row = {0};
    struct spean_tx *tx = begin(node, SPEAN_TX_READ);
    const spean_err err = spean_logs_get(tx, &node->author.log->id, &row);
    spean_tx_abort(tx);
    assert_true(err == SPEAN_OK || err == SPEAN_ENOTFOUND);
    return row.head;
}

void author_fixture_raw(struct author_fixture *f, enum author_who who, enum spean_entry_kind kind,
                        const struct spean_tag *tag, struct spean_view body)
{
    struct author_node *node = &f->nodes[who];
    const struct spean_place head = author_fixture_head(f, who);
    struct spean_header header = {
        .format = SPEAN_ENTRY_FORMAT,
        .seq = head.seq + 1,
        .previous = head.entry,
        .time = AUTHOR_NOW_S,
        .kind = kind,
        .flags = SPEAN_ENTRY_ENDS_COMMIT,
        .body_len = (uint32_t)body.len,
    };
    if (tag != NULL) {
        header.has_tag = true;
        header.tag = *tag;
    }
    spean_body_hash(&header.body_hash, body);
    uint8_t bytes[SPEAN_HEADER_BYTES_MAX];
    struct spean_run_source source = {.body = body};
    assert_int_equal(spean_header_encode(&header, bytes, sizeof(bytes), &source.header), SPEAN_OK);
    const struct spean_log *log = node->author.log;
    struct spean_id id;
    struct spean_signature signature;
    spean_entry_id(&id, &log->id, source.header);
    spean_commit_sign(&signature, &log->id, &id, spean_keys_signing_seed(node->keys));
    struct spean_view run;
    struct spean_tx *tx = begin(node, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_commit(tx, log, &source, 1, &signature, f->run, f->buf, &run),
                     SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

/* -- Reading --------------------------------------------------------------------------------- */

struct spean_part *author_fixture_part(struct author_fixture *f, enum author_who who,
                                       const struct spean_record_id *record, uint32_t part)
{
    const struct spean_part_name name = {*record, part};
    struct spean_part *out = NULL;
    struct spean_tx *tx = begin(&f->nodes[who], SPEAN_TX_READ);
    const spean_err err = spean_record_part(tx, f->nodes[who].keys, &name, &out);
    spean_tx_abort(tx);
    assert_true(err == SPEAN_OK || err == SPEAN_ENOTFOUND || err == SPEAN_ESTATE);
    return out;
}

struct spean_view author_fixture_referral(struct author_fixture *f)
{
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, f->fixed, sizeof(f->fixed));
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, SPEAN_FIELD_REFERRAL_FROM);
    spean_writer_bin(&w, f->nodes[A1].org.bytes, SPEAN_ID_BYTES);
    spean_writer_uint(&w, SPEAN_FIELD_REFERRAL_TO);
    spean_writer_bin(&w, f->nodes[B1].org.bytes, SPEAN_ID_BYTES);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_OK);
    return out;
}

uint32_t author_fixture_asides(struct author_fixture *f, enum author_who who)
{
    uint32_t count = 0;
    struct spean_fold_aside aside = {0};
    struct spean_tx *tx = begin(&f->nodes[who], SPEAN_TX_READ);
    while (spean_fold_aside_next(tx, aside.number, aside.seq + (count > 0 ? 1 : 0), &aside) ==
           SPEAN_OK) {
        count++;
    }
    spean_tx_abort(tx);
    return count;
}
