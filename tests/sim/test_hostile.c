/* What a member that breaks the rules achieves: B is played by hand, A is the node that it speaks
 * to, C is an honest third one. Each lie is refused by the number of its rule or changes nothing;
 * A keeps its promises, and its session with C goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/evidence.h"
#include "protocol/message.h"
#include "protocol/partkey.h"
#include "protocol/writer.h"
#include "tests/sim/simnet.h"

#define A        0u
#define B        1u
#define C        2u
#define STALL_MS 60000u  /* Without progress while something is owed (P13.13), */
#define FLOOR_MS 655360u /* and this more when the longest run may be on its way. */

struct fixture {
    struct sim *sim;
    struct spean_message m; /* To compose, and to look at. */
    uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    uint8_t run[SPEAN_FRAME_BYTES_MAX];
    uint8_t list[SPEAN_FRAME_BYTES_MAX];
};

/* A and C are in step; A has 40 entries of its own and 5 of C's. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->sim = sim_new(3, sim_no_faults);
    sim_dial(f->sim, C, A);
    sim_commit(f->sim, A, 40);
    sim_commit(f->sim, C, 5);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sim_free(f->sim);
    free(f);
    return 0;
}

/* -- Playing B --------------------------------------------------------------------------------- */

static void say_frame(struct fixture *f, struct spean_view frame)
{
    if (!sim_connected(f->sim, A, B)) {
        fail_msg("the session ended by rule %u", (unsigned)sim_counts(f->sim).last_rule);
    }
    sim_inject(f->sim, B, A, frame);
    sim_run(f->sim, 2);
}

/* Say f->m. */
static void say(struct fixture *f)
{
    struct spean_view frame = {0};
    assert_int_equal(spean_message_encode(&f->m, f->frame, sizeof(f->frame), &frame), SPEAN_OK);
    say_frame(f, frame);
}

/* Begin f->m. */
static struct spean_message *message(struct fixture *f, enum spean_message_type type)
{
    memset(&f->m, 0, sizeof(f->m));
    f->m.type = type;
    return &f->m;
}

/* What A last said to B of a type, in f->m. */
static const struct spean_message *heard(struct fixture *f, enum spean_message_type type)
{
    const struct spean_view frame = sim_last(f->sim, A, B, type);
    assert_true(frame.len > 0);
    assert_int_equal(spean_message_decode(frame, &f->m), SPEAN_OK);
    return &f->m;
}

/* Let the real B's last message of a type through, which was lost. */
static void let_through(struct fixture *f, enum spean_message_type type)
{
    const struct spean_view lost = sim_last(f->sim, B, A, type);
    assert_true(lost.len > 0);
    memcpy(f->frame, lost.data, lost.len);
    say_frame(f, (struct spean_view){f->frame, lost.len});
}

/* B dials; nothing that it says by itself arrives. */
static void dial(struct fixture *f)
{
    sim_silence(f->sim, B);
    sim_dial(f->sim, B, A);
    sim_run(f->sim, 3);
    assert_true(sim_connected(f->sim, A, B));
}

/* Up to where both have sent DIGEST and A has sent its ROWS. */
static void open_session(struct fixture *f)
{
    dial(f);
    let_through(f, SPEAN_MESSAGE_HELLO);
    let_through(f, SPEAN_MESSAGE_DIGEST);
    sim_deafen(f->sim, B); /* From here on B is what a test makes it say. */
}

/* B names one row of a log, with the entry id that A holds there unless other. */
static void name_row(struct fixture *f, uint32_t author, uint64_t seq, bool other)
{
    const uint64_t buckets = heard(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets;
    const struct spean_id log = sim_log(f->sim, author);
    struct spean_place place = {seq, {{0xbb}}};
    if (!other && seq <= sim_height(f->sim, B, author)) {
        place = sim_place(f->sim, B, author, seq);
    }
    struct spean_writer w;
    spean_writer_init(&w, f->list, sizeof(f->list));
    spean_writer_array(&w, 3);
    spean_writer_bin(&w, log.bytes, sizeof(log.bytes));
    spean_writer_uint(&w, place.seq);
    spean_writer_bin(&w, place.entry.bytes, sizeof(place.entry.bytes));
    message(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets = buckets;
    f->m.as.rows.rows.count = 1;
    assert_int_equal(spean_writer_end(&w, &f->m.as.rows.rows.bytes), SPEAN_OK);
    say(f);
}

/* B, which holds 9 entries of its own, has told so and A has asked for them; returns the want. */
static uint32_t be_asked(struct fixture *f)
{
    sim_commit(f->sim, B, 9);
    open_session(f);
    let_through(f, SPEAN_MESSAGE_ROWS);
    return heard(f, SPEAN_MESSAGE_WANT)->as.want.want;
}

static void send_run_of(struct fixture *f, uint32_t want, uint32_t of_log, struct spean_view run)
{
    message(f, SPEAN_MESSAGE_RUN)->as.run.want = want;
    f->m.as.run.log = sim_log(f->sim, of_log);
    f->m.as.run.run = run;
    say(f);
}

static void send_run(struct fixture *f, uint32_t want, uint64_t first, uint64_t last)
{
    send_run_of(f, want, B, sim_run_of(f->sim, B, B, first, last, f->run));
}

static void end_want(struct fixture *f, uint32_t want)
{
    message(f, SPEAN_MESSAGE_END)->as.end.want = want;
    say(f);
}

/* -- What must hold afterwards ----------------------------------------------------------------- */

/* A and C still speak, and what A promises it holds. */
static void others_go_on(struct fixture *f)
{
    const uint64_t before = sim_height(f->sim, A, C);
    sim_commit(f->sim, C, 1);
    sim_run(f->sim, 200);
    assert_int_equal(sim_height(f->sim, A, C), before + 1);
    assert_true(sim_connected(f->sim, A, C));
    sim_check(f->sim);
    assert_true(sim_counts(f->sim).effects_most < 600);
}

static void refused(struct fixture *f, uint64_t rule)
{
    assert_int_equal(sim_counts(f->sim).broke, 1);
    assert_int_equal(sim_counts(f->sim).last_rule, rule);
    assert_int_equal(heard(f, SPEAN_MESSAGE_REFUSE)->as.refuse.rule, rule);
    others_go_on(f);
}

static void ignored(struct fixture *f)
{
    assert_int_equal(sim_counts(f->sim).broke, 0);
    assert_true(sim_connected(f->sim, A, B));
    others_go_on(f);
}

/* -- HELLO ------------------------------------------------------------------------------------- */

/* B's real HELLO, to be changed. */
static struct spean_hello *hello(struct fixture *f)
{
    dial(f);
    const struct spean_view real = sim_last(f->sim, B, A, SPEAN_MESSAGE_HELLO);
    assert_int_equal(spean_message_decode(real, &f->m), SPEAN_OK);
    return &f->m.as.hello;
}

static void anything_before_hello_is_refused(void **state)
{
    struct fixture *f = *state;
    dial(f);
    message(f, SPEAN_MESSAGE_HEAD)->as.place.log = sim_log(f->sim, A);
    f->m.as.place.place.seq = 1;
    say(f);
    refused(f, 1302);
}

static void a_second_hello_is_refused(void **state)
{
    struct fixture *f = *state;
    dial(f);
    let_through(f, SPEAN_MESSAGE_HELLO);
    let_through(f, SPEAN_MESSAGE_HELLO);
    refused(f, 1302);
}

static void a_hello_of_versions_that_nobody_shares_is_refused(void **state)
{
    struct fixture *f = *state;
    hello(f)->lowest = 99;
    f->m.as.hello.highest = 99;
    say(f);
    refused(f, 1302);
}

static void a_hello_that_also_speaks_later_versions_is_answered(void **state)
{
    struct fixture *f = *state;
    hello(f)->highest = UINT64_MAX;
    say(f);
    assert_true(sim_last(f->sim, A, B, SPEAN_MESSAGE_HELLO).len > 0);
    ignored(f);
}

static void a_hello_of_another_ledger_is_refused(void **state)
{
    struct fixture *f = *state;
    hello(f)->handle.bytes[15] ^= 1;
    say(f);
    assert_int_equal(sim_last(f->sim, A, B, SPEAN_MESSAGE_HELLO).len, 0);
    refused(f, 1302);
}

static void a_hello_in_the_name_of_another_org_is_refused(void **state)
{
    struct fixture *f = *state;
    hello(f);
    struct spean_message *of_c = calloc(1, sizeof(*of_c));
    assert_non_null(of_c);
    assert_int_equal(spean_message_decode(sim_last(f->sim, C, A, SPEAN_MESSAGE_HELLO), of_c),
                     SPEAN_OK);
    f->m.as.hello.org = of_c->as.hello.org;
    f->m.as.hello.signing = of_c->as.hello.signing;
    free(of_c);
    say(f);
    refused(f, 1302);
}

static void a_hello_with_a_signing_key_of_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    hello(f)->signing.bytes[0] ^= 1;
    say(f);
    refused(f, 1302);
}

static void messages_of_the_lobby_are_refused_in_a_session(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_STANDING)->as.number = SPEAN_STANDING_MEMBER;
    say(f);
    refused(f, 1301);
}

/* -- Documents --------------------------------------------------------------------------------- */

static void write_title(struct spean_writer *w, uint64_t version, uint8_t fill)
{
    uint8_t id[SPEAN_ID_BYTES];
    memset(id, fill, sizeof(id));
    spean_writer_array(w, 2);
    spean_writer_uint(w, version);
    spean_writer_bin(w, id, sizeof(id));
}

/* Count chains nobody has heard of, from number first on. */
static void say_titles(struct fixture *f, uint32_t first, uint32_t count, bool more)
{
    struct spean_writer w;
    spean_writer_init(&w, f->list, sizeof(f->list));
    for (uint32_t i = first; i < first + count; i++) {
        uint8_t org[SPEAN_ID_BYTES] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        spean_writer_array(&w, 2);
        spean_writer_bin(&w, org, sizeof(org));
        spean_writer_array(&w, 1);
        write_title(&w, 1, 0x77);
    }
    message(f, SPEAN_MESSAGE_TITLES)->as.titles.more = more;
    f->m.as.titles.orgs.count = count;
    assert_int_equal(spean_writer_end(&w, &f->m.as.titles.orgs.bytes), SPEAN_OK);
    say(f);
}

static void titles_without_end_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    for (uint32_t i = 0; i < 64 && sim_counts(f->sim).broke == 0; i++) {
        say_titles(f, i * 1000, 1000, true);
    }
    refused(f, 1303);
}

static void empty_titles_without_end_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    for (uint32_t i = 0; i < 10000 && sim_counts(f->sim).broke == 0; i++) {
        say_titles(f, 0, 0, true);
    }
    refused(f, 1303);
}

static void titles_that_go_back_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_titles(f, 10, 1, true);
    say_titles(f, 10, 1, false);
    refused(f, 1303);
}

static void documents_that_nobody_asked_for_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_DOCUMENTS);
    say(f);
    refused(f, 1303);
}

static void titles_twice_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_titles(f, 1, 1, false);
    say_titles(f, 2, 1, false);
    refused(f, 1303);
}

static void say_document(struct fixture *f, const uint8_t *document, size_t len)
{
    struct spean_writer w;
    spean_writer_init(&w, f->list, sizeof(f->list));
    spean_writer_bin(&w, document, len);
    message(f, SPEAN_MESSAGE_DOCUMENTS)->as.documents.documents.count = 1;
    assert_int_equal(spean_writer_end(&w, &f->m.as.documents.documents.bytes), SPEAN_OK);
    say(f);
}

static void a_document_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_titles(f, 1, 1, false);
    say_document(f, (const uint8_t *)"no document", 11);
    refused(f, 203);
}

static void documents_again_after_the_last_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_titles(f, 1, 1, true); /* A waits for the rest of them. */
    say_titles(f, 2, 1, false);
    message(f, SPEAN_MESSAGE_DOCUMENTS)->as.documents.more = false;
    say(f);
    message(f, SPEAN_MESSAGE_DOCUMENTS)->as.documents.more = false;
    say(f);
    refused(f, 1303);
}

/* -- Comparison -------------------------------------------------------------------------------- */

static void a_row_higher_than_what_is_given_is_taken_as_far_as_it_is_given(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, B, 9);
    open_session(f);
    name_row(f, B, 1000000, true);
    const uint32_t want = heard(f, SPEAN_MESSAGE_WANT)->as.want.want;
    send_run(f, want, 1, 9);
    end_want(f, want);
    sim_run(f->sim, 50);
    assert_int_equal(sim_height(f->sim, A, B), 9);
    sim_transcript_clear(f->sim);
    sim_run(f->sim, 1000);
    assert_null(strstr(sim_transcript(f->sim), "WANT")); /* Asked for once. */
    ignored(f);
}

static void a_row_for_nothing_ends_with_what_is_held(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    name_row(f, C, 500, true);
    end_want(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want);
    assert_int_equal(sim_height(f->sim, A, C), 5);
    assert_true(sim_last(f->sim, A, B, SPEAN_MESSAGE_SYNCED).len > 0);
    ignored(f);
}

static void a_row_with_another_id_than_the_run_that_follows_is_refused(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, B, 9);
    open_session(f);
    name_row(f, B, 9, true);
    send_run(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want, 1, 9);
    assert_int_equal(sim_height(f->sim, A, B), 0);
    refused(f, 1305);
}

static void rows_for_buckets_that_do_not_differ_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets = UINT64_MAX;
    say(f);
    refused(f, 1305);
}

static void a_row_outside_the_buckets_named_is_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    const uint64_t buckets = heard(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets;
    uint8_t log[SPEAN_ID_BYTES] = {0};
    while ((buckets >> (log[0] >> 2) & 1) != 0) {
        log[0] = (uint8_t)(log[0] + 4);
    }
    struct spean_writer w;
    spean_writer_init(&w, f->list, sizeof(f->list));
    spean_writer_array(&w, 3);
    spean_writer_bin(&w, log, sizeof(log));
    spean_writer_uint(&w, 1);
    spean_writer_bin(&w, log, sizeof(log));
    message(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets = buckets;
    f->m.as.rows.rows.count = 1;
    assert_int_equal(spean_writer_end(&w, &f->m.as.rows.rows.bytes), SPEAN_OK);
    say(f);
    refused(f, 1305);
}

static void rows_before_a_digest_are_refused(void **state)
{
    struct fixture *f = *state;
    dial(f);
    let_through(f, SPEAN_MESSAGE_HELLO);
    message(f, SPEAN_MESSAGE_ROWS);
    say(f);
    refused(f, 1305);
}

/* Digests that make every bucket differ. */
static void open_rows(struct fixture *f)
{
    dial(f);
    let_through(f, SPEAN_MESSAGE_HELLO);
    sim_deafen(f->sim, B);
    uint8_t buckets[SPEAN_BUCKETS_BYTES];
    memset(buckets, 0x5a, sizeof(buckets));
    message(f, SPEAN_MESSAGE_DIGEST)->as.digest.buckets = buckets;
    say(f);
}

/* Rows of logs that nobody has, first and those after it. */
static void say_rows(struct fixture *f, uint32_t first, uint32_t count, bool more)
{
    struct spean_writer w;
    spean_writer_init(&w, f->list, sizeof(f->list));
    for (uint32_t i = first; i < first + count; i++) {
        uint8_t log[SPEAN_ID_BYTES] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1};
        spean_writer_array(&w, 3);
        spean_writer_bin(&w, log, sizeof(log));
        spean_writer_uint(&w, 1);
        spean_writer_bin(&w, log, sizeof(log));
    }
    message(f, SPEAN_MESSAGE_ROWS)->as.rows.buckets = UINT64_MAX;
    f->m.as.rows.rows.count = count;
    f->m.as.rows.more = more;
    assert_int_equal(spean_writer_end(&w, &f->m.as.rows.rows.bytes), SPEAN_OK);
    say(f);
}

static void rows_without_end_are_refused(void **state)
{
    struct fixture *f = *state;
    open_rows(f);
    for (uint32_t i = 0; i < SPEAN_FRONTIER_LOGS_MAX; i += 1024) {
        say_rows(f, i, 1024, true);
    }
    assert_int_equal(sim_counts(f->sim).broke, 0);
    say_rows(f, SPEAN_FRONTIER_LOGS_MAX, 1, true);
    refused(f, 1305);
}

static void no_rows_with_more_to_come_are_refused(void **state)
{
    struct fixture *f = *state;
    open_rows(f);
    say_rows(f, 0, 0, true);
    refused(f, 1305);
}

static void rows_that_go_back_are_refused(void **state)
{
    struct fixture *f = *state;
    open_rows(f);
    say_rows(f, 4, 2, true);
    say_rows(f, 5, 1, false);
    refused(f, 1305);
}

/* As many as a frontier holds. */
static void rows_of_unknown_logs_take_no_memory_and_ask_for_nothing(void **state)
{
    struct fixture *f = *state;
    open_rows(f);
    for (uint32_t i = 0; i < SPEAN_FRONTIER_LOGS_MAX; i += 1024) {
        say_rows(f, i, 1024, i + 1024 < SPEAN_FRONTIER_LOGS_MAX);
    }
    assert_int_equal(sim_last(f->sim, A, B, SPEAN_MESSAGE_WANT).len, 0);
    /* There is still room for what is known. */
    message(f, SPEAN_MESSAGE_HEAD)->as.place.log = sim_log(f->sim, B);
    f->m.as.place.place = (struct spean_place){7, {{1}}};
    say(f);
    assert_true(sim_last(f->sim, A, B, SPEAN_MESSAGE_WANT).len > 0);
    ignored(f);
}

static void a_frontier_that_is_not_ours_proves_no_equality(void **state)
{
    struct fixture *f = *state;
    const uint64_t before = sim_counts(f->sim).equal;
    open_session(f);
    name_row(f, C, 5, true);
    end_want(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want);
    memset(message(f, SPEAN_MESSAGE_SYNCED)->as.synced.frontier.bytes, 0x66, SPEAN_ID_BYTES);
    say(f);
    assert_int_equal(sim_counts(f->sim).equal, before);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_UNEQUAL], 1);
    ignored(f);
}

static void a_head_beyond_everything_is_asked_for_once_and_forgotten(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    const uint32_t want = heard(f, SPEAN_MESSAGE_WANT)->as.want.want;
    send_run(f, want, 1, 9);
    end_want(f, want);
    sim_run(f->sim, 20);
    message(f, SPEAN_MESSAGE_HEAD)->as.place.log = sim_log(f->sim, C);
    f->m.as.place.place = (struct spean_place){UINT64_MAX, {{1}}};
    say(f);
    end_want(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want);
    sim_transcript_clear(f->sim);
    sim_run(f->sim, 1000);
    assert_null(strstr(sim_transcript(f->sim), "WANT"));
    ignored(f);
}

/* -- Runs -------------------------------------------------------------------------------------- */

static void a_run_for_a_want_that_never_was_is_ignored(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run(f, want + 1000, 1, 9);
    assert_int_equal(sim_height(f->sim, A, B), 0);
    ignored(f);
}

static void a_run_out_of_order_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run(f, want, 4, 9);
    assert_int_equal(sim_height(f->sim, A, B), 0);
    refused(f, 1306);
}

static void a_gap_between_runs_is_refused_and_what_came_before_is_kept(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run(f, want, 1, 3);
    send_run(f, want, 5, 9);
    sim_run(f->sim, 20);
    assert_int_equal(sim_height(f->sim, A, B), 3);
    refused(f, 1306);
}

static void a_run_that_is_repeated_changes_nothing(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run(f, want, 1, 9);
    send_run(f, want, 1, 9);
    sim_run(f->sim, 20);
    send_run(f, want, 4, 9);
    assert_int_equal(sim_height(f->sim, A, B), 9);
    ignored(f);
}

static void a_run_whose_signature_is_bad_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    const struct spean_view run = sim_run_of(f->sim, B, B, 1, 9, f->run);
    f->run[run.len - 1] ^= 1;
    send_run_of(f, want, B, run);
    assert_int_equal(sim_height(f->sim, A, B), 0);
    refused(f, 505);
}

static void a_run_with_one_changed_body_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    const struct spean_view run = sim_run_of(f->sim, B, B, 1, 9, f->run);
    f->run[100] ^= 1; /* In the body of the first entry. */
    send_run_of(f, want, B, run);
    assert_int_equal(sim_height(f->sim, A, B), 0);
    refused(f, 505);
}

static void a_run_that_is_none_is_refused(void **state)
{
    static const uint8_t none[] = {0x95, 0x01, 0x00, 0x90, 0x90, 0xc0};
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run_of(f, want, B, (struct spean_view){none, sizeof(none)});
    refused(f, 507);
}

static void a_run_with_a_trailing_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    struct spean_view run = sim_run_of(f->sim, B, B, 1, 9, f->run);
    f->run[run.len++] = 0xc0;
    send_run_of(f, want, B, run);
    refused(f, 507);
}

static void a_run_of_another_log_than_was_asked_for_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run_of(f, want, C, sim_run_of(f->sim, B, B, 1, 9, f->run));
    refused(f, 1306);
}

static void a_pushed_run_in_the_name_of_another_log_is_refused(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    struct spean_view run = sim_run_of(f->sim, B, B, 6, 9, f->run);
    send_run_of(f, 0, C, run); /* C's log has 5. */
    assert_int_equal(sim_height(f->sim, A, C), 5);
    refused(f, 505);
}

static void a_pushed_run_of_a_log_of_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    message(f, SPEAN_MESSAGE_RUN)->as.run.log.bytes[0] = 0x99;
    f->m.as.run.run = sim_run_of(f->sim, B, B, 1, 9, f->run);
    say(f);
    refused(f, 407);
}

static void a_run_after_its_end_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t want = be_asked(f);
    send_run(f, want, 1, 3);
    end_want(f, want);
    send_run(f, want, 4, 9);
    sim_run(f->sim, 20);
    assert_int_equal(sim_height(f->sim, A, B), 3);
    refused(f, 1306);
}

static void more_than_was_asked_for_is_refused(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, B, 18000); /* About 7 MB by P5.6; a window is 4. */
    sim_fill_disk(f->sim, A, 0);
    open_session(f);
    let_through(f, SPEAN_MESSAGE_ROWS);
    const uint32_t want = heard(f, SPEAN_MESSAGE_WANT)->as.want.want;
    for (uint64_t seq = 1; seq < 18000 && sim_counts(f->sim).broke == 0; seq += 200) {
        message(f, SPEAN_MESSAGE_RUN)->as.run.want = want;
        f->m.as.run.log = sim_log(f->sim, B);
        f->m.as.run.run = sim_run_of(f->sim, B, B, seq, seq + 199, f->run);
        struct spean_view frame = {0};
        assert_int_equal(spean_message_encode(&f->m, f->frame, sizeof(f->frame), &frame), SPEAN_OK);
        sim_inject(f->sim, B, A, frame); /* Nothing is stored in between. */
    }
    sim_fill_disk(f->sim, A, UINT32_MAX);
    refused(f, 1306);
}

/* Each run costs the receiver more than its bytes: many small ones must not fill its memory. */
static void crumbs_faster_than_the_disk_end_the_session(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, B, 6000);
    open_session(f);
    let_through(f, SPEAN_MESSAGE_ROWS);
    const uint32_t want = heard(f, SPEAN_MESSAGE_WANT)->as.want.want;
    for (uint64_t seq = 1; seq < 6000; seq++) {
        message(f, SPEAN_MESSAGE_RUN)->as.run.want = want;
        f->m.as.run.log = sim_log(f->sim, B);
        f->m.as.run.run = sim_run_of(f->sim, B, B, seq, seq, f->run);
        struct spean_view frame = {0};
        assert_int_equal(spean_message_encode(&f->m, f->frame, sizeof(f->frame), &frame), SPEAN_OK);
        sim_inject(f->sim, B, A, frame);
    }
    assert_true(sim_unstored(f->sim, A) <= 1024);
    others_go_on(f);
}

static void an_end_for_nothing_is_ignored(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    end_want(f, 999999);
    message(f, SPEAN_MESSAGE_END);
    say(f); /* Want 0. */
    ignored(f);
}

static void a_chain_that_was_cut_is_not_grown_beyond_its_cut(void **state)
{
    struct fixture *f = *state;
    sim_dial(f->sim, B, A);
    sim_commit(f->sim, B, 9);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    sim_commit(f->sim, B, 4);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    sim_hang_up(f->sim, B, A);
    sim_commit(f->sim, B, 5); /* 18, of which A holds 13. */
    sim_remove(f->sim, B);    /* Cut at 13. */
    sim_run(f->sim, 100);
    /* C, honest or not, brings what B wrote later. */
    const struct spean_view run = sim_run_of(f->sim, B, B, 14, 18, f->run);
    struct spean_message *m = message(f, SPEAN_MESSAGE_RUN);
    m->as.run.log = sim_log(f->sim, B);
    m->as.run.run = run;
    struct spean_view frame = {0};
    assert_int_equal(spean_message_encode(m, f->frame, sizeof(f->frame), &frame), SPEAN_OK);
    sim_inject(f->sim, C, A, frame);
    sim_run(f->sim, 50);
    assert_int_equal(sim_height(f->sim, A, B), 13);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_SET_ASIDE], 1);
    assert_int_equal(sim_counts(f->sim).broke, 0);
    others_go_on(f);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void say_want(struct fixture *f, uint32_t want, uint32_t author, struct spean_place place,
                     uint64_t bytes)
{
    message(f, SPEAN_MESSAGE_WANT)->as.want.want = want;
    f->m.as.want.log = sim_log(f->sim, author);
    f->m.as.want.places_count = place.seq > 0;
    f->m.as.want.places[0] = place;
    f->m.as.want.bytes = bytes;
    say(f);
}

static void one_want_too_many_is_refused(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, A, 600); /* More than one run, so that each want stays open. */
    sim_run(f->sim, 50);
    open_session(f);
    for (uint32_t i = 1; i <= SPEAN_WANTS_MAX; i++) {
        say_want(f, i, A, (struct spean_place){0}, 1);
    }
    assert_int_equal(sim_counts(f->sim).broke, 0);
    say_want(f, SPEAN_WANTS_MAX + 1, A, (struct spean_place){0}, 1);
    refused(f, 1306);
}

static void a_want_with_a_number_in_use_is_refused(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, A, 600);
    sim_run(f->sim, 50);
    open_session(f);
    say_want(f, 7, A, (struct spean_place){0}, 1);
    say_want(f, 7, A, (struct spean_place){0}, 1);
    refused(f, 1306);
}

static uint64_t first_seq_heard(struct fixture *f)
{
    uint64_t first = 0;
    assert_int_equal(spean_run_first_seq(heard(f, SPEAN_MESSAGE_RUN)->as.run.run, &first),
                     SPEAN_OK);
    return first;
}

static void a_place_that_is_not_on_our_chain_is_served_from_the_start(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_want(f, 1, A, (struct spean_place){20, {{0xcc}}}, 1 << 20);
    assert_int_equal(first_seq_heard(f), 1);
    ignored(f);
}

static void a_place_on_our_chain_is_served_from_above_it(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    say_want(f, 1, A, sim_place(f->sim, A, A, 20), 1 << 20);
    assert_int_equal(first_seq_heard(f), 21);
    ignored(f);
}

static void a_want_for_a_log_of_nobody_is_not_served(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_WANT)->as.want.want = 3;
    f->m.as.want.bytes = 1;
    say(f);
    assert_int_equal(heard(f, SPEAN_MESSAGE_END)->as.end.status, SPEAN_END_NOT_SERVED);
    ignored(f);
}

static void more_for_a_want_that_never_was_is_ignored(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_MORE)->as.more.bytes = UINT64_MAX;
    say(f);
    message(f, SPEAN_MESSAGE_MORE)->as.more.want = 44;
    f->m.as.more.bytes = UINT64_MAX;
    say(f);
    assert_int_equal(sim_last(f->sim, A, B, SPEAN_MESSAGE_RUN).len, 0);
    ignored(f);
}

static void endless_credit_gives_one_run_at_a_time(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, A, 3000);
    sim_run(f->sim, 100);
    open_session(f);
    say_want(f, 1, A, (struct spean_place){0}, UINT64_MAX);
    for (int i = 0; i < 20; i++) {
        message(f, SPEAN_MESSAGE_MORE)->as.more.want = 1;
        f->m.as.more.bytes = UINT64_MAX;
        say(f);
    }
    ignored(f);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

static void a_fetch_with_a_proof_of_another_key_is_refused(void **state)
{
    struct fixture *f = *state;
    sim_commit_sealed(f->sim, A, 7, 1u << A | 1u << C);
    sim_run(f->sim, 50);
    open_session(f);
    message(f, SPEAN_MESSAGE_FETCH)->as.fetch.fetch = 1;
    f->m.as.fetch.log = sim_log(f->sim, A);
    f->m.as.fetch.tag.bytes[0] = 1;
    f->m.as.fetch.proof.bytes[0] = 1;
    f->m.as.fetch.seqs_count = 1;
    f->m.as.fetch.seqs[0] = 41;
    say(f);
    assert_int_equal(sim_last(f->sim, A, B, SPEAN_MESSAGE_BODIES).len, 0);
    refused(f, 1310);
}

/* B shows the proof of the key of a part of A's, as an honest node that holds it would. */
static void say_fetch(struct fixture *f, uint32_t fetch)
{
    uint8_t key[SPEAN_KEY_BYTES];
    const struct spean_keyed_part part = {.part = 7};
    memset(key, 7, sizeof(key)); /* As simnet makes the key of part 7, of record 0. */
    message(f, SPEAN_MESSAGE_FETCH)->as.fetch.fetch = fetch;
    f->m.as.fetch.log = sim_log(f->sim, A);
    spean_partkey_proof(&f->m.as.fetch.proof, key, &part);
    spean_partkey_tag(&f->m.as.fetch.tag, &f->m.as.fetch.proof, &f->m.as.fetch.log);
    f->m.as.fetch.seqs_count = 1;
    f->m.as.fetch.seqs[0] = 41;
    say(f);
}

/* A's pipe is full, so that it answers nothing for now; B has asked count times. */
static void fetch_often(struct fixture *f, uint32_t count)
{
    sim_commit_sealed(f->sim, A, 7, 1u << A | 1u << C);
    sim_run(f->sim, 50);
    open_session(f);
    sim_full_pipe(f->sim, A, true);
    for (uint32_t i = 1; i <= count; i++) {
        say_fetch(f, i);
    }
}

static void eight_fetches_may_be_open_and_no_more(void **state)
{
    struct fixture *f = *state;
    fetch_often(f, SPEAN_WANTS_MAX);
    assert_int_equal(sim_counts(f->sim).broke, 0);
    say_fetch(f, SPEAN_WANTS_MAX + 1);
    sim_full_pipe(f->sim, A, false);
    refused(f, 1310);
}

static void what_was_answered_is_not_open(void **state)
{
    struct fixture *f = *state;
    fetch_often(f, SPEAN_WANTS_MAX);
    const uint64_t before = sim_counts(f->sim).by_type[SPEAN_MESSAGE_BODIES];
    sim_full_pipe(f->sim, A, false);
    assert_int_equal(sim_counts(f->sim).by_type[SPEAN_MESSAGE_BODIES], before + SPEAN_WANTS_MAX);
    for (uint32_t i = 1; i <= 3 * SPEAN_WANTS_MAX; i++) {
        say_fetch(f, 1); /* The number is free again, too. */
    }
    ignored(f);
}

static void a_second_fetch_under_a_number_that_is_open_is_refused(void **state)
{
    struct fixture *f = *state;
    fetch_often(f, 2);
    say_fetch(f, 2);
    sim_full_pipe(f->sim, A, false);
    refused(f, 1310);
}

/* The other way: A lacks bodies of more parts than it may ask for at once. */
static void a_node_opens_no_more_than_eight_fetches(void **state)
{
    struct fixture *f = *state;
    sim_dial(f->sim, B, A);
    for (uint8_t part = 1; part <= 20; part++) {
        sim_commit_sealed(f->sim, B, part, 1u << B);
    }
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    sim_silence(f->sim, B);
    sim_transcript_clear(f->sim);
    for (uint8_t part = 1; part <= 20; part++) {
        sim_grant(f->sim, part, A);
    }
    sim_run(f->sim, 100);
    uint32_t asked = 0;
    const char *at = sim_transcript(f->sim);
    while ((at = strstr(at, "A>B FETCH\n")) != NULL) {
        at++;
        asked++;
    }
    assert_true(asked > 0);
    assert_true(asked <= SPEAN_WANTS_MAX);
}

/* A has the headers of B's sealed entries and asks B for their bodies; returns the fetch. */
static uint32_t be_asked_for_bodies(struct fixture *f, uint32_t count)
{
    sim_dial(f->sim, B, A);
    for (uint32_t i = 0; i < count; i++) {
        sim_commit_sealed(f->sim, B, 7, 1u << B);
    }
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    assert_int_equal(sim_bodies(f->sim, A, B), 0);
    sim_silence(f->sim, B);
    sim_grant(f->sim, 7, A);
    sim_run(f->sim, 5);
    return heard(f, SPEAN_MESSAGE_FETCH)->as.fetch.fetch;
}

static void say_body(struct fixture *f, uint32_t fetch, uint64_t seq, size_t len, bool more)
{
    uint8_t body[300];
    struct spean_writer w;
    memset(body, 0x33, sizeof(body));
    spean_writer_init(&w, f->list, sizeof(f->list));
    spean_writer_array(&w, 2);
    spean_writer_uint(&w, seq);
    spean_writer_bin(&w, body, len);
    message(f, SPEAN_MESSAGE_BODIES)->as.bodies.fetch = fetch;
    f->m.as.bodies.items.count = 1;
    f->m.as.bodies.more = more;
    assert_int_equal(spean_writer_end(&w, &f->m.as.bodies.items.bytes), SPEAN_OK);
    say(f);
}

static void bodies_that_were_not_asked_for_are_ignored(void **state)
{
    struct fixture *f = *state;
    const uint32_t fetch = be_asked_for_bodies(f, 3);
    say_body(f, fetch + 500, 1, 300, false);
    assert_int_equal(sim_bodies(f->sim, A, B), 0);
    ignored(f);
}

static void a_body_that_does_not_match_its_header_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t fetch = be_asked_for_bodies(f, 3);
    say_body(f, fetch, 1, 300, false);
    sim_run(f->sim, 20);
    assert_int_equal(sim_bodies(f->sim, A, B), 0);
    refused(f, 1310);
}

static void a_body_of_an_entry_that_was_not_asked_for_is_refused(void **state)
{
    struct fixture *f = *state;
    const uint32_t fetch = be_asked_for_bodies(f, 3);
    say_body(f, fetch, 4, 300, false);
    refused(f, 1310);
}

static void a_body_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    be_asked_for_bodies(f, 3);
    let_through(f, SPEAN_MESSAGE_BODIES); /* All three, the last. */
    sim_run(f->sim, 20);
    assert_int_equal(sim_bodies(f->sim, A, B), 3);
    ignored(f);
    let_through(f, SPEAN_MESSAGE_BODIES); /* The fetch is over. */
    ignored(f);
}

static void bodies_without_end_take_no_memory(void **state)
{
    struct fixture *f = *state;
    const uint32_t fetch = be_asked_for_bodies(f, 3);
    for (uint32_t i = 0; i < 6000 && sim_counts(f->sim).broke == 0; i++) {
        message(f, SPEAN_MESSAGE_BODIES)->as.bodies.fetch = fetch;
        f->m.as.bodies.more = true;
        struct spean_view frame = {0};
        assert_int_equal(spean_message_encode(&f->m, f->frame, sizeof(f->frame), &frame), SPEAN_OK);
        sim_inject(f->sim, B, A, frame);
    }
    assert_int_equal(sim_unstored(f->sim, A), 0);
    others_go_on(f);
}

/* -- Evidence ---------------------------------------------------------------------------------- */

static void say_evidence(struct fixture *f, uint32_t author, struct spean_view one,
                         struct spean_view other)
{
    struct spean_evidence e = {.log = sim_log(f->sim, author), .runs = {one, other}};
    message(f, SPEAN_MESSAGE_EVIDENCE);
    assert_int_equal(
        spean_evidence_encode(&e, f->list, SPEAN_EVIDENCE_BYTES_MAX, &f->m.as.evidence), SPEAN_OK);
    say(f);
}

static void evidence_that_proves_nothing_is_refused_and_accuses_nobody(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    const struct spean_view run = sim_run_of(f->sim, A, C, 1, 5, f->run);
    say_evidence(f, C, run, run);
    assert_false(sim_disputed(f->sim, A, C));
    refused(f, 508);
}

static void evidence_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    message(f, SPEAN_MESSAGE_EVIDENCE)->as.evidence =
        (struct spean_view){(const uint8_t *)"nothing", 7};
    say(f);
    refused(f, 508);
}

static void evidence_about_a_log_of_nobody_is_ignored(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    const struct spean_view run = sim_run_of(f->sim, A, C, 1, 5, f->run);
    struct spean_evidence e = {.log = {{0x99}}, .runs = {run, run}};
    message(f, SPEAN_MESSAGE_EVIDENCE);
    assert_int_equal(
        spean_evidence_encode(&e, f->list, SPEAN_EVIDENCE_BYTES_MAX, &f->m.as.evidence), SPEAN_OK);
    say(f);
    ignored(f);
}

/* -- Silence, replay, removal ------------------------------------------------------------------ */

static void a_peer_that_says_nothing_is_dropped_after_a_minute(void **state)
{
    struct fixture *f = *state;
    dial(f);
    sim_run(f->sim, STALL_MS - 2000);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    sim_run(f->sim, 4000);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    assert_int_equal(sim_counts(f->sim).broke, 0);
    others_go_on(f);
}

/* A run may be on its way all the time, over a link that is not known to be quick. */
static void a_peer_that_owes_a_run_and_is_silent_is_dropped_in_the_end(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    sim_run(f->sim, STALL_MS + FLOOR_MS - 2000);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    sim_run(f->sim, 4000);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    others_go_on(f);
}

static void on_a_link_that_was_quick_a_minute_of_silence_is_enough(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, B, 20);
    const uint32_t want = be_asked(f);
    send_run(f, want, 1, 15); /* More than was asked for, so that it can be measured. */
    sim_run(f->sim, STALL_MS - 2000);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    sim_run(f->sim, 4000);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    others_go_on(f);
}

/* What was sent before a PONG comes before it, so nothing is on its way. */
static void answer_pings(struct fixture *f, uint64_t ms_in_all, uint64_t number)
{
    for (uint64_t ms = 0; ms < ms_in_all; ms += 1000) {
        if (sim_connected(f->sim, A, B) && sim_last(f->sim, A, B, SPEAN_MESSAGE_PING).len > 0) {
            const uint64_t right = heard(f, SPEAN_MESSAGE_PING)->as.number;
            message(f, SPEAN_MESSAGE_PONG)->as.number = number == 0 ? right : number;
            say(f);
        }
        sim_run(f->sim, 1000);
    }
}

static void a_peer_that_only_answers_pings_is_dropped_after_a_minute(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    answer_pings(f, STALL_MS + 4000, 0);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    others_go_on(f);
}

static void answers_to_other_pings_prove_nothing(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    answer_pings(f, STALL_MS + 4000, 99);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    answer_pings(f, FLOOR_MS, 99);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    others_go_on(f);
}

/* So that nobody sees a green light meanwhile: a removed member is told nothing more (P13.4). */
static void silence_is_told_before_the_session_ends_and_so_is_its_end(void **state)
{
    struct fixture *f = *state;
    be_asked(f);
    sim_run(f->sim, 2 * SPEAN_SYNC_PING_BUSY_MS + 4000);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_UNANSWERED] > 0);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_ANSWERED], 0);
    answer_pings(f, 2000, 0);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_ANSWERED] > 0);
}

static void a_peer_that_owes_bodies_is_dropped(void **state)
{
    struct fixture *f = *state;
    be_asked_for_bodies(f, 2);
    sim_run(f->sim, STALL_MS + FLOOR_MS + 4000);
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_PEER_SILENT] > 0);
    others_go_on(f);
}

static void a_session_that_is_replayed_changes_nothing(void **state)
{
    static const enum spean_message_type said[] = {SPEAN_MESSAGE_DIGEST, SPEAN_MESSAGE_ROWS,
                                                   SPEAN_MESSAGE_RUN,    SPEAN_MESSAGE_END,
                                                   SPEAN_MESSAGE_HELD,   SPEAN_MESSAGE_SYNCED};
    struct fixture *f = *state;
    sim_commit(f->sim, B, 9);
    sim_dial(f->sim, B, A);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    assert_true(sim_equal(f->sim, A, B));
    struct spean_view kept[sizeof(said) / sizeof(said[0])];
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        const struct spean_view frame = sim_last(f->sim, B, A, said[i]);
        uint8_t *copy = malloc(frame.len + 1);
        assert_non_null(copy);
        memcpy(copy, frame.data, frame.len);
        kept[i] = (struct spean_view){copy, frame.len};
    }
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (kept[i].len > 0 && sim_connected(f->sim, A, B)) {
            say_frame(f, kept[i]);
        }
        free((uint8_t *)(uintptr_t)kept[i].data);
    }
    assert_int_equal(sim_height(f->sim, A, B), 9);
    assert_true(sim_counts(f->sim).broke <= 1);
    others_go_on(f);
    sim_run(f->sim, 3000);
    assert_true(sim_equal(f->sim, A, B)); /* Whatever it broke, the next session mends. */
}

/* P13.4: not what was asked before either. */
static void nothing_more_goes_to_a_member_that_was_removed(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, A, 3000);
    sim_run(f->sim, 100);
    open_session(f);
    say_want(f, 1, A, (struct spean_place){0}, 1);
    const uint64_t before = sim_counts(f->sim).by_type[SPEAN_MESSAGE_RUN];
    sim_transcript_clear(f->sim);
    sim_remove(f->sim, B);
    for (int i = 0; i < 5 && sim_connected(f->sim, A, B); i++) {
        message(f, SPEAN_MESSAGE_MORE)->as.more.want = 1;
        f->m.as.more.bytes = 1 << 20;
        say(f);
    }
    sim_commit(f->sim, A, 1);
    sim_run(f->sim, 50);
    assert_null(strstr(sim_transcript(f->sim), "A>B"));
    assert_true(sim_counts(f->sim).by_type[SPEAN_MESSAGE_RUN] <= before + 1); /* To C. */
    others_go_on(f);
}

/* -- The log of the node itself ---------------------------------------------------------------- */

/* P5.11. */
static void a_node_that_was_restored_fetches_its_own_entries_back_and_says_so(void **state)
{
    struct fixture *f = *state;
    sim_hang_up(f->sim, C, A);
    sim_restore(f->sim, A, A, 25);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_OWN_LOG_AHEAD], 0);
    sim_dial(f->sim, C, A);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    assert_int_equal(sim_height(f->sim, A, A), 40);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_OWN_LOG_AHEAD], 1);
    assert_true(sim_equal(f->sim, A, C));
}

static void a_node_that_wrote_on_after_it_was_restored_is_told_of_its_fork(void **state)
{
    struct fixture *f = *state;
    sim_hang_up(f->sim, C, A);
    sim_fork(f->sim, A, 25, A, 3);
    sim_dial(f->sim, C, A);
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    assert_true(sim_disputed(f->sim, A, A));
    assert_true(sim_counts(f->sim).by_report[SPEAN_REPORT_OWN_LOG_AHEAD] > 0);
    assert_int_equal(sim_height(f->sim, A, A), 28); /* It keeps what it has. */
}

/* It must not: but if it does, that is a fork like any other. */
static void a_node_that_writes_while_its_own_entries_come_back_forks(void **state)
{
    struct fixture *f = *state;
    sim_hang_up(f->sim, C, A);
    sim_restore(f->sim, A, A, 25);
    const uint64_t before = sim_counts(f->sim).by_type[SPEAN_MESSAGE_WANT];
    sim_dial(f->sim, C, A);
    for (int ms = 0; ms < 100 && sim_counts(f->sim).by_type[SPEAN_MESSAGE_WANT] == before; ms++) {
        sim_run(f->sim, 1);
    }
    sim_commit_sealed(f->sim, A, 7, 1u << A); /* Not what it wrote there before. */
    assert_true(sim_settle(f->sim, SIM_SETTLE_MS));
    assert_true(sim_disputed(f->sim, A, A));
    assert_int_equal(sim_height(f->sim, A, A), 26);
    sim_check(f->sim);
}

/* Else any member could stop another one from writing. */
static void a_claim_without_a_signature_stops_nobody_from_writing(void **state)
{
    struct fixture *f = *state;
    open_session(f);
    name_row(f, A, 5000, true);
    end_want(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want);
    sim_run(f->sim, 50);
    assert_int_equal(sim_counts(f->sim).by_report[SPEAN_REPORT_OWN_LOG_AHEAD], 0);
    ignored(f);
}

/* What is on its way to the disk may be taken back before it gets there. */
static void a_head_that_moves_back_is_not_raised_by_what_was_being_stored(void **state)
{
    struct fixture *f = *state;
    sim_commit(f->sim, C, 1);
    sim_run(f->sim, 2);
    assert_int_equal(sim_unstored(f->sim, A), 1);
    sim_restore(f->sim, A, C, 5);
    sim_run(f->sim, 50);
    sim_check(f->sim); /* The frontier promises no more than 5. */
}

/* -- Several peers ----------------------------------------------------------------------------- */

/* A asks one peer at a time for a log; what that one did not give, the next is asked for. */
static void what_one_peer_withholds_another_gives(void **state)
{
    struct fixture *f = *state;
    sim_hang_up(f->sim, C, A);
    sim_commit(f->sim, C, 10); /* A holds 5 of 15. */
    open_session(f);
    name_row(f, C, 12, true);
    sim_dial(f->sim, C, A);
    sim_run(f->sim, 500);
    assert_int_equal(sim_height(f->sim, A, C), 5); /* B was asked, and says nothing. */
    end_want(f, heard(f, SPEAN_MESSAGE_WANT)->as.want.want);
    sim_run(f->sim, 500);
    assert_int_equal(sim_height(f->sim, A, C), 15);
    ignored(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int opening_and_comparing(void)
{
    const struct CMUnitTest tests[] = {
        TEST(anything_before_hello_is_refused),
        TEST(a_second_hello_is_refused),
        TEST(a_hello_of_versions_that_nobody_shares_is_refused),
        TEST(a_hello_that_also_speaks_later_versions_is_answered),
        TEST(a_hello_of_another_ledger_is_refused),
        TEST(a_hello_in_the_name_of_another_org_is_refused),
        TEST(a_hello_with_a_signing_key_of_nobody_is_refused),
        TEST(messages_of_the_lobby_are_refused_in_a_session),
        TEST(titles_without_end_are_refused),
        TEST(empty_titles_without_end_are_refused),
        TEST(titles_that_go_back_are_refused),
        TEST(documents_that_nobody_asked_for_are_refused),
        TEST(titles_twice_are_refused),
        TEST(a_document_that_is_none_is_refused),
        TEST(documents_again_after_the_last_are_refused),
        TEST(a_row_higher_than_what_is_given_is_taken_as_far_as_it_is_given),
        TEST(a_row_for_nothing_ends_with_what_is_held),
        TEST(a_row_with_another_id_than_the_run_that_follows_is_refused),
        TEST(rows_for_buckets_that_do_not_differ_are_refused),
        TEST(a_row_outside_the_buckets_named_is_refused),
        TEST(rows_before_a_digest_are_refused),
        TEST(rows_without_end_are_refused),
        TEST(no_rows_with_more_to_come_are_refused),
        TEST(rows_that_go_back_are_refused),
        TEST(rows_of_unknown_logs_take_no_memory_and_ask_for_nothing),
        TEST(a_frontier_that_is_not_ours_proves_no_equality),
        TEST(a_head_beyond_everything_is_asked_for_once_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static int taking_runs(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_for_a_want_that_never_was_is_ignored),
        TEST(a_run_out_of_order_is_refused),
        TEST(a_gap_between_runs_is_refused_and_what_came_before_is_kept),
        TEST(a_run_that_is_repeated_changes_nothing),
        TEST(a_run_whose_signature_is_bad_is_refused_whole),
        TEST(a_run_with_one_changed_body_is_refused_whole),
        TEST(a_run_that_is_none_is_refused),
        TEST(a_run_with_a_trailing_byte_is_refused),
        TEST(a_run_of_another_log_than_was_asked_for_is_refused),
        TEST(a_pushed_run_in_the_name_of_another_log_is_refused),
        TEST(a_pushed_run_of_a_log_of_nobody_is_refused),
        TEST(a_run_after_its_end_is_refused),
        TEST(more_than_was_asked_for_is_refused),
        TEST(crumbs_faster_than_the_disk_end_the_session),
        TEST(an_end_for_nothing_is_ignored),
        TEST(a_chain_that_was_cut_is_not_grown_beyond_its_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static int serving_and_all_else(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_want_too_many_is_refused),
        TEST(a_want_with_a_number_in_use_is_refused),
        TEST(a_place_that_is_not_on_our_chain_is_served_from_the_start),
        TEST(a_place_on_our_chain_is_served_from_above_it),
        TEST(a_want_for_a_log_of_nobody_is_not_served),
        TEST(more_for_a_want_that_never_was_is_ignored),
        TEST(endless_credit_gives_one_run_at_a_time),
        TEST(eight_fetches_may_be_open_and_no_more),
        TEST(what_was_answered_is_not_open),
        TEST(a_second_fetch_under_a_number_that_is_open_is_refused),
        TEST(a_node_opens_no_more_than_eight_fetches),
        TEST(a_fetch_with_a_proof_of_another_key_is_refused),
        TEST(bodies_that_were_not_asked_for_are_ignored),
        TEST(a_body_that_does_not_match_its_header_is_refused),
        TEST(a_body_of_an_entry_that_was_not_asked_for_is_refused),
        TEST(a_body_twice_is_refused),
        TEST(bodies_without_end_take_no_memory),
        TEST(evidence_that_proves_nothing_is_refused_and_accuses_nobody),
        TEST(evidence_that_is_none_is_refused),
        TEST(evidence_about_a_log_of_nobody_is_ignored),
        TEST(a_peer_that_says_nothing_is_dropped_after_a_minute),
        TEST(a_peer_that_owes_a_run_and_is_silent_is_dropped_in_the_end),
        TEST(on_a_link_that_was_quick_a_minute_of_silence_is_enough),
        TEST(a_peer_that_only_answers_pings_is_dropped_after_a_minute),
        TEST(answers_to_other_pings_prove_nothing),
        TEST(silence_is_told_before_the_session_ends_and_so_is_its_end),
        TEST(a_peer_that_owes_bodies_is_dropped),
        TEST(a_session_that_is_replayed_changes_nothing),
        TEST(nothing_more_goes_to_a_member_that_was_removed),
        TEST(a_node_that_was_restored_fetches_its_own_entries_back_and_says_so),
        TEST(a_node_that_wrote_on_after_it_was_restored_is_told_of_its_fork),
        TEST(a_node_that_writes_while_its_own_entries_come_back_forks),
        TEST(a_claim_without_a_signature_stops_nobody_from_writing),
        TEST(a_head_that_moves_back_is_not_raised_by_what_was_being_stored),
        TEST(what_one_peer_withholds_another_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return opening_and_comparing() + taking_runs() + serving_and_all_else();
}
