/* store/destroy.h: what is erased is hidden, then destroyed, and does not come back. */
#include "store/destroy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/partkey.h"
#include "protocol/run.h"
#include "store/body.h"
#include "store/local.h"
#include "store/log.h"
#include "store/serve.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/world.h"

#define AT_ORIGIN 1002u
#define KIND      SPEAN_FIELD_AGENCY_KIND
#define MANY      70u /* More than are deleted in one transaction. */
#define DELAY_S   259200u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};

struct env {
    struct world *w;
    struct node *ours;   /* Of organisation 0, the owner. */
    struct node *theirs; /* Of organisation 1. */
    struct spean_part_name part;
    uint64_t granted;
    uint64_t written; /* Its seq in the log of organisation 0. */
    uint8_t fixed[WORLD_BYTES_MAX];
};

/* A referral that both have read. */
static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->w = world_new();
    e->ours = node_new(e->w, 0);
    e->theirs = node_new(e->w, 1);
    e->part = (struct spean_part_name){world_record(e->w, 0, 7), SPEAN_PART_STEPS};
    const struct world_grant grant = world_referral_grant(&e->part, key_a);
    const struct world_change create = world_referral_create(e->w, &e->part, key_a, 7, e->fixed);
    struct world_change change = world_referral_change(&e->part, key_a);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){AT_ORIGIN, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, 1, {0}};
    e->granted = world_grant(e->w, 0, &grant);
    (void)world_write(e->w, 0, &create);
    e->written = world_write(e->w, 0, &change);
    node_take_all(e->theirs);
    node_fold(e->theirs);
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

static void take_and_fold(struct node *n)
{
    node_take_all(n);
    node_fold(n);
}

/* The tag of the part's key in the log of organisation 0. */
static void tag_in_first(const struct env *e, struct spean_tag *tag)
{
    struct spean_id proof;
    const struct spean_keyed_part part = spean_part_keyed(&e->part);
    spean_partkey_proof(&proof, key_a, &part);
    spean_partkey_tag(tag, &proof, &e->w->logs[0]->log);
}

/* Whether the body of an entry of organisation 0 is held. */
static bool holds(struct env *e, struct node *n, uint64_t seq)
{
    struct spean_logs_row row;
    struct spean_tx *tx = node_read(n);
    const struct spean_tagged at = {0, seq};
    struct spean_tagged found = {0, 0};
    struct spean_tag tag;
    tag_in_first(e, &tag);
    assert_int_equal(spean_logs_get(tx, &e->w->logs[0]->log, &row), SPEAN_OK);
    assert_int_equal(row.number, 0);
    const spean_err err = spean_body_next(tx, &tag, SPEAN_BODY_HELD, &at, &found);
    spean_tx_abort(tx);
    return err == SPEAN_OK && found.seq == seq;
}

/* Whether the file of the store has these bytes anywhere: in rows, in free pages, between rows. */
static bool is_on_disk(const struct node *n, const uint8_t *bytes, size_t len)
{
    const struct fixture *f = n->fixture;
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "store/data.mdb", path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    uint8_t *const all = malloc((size_t)size);
    assert_non_null(all);
    assert_int_equal(fread(all, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    bool found = false;
    for (size_t i = 0; len <= (size_t)size && i <= (size_t)size - len && !found; i++) {
        found = memcmp(all + i, bytes, len) == 0;
    }
    free(all);
    return found;
}

static bool body_is_on_disk(const struct env *e, const struct node *n, uint64_t seq)
{
    const struct logkit_entry *entry = &e->w->logs[0]->entries[seq - 1];
    return is_on_disk(n, entry->body, entry->body_len);
}

static uint32_t destroy(struct node *n, uint64_t now_s)
{
    uint32_t destroyed = 77;
    assert_int_equal(spean_destroy_due(n->db, n->authority, now_s, DELAY_S, &destroyed), SPEAN_OK);
    return destroyed;
}

static spean_err stage_of(struct env *e, struct node *n, struct spean_destroy_row *row)
{
    struct spean_tx *tx = node_read(n);
    const spean_err err = spean_destroy_get(tx, &e->part, row);
    spean_tx_abort(tx);
    return err;
}

/* Hand over a body by itself, as a peer that was asked for it does. */
static spean_err put_body(struct env *e, struct node *n, uint64_t seq)
{
    const struct logkit_entry *entry = &e->w->logs[0]->entries[seq - 1];
    struct spean_logs_row row;
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(n->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_get(tx, &e->w->logs[0]->log, &row), SPEAN_OK);
    const spean_err err =
        spean_body_put(tx, &row, seq, (struct spean_view){entry->body, entry->body_len});
    spean_tx_abort(tx);
    return err;
}

static bool whoever_asks(void *ctx, const struct spean_header *header)
{
    (void)ctx;
    (void)header;
    return true;
}

/* Whether a run of organisation 0's log brings the body of one of its entries to a party. */
static bool travels(const struct env *e, struct node *n, uint64_t seq)
{
    uint8_t *const buf = malloc(SPEAN_LOG_RUN_BYTES_MAX);
    struct spean_run *run = NULL;
    struct spean_served served;
    assert_non_null(buf);
    assert_int_equal(spean_run_new(&run), SPEAN_OK);
    struct spean_tx *tx = node_read(n);
    const struct spean_serve_request request = {
        .log = spean_authority_log(n->authority, &e->w->logs[0]->log),
        .bytes_max = SPEAN_RUN_BYTES_MAX,
        .travels = whoever_asks};
    assert_int_equal(spean_serve_run(tx, &request, buf, SPEAN_LOG_RUN_BYTES_MAX, &served),
                     SPEAN_OK);
    const struct spean_place start = {0};
    assert_int_equal(spean_run_decode(run, served.run, &e->w->logs[0]->log, &start), SPEAN_OK);
    assert_true(seq <= spean_run_count(run));
    const bool found = spean_run_entry(run, (uint32_t)seq - 1)->body.len > 0;
    spean_tx_abort(tx);
    spean_run_free(run);
    free(buf);
    return found;
}

/* -- Refusals -------------------------------------------------------------------------------- */

static void what_nobody_erased_is_not_destroyed(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_ENOTFOUND);
    assert_int_equal(destroy(e->theirs, UINT32_MAX), 0);
    assert_int_equal(node_value(e->theirs, &e->part, AT_ORIGIN), 1);
    assert_true(body_is_on_disk(e, e->theirs, e->written));
}

static void nothing_is_destroyed_before_the_delay_is_over(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &e->part, AT_ORIGIN), 255); /* Hidden at once. */
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S - 1), 0);
    assert_int_equal(destroy(e->theirs, 0), 0); /* Nor with a clock set back. */
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
    assert_int_equal(row.stage, SPEAN_DESTROY_HIDDEN);
    assert_int_equal(row.since_s, WORLD_NOW_S);
    assert_true(holds(e, e->theirs, e->written));
}

static void an_erasure_of_another_party_destroys_nothing_here(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->ours);
    assert_int_equal(stage_of(e, e->ours, &row), SPEAN_ENOTFOUND);
    assert_int_equal(destroy(e->ours, UINT32_MAX), 0);
    assert_int_equal(node_value(e->ours, &e->part, AT_ORIGIN), 1);
}

static void a_cut_in_time_leaves_nothing_to_destroy(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
    world_cut(e->w, 0, e->written);
    node_documents(e->theirs);
    node_fold(e->theirs);
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_ENOTFOUND);
    assert_int_equal(destroy(e->theirs, UINT32_MAX), 0);
    assert_int_equal(node_value(e->theirs, &e->part, AT_ORIGIN), 1);
}

static void what_waits_behind_an_open_transaction_is_tried_again(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    struct spean_tx *tx = NULL;
    uint32_t destroyed = 77;
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(spean_tx_begin(e->theirs->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_destroy_due(e->theirs->db, e->theirs->authority, WORLD_NOW_S + DELAY_S,
                                       DELAY_S, &destroyed),
                     SPEAN_EBUSY);
    assert_int_equal(destroyed, 0);
    spean_tx_abort(tx);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
}

/* -- Public entries -------------------------------------------------------------------------- */

/* A public change of an agency that organisation 0 made, in its log; and that agency. */
static uint64_t write_agency(struct env *e, struct spean_part_name *name)
{
    *name = (struct spean_part_name){world_record(e->w, 0, 9), SPEAN_PART_PUBLIC};
    const struct world_change change = {
        .type = SPEAN_TYPE_AGENCY,
        .record = name->record,
        .creates = true,
        .random = 9,
        .fixed = world_fixed_none(),
        .ops_count = 1,
        .ops = {{KIND, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, 6, {0}}}};
    return world_write(e->w, 0, &change);
}

static void an_erased_public_change_is_hidden_then_destroyed(void **state)
{
    struct env *e = *state;
    struct spean_part_name name;
    const uint64_t seq = write_agency(e, &name);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &name, KIND), 6);
    (void)world_erase_place(e->w, 0, 0, seq);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &name, KIND), 255);
    assert_true(travels(e, e->theirs, seq)); /* After a cut nobody could ask for it. */
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S - 1), 0);
    assert_true(body_is_on_disk(e, e->theirs, seq));
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    assert_false(body_is_on_disk(e, e->theirs, seq));
    assert_false(travels(e, e->theirs, seq));
    assert_int_equal(put_body(e, e->theirs, seq), SPEAN_EDENIED);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + 2 * DELAY_S), 0);
    node_fold(e->theirs);
    assert_int_equal(node_held(e->theirs, 0), e->w->logs[0]->count); /* The chain is whole. */
}

static void a_cut_in_time_brings_an_erased_public_change_back(void **state)
{
    struct env *e = *state;
    struct spean_part_name name;
    const uint64_t seq = write_agency(e, &name);
    (void)world_erase_place(e->w, 0, 0, seq);
    take_and_fold(e->theirs);
    world_cut(e->w, 0, seq);
    node_documents(e->theirs);
    node_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &name, KIND), 6);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 0);
    assert_true(body_is_on_disk(e, e->theirs, seq));
}

static void what_another_organisation_names_is_not_destroyed(void **state)
{
    struct env *e = *state;
    struct spean_part_name name;
    const uint64_t seq = write_agency(e, &name);
    const uint64_t erasure = world_erase_place(e->w, 1, 0, seq);
    take_and_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 1, erasure), SPEAN_ASIDE_ERASER);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 0);
    assert_int_equal(node_value(e->theirs, &name, KIND), 6);
    assert_true(body_is_on_disk(e, e->theirs, seq));
}

/* Who erased it was a steward, and is none when it is due. */
static void what_nobody_may_erase_any_more_is_not_destroyed(void **state)
{
    struct env *e = *state;
    world_steward(e->w, 1);
    struct spean_part_name name;
    const uint64_t seq = write_agency(e, &name);
    const uint64_t erasure = world_erase_place(e->w, 1, 0, seq);
    node_documents(e->theirs);
    take_and_fold(e->theirs);
    assert_int_equal(node_value(e->theirs, &name, KIND), 255);
    world_steward(e->w, 0);
    node_documents(e->theirs);
    node_fold(e->theirs);
    assert_int_equal(node_aside(e->theirs, 1, erasure), SPEAN_ASIDE_ERASER);
    (void)destroy(e->theirs, WORLD_NOW_S + DELAY_S);
    assert_int_equal(node_value(e->theirs, &name, KIND), 6);
    assert_true(body_is_on_disk(e, e->theirs, seq));
}

/* Keys are taken back with their parts, and an erasure without its body would bring back what it
 * erased. */
static void what_grants_and_erasures_say_is_not_destroyed_by_their_names(void **state)
{
    struct env *e = *state;
    const uint64_t erasure = world_erase_part(e->w, 0, &e->part, key_a);
    (void)world_erase_place(e->w, 0, 0, erasure);
    (void)world_erase_place(e->w, 0, 0, e->granted);
    struct node *third = node_new(e->w, 2);
    take_and_fold(third); /* It cannot open the grant. */
    assert_int_equal(destroy(third, WORLD_NOW_S + DELAY_S), 2);
    assert_true(body_is_on_disk(e, third, erasure));
    assert_true(body_is_on_disk(e, third, e->granted));
    node_free(third);
}

static void a_destroyed_public_change_does_not_come_back_with_its_log(void **state)
{
    struct env *e = *state;
    struct spean_part_name name;
    struct spean_tx *tx = NULL;
    const uint64_t seq = write_agency(e, &name);
    (void)world_erase_place(e->w, 0, 0, seq);
    node_take_all(e->ours);
    node_fold(e->ours);
    assert_int_equal(destroy(e->ours, WORLD_NOW_S + DELAY_S), 1);
    /* Its log is fetched again, as after a fork, while what was erased is known. */
    assert_int_equal(spean_tx_begin(e->ours->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    bool more = true;
    const struct spean_place below = logkit_place(e->w->logs[0], (uint32_t)seq - 1);
    assert_int_equal(spean_log_cut_back(tx, &e->w->logs[0]->log, &below, &more), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    node_take(e->ours, 0, seq, true);
    assert_false(body_is_on_disk(e, e->ours, seq));
    node_take_all(e->ours);
    node_fold(e->ours);
    assert_int_equal(node_value(e->ours, &name, KIND), 255);
}

static void a_public_change_that_was_cut_is_destroyed_where_it_is_set_aside(void **state)
{
    struct env *e = *state;
    struct spean_part_name name;
    const uint64_t seq = write_agency(e, &name);
    world_steward(e->w, 1);
    node_documents(e->theirs);
    node_take_all(e->theirs);
    world_cut(e->w, 0, seq - 1);
    node_documents(e->theirs);
    (void)world_erase_place(e->w, 1, 0, seq);
    node_take(e->theirs, 1, 1, true);
    node_fold(e->theirs);
    assert_true(body_is_on_disk(e, e->theirs, seq));
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    assert_false(body_is_on_disk(e, e->theirs, seq));
}

static void all_that_is_due_is_destroyed_at_once(void **state)
{
    struct env *e = *state;
    uint8_t key[SPEAN_KEY_BYTES] = {0};
    for (uint32_t i = 1; i <= MANY; i++) {
        const struct spean_part_name part = {world_record(e->w, 0, (uint8_t)(100 + i)),
                                             SPEAN_PART_STEPS};
        key[0] = (uint8_t)i;
        (void)world_erase_part(e->w, 1, &part, key);
    }
    take_and_fold(e->theirs);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), MANY);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 0);
}

/* -- Destroyed ------------------------------------------------------------------------------- */

static void when_it_is_due_body_key_and_values_are_gone_from_the_file(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_true(body_is_on_disk(e, e->theirs, e->written));
    assert_true(body_is_on_disk(e, e->theirs, e->granted)); /* The key's box is in it. */
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    for (uint64_t seq = e->granted; seq <= e->written; seq++) {
        assert_false(holds(e, e->theirs, seq));
        assert_false(body_is_on_disk(e, e->theirs, seq));
    }
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
    assert_int_equal(row.stage, SPEAN_DESTROY_DONE);
    assert_int_equal(row.since_s, WORLD_NOW_S + DELAY_S);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + 2 * DELAY_S), 0); /* Once. */
    node_fold(e->theirs);
    node_check(e->theirs);
    assert_int_equal(node_held(e->theirs, 0), e->written); /* The chain is whole. */
}

static void what_was_noted_of_a_record_goes_with_its_last_part(void **state)
{
    struct env *e = *state;
    static const struct spean_record_id another = {{9}};
    const struct spean_view name = fixture_text("dates");
    struct spean_tx *tx = NULL;
    uint8_t buf[SPEAN_LOCAL_VALUE_BYTES_MAX];
    size_t len = 0;
    assert_int_equal(spean_tx_begin(e->theirs->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_local_put(tx, e->theirs->keys, &e->part.record, name, name), SPEAN_OK);
    assert_int_equal(spean_local_put(tx, e->theirs->keys, &another, name, name), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    tx = node_read(e->theirs);
    assert_int_equal(
        spean_local_get(tx, e->theirs->keys, &e->part.record, name, buf, sizeof(buf), &len),
        SPEAN_OK); /* Hidden only. */
    spean_tx_abort(tx);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    tx = node_read(e->theirs);
    assert_int_equal(
        spean_local_get(tx, e->theirs->keys, &e->part.record, name, buf, sizeof(buf), &len),
        SPEAN_ENOTFOUND);
    assert_int_equal(spean_local_get(tx, e->theirs->keys, &another, name, buf, sizeof(buf), &len),
                     SPEAN_OK);
    spean_tx_abort(tx);
}

static void what_is_destroyed_does_not_come_back(void **state)
{
    struct env *e = *state;
    struct spean_tag tag;
    bool refused = false;
    uint64_t lacking = 77;
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    const struct world_change later = {
        .type = SPEAN_TYPE_REFERRAL,
        .record = e->part.record,
        .part = SPEAN_PART_STEPS,
        .key = key_a,
        .ops_count = 1,
        .ops = {{AT_ORIGIN, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, 2, {0}}}};
    const uint64_t seq = world_write(e->w, 0, &later);
    take_and_fold(e->theirs);
    assert_false(holds(e, e->theirs, seq)); /* Refused as a body; its header is there. */
    assert_int_equal(node_held(e->theirs, 0), seq);
    assert_int_equal(put_body(e, e->theirs, seq), SPEAN_EDENIED); /* Nor by itself. */
    assert_int_equal(put_body(e, e->theirs, e->granted), SPEAN_EDENIED);
    struct spean_tx *tx = node_read(e->theirs);
    tag_in_first(e, &tag);
    assert_int_equal(spean_partkeys_refused(tx, &tag, &refused), SPEAN_OK);
    assert_true(refused);
    assert_int_equal(spean_partkeys_lacking_count(tx, &lacking), SPEAN_OK);
    assert_int_equal(lacking, 0); /* Nobody is asked for it. */
    spean_tx_abort(tx);
    assert_int_equal(node_value(e->theirs, &e->part, AT_ORIGIN), 255);
}

static void
a_grant_that_comes_late_is_destroyed_too_and_the_store_is_written_anew_once(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    const struct world_grant grant = {.record = e->part.record,
                                      .part = SPEAN_PART_STEPS,
                                      .generation = 1,
                                      .key = key_a,
                                      .owner = 0,
                                      .audience = WORLD_BOTH};
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    const uint64_t first = world_grant(e->w, 0, &grant);
    const uint64_t second = world_grant(e->w, 0, &grant);
    take_and_fold(e->theirs);
    assert_false(holds(e, e->theirs, first));
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
    assert_int_equal(row.stage, SPEAN_DESTROY_HIDDEN);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S - 1), 0);
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    assert_false(body_is_on_disk(e, e->theirs, first));
    assert_false(body_is_on_disk(e, e->theirs, second));
}

static void who_cannot_tell_what_a_grant_is_of_keeps_it(void **state)
{
    struct env *e = *state;
    world_relay(e->w, 2);
    struct node *third = node_new(e->w, 2);
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(third);
    assert_int_equal(destroy(third, WORLD_NOW_S + DELAY_S), 1);
    assert_true(holds(e, third, e->granted)); /* Others may need it: the proof proves no part. */
    assert_false(holds(e, third, e->written));
    node_free(third);
}

/* A cut by the charter takes back what organisation 0 wrote last, and then it erases. */
static void what_a_cut_took_back_is_destroyed_with_the_rest(void **state)
{
    struct env *e = *state;
    world_cut(e->w, 0, e->written - 1);
    node_documents(e->theirs);
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    node_take(e->theirs, 1, 1, true);
    node_fold(e->theirs);
    assert_true(body_is_on_disk(e, e->theirs, e->written)); /* Set aside, until it is due. */
    assert_int_equal(destroy(e->theirs, WORLD_NOW_S + DELAY_S), 1);
    assert_false(body_is_on_disk(e, e->theirs, e->written));
    struct spean_logs_row row;
    struct spean_tx *tx = node_read(e->theirs);
    struct spean_log_aside_at at = {0};
    struct spean_log_aside aside;
    assert_int_equal(spean_logs_get(tx, &e->w->logs[0]->log, &row), SPEAN_OK);
    assert_int_equal(spean_log_aside_next(tx, &row, &at, &aside), SPEAN_OK);
    assert_int_equal(aside.entry.header.seq, e->written); /* That it was stays. */
    assert_int_equal(aside.entry.body.len, 0);
    assert_true(row.aside_bytes < 512);
    spean_tx_abort(tx);
}

static void what_is_hidden_is_given_to_nobody_until_a_cut_brings_it_back(void **state)
{
    struct env *e = *state;
    struct spean_tag tag;
    struct spean_logs_row row;
    struct spean_view body;
    tag_in_first(e, &tag);
    assert_true(travels(e, e->theirs, e->written));
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    take_and_fold(e->theirs);
    assert_true(holds(e, e->theirs, e->written)); /* It is still there. */
    assert_false(travels(e, e->theirs, e->written));
    assert_true(travels(e, e->theirs, e->granted)); /* Public. */
    struct spean_tx *tx = node_read(e->theirs);
    assert_int_equal(spean_logs_get(tx, &e->w->logs[0]->log, &row), SPEAN_OK);
    assert_int_equal(spean_body_load(tx, &row, &tag, e->written, &body), SPEAN_ENOTFOUND);
    assert_int_equal(spean_body_load(tx, &row, &tag, e->granted, &body), SPEAN_OK); /* Public. */
    spean_tx_abort(tx);
    world_cut(e->w, 0, e->written);
    node_documents(e->theirs);
    node_fold(e->theirs);
    tx = node_read(e->theirs);
    assert_int_equal(spean_logs_get(tx, &e->w->logs[0]->log, &row), SPEAN_OK);
    assert_int_equal(spean_body_load(tx, &row, &tag, e->written, &body), SPEAN_OK);
    spean_tx_abort(tx);
    assert_true(travels(e, e->theirs, e->written));
}

static void a_restart_between_deleting_and_rewriting_is_gone_on_from(void **state)
{
    struct env *e = *state;
    struct spean_destroy_row row;
    struct spean_tx *reading = node_read(e->theirs);
    uint32_t destroyed = 77;
    (void)world_erase_part(e->w, 1, &e->part, key_a);
    take_and_fold(e->theirs);
    /* A read that goes on keeps the files from changing places. */
    assert_int_equal(spean_destroy_due(e->theirs->db, e->theirs->authority, WORLD_NOW_S + DELAY_S,
                                       DELAY_S, &destroyed),
                     SPEAN_EBUSY);
    spean_tx_abort(reading);
    assert_int_equal(stage_of(e, e->theirs, &row), SPEAN_OK);
    assert_int_equal(row.stage, SPEAN_DESTROY_DELETED);
    assert_false(holds(e, e->theirs, e->written));
    assert_int_equal(destroy(e->theirs, 0), 1); /* Whatever the clock says now. */
    assert_false(body_is_on_disk(e, e->theirs, e->written));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_nobody_erased_is_not_destroyed),
        T(nothing_is_destroyed_before_the_delay_is_over),
        T(an_erasure_of_another_party_destroys_nothing_here),
        T(a_cut_in_time_leaves_nothing_to_destroy),
        T(what_waits_behind_an_open_transaction_is_tried_again),
        T(an_erased_public_change_is_hidden_then_destroyed),
        T(a_cut_in_time_brings_an_erased_public_change_back),
        T(what_another_organisation_names_is_not_destroyed),
        T(what_nobody_may_erase_any_more_is_not_destroyed),
        T(what_grants_and_erasures_say_is_not_destroyed_by_their_names),
        T(a_destroyed_public_change_does_not_come_back_with_its_log),
        T(a_public_change_that_was_cut_is_destroyed_where_it_is_set_aside),
        T(all_that_is_due_is_destroyed_at_once),
        T(when_it_is_due_body_key_and_values_are_gone_from_the_file),
        T(what_was_noted_of_a_record_goes_with_its_last_part),
        T(what_is_destroyed_does_not_come_back),
        T(a_grant_that_comes_late_is_destroyed_too_and_the_store_is_written_anew_once),
        T(who_cannot_tell_what_a_grant_is_of_keeps_it),
        T(what_a_cut_took_back_is_destroyed_with_the_rest),
        T(what_is_hidden_is_given_to_nobody_until_a_cut_brings_it_back),
        T(a_restart_between_deleting_and_rewriting_is_gone_on_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
