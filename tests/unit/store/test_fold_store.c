/* store/fold.h, partkeys.h, record.h and context.h: what is folded, refused, hidden and found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/partkey.h"
#include "store/body.h"
#include "store/context.h"
#include "tests/unit/store/world.h"

#define STATUS    SPEAN_FIELD_CASE_STATUS
#define AT_ORIGIN 1002u
#define AT_TARGET 2033u
#define AT_EITHER 3001u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};
static const uint8_t key_b[SPEAN_KEY_BYTES] = {0xb2};

struct env {
    struct world *w;
    struct node *ours;   /* Of organisation 0. */
    struct node *theirs; /* Of organisation 1. */
    struct spean_part_name referral;
    uint8_t fixed[WORLD_BYTES_MAX];
    struct world_change create;
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->w = world_new();
    e->ours = node_new(e->w, 0);
    e->theirs = node_new(e->w, 1);
    e->referral = (struct spean_part_name){world_record(e->w, 0, 7), SPEAN_PART_STEPS};
    e->create = world_referral_create(e->w, &e->referral, key_a, 7, e->fixed);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    node_free(e->ours);
    node_free(e->theirs);
    world_free(e->w);
    free(e);
    return 0;
}

static struct world_grant grant_of(const struct env *e, unsigned audience)
{
    struct world_grant grant = world_referral_grant(&e->referral, key_a);
    grant.audience = audience;
    return grant;
}

/* A change of one value field of the referral. */
static struct world_change write_of(const struct env *e, uint64_t field, uint8_t value)
{
    return (struct world_change){.type = SPEAN_TYPE_REFERRAL,
                                 .record = e->referral.record,
                                 .part = SPEAN_PART_STEPS,
                                 .key = key_a,
                                 .ops_count = 1,
                                 .ops = {{field, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, value, {0}}}};
}

static uint64_t write_value(struct env *e, unsigned log, uint64_t field, uint8_t value)
{
    const struct world_change change = write_of(e, field, value);
    return world_write(e->w, log, &change);
}

/* Organisation 0 grants to both and makes the referral. */
static void make_referral(struct env *e)
{
    const struct world_grant grant = grant_of(e, WORLD_BOTH);
    (void)world_grant(e->w, 0, &grant);
    (void)world_write(e->w, 0, &e->create);
}

static void take_and_fold(struct node *n)
{
    node_take_all(n);
    node_fold(n);
}

/* Make a public agency record of organisation org. */
static struct spean_part_name make_agency(struct env *e, unsigned log, uint8_t random,
                                          struct world_change *change)
{
    const struct spean_part_name name = {world_record(e->w, world_org_of(log), random), 0};
    *change = (struct world_change){.type = SPEAN_TYPE_AGENCY,
                                    .record = name.record,
                                    .creates = true,
                                    .random = random,
                                    .fixed = world_fixed_none()};
    return name;
}

/* -- Refused --------------------------------------------------------------------------------- */

static void while_locked_the_fold_waits(void **state)
{
    struct env *e = *state;
    bool more;
    make_referral(e);
    node_take_all(e->ours);
    spean_keys_lock(e->ours->keys);
    assert_int_equal(spean_fold_step(e->ours->fold, e->ours->authority, 10, WORLD_NOW_S, &more),
                     SPEAN_ELOCKED);
}

static void without_a_genesis_nothing_is_folded(void **state)
{
    struct env *e = *state;
    struct spean_authority *empty;
    bool more;
    assert_int_equal(spean_authority_new(&empty, NULL), SPEAN_OK);
    assert_int_equal(spean_fold_step(e->ours->fold, empty, 10, WORLD_NOW_S, &more), SPEAN_ESTATE);
    spean_authority_free(empty);
}

static void a_body_that_is_no_change_is_set_aside(void **state)
{
    struct env *e = *state;
    const uint8_t junk[40] = {0xff};
    const uint64_t seq =
        world_raw(e->w, 1, SPEAN_ENTRY_CHANGE, NULL, (struct spean_view){junk, sizeof(junk)});
    const uint64_t few = world_raw(e->w, 1, SPEAN_ENTRY_GRANT, NULL, (struct spean_view){junk, 1});
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_MALFORMED);
    assert_int_equal(node_aside(e->ours, 1, few), SPEAN_ASIDE_MALFORMED);
}

static void a_field_of_another_writer_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t ours = write_value(e, 0, AT_TARGET, 1);
    const uint64_t theirs = write_value(e, 1, AT_ORIGIN, 2);
    const uint64_t good = write_value(e, 1, AT_TARGET, 3);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, ours), SPEAN_ASIDE_WRITER);
    assert_int_equal(node_aside(e->theirs, 1, theirs), SPEAN_ASIDE_WRITER);
    assert_int_equal(node_aside(e->theirs, 1, good), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_TARGET), 3);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 255);
}

static void a_record_id_that_was_not_derived_is_set_aside(void **state)
{
    struct env *e = *state;
    const struct world_grant grant = grant_of(e, WORLD_BOTH);
    (void)world_grant(e->w, 0, &grant);
    e->create.random = 8;
    const uint64_t seq = world_write(e->w, 0, &e->create);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_RECORD);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 255);
}

static void a_public_change_to_a_sealed_part_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_change change = write_of(e, AT_ORIGIN, 1);
    change.key = NULL;
    const uint64_t seq = world_write(e->w, 0, &change);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_PART);
}

static void a_change_under_the_key_of_another_part_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_change change = write_of(e, AT_ORIGIN, 1);
    change.part = SPEAN_PART_PREVIEW;
    change.sealed_as = SPEAN_PART_STEPS;
    const uint64_t seq = world_write(e->w, 0, &change);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_PART);
}

static void a_change_that_takes_the_record_for_another_type_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_change change = write_of(e, AT_ORIGIN, 1);
    change.type = SPEAN_TYPE_CASE;
    const uint64_t seq = world_write(e->w, 0, &change);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_TYPE);
}

static void a_grant_by_somebody_else_than_the_owner_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_grant grant = grant_of(e, WORLD_BOTH);
    grant.owner = 1;
    grant.key = key_b;
    const uint64_t seq = world_grant(e->w, 1, &grant);
    struct world_change change = write_of(e, AT_TARGET, 5);
    change.key = key_b;
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_OWNER);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 255);
}

static void a_box_that_does_not_open_is_set_aside(void **state)
{
    struct env *e = *state;
    struct world_grant grant = grant_of(e, 1u << 1);
    grant.wrong_box = true;
    const uint64_t seq = world_grant(e->w, 0, &grant);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_KEY);
}

/* Handing different keys to different people, as the commitment shows (P8.4). */
static void a_box_with_another_key_than_the_commitment_says_is_set_aside(void **state)
{
    struct env *e = *state;
    struct world_grant grant = grant_of(e, WORLD_BOTH);
    grant.boxed = key_b;
    const uint64_t opens_nothing = world_grant(e->w, 0, &grant);
    grant.sealed_alike = true;
    const uint64_t opens_all = world_grant(e->w, 0, &grant);
    struct world_change create = e->create;
    create.key = key_b;
    const uint64_t under_it = world_write(e->w, 0, &create);
    grant.boxed = key_a; /* As a grant looks that is made by hand and does not lie. */
    const uint64_t honest = world_grant(e->w, 0, &grant);
    (void)world_write(e->w, 0, &e->create);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 0, opens_nothing), SPEAN_ASIDE_KEY);
    assert_int_equal(node_aside(e->theirs, 0, opens_all), SPEAN_ASIDE_KEY);
    assert_int_equal(node_aside(e->theirs, 0, under_it), SPEAN_ASIDE_NOT); /* Nothing opens it. */
    assert_int_equal(node_aside(e->theirs, 0, honest), SPEAN_ASIDE_NOT);
    struct spean_tx *tx = node_read(e->theirs);
    struct spean_partkey key;
    assert_int_equal(spean_partkeys_next(tx, e->theirs->keys, &e->referral, 0, 0, &key), SPEAN_OK);
    assert_memory_equal(key.key, key_a, sizeof(key.key));
    assert_int_equal(spean_partkeys_next(tx, e->theirs->keys, &e->referral, key.generation,
                                         key.number + 1, &key),
                     SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void a_grant_in_another_name_cannot_make_its_record_known(void **state)
{
    struct env *e = *state;
    struct world_grant grant = grant_of(e, WORLD_BOTH);
    grant.owner = 1;
    (void)world_grant(e->w, 1, &grant); /* Organisation 1 says that it owns what 0 will make. */
    const uint64_t seq = world_write(e->w, 0, &e->create);
    take_and_fold(e->theirs); /* Comes to an end. */
    assert_int_equal(node_aside(e->theirs, 0, seq), SPEAN_ASIDE_PARTY);
}

static void who_is_not_granted_reads_nothing(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct node *other = node_new(e->w, 2);
    take_and_fold(other);
    struct spean_tx *tx = node_read(other);
    struct spean_record *record;
    struct spean_partkey key;
    struct spean_fold_status status;
    assert_int_equal(spean_record_get(tx, other->keys, &e->referral.record, &record),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_partkeys_newest(tx, other->keys, &e->referral, &key), SPEAN_ENOTFOUND);
    assert_int_equal(spean_fold_status(tx, other->authority, &status), SPEAN_OK);
    assert_int_equal(status.grants_unopened, 1);
    assert_int_equal(status.bodies_lacking, 0);
    assert_int_equal(status.entries_behind, 0);
    spean_tx_abort(tx);
    node_free(other);
}

static void kinds_that_are_not_known_are_counted(void **state)
{
    struct env *e = *state;
    const uint8_t junk[40] = {0};
    const enum spean_entry_kind later = (enum spean_entry_kind)77;
    (void)world_raw(e->w, 1, later, NULL, (struct spean_view){junk, sizeof(junk)});
    take_and_fold(e->ours);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_fold_status status;
    assert_int_equal(spean_fold_status(tx, e->ours->authority, &status), SPEAN_OK);
    assert_int_equal(status.unknown, 1);
    assert_int_equal(status.aside, 0);
    spean_tx_abort(tx);
}

/* -- Keys ------------------------------------------------------------------------------------ */

/* The proof of a key for the referral. */
static struct spean_id proof_of(const struct env *e, const uint8_t *key)
{
    struct spean_id proof;
    const struct spean_keyed_part part = spean_part_keyed(&e->referral);
    spean_partkey_proof(&proof, key, &part);
    return proof;
}

static struct spean_tag tag_of(const struct env *e, unsigned log, const uint8_t *key)
{
    const struct spean_id proof = proof_of(e, key);
    struct spean_tag tag;
    spean_partkey_tag(&tag, &proof, &e->w->logs[log]->log);
    return tag;
}

static void a_key_shows_in_every_log_of_its_audience_and_in_no_other(void **state)
{
    struct env *e = *state;
    make_referral(e);
    take_and_fold(e->theirs);
    struct spean_tx *tx = node_read(e->theirs);
    struct spean_partkey key;
    for (unsigned log = 0; log < WORLD_ORGS; log++) {
        const struct spean_tag tag = tag_of(e, log, key_a);
        const spean_err err = spean_partkeys_by_tag(tx, e->theirs->keys, &tag, &key);
        assert_int_equal(err, log < 2 ? SPEAN_OK : SPEAN_ENOTFOUND);
    }
    spean_tx_abort(tx);
    world_open_second(e->w);
    node_documents(e->theirs);
    node_fold(e->theirs);
    tx = node_read(e->theirs);
    const struct spean_tag tag = tag_of(e, WORLD_ORGS, key_a);
    assert_int_equal(spean_partkeys_by_tag(tx, e->theirs->keys, &tag, &key), SPEAN_OK);
    assert_memory_equal(key.key, key_a, sizeof(key_a));
    spean_tx_abort(tx);
}

static void a_sealed_body_travels_to_its_audience_and_while_locked_to_nobody(void **state)
{
    struct env *e = *state;
    make_referral(e);
    take_and_fold(e->ours);
    const struct spean_header sealed = {
        .kind = SPEAN_ENTRY_CHANGE, .has_tag = true, .tag = tag_of(e, 0, key_a)};
    const struct spean_header no_key = {
        .kind = SPEAN_ENTRY_CHANGE, .has_tag = true, .tag = tag_of(e, 0, key_b)};
    const struct spean_header public = {.kind = SPEAN_ENTRY_CHANGE};
    const struct spean_header grant = {
        .kind = SPEAN_ENTRY_GRANT, .has_tag = true, .tag = tag_of(e, 0, key_b)};
    const struct spean_id stranger = e->w->orgs[2].id;
    const struct spean_keys *keys = e->ours->keys;
    struct spean_tx *tx = node_read(e->ours);
    assert_false(spean_partkeys_travels(tx, keys, &sealed, &stranger));
    assert_false(spean_partkeys_travels(tx, keys, &no_key, &e->w->orgs[0].id));
    assert_true(spean_partkeys_travels(tx, keys, &public, &stranger));
    assert_true(spean_partkeys_travels(tx, keys, &grant, &stranger));
    assert_true(spean_partkeys_travels(tx, keys, &sealed, &e->w->orgs[0].id));
    assert_true(spean_partkeys_travels(tx, keys, &sealed, &e->w->orgs[1].id));
    spean_keys_lock(e->ours->keys);
    assert_false(spean_partkeys_travels(tx, keys, &sealed, &e->w->orgs[1].id));
    assert_true(spean_partkeys_travels(tx, keys, &public, &stranger));
    spean_tx_abort(tx);
}

static void the_newest_generation_is_written_under_and_all_are_read(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    struct world_grant second = grant_of(e, WORLD_BOTH);
    second.generation = 2;
    second.key = key_b;
    (void)world_grant(e->w, 1, &second);
    struct world_change change = write_of(e, AT_TARGET, 2);
    change.key = key_b;
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 1);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 2);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_partkey key;
    assert_int_equal(spean_partkeys_newest(tx, e->ours->keys, &e->referral, &key), SPEAN_OK);
    assert_int_equal(key.generation, 2);
    assert_memory_equal(key.key, key_b, sizeof(key_b));
    spean_tx_abort(tx);
}

static void a_larger_audience_by_a_party_is_set_aside(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_grant second = grant_of(e, 7);
    second.generation = 2;
    second.key = key_b;
    const uint64_t seq = world_grant(e->w, 1, &second);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_LARGER);
}

static void a_second_generation_that_comes_first_waits_for_the_first(void **state)
{
    struct env *e = *state;
    make_referral(e);
    struct world_grant second = grant_of(e, WORLD_BOTH);
    second.generation = 2;
    second.key = key_b;
    const uint64_t seq = world_grant(e->w, 1, &second);
    node_take(e->ours, 1, seq, true);
    node_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_GENERATION);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_NOT);
}

static void who_is_left_out_keeps_what_was_read_and_adds_nothing(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t read = write_value(e, 1, AT_TARGET, 1);
    struct world_grant second = grant_of(e, 1);
    second.generation = 2;
    second.key = key_b;
    second.seen = 1;
    second.seen_seq = read;
    take_and_fold(e->ours);
    const uint64_t late = write_value(e, 1, AT_TARGET, 2);
    node_take_all(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 2);
    (void)world_grant(e->w, 0, &second);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, read), SPEAN_ASIDE_NOT);
    assert_int_equal(node_aside(e->ours, 1, late), SPEAN_ASIDE_LEFT_OUT);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 1);
    world_cut(e->w, 0, 2); /* Before the grant: nobody is left out. */
    node_documents(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, late), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 2);
}

static void an_org_key_grant_opens_what_could_not_be_opened(void **state)
{
    struct env *e = *state;
    make_referral(e);
    world_open_second(e->w);
    struct node *second = node_new_bare(e->w, WORLD_ORGS);
    take_and_fold(second);
    assert_int_equal(spean_keys_org_count(second->keys), 0);
    struct spean_key sealing;
    assert_int_equal(crypto_scalarmult_base(sealing.bytes, spean_keys_sealing_secret(second->keys)),
                     0);
    (void)world_orgkey(e->w, 0, &sealing);
    (void)write_value(e, 0, AT_ORIGIN, 9);
    take_and_fold(second);
    assert_int_equal(spean_keys_org_count(second->keys), 1);
    assert_int_equal(node_value(second, &e->referral, AT_ORIGIN), 9);
    node_free(second);
}

/* What the guard of the keys saw. */
struct guarded {
    const struct spean_keys *keys;
    size_t before; /* Secrets of the org when it was called first, and last. */
    size_t behind;
    uint32_t calls;
    bool on;
};

static void note_guard(void *ctx, bool on)
{
    struct guarded *seen = ctx;
    const size_t count = spean_keys_org_count(seen->keys);
    assert_true(seen->on != on);
    seen->before = seen->calls == 0 ? count : seen->before;
    seen->behind = count;
    seen->calls++;
    seen->on = on;
}

static void whoever_reads_the_keys_is_held_off_while_a_secret_is_added(void **state)
{
    struct env *e = *state;
    make_referral(e);
    world_open_second(e->w);
    struct node *second = node_new_bare(e->w, WORLD_ORGS);
    struct guarded seen = {.keys = second->keys};
    spean_keys_guard(second->keys, note_guard, &seen);
    take_and_fold(second);
    assert_int_equal(seen.calls, 0); /* Without a secret nobody waits. */
    struct spean_key sealing;
    assert_int_equal(crypto_scalarmult_base(sealing.bytes, spean_keys_sealing_secret(second->keys)),
                     0);
    (void)world_orgkey(e->w, 0, &sealing);
    take_and_fold(second);
    assert_int_equal(seen.calls, 2);
    assert_int_equal(seen.before, 0);
    assert_int_equal(seen.behind, 1);
    assert_false(seen.on);
    node_free(second);
}

/* -- Bodies ---------------------------------------------------------------------------------- */

static void lacking_bodies_are_named_with_their_proof_and_folded_when_they_come(void **state)
{
    struct env *e = *state;
    make_referral(e);
    node_take_all(e->theirs);
    const uint64_t first = write_value(e, 0, AT_ORIGIN, 1);
    const uint64_t second = write_value(e, 0, AT_ORIGIN, 2);
    node_take(e->theirs, 0, second, false);
    node_fold(e->theirs);

    struct spean_tx *tx = node_read(e->theirs);
    struct spean_lacking_at at = {0};
    struct spean_lacking lacking;
    uint64_t count = 0;
    assert_int_equal(spean_partkeys_lacking_count(tx, &count), SPEAN_OK);
    assert_int_equal(count, 2);
    const struct spean_id *const other = &e->w->orgs[2].id;
    assert_int_equal(spean_partkeys_lacking(tx, e->theirs->keys, other, &at, &lacking),
                     SPEAN_ENOTFOUND);
    at = (struct spean_lacking_at){0};
    const struct spean_id *const author = &e->w->orgs[0].id;
    assert_int_equal(spean_partkeys_lacking(tx, e->theirs->keys, author, &at, &lacking), SPEAN_OK);
    assert_int_equal(lacking.seqs_count, 2);
    assert_int_equal(lacking.seqs[0], first);
    assert_int_equal(lacking.seqs[1], second);
    assert_true(spean_id_equal(&lacking.log, &e->w->logs[0]->log));
    assert_int_equal(spean_partkeys_lacking(tx, e->theirs->keys, author, &at, &lacking),
                     SPEAN_ENOTFOUND);
    struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
    uint32_t parts_count;
    assert_int_equal(spean_record_parts(tx, &e->referral.record, parts, &parts_count), SPEAN_OK);
    assert_int_equal(parts_count, 1);
    assert_true(parts[0].incomplete);
    spean_tx_abort(tx);

    node_body(e->theirs, 0, second);
    node_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 2);
    node_body(e->theirs, 0, first);
    node_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 2);
    tx = node_read(e->theirs);
    assert_int_equal(spean_partkeys_lacking_count(tx, &count), SPEAN_OK);
    assert_int_equal(count, 0);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    assert_int_equal(
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_PART_WANTED, (struct spean_view){0}), SPEAN_OK);
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_ENOTFOUND);
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void a_tag_copied_into_another_log_is_not_asked_for(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const struct spean_tag tag = tag_of(e, 0, key_a);
    const uint8_t junk[300] = {0};
    (void)world_raw(e->w, 2, SPEAN_ENTRY_CHANGE, &tag, (struct spean_view){junk, sizeof(junk)});
    node_take(e->theirs, 0, e->w->logs[0]->count, true);
    node_take(e->theirs, 2, 1, false);
    node_fold(e->theirs);
    struct spean_tx *tx = node_read(e->theirs);
    uint64_t count;
    assert_int_equal(spean_partkeys_lacking_count(tx, &count), SPEAN_OK);
    assert_int_equal(count, 0);
    spean_tx_abort(tx);
}

/* -- Erased ---------------------------------------------------------------------------------- */

static void the_owner_erases_for_everybody(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 1);
    (void)world_erase_part(e->w, 0, &e->referral, key_a);
    (void)write_value(e, 1, AT_TARGET, 2);
    take_and_fold(e->theirs);

    struct spean_tx *tx = node_read(e->theirs);
    struct spean_part *part;
    struct spean_partkey key;
    struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
    uint32_t count;
    bool refused = false;
    assert_int_equal(spean_record_part(tx, e->theirs->keys, &e->referral, &part), SPEAN_ESTATE);
    assert_int_equal(spean_record_parts(tx, &e->referral.record, parts, &count), SPEAN_OK);
    assert_int_equal(count, 1);
    assert_true(parts[0].erased);
    assert_false(parts[0].folded);
    assert_int_equal(spean_partkeys_newest(tx, e->theirs->keys, &e->referral, &key),
                     SPEAN_ENOTFOUND);
    for (unsigned log = 0; log < 2; log++) {
        const struct spean_tag tag = tag_of(e, log, key_a);
        assert_int_equal(spean_partkeys_refused(tx, &tag, &refused), SPEAN_OK);
        assert_true(refused);
    }
    spean_tx_abort(tx);
}

static void a_party_erases_for_itself_alone(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    (void)world_erase_part(e->w, 1, &e->referral, key_a);
    take_and_fold(e->ours);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 1);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 255);
}

/* Whether bodies of the part are refused by organisation 2, which is no party, in log. */
static bool is_refused_by_third(struct env *e, unsigned log)
{
    struct node *third = node_new(e->w, 2);
    take_and_fold(third);
    struct spean_tx *tx = node_read(third);
    const struct spean_tag tag = tag_of(e, log, key_a);
    bool refused = false;
    assert_int_equal(spean_partkeys_refused(tx, &tag, &refused), SPEAN_OK);
    spean_tx_abort(tx);
    node_free(third);
    return refused;
}

/* Organisation 1, a party, makes a record of its own and erases it by the proof of the referral's
 * key. Returns the seq of the entry before the erasure. */
static uint64_t erase_by_a_foreign_proof(struct env *e)
{
    const struct spean_part_name own = {world_record(e->w, 1, 9), SPEAN_PART_STEPS};
    struct world_change create = e->create;
    uint8_t fixed[WORLD_BYTES_MAX];
    const struct world_grant grant = {.record = own.record,
                                      .part = own.part,
                                      .generation = 1,
                                      .key = key_b,
                                      .owner = 1,
                                      .audience = WORLD_BOTH};
    create.record = own.record;
    create.random = 9;
    create.key = key_b;
    create.fixed = world_fixed_referral(e->w, 1, 0, fixed);
    (void)world_grant(e->w, 1, &grant);
    const uint64_t last = world_write(e->w, 1, &create);
    const struct spean_id proof = proof_of(e, key_a);
    (void)world_erase_proof(e->w, 1, &own, &proof);
    return last;
}

static void expect_refused(struct node *n, const struct spean_tag *tag, bool expected)
{
    struct spean_tx *tx = node_read(n);
    bool refused = !expected;
    assert_int_equal(spean_partkeys_refused(tx, tag, &refused), SPEAN_OK);
    assert_int_equal(refused, expected);
    spean_tx_abort(tx);
}

static void an_erasure_by_the_proof_of_another_part_erases_nothing_of_it(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    take_and_fold(e->ours);
    (void)erase_by_a_foreign_proof(e);
    take_and_fold(e->ours);
    (void)write_value(e, 0, AT_ORIGIN, 2);
    take_and_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 2);
    for (unsigned log = 0; log < 2; log++) {
        const struct spean_tag tag = tag_of(e, log, key_a);
        expect_refused(e->ours, &tag, false);
    }
}

static void such_an_erasure_that_comes_first_keeps_no_key_away(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t last = write_value(e, 0, AT_ORIGIN, 1);
    (void)erase_by_a_foreign_proof(e);
    node_take(e->ours, 1, node_held(e->ours, 1) + 3, true); /* What organisation 1 wrote. */
    node_fold(e->ours);
    take_and_fold(e->ours);
    const struct spean_tag tag = tag_of(e, 0, key_a);
    expect_refused(e->ours, &tag, false);
    for (uint64_t seq = 2; seq <= last; seq++) {
        node_body(e->ours, 0, seq); /* Those of changes were refused meanwhile. */
    }
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 1);
}

static void a_relay_that_knows_the_owner_obeys_the_owner_alone(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    world_relay(e->w, 0);
    node_documents(e->ours);
    take_and_fold(e->ours);
    (void)world_erase_part(e->w, 1, &e->referral, key_a);
    take_and_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 1);
    const struct spean_tag tag = tag_of(e, 0, key_a);
    expect_refused(e->ours, &tag, false);
}

static void a_relay_that_learns_the_owner_later_is_as_one_that_knew(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t last = write_value(e, 0, AT_ORIGIN, 1);
    (void)world_erase_part(e->w, 1, &e->referral, key_a);
    world_relay(e->w, 0);
    node_documents(e->ours);
    node_take(e->ours, 1, 1, true);
    node_fold(e->ours);
    take_and_fold(e->ours);
    for (uint64_t seq = 2; seq <= last; seq++) {
        node_body(e->ours, 0, seq);
    }
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 1);
}

static void a_relay_obeys_whoever_shows_the_key_proof_p8_7(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    (void)world_erase_part(e->w, 1, &e->referral, key_a); /* A party, and not the owner. */
    assert_false(is_refused_by_third(e, 0));
    world_relay(e->w, 2);
    assert_true(is_refused_by_third(e, 0)); /* The owner's bodies, too: it knows no owner. */
    assert_true(is_refused_by_third(e, 1));
}

static void who_is_a_relay_no_more_goes_on_erasing_what_it_carried(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    world_relay(e->w, 2);
    struct node *third = node_new(e->w, 2);
    take_and_fold(third);
    world_relay(e->w, 0); /* Another one in its place. */
    node_documents(third);
    node_fold(third);
    (void)world_erase_part(e->w, 1, &e->referral, key_a);
    take_and_fold(third);
    const struct spean_tag tag = tag_of(e, 0, key_a);
    expect_refused(third, &tag, true);
    node_free(third);
}

static void a_cut_takes_an_erasure_back(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t last = write_value(e, 0, AT_ORIGIN, 1);
    (void)world_erase_part(e->w, 0, &e->referral, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 255);
    world_cut(e->w, 0, last);
    node_documents(e->theirs);
    node_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 1);
    struct spean_tx *tx = node_read(e->theirs);
    const struct spean_tag tag = tag_of(e, 0, key_a);
    bool refused = true;
    assert_int_equal(spean_partkeys_refused(tx, &tag, &refused), SPEAN_OK);
    assert_false(refused);
    spean_tx_abort(tx);
}

static void a_public_entry_is_erased_by_its_org_or_a_steward_and_nobody_else(void **state)
{
    struct env *e = *state;
    struct world_change change;
    const struct spean_part_name agency = make_agency(e, 1, 3, &change);
    (void)world_write(e->w, 1, &change);
    change.creates = false;
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 16, .kind = SPEAN_KIND_VALUE, .value = 4};
    const uint64_t seq = world_write(e->w, 1, &change);
    const uint64_t refused = world_erase_place(e->w, 2, 1, seq);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 2, refused), SPEAN_ASIDE_ERASER);
    assert_int_equal(node_value(e->ours, &agency, 16), 4);

    world_steward(e->w, 2); /* Now its word counts, though it was given before. */
    node_documents(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 2, refused), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(e->ours, &agency, 16), 255);
}

static void what_was_erased_is_refused_in_logs_that_open_later_too(void **state)
{
    struct env *e = *state;
    bool refused = false;
    make_referral(e);
    take_and_fold(e->theirs);
    (void)world_erase_part(e->w, 0, &e->referral, key_a);
    take_and_fold(e->theirs);
    world_open_second(e->w);
    node_documents(e->theirs);
    node_fold(e->theirs);
    const struct spean_tag tag = tag_of(e, WORLD_ORGS, key_a);
    struct spean_tx *tx = node_read(e->theirs);
    const spean_err err = spean_partkeys_refused(tx, &tag, &refused);
    spean_tx_abort(tx);
    assert_int_equal(err, SPEAN_OK);
    assert_true(refused);
}

static void an_erasure_of_public_entries_needs_the_right_to_each(void **state)
{
    struct env *e = *state;
    struct world_change change;
    (void)make_agency(e, 1, 3, &change);
    const struct world_place other = {1, world_write(e->w, 1, &change)};
    (void)make_agency(e, 2, 5, &change);
    const struct world_place own = {2, world_write(e->w, 2, &change)};
    const struct world_place orders[][2] = {{other, own}, {own, other}};
    for (size_t i = 0; i < 2; i++) {
        const uint64_t seq = world_erase_places(e->w, 2, orders[i], 2);
        take_and_fold(e->ours);
        assert_int_equal(node_aside(e->ours, 2, seq), SPEAN_ASIDE_ERASER);
    }
    const uint64_t seq = world_erase_places(e->w, 2, &own, 1);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 2, seq), SPEAN_ASIDE_NOT);
}

/* -- Beyond a cut ---------------------------------------------------------------------------- */

static void what_is_beyond_a_cut_is_not_folded_even_before_the_log_is_cut_back(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t last = write_value(e, 1, AT_TARGET, 1);
    (void)write_value(e, 1, AT_TARGET, 2);
    node_take_all(e->ours);
    world_cut(e->w, 1, last);
    node_documents_kept(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 1);
}

static void of_a_branch_that_a_cut_does_not_name_nothing_is_folded(void **state)
{
    struct env *e = *state;
    const struct spean_id elsewhere = {{7}};
    make_referral(e);
    const uint64_t last = write_value(e, 1, AT_TARGET, 1);
    node_take_all(e->ours);
    world_cut_at(e->w, 1, last, &elsewhere);
    node_documents_kept(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 255);
}

/* -- One key for two parts ------------------------------------------------------------------- */

/* Organisation 1, a party, grants the referral's key for a part of a record of its own, too. */
static uint64_t grant_the_key_again(struct env *e)
{
    const struct world_grant grant = {.record = world_record(e->w, 1, 9),
                                      .part = SPEAN_PART_STEPS,
                                      .generation = 1,
                                      .key = key_a,
                                      .owner = 1,
                                      .audience = WORLD_BOTH};
    return world_grant(e->w, 1, &grant);
}

static void a_key_that_a_party_grants_for_another_part_too_takes_nothing_away(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    take_and_fold(e->ours);
    const uint64_t again = grant_the_key_again(e);
    take_and_fold(e->ours);
    const uint64_t seq = write_value(e, 0, AT_ORIGIN, 2);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 0, seq), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 2);
    struct node *other = node_new(e->w, 0); /* It takes the other grant first. */
    node_take(other, 1, again, true);
    node_fold(other);
    take_and_fold(other);
    assert_int_equal(node_aside(other, 0, seq), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(other, &e->referral, AT_ORIGIN), 2);
    node_free(other);
}

static void a_key_of_two_parts_still_reads_the_one_when_the_other_is_erased_or_cut(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 0, AT_ORIGIN, 1);
    const uint64_t again = grant_the_key_again(e);
    take_and_fold(e->ours);
    take_and_fold(e->theirs);
    const struct spean_part_name own = {world_record(e->w, 1, 9), SPEAN_PART_STEPS};
    (void)world_erase_part(e->w, 1, &own, key_a);
    (void)write_value(e, 0, AT_ORIGIN, 2);
    take_and_fold(e->theirs); /* Its own erasure binds it, though the record is not known. */
    assert_int_equal(node_value(e->theirs, &e->referral, AT_ORIGIN), 2);
    world_cut(e->w, 1, again - 1);
    node_documents(e->ours);
    node_fold(e->ours);
    const uint64_t last = write_value(e, 0, AT_ORIGIN, 3);
    node_take(e->ours, 0, last, true);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_ORIGIN), 3);
}

/* -- Again ----------------------------------------------------------------------------------- */

static void a_cut_takes_changes_back(void **state)
{
    struct env *e = *state;
    make_referral(e);
    const uint64_t good = write_value(e, 1, AT_TARGET, 1);
    (void)write_value(e, 1, AT_TARGET, 2);
    take_and_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 2);
    world_cut(e->w, 1, good);
    node_documents(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &e->referral, AT_TARGET), 1);
}

static void a_cut_of_the_creating_change_leaves_nothing(void **state)
{
    struct env *e = *state;
    make_referral(e);
    (void)write_value(e, 1, AT_TARGET, 1);
    take_and_fold(e->theirs);
    world_cut(e->w, 0, 1); /* The grant stays. */
    node_documents(e->theirs);
    node_fold(e->theirs);
    struct spean_tx *tx = node_read(e->theirs);
    struct spean_record *record;
    struct spean_fold_status status;
    assert_int_equal(spean_record_get(tx, e->theirs->keys, &e->referral.record, &record),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_fold_status(tx, e->theirs->authority, &status), SPEAN_OK);
    assert_int_equal(status.waiting_records, 1);
    spean_tx_abort(tx);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_TARGET), 255);
}

static void a_context_that_named_what_was_cut_no_longer_covers(void **state)
{
    struct env *e = *state;
    make_referral(e);
    /* Both write what either may write; organisation 1 has seen an entry that is cut later. */
    (void)write_value(e, 0, AT_EITHER, 1);
    const uint64_t keep = e->w->logs[0]->count;
    const uint64_t gone = write_value(e, 0, AT_ORIGIN, 9);
    struct world_change change = write_of(e, AT_EITHER, 2);
    change.rows_count = 1;
    change.rows[0].log = 0;
    change.rows[0].seq = gone;
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_EITHER), 2);
    world_cut(e->w, 0, keep);
    node_documents(e->theirs);
    node_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->referral, AT_EITHER), 254); /* Both are shown. */
}

/* What is shown now is what is shown after folding everything from the start. */
static void assert_folds_to_the_same(struct node *n)
{
    const struct spean_id before = node_shown(n);
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_fold_reset(tx), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    node_fold(n);
    const struct spean_id after = node_shown(n);
    assert_memory_equal(before.bytes, after.bytes, sizeof(after.bytes));
}

static void a_cut_is_noticed_by_parts_that_only_name_the_log(void **state)
{
    struct env *e = *state;
    struct world_change change;
    (void)make_agency(e, 1, 3, &change);
    (void)world_write(e->w, 1, &change);
    const uint64_t gone = world_heads(e->w, 3, 1, 1);
    change.creates = false;
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 16, .kind = SPEAN_KIND_VALUE, .value = 4};
    change.rows_count = 1;
    change.rows[0].log = 3;
    change.rows[0].seq = gone;
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    const struct spean_id before = node_shown(e->ours);
    world_cut(e->w, 3, 0);
    node_documents(e->ours);
    node_fold(e->ours);
    const struct spean_id after = node_shown(e->ours);
    assert_memory_not_equal(before.bytes, after.bytes, sizeof(after.bytes));
    assert_folds_to_the_same(e->ours);
}

static void without_its_creating_change_no_part_of_a_record_is_shown(void **state)
{
    struct env *e = *state;
    struct world_grant grant = grant_of(e, WORLD_BOTH);
    grant.part = SPEAN_PART_PAYLOAD;
    grant.key = key_b;
    (void)world_grant(e->w, 0, &grant);
    make_referral(e);
    struct world_change change = write_of(e, AT_TARGET, 6);
    change.part = SPEAN_PART_PAYLOAD;
    change.key = key_b;
    (void)world_write(e->w, 1, &change);
    const struct spean_part_name payload = {e->referral.record, SPEAN_PART_PAYLOAD};
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &payload, AT_TARGET), 6);
    (void)world_erase_part(e->w, 0, &e->referral, key_a); /* It holds the creating change. */
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &payload, AT_TARGET), 255);
    assert_folds_to_the_same(e->theirs);
}

static void who_is_a_steward_is_judged_by_the_charter_in_force(void **state)
{
    struct env *e = *state;
    struct world_change change = {.type = SPEAN_TYPE_CODE_LIST,
                                  .record = world_record(e->w, 2, 5),
                                  .creates = true,
                                  .random = 5,
                                  .fixed = world_fixed_none()};
    const struct spean_part_name list = {change.record, 0};
    (void)world_write(e->w, 2, &change);
    change.creates = false;
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 5018, .kind = SPEAN_KIND_VALUE, .value = 6};
    const uint64_t seq = world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_WRITER);
    world_steward(e->w, 1);
    node_documents(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_aside(e->ours, 1, seq), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(e->ours, &list, 5018), 6);
}

static void what_a_node_has_seen_is_its_last_word(void **state)
{
    struct env *e = *state;
    (void)world_heads(e->w, 1, 0, 4);
    (void)world_heads(e->w, 1, 0, 9);
    take_and_fold(e->ours);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_logs_row row;
    uint64_t seq;
    uint64_t said;
    assert_int_equal(spean_logs_get(tx, &e->w->logs[1]->log, &row), SPEAN_OK);
    const uint64_t name = spean_short_of(&e->w->logs[0]->log);
    assert_int_equal(spean_fold_seen(tx, row.number, name, &seq, &said), SPEAN_OK);
    assert_int_equal(seq, 9);
    assert_int_equal(said, 2);
    assert_int_equal(spean_fold_seen(tx, row.number, name + 1, &seq, &said), SPEAN_OK);
    assert_int_equal(seq, 0);
    spean_tx_abort(tx);
}

/* -- Context --------------------------------------------------------------------------------- */

static uint32_t context_of(struct env *e, struct node *n, uint64_t field,
                           struct spean_context_row *rows)
{
    const struct spean_operation op = {.field = field, .kind = SPEAN_KIND_VALUE};
    struct spean_tx *tx = node_read(n);
    uint32_t count = 77;
    assert_int_equal(spean_context_rows(tx, n->keys, n->authority, &e->w->logs[n->log]->log,
                                        &e->referral, &op, 1, rows, &count),
                     SPEAN_OK);
    spean_tx_abort(tx);
    return count;
}

static void a_context_names_who_wrote_the_field_and_nobody_else(void **state)
{
    struct env *e = *state;
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX];
    assert_int_equal(context_of(e, e->theirs, AT_EITHER, rows), 0);
    make_referral(e);
    (void)write_value(e, 0, AT_EITHER, 1);
    const uint64_t last = write_value(e, 0, AT_ORIGIN, 2);
    take_and_fold(e->theirs);
    take_and_fold(e->ours);
    assert_int_equal(context_of(e, e->ours, AT_EITHER, rows), 0); /* Its own only. */
    assert_int_equal(context_of(e, e->theirs, AT_TARGET, rows), 0);
    assert_int_equal(context_of(e, e->theirs, AT_EITHER, rows), 1);
    assert_int_equal(rows[0].log, spean_short_of(&e->w->logs[0]->log));
    assert_int_equal(rows[0].seq, last); /* All of the part up to there was read. */
    const struct spean_id id = logkit_place(e->w->logs[0], (uint32_t)last).entry;
    assert_int_equal(rows[0].entry, spean_short_of(&id));
}

static void a_context_ends_below_a_body_that_is_lacking(void **state)
{
    struct env *e = *state;
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX];
    make_referral(e);
    const uint64_t read = write_value(e, 0, AT_EITHER, 1);
    node_take_all(e->theirs);
    const uint64_t lacking = write_value(e, 0, AT_EITHER, 2);
    node_take(e->theirs, 0, lacking, false);
    (void)write_value(e, 0, AT_EITHER, 3);
    take_and_fold(e->theirs);
    assert_int_equal(context_of(e, e->theirs, AT_EITHER, rows), 1);
    assert_int_equal(rows[0].seq, read);
}

/* -- Finding --------------------------------------------------------------------------------- */

static void records_are_listed_by_type_and_found_by_the_start_of_their_id(void **state)
{
    struct env *e = *state;
    struct world_change change;
    struct spean_part_name agencies[3];
    for (uint8_t i = 0; i < 3; i++) {
        agencies[i] = make_agency(e, 1, (uint8_t)(i + 1), &change);
        (void)world_write(e->w, 1, &change);
    }
    make_referral(e);
    take_and_fold(e->ours);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_record_id id;
    uint32_t count = 0;
    spean_err err = spean_record_next(tx, SPEAN_TYPE_AGENCY, NULL, &id);
    for (; err == SPEAN_OK; count++) {
        err = spean_record_next(tx, SPEAN_TYPE_AGENCY, &id, &id);
    }
    assert_int_equal(count, 3);
    assert_int_equal(spean_record_next(tx, SPEAN_TYPE_REFERRAL, NULL, &id), SPEAN_OK);
    assert_true(spean_record_id_equal(&id, &e->referral.record));
    assert_int_equal(spean_record_next(tx, SPEAN_TYPE_REFERRAL, &id, &id), SPEAN_ENOTFOUND);
    for (uint32_t digits = 8; digits <= 32; digits++) {
        assert_int_equal(spean_record_prefix(tx, &agencies[1].record, digits, NULL, &id), SPEAN_OK);
        assert_true(spean_record_id_equal(&id, &agencies[1].record));
        assert_int_equal(spean_record_prefix(tx, &agencies[1].record, digits, &id, &id),
                         SPEAN_ENOTFOUND);
    }
    struct spean_record_id wrong = agencies[1].record;
    wrong.bytes[3] ^= 1;
    assert_int_equal(spean_record_prefix(tx, &wrong, 8, NULL, &id), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void an_agency_is_found_by_its_identifier_until_that_is_removed(void **state)
{
    struct env *e = *state;
    /* {1: "th", 2: "12"} */
    static const uint8_t identifier[] = {0x82, 1, 0xa2, 't', 'h', 2, 0xa2, '1', '2'};
    static const uint8_t name[] = {'t', 'h', 0, '1', '2'};
    const struct spean_view view = {name, sizeof(name)};
    struct world_change change;
    const struct spean_part_name agency = make_agency(e, 1, 1, &change);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = SPEAN_FIELD_AGENCY_IDENTIFIERS,
                                      .kind = SPEAN_KIND_SET,
                                      .verb = SPEAN_VERB_ADD,
                                      .bytes = {identifier, sizeof(identifier)}};
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_record_id id;
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_IDENTIFIER, view, NULL, &id), SPEAN_OK);
    assert_true(spean_record_id_equal(&id, &agency.record));
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_SHORT_REF, view, NULL, &id),
        SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    change.creates = false;
    change.ops[0].verb = SPEAN_VERB_REMOVE;
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    tx = node_read(e->ours);
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_IDENTIFIER, view, NULL, &id),
        SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void a_record_is_found_by_the_key_of_its_name_also_when_all_is_folded_anew(void **state)
{
    struct env *e = *state;
    /* {"vi": "Đào", "en": "Dao"}: one key. */
    static const uint8_t names[] = {0x82, 0xa2, 'e',  'n',  0xa3, 'D',  'a',  'o', 0xa2,
                                    'v',  'i',  0xa5, 0xc4, 0x90, 0xc3, 0xa0, 'o'};
    const struct spean_view key = {(const uint8_t *)"dao", 3};
    struct world_change change;
    const struct spean_part_name agency = make_agency(e, 1, 1, &change);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = SPEAN_FIELD_AGENCY_NAMES,
                                      .kind = SPEAN_KIND_VALUE,
                                      .verb = SPEAN_VERB_WRITE,
                                      .bytes = {names, sizeof(names)}};
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_record_id id;
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_AGENCY_NAME, key, NULL, &id), SPEAN_OK);
    assert_true(spean_record_id_equal(&id, &agency.record));
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_AGENCY_NAME, key, &id, &id),
        SPEAN_ENOTFOUND);
    assert_int_equal(spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_CASE_NAME, key, NULL, &id),
                     SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    assert_int_equal(spean_tx_begin(e->ours->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_record_unindex(tx, &agency), SPEAN_OK);
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_AGENCY_NAME, key, NULL, &id),
        SPEAN_ENOTFOUND);
    assert_int_equal(spean_fold_reset(tx), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    take_and_fold(e->ours);
    tx = node_read(e->ours);
    assert_int_equal(
        spean_record_lookup(tx, e->ours->keys, SPEAN_LOOKUP_AGENCY_NAME, key, NULL, &id), SPEAN_OK);
    spean_tx_abort(tx);
}

static void sealed_records_are_not_read_while_locked_and_public_ones_are(void **state)
{
    struct env *e = *state;
    struct world_change change;
    const struct spean_part_name agency = make_agency(e, 1, 1, &change);
    (void)world_write(e->w, 1, &change);
    make_referral(e);
    take_and_fold(e->ours);
    spean_keys_lock(e->ours->keys);
    struct spean_tx *tx = node_read(e->ours);
    struct spean_record *record = NULL;
    struct spean_part *part = NULL;
    struct spean_id hash;
    assert_int_equal(spean_record_get(tx, e->ours->keys, &e->referral.record, &record),
                     SPEAN_ELOCKED);
    assert_int_equal(spean_record_part(tx, e->ours->keys, &e->referral, &part), SPEAN_ELOCKED);
    assert_int_equal(spean_record_hash(tx, e->ours->keys, &e->referral, &hash), SPEAN_ELOCKED);
    assert_int_equal(spean_record_get(tx, e->ours->keys, &agency.record, &record), SPEAN_OK);
    assert_int_equal(spean_record_part(tx, e->ours->keys, &agency, &part), SPEAN_OK);
    spean_record_free(record);
    spean_part_free(part);
    spean_tx_abort(tx);
}

static void a_damaged_state_is_not_shown(void **state)
{
    struct env *e = *state;
    struct world_change change;
    const struct spean_part_name agency = make_agency(e, 1, 1, &change);
    (void)world_write(e->w, 1, &change);
    take_and_fold(e->ours);
    struct spean_db_key key = spean_part_name_key(&agency);
    spean_db_key_put_u32(&key, 0);
    struct spean_tx *tx;
    struct spean_view value;
    uint8_t copy[1024];
    assert_int_equal(spean_tx_begin(e->ours->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_STATES, spean_db_key_view(&key), &value),
                     SPEAN_OK);
    assert_true(value.len < sizeof(copy));
    const size_t len = value.len;
    memcpy(copy, value.data, len);
    copy[len - 1] ^= 1;
    (void)spean_tx_put(tx, SPEAN_TABLE_STATES, spean_db_key_view(&key),
                       (struct spean_view){copy, len});
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    struct spean_part *part;
    tx = node_read(e->ours);
    assert_int_equal(spean_record_part(tx, e->ours->keys, &agency, &part), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(while_locked_the_fold_waits),
        T(without_a_genesis_nothing_is_folded),
        T(a_body_that_is_no_change_is_set_aside),
        T(a_field_of_another_writer_is_set_aside),
        T(a_record_id_that_was_not_derived_is_set_aside),
        T(a_public_change_to_a_sealed_part_is_set_aside),
        T(a_change_under_the_key_of_another_part_is_set_aside),
        T(a_change_that_takes_the_record_for_another_type_is_set_aside),
        T(a_grant_by_somebody_else_than_the_owner_is_set_aside),
        T(a_box_that_does_not_open_is_set_aside),
        T(a_box_with_another_key_than_the_commitment_says_is_set_aside),
        T(a_grant_in_another_name_cannot_make_its_record_known),
        T(who_is_not_granted_reads_nothing),
        T(kinds_that_are_not_known_are_counted),
        T(a_key_shows_in_every_log_of_its_audience_and_in_no_other),
        T(a_sealed_body_travels_to_its_audience_and_while_locked_to_nobody),
        T(the_newest_generation_is_written_under_and_all_are_read),
        T(a_larger_audience_by_a_party_is_set_aside),
        T(a_second_generation_that_comes_first_waits_for_the_first),
        T(who_is_left_out_keeps_what_was_read_and_adds_nothing),
        T(an_org_key_grant_opens_what_could_not_be_opened),
        T(whoever_reads_the_keys_is_held_off_while_a_secret_is_added),
        T(lacking_bodies_are_named_with_their_proof_and_folded_when_they_come),
        T(a_tag_copied_into_another_log_is_not_asked_for),
        T(the_owner_erases_for_everybody),
        T(a_party_erases_for_itself_alone),
        T(a_relay_obeys_whoever_shows_the_key_proof_p8_7),
        T(who_is_a_relay_no_more_goes_on_erasing_what_it_carried),
        T(an_erasure_by_the_proof_of_another_part_erases_nothing_of_it),
        T(such_an_erasure_that_comes_first_keeps_no_key_away),
        T(a_key_that_a_party_grants_for_another_part_too_takes_nothing_away),
        T(a_key_of_two_parts_still_reads_the_one_when_the_other_is_erased_or_cut),
        T(a_relay_that_knows_the_owner_obeys_the_owner_alone),
        T(a_relay_that_learns_the_owner_later_is_as_one_that_knew),
        T(a_cut_takes_an_erasure_back),
        T(a_public_entry_is_erased_by_its_org_or_a_steward_and_nobody_else),
        T(what_was_erased_is_refused_in_logs_that_open_later_too),
        T(an_erasure_of_public_entries_needs_the_right_to_each),
        T(what_is_beyond_a_cut_is_not_folded_even_before_the_log_is_cut_back),
        T(of_a_branch_that_a_cut_does_not_name_nothing_is_folded),
        T(a_cut_takes_changes_back),
        T(a_cut_of_the_creating_change_leaves_nothing),
        T(a_context_that_named_what_was_cut_no_longer_covers),
        T(a_cut_is_noticed_by_parts_that_only_name_the_log),
        T(without_its_creating_change_no_part_of_a_record_is_shown),
        T(who_is_a_steward_is_judged_by_the_charter_in_force),
        T(what_a_node_has_seen_is_its_last_word),
        T(a_context_names_who_wrote_the_field_and_nobody_else),
        T(a_context_ends_below_a_body_that_is_lacking),
        T(records_are_listed_by_type_and_found_by_the_start_of_their_id),
        T(an_agency_is_found_by_its_identifier_until_that_is_removed),
        T(a_record_is_found_by_the_key_of_its_name_also_when_all_is_folded_anew),
        T(sealed_records_are_not_read_while_locked_and_public_ones_are),
        T(a_damaged_state_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
