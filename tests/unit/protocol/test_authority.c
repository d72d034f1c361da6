#include "protocol/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/entry.h"
#include "protocol/hash.h"
#include "tests/support/identitykit.h"

/*
 * Two orgs: the founder (admin 1, charter key 7, node 10) and the newcomer (admin 21, node 30).
 * The genesis names the founder; version 2 of the charter makes the newcomer a member.
 */
#define CHARTER_KEY   7
#define FOUNDER       1
#define FOUNDER_NODE  10
#define NEWCOMER      21
#define NEWCOMER_NODE 30

static struct fixture_document f1;
static struct fixture_document f2;
static struct fixture_document n1;
static struct fixture_document n2;
static struct fixture_document c1;
static struct fixture_document c2;
static struct fixture_document more;
static struct spean_handle handle;
static struct spean_authority_change change;

static int setup(void **state)
{
    struct spean_authority *a = NULL;
    assert_int_equal(spean_authority_new(&a, NULL), SPEAN_OK);
    fixture_org_first(&f1, FOUNDER);
    fixture_org_first(&n1, NEWCOMER);
    fixture_genesis(&c1, &f1.doc.id, CHARTER_KEY);
    handle = spean_handle_of(&c1.doc.id);
    fixture_org_node(&f2, &f1.doc, &f1.doc.id, &handle, true, FOUNDER_NODE, FOUNDER);
    fixture_org_node(&n2, &n1.doc, &n1.doc.id, &handle, true, NEWCOMER_NODE, NEWCOMER);
    fixture_charter_member(&c2, &c1.doc, &n1.doc.id, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    spean_authority_free(*state);
    return 0;
}

static spean_err try_add(struct spean_authority *a, const struct fixture_document *d)
{
    return spean_authority_add(a, d->view, SPEAN_PENDING_REFUSE, &change);
}

static void add(struct spean_authority *a, const struct fixture_document *d)
{
    assert_int_equal(spean_authority_add(a, d->view, SPEAN_PENDING_KEEP, &change), SPEAN_OK);
}

static void add_all(struct spean_authority *a)
{
    add(a, &c1);
    add(a, &f1);
    add(a, &f2);
    add(a, &c2);
    add(a, &n1);
    add(a, &n2);
}

static struct spean_id log_id(const struct fixture_document *first, unsigned node)
{
    const struct spean_key signing = fixture_key(node);
    struct spean_id id;
    spean_log_id(&id, &c1.doc.id, &first->doc.id, &signing);
    return id;
}

static const struct spean_log *log_of(const struct spean_authority *a,
                                      const struct fixture_document *first, unsigned node)
{
    const struct spean_id id = log_id(first, node);
    return spean_authority_log(a, &id);
}

static void charter_cut(struct fixture_document *out, const struct fixture_document *before,
                        const struct fixture_document *org, unsigned node, uint64_t seq,
                        unsigned entry)
{
    struct spean_charter_cut row = {.org = org->doc.id, .signing = fixture_key(node)};
    row.cut = fixture_cut(seq, entry);
    const struct spean_charter_draft draft = {.version = before->doc.version + 1,
                                              .previous = before->doc.id,
                                              .cuts_count = 1,
                                              .cuts = &row};
    fixture_charter(out, &draft, SIGNED_BY(CHARTER_KEY));
}

static void nothing_is_known_at_first(void **state)
{
    const struct spean_authority *const a = *state;
    const struct spean_id id = fixture_id(1);
    const struct spean_key key = fixture_key(1);
    struct spean_authority_org org;
    assert_null(spean_authority_ledger(a));
    assert_null(spean_authority_log(a, &id));
    assert_null(spean_authority_log_by_short(a, id.bytes));
    assert_null(spean_authority_log_by_transport(a, &key));
    assert_null(spean_authority_peer(a, &key, &id, &key));
    assert_null(spean_authority_sealing(a, &id, 1));
    assert_int_equal(spean_authority_org(a, &id, &org), SPEAN_ENOTFOUND);
    assert_int_equal(spean_authority_entry_format(a), 0);
    assert_false(spean_authority_is_member(a, &id));
    assert_false(spean_authority_is_steward(a, &id));
    assert_int_equal(spean_authority_heads(a, &id, NULL, 0), 0);
}

static void a_log_needs_an_active_member_and_a_statement_p4_7(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    add(a, &f1);
    assert_int_equal(spean_authority_logs_count(a), 0);
    add(a, &f2);
    assert_int_equal(change.flags, SPEAN_CHANGED_ORG | SPEAN_CHANGED_OPENED);
    assert_int_equal(spean_authority_logs_count(a), 1);
    add(a, &n1);
    assert_true(change.pending);
    add(a, &n2);
    assert_int_equal(spean_authority_logs_count(a), 1);
    assert_null(log_of(a, &n1, NEWCOMER_NODE));
    add(a, &c2);
    assert_true(change.flags & SPEAN_CHANGED_MEMBER);
    assert_true(change.flags & SPEAN_CHANGED_OPENED);
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->status, SPEAN_LOG_OPEN);
}

static void a_statement_for_another_ledger_opens_no_log_p4_7(void **state)
{
    struct spean_authority *const a = *state;
    const struct spean_handle elsewhere = fixture_handle(9);
    add(a, &c1);
    add(a, &f1);
    fixture_org_node(&f2, &f1.doc, &f1.doc.id, &elsewhere, true, FOUNDER_NODE, FOUNDER);
    add(a, &f2);
    assert_int_equal(spean_authority_logs_count(a), 0);
}

static void what_is_known_is_found_by_every_name(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    const struct spean_log *const log = log_of(a, &n1, NEWCOMER_NODE);
    const struct spean_key signing = fixture_key(NEWCOMER_NODE);
    assert_non_null(log);
    assert_true(spean_key_equal(&log->signing, &signing));
    assert_ptr_equal(spean_authority_log_by_short(a, log->id.bytes), log);
    assert_ptr_equal(spean_authority_log_by_transport(a, &log->transport), log);
    assert_ptr_equal(spean_authority_peer(a, &log->transport, &n1.doc.id, &signing), log);
    assert_null(spean_authority_peer(a, &log->sealing, &n1.doc.id, &signing));
    assert_null(spean_authority_peer(a, &log->transport, &f1.doc.id, &signing));
    assert_true(spean_authority_is_steward(a, &f1.doc.id));
    assert_false(spean_authority_is_steward(a, &n1.doc.id));
    assert_non_null(spean_authority_sealing(a, &n1.doc.id, 1));
    assert_null(spean_authority_sealing(a, &n1.doc.id, 2));
    assert_int_equal(spean_authority_entry_format(a), 1);
}

static void orgs_are_listed_ascending(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    assert_int_equal(spean_authority_orgs_count(a), 2);
    const struct spean_authority_org first = spean_authority_org_at(a, 0);
    const struct spean_authority_org second = spean_authority_org_at(a, 1);
    assert_true(spean_id_compare(&first.id, &second.id) < 0);
    assert_true(first.active && second.active);
    assert_non_null(first.org);
    assert_int_equal(first.heads_count, 1);
}

static void a_member_without_a_statement_is_named_all_the_same(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    struct spean_authority_org org;
    assert_int_equal(spean_authority_org(a, &f1.doc.id, &org), SPEAN_OK);
    assert_true(org.named && org.active);
    assert_null(org.org);
    assert_int_equal(org.heads_count, 0);
}

static void statements_of_strangers_are_kept_only_if_asked(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    assert_int_equal(try_add(a, &n1), SPEAN_EWAIT);
    assert_int_equal(try_add(a, &n2), SPEAN_EGAP);
    assert_int_equal(spean_authority_orgs_count(a), 1);
    assert_int_equal(try_add(a, &f1), SPEAN_OK);
    add(a, &n1);
    assert_int_equal(try_add(a, &n2), SPEAN_EWAIT);
    assert_int_equal(try_add(a, &n1), SPEAN_EEXISTS);
}

static void pending_orgs_are_limited_and_members_are_not(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    for (unsigned i = 0; i < SPEAN_AUTHORITY_PENDING_MAX; i++) {
        fixture_org_first(&more, 100 + 3 * i);
        add(a, &more);
    }
    assert_int_equal(spean_authority_add(a, n1.view, SPEAN_PENDING_KEEP, &change), SPEAN_ELIMIT);
    assert_int_equal(try_add(a, &f1), SPEAN_OK);
    add(a, &c2);
    assert_int_equal(try_add(a, &n1), SPEAN_OK);
    fixture_charter_member(&more, &c2.doc, &more.doc.id, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    add(a, &more);
    fixture_org_first(&more, 900);
    add(a, &more); /* One less is pending. */
}

static void only_the_ledger_that_invited_is_accepted_p12_4(void **state)
{
    (void)state;
    const struct spean_handle other = fixture_handle(1);
    struct spean_authority *a = NULL;
    assert_int_equal(spean_authority_new(&a, &other), SPEAN_OK);
    assert_int_equal(try_add(a, &c1), SPEAN_EDENIED);
    spean_authority_free(a);
    assert_int_equal(spean_authority_new(&a, &handle), SPEAN_OK);
    assert_int_equal(try_add(a, &c1), SPEAN_OK);
    spean_authority_free(a);
}

static void a_second_genesis_is_refused_p4_2(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    fixture_genesis(&more, &n1.doc.id, CHARTER_KEY);
    assert_int_equal(try_add(a, &more), SPEAN_ECHAIN);
    assert_int_equal(spean_authority_ledger(a)->version, 1);
}

static void a_bad_document_changes_nothing(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    struct spean_id before;
    struct spean_id after;
    spean_authority_digest(a, &before);
    fixture_org_cut(&more, &n2.doc, NEWCOMER_NODE, 3, 1, FOUNDER); /* By another org's admin. */
    assert_int_equal(try_add(a, &more), SPEAN_EDENIED);
    fixture_charter_member(&more, &c2.doc, &n1.doc.id, SPEAN_MEMBER_REMOVED, FOUNDER);
    assert_int_equal(try_add(a, &more), SPEAN_EDENIED);
    fixture_org_cut(&more, &n2.doc, NEWCOMER_NODE, 3, 1, NEWCOMER);
    more.bytes[more.view.len - 1] ^= 1;
    assert_int_equal(try_add(a, &more), SPEAN_ESIGNATURE);
    spean_authority_digest(a, &after);
    assert_true(spean_id_equal(&before, &after));
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->status, SPEAN_LOG_OPEN);
}

static void a_truncated_document_is_refused_at_every_byte(void **state)
{
    struct spean_authority *const a = *state;
    for (size_t len = 0; len < c1.view.len; len++) {
        const struct spean_view view = {c1.bytes, len};
        assert_int_not_equal(spean_authority_add(a, view, SPEAN_PENDING_KEEP, &change), SPEAN_OK);
    }
    assert_int_equal(spean_authority_orgs_count(a), 0);
}

static void an_orgs_cut_closes_its_log_and_shuts_its_node_out_p13_4(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    const struct spean_key transport = log_of(a, &n1, NEWCOMER_NODE)->transport;
    const struct spean_key signing = fixture_key(NEWCOMER_NODE);
    fixture_org_cut(&more, &n2.doc, NEWCOMER_NODE, 6, 1, NEWCOMER);
    add(a, &more);
    assert_int_equal(change.flags, SPEAN_CHANGED_ORG | SPEAN_CHANGED_CLOSED);
    const struct spean_log *const log = log_of(a, &n1, NEWCOMER_NODE);
    assert_int_equal(log->status, SPEAN_LOG_CLOSED);
    assert_int_equal(log->cut.seq, 6);
    assert_null(spean_authority_log_by_transport(a, &transport));
    assert_null(spean_authority_peer(a, &transport, &n1.doc.id, &signing));
}

static void the_lowest_cut_binds_and_at_equal_seq_the_charters_p4_5(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document c3;
    static struct fixture_document c4;
    add_all(a);
    fixture_org_cut(&more, &n2.doc, NEWCOMER_NODE, 6, 1, NEWCOMER);
    add(a, &more);
    charter_cut(&c3, &c2, &n1, NEWCOMER_NODE, 8, 2);
    add(a, &c3);
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->cut.seq, 6);
    assert_false(change.flags & SPEAN_CHANGED_CLOSED);
    charter_cut(&c4, &c3, &n1, NEWCOMER_NODE, 6, 3);
    add(a, &c4);
    const struct spean_id by_charter = fixture_id(3);
    assert_true(spean_id_equal(&log_of(a, &n1, NEWCOMER_NODE)->cut.entry, &by_charter));
    assert_true(change.flags & SPEAN_CHANGED_CLOSED);
    charter_cut(&more, &c4, &n1, NEWCOMER_NODE, 2, 4);
    add(a, &more);
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->cut.seq, 2);
}

static void a_removed_org_is_cut_where_the_charter_says_and_else_at_0_p4_4(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document n3;
    add_all(a);
    fixture_org_node(&n3, &n2.doc, &n1.doc.id, &handle, false, NEWCOMER_NODE + 1, NEWCOMER);
    add(a, &n3);
    struct spean_charter_member member = {.org = n1.doc.id, .status = SPEAN_MEMBER_REMOVED};
    struct spean_charter_cut cut = {.org = n1.doc.id, .signing = fixture_key(NEWCOMER_NODE)};
    cut.cut = fixture_cut(5, 1);
    const struct spean_charter_draft draft = {.version = 3,
                                              .previous = c2.doc.id,
                                              .members_count = 1,
                                              .members = &member,
                                              .cuts_count = 1,
                                              .cuts = &cut};
    fixture_charter(&more, &draft, SIGNED_BY(CHARTER_KEY));
    add(a, &more);
    assert_true(change.flags & SPEAN_CHANGED_REMOVED);
    assert_true(change.flags & SPEAN_CHANGED_CLOSED);
    assert_false(spean_authority_is_member(a, &n1.doc.id));

    const struct spean_log *const named = log_of(a, &n1, NEWCOMER_NODE);
    const struct spean_log *const other = log_of(a, &n1, NEWCOMER_NODE + 1);
    assert_int_equal(named->status, SPEAN_LOG_REMOVED);
    assert_int_equal(named->cut.seq, 5);
    assert_int_equal(other->status, SPEAN_LOG_REMOVED);
    assert_true(other->cut.closed);
    assert_int_equal(other->cut.seq, 0);
    assert_null(spean_authority_log_by_transport(a, &named->transport));
    assert_null(spean_authority_log_by_transport(a, &other->transport));
}

static void a_node_that_a_removed_org_opens_later_stays_out_p4_4(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document n3;
    add_all(a);
    fixture_charter_member(&more, &c2.doc, &n1.doc.id, SPEAN_MEMBER_REMOVED, CHARTER_KEY);
    add(a, &more);
    fixture_org_node(&n3, &n2.doc, &n1.doc.id, &handle, false, NEWCOMER_NODE + 1, NEWCOMER);
    add(a, &n3);
    assert_false(change.flags & SPEAN_CHANGED_OPENED);
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE + 1)->status, SPEAN_LOG_REMOVED);
}

static void a_fork_freezes_and_a_pin_thaws(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document left;
    static struct fixture_document right;
    add_all(a);
    fixture_org_node(&left, &n2.doc, &n1.doc.id, &handle, false, 40, NEWCOMER);
    fixture_org_node(&right, &n2.doc, &n1.doc.id, &handle, false, 41, NEWCOMER);
    add(a, &left);
    assert_int_equal(log_of(a, &n1, 40)->status, SPEAN_LOG_OPEN);
    add(a, &right);
    assert_true(change.flags & SPEAN_CHANGED_FORK);
    assert_true(change.flags & SPEAN_CHANGED_FROZEN);
    assert_true(change.flags & SPEAN_CHANGED_CLOSED);
    assert_int_equal(log_of(a, &n1, 40)->status, SPEAN_LOG_ASIDE);
    assert_int_equal(log_of(a, &n1, 41)->status, SPEAN_LOG_ASIDE);
    assert_true(log_of(a, &n1, 40)->cut.closed);
    assert_null(spean_authority_log_by_transport(a, &log_of(a, &n1, 40)->transport));

    struct spean_pin pin = {.org = n1.doc.id, .statement = right.doc.id};
    const struct spean_charter_draft draft = {
        .version = 3, .previous = c2.doc.id, .pins_count = 1, .pins = &pin};
    fixture_charter(&more, &draft, SIGNED_BY(CHARTER_KEY));
    add(a, &more);
    assert_true(change.flags & SPEAN_CHANGED_THAWED);
    assert_true(change.flags & SPEAN_CHANGED_OPENED);
    assert_int_equal(log_of(a, &n1, 40)->status, SPEAN_LOG_ASIDE);
    assert_int_equal(log_of(a, &n1, 41)->status, SPEAN_LOG_OPEN);
    assert_non_null(spean_authority_log_by_transport(a, &log_of(a, &n1, 41)->transport));
}

static void a_branch_for_another_ledger_that_wins_sets_every_log_aside_p4_7(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    const struct spean_handle elsewhere = fixture_handle(9);
    struct spean_statement_node node = fixture_node(NEWCOMER_NODE, &n1.doc.id, &elsewhere);
    const struct spean_id recovery = fixture_recovery(99);
    const struct spean_statement_draft draft = {.version = 2,
                                                .previous = n1.doc.id,
                                                .recovery = &recovery,
                                                .handle = &elsewhere,
                                                .nodes_count = 1,
                                                .nodes = &node};
    fixture_statement(&more, &draft, SIGNED_BY(NEWCOMER + 1)); /* The recovery key. */
    add(a, &more);
    assert_true(change.flags & SPEAN_CHANGED_CLOSED);
    assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->status, SPEAN_LOG_ASIDE);
}

static void a_node_rekeyed_by_the_branch_that_wins_is_found_by_its_new_key(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document left;
    static struct fixture_document right;
    add_all(a);
    struct spean_statement_node node = fixture_node(40, &n1.doc.id, &handle);
    struct spean_statement_draft draft = {
        .version = 3, .previous = n2.doc.id, .nodes_count = 1, .nodes = &node};
    fixture_statement(&left, &draft, SIGNED_BY(NEWCOMER));
    const struct spean_key old = node.transport;
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, 40);
    node.transport = fixture_x25519(0x4444);
    spean_statement_accept(&node, &n1.doc.id, &handle, seed);
    const struct spean_id recovery = fixture_recovery(99);
    draft.recovery = &recovery;
    fixture_statement(&right, &draft, SIGNED_BY(NEWCOMER + 1)); /* The recovery key. */
    add(a, &left);
    assert_non_null(spean_authority_log_by_transport(a, &old));
    add(a, &right);
    assert_null(spean_authority_log_by_transport(a, &old));
    assert_ptr_equal(spean_authority_log_by_transport(a, &node.transport), log_of(a, &n1, 40));
}

static void a_transport_key_listed_by_two_orgs_tells_apart_by_what_the_peer_says(void **state)
{
    struct spean_authority *const a = *state;
    add(a, &c1);
    add(a, &f1);
    add(a, &f2);
    add(a, &c2);
    add(a, &n1);
    struct spean_statement_node node = fixture_node(NEWCOMER_NODE, &n1.doc.id, &handle);
    node.transport = log_of(a, &f1, FOUNDER_NODE)->transport;
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, NEWCOMER_NODE);
    spean_statement_accept(&node, &n1.doc.id, &handle, seed);
    const struct spean_statement_draft draft = {
        .version = 2, .previous = n1.doc.id, .handle = &handle, .nodes_count = 1, .nodes = &node};
    fixture_statement(&more, &draft, SIGNED_BY(NEWCOMER));
    add(a, &more);
    const struct spean_key key = fixture_key(FOUNDER_NODE);
    assert_ptr_equal(spean_authority_peer(a, &node.transport, &f1.doc.id, &key),
                     log_of(a, &f1, FOUNDER_NODE));
    fixture_org_cut(&n2, &more.doc, NEWCOMER_NODE, 0, 0, NEWCOMER);
    add(a, &n2);
    assert_ptr_equal(spean_authority_log_by_transport(a, &node.transport),
                     log_of(a, &f1, FOUNDER_NODE));
}

static void a_node_is_a_relay_while_the_charter_names_it_and_it_is_open(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document cut;
    add_all(a);
    struct spean_relay relay = {.org = n1.doc.id, .signing = fixture_key(NEWCOMER_NODE)};
    const struct spean_charter_draft draft = {.version = 3,
                                              .previous = c2.doc.id,
                                              .has_relays = true,
                                              .relays_count = 1,
                                              .relays = &relay};
    fixture_charter(&more, &draft, SIGNED_BY(CHARTER_KEY));
    add(a, &more);
    assert_true(log_of(a, &n1, NEWCOMER_NODE)->relay);
    assert_false(log_of(a, &f1, FOUNDER_NODE)->relay);
    assert_true(spean_authority_is_relay(a, &n1.doc.id, &relay.signing));
    assert_false(spean_authority_is_relay(a, &f1.doc.id, &relay.signing));
    fixture_org_cut(&cut, &n2.doc, NEWCOMER_NODE, 6, 1, NEWCOMER);
    add(a, &cut);
    assert_false(spean_authority_is_relay(a, &n1.doc.id, &relay.signing));
}

static void the_digest_is_over_the_heads_of_members_p13_3(void **state)
{
    struct spean_authority *const a = *state;
    struct spean_id got;
    add(a, &c1);
    add(a, &f1);
    add(a, &f2);
    add(a, &n1); /* Pending: left out. */
    struct spean_hash h;
    struct spean_id expected;
    spean_hash_begin(&h, "spean/authority/1", sizeof(expected.bytes));
    spean_hash_update(&h, c1.doc.id.bytes, SPEAN_ID_BYTES);
    spean_hash_update(&h, f1.doc.id.bytes, SPEAN_ID_BYTES);
    spean_hash_update(&h, f2.doc.id.bytes, SPEAN_ID_BYTES);
    spean_hash_end(&h, expected.bytes, sizeof(expected.bytes));
    spean_authority_digest(a, &got);
    assert_true(spean_id_equal(&got, &expected));
}

static void any_order_of_arrival_gives_one_authority(void **state)
{
    (void)state;
    static const struct fixture_document *const orders[][6] = {{&c1, &f1, &f2, &c2, &n1, &n2},
                                                               {&n1, &n2, &f1, &f2, &c1, &c2},
                                                               {&f1, &c1, &n1, &c2, &n2, &f2},
                                                               {&c1, &c2, &n1, &f1, &f2, &n2}};
    struct spean_id digests[4];
    for (size_t i = 0; i < 4; i++) {
        struct spean_authority *a = NULL;
        assert_int_equal(spean_authority_new(&a, NULL), SPEAN_OK);
        for (size_t j = 0; j < 6; j++) {
            add(a, orders[i][j]);
        }
        assert_int_equal(spean_authority_logs_count(a), 2);
        assert_int_equal(log_of(a, &n1, NEWCOMER_NODE)->status, SPEAN_LOG_OPEN);
        assert_int_equal(log_of(a, &f1, FOUNDER_NODE)->status, SPEAN_LOG_OPEN);
        spean_authority_digest(a, &digests[i]);
        assert_true(spean_id_equal(&digests[0], &digests[i]));
        spean_authority_free(a);
    }
}

static void a_charter_fork_has_one_digest_whoever_had_what_first(void **state)
{
    (void)state;
    static struct fixture_document left;
    static struct fixture_document right;
    const struct spean_id third = fixture_id(3);
    fixture_charter_member(&left, &c1.doc, &n1.doc.id, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    fixture_charter_member(&right, &c1.doc, &third, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    struct spean_id digests[2];
    for (int turn = 0; turn < 2; turn++) {
        struct spean_authority *a = NULL;
        assert_int_equal(spean_authority_new(&a, NULL), SPEAN_OK);
        add(a, &c1);
        add(a, turn == 0 ? &left : &right);
        add(a, turn == 0 ? &right : &left);
        assert_true(change.flags & SPEAN_CHANGED_FORK);
        assert_false(change.flags & SPEAN_CHANGED_LEDGER);
        assert_int_equal(try_add(a, &n1), SPEAN_OK); /* Named by one branch: kept by both. */
        assert_int_equal(try_add(a, &n2), SPEAN_OK);
        assert_int_equal(spean_authority_is_member(a, &n1.doc.id), turn == 0);
        struct spean_authority_org org;
        assert_int_equal(spean_authority_org(a, &n1.doc.id, &org), SPEAN_OK);
        assert_true(org.named);
        assert_int_equal(spean_authority_logs_count(a), turn == 0 ? 1 : 0);
        spean_authority_digest(a, &digests[turn]);
        spean_authority_free(a);
    }
    assert_true(spean_id_equal(&digests[0], &digests[1]));
}

/* What a peer with these heads lacks of a chain, as the number of documents. */
static uint32_t lacking(const struct spean_authority *a, const struct spean_id *chain,
                        const struct spean_title *heads, uint32_t count, struct spean_title *first)
{
    struct spean_title *titles = NULL;
    uint32_t titles_count = 0;
    assert_int_equal(spean_authority_lacking(a, chain, heads, count, &titles, &titles_count),
                     SPEAN_OK);
    assert_int_equal(titles_count == 0, titles == NULL);
    if (titles != NULL) {
        *first = titles[0];
    }
    free(titles);
    return titles_count;
}

static void a_peer_is_sent_what_it_lacks_p13_3(void **state)
{
    struct spean_authority *const a = *state;
    add_all(a);
    struct spean_title first = {0};
    assert_int_equal(lacking(a, &c1.doc.id, NULL, 0, &first), 2);
    assert_int_equal(first.version, 1);
    struct spean_title head = {.version = 1, .id = c1.doc.id};
    assert_int_equal(lacking(a, &c1.doc.id, &head, 1, &first), 1);
    assert_true(spean_id_equal(&first.id, &c2.doc.id));
    head = (struct spean_title){.version = 2, .id = c2.doc.id};
    assert_int_equal(lacking(a, &c1.doc.id, &head, 1, &first), 0);
    head = (struct spean_title){.version = 3, .id = fixture_id(1)};
    assert_int_equal(lacking(a, &c1.doc.id, &head, 1, &first), 0); /* It is ahead. */
    head.version = 2;
    assert_int_equal(lacking(a, &c1.doc.id, &head, 1, &first), 2); /* It forked. */

    struct spean_title *titles = NULL;
    uint32_t count = 0;
    const struct spean_id stranger = fixture_id(1);
    assert_int_equal(spean_authority_lacking(a, &stranger, NULL, 0, &titles, &count),
                     SPEAN_ENOTFOUND);
}

static void both_branches_are_titles_ascending(void **state)
{
    struct spean_authority *const a = *state;
    static struct fixture_document left;
    static struct fixture_document right;
    add_all(a);
    fixture_org_node(&left, &n2.doc, &n1.doc.id, &handle, false, 40, NEWCOMER);
    fixture_org_node(&right, &n2.doc, &n1.doc.id, &handle, false, 41, NEWCOMER);
    add(a, &left);
    add(a, &right);
    struct spean_title titles[2];
    assert_int_equal(spean_authority_heads(a, &n1.doc.id, titles, 2), 2);
    assert_true(spean_id_compare(&titles[0].id, &titles[1].id) < 0);
    assert_int_equal(titles[0].version, 3);
    struct spean_title first;
    const struct spean_title head = {.version = 3, .id = left.doc.id};
    assert_int_equal(lacking(a, &n1.doc.id, &head, 1, &first), 1);
    assert_true(spean_id_equal(&first.id, &right.doc.id));
}

#define AUTHORITY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTHORITY_TEST(nothing_is_known_at_first),
        AUTHORITY_TEST(a_log_needs_an_active_member_and_a_statement_p4_7),
        AUTHORITY_TEST(a_statement_for_another_ledger_opens_no_log_p4_7),
        AUTHORITY_TEST(what_is_known_is_found_by_every_name),
        AUTHORITY_TEST(orgs_are_listed_ascending),
        AUTHORITY_TEST(a_member_without_a_statement_is_named_all_the_same),
        AUTHORITY_TEST(statements_of_strangers_are_kept_only_if_asked),
        AUTHORITY_TEST(pending_orgs_are_limited_and_members_are_not),
        AUTHORITY_TEST(only_the_ledger_that_invited_is_accepted_p12_4),
        AUTHORITY_TEST(a_second_genesis_is_refused_p4_2),
        AUTHORITY_TEST(a_bad_document_changes_nothing),
        AUTHORITY_TEST(a_truncated_document_is_refused_at_every_byte),
        AUTHORITY_TEST(an_orgs_cut_closes_its_log_and_shuts_its_node_out_p13_4),
        AUTHORITY_TEST(the_lowest_cut_binds_and_at_equal_seq_the_charters_p4_5),
        AUTHORITY_TEST(a_removed_org_is_cut_where_the_charter_says_and_else_at_0_p4_4),
        AUTHORITY_TEST(a_node_that_a_removed_org_opens_later_stays_out_p4_4),
        AUTHORITY_TEST(a_fork_freezes_and_a_pin_thaws),
        AUTHORITY_TEST(a_branch_for_another_ledger_that_wins_sets_every_log_aside_p4_7),
        AUTHORITY_TEST(a_node_rekeyed_by_the_branch_that_wins_is_found_by_its_new_key),
        AUTHORITY_TEST(a_transport_key_listed_by_two_orgs_tells_apart_by_what_the_peer_says),
        AUTHORITY_TEST(a_node_is_a_relay_while_the_charter_names_it_and_it_is_open),
        AUTHORITY_TEST(the_digest_is_over_the_heads_of_members_p13_3),
        AUTHORITY_TEST(any_order_of_arrival_gives_one_authority),
        AUTHORITY_TEST(a_charter_fork_has_one_digest_whoever_had_what_first),
        AUTHORITY_TEST(a_peer_is_sent_what_it_lacks_p13_3),
        AUTHORITY_TEST(both_branches_are_titles_ascending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
