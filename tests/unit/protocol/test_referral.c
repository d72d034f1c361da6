#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "protocol/referral.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define LINE_BYTES_MAX 1024u
#define CELLS_MAX      10u
#define ITEMS_MAX      8u

static struct spean_view view(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

/* Split line at its commas in place; empty cells stay. */
static size_t split(char *line, char *cells[CELLS_MAX])
{
    static char nothing[1];
    for (size_t i = 0; i < CELLS_MAX; i++) {
        cells[i] = nothing;
    }
    line[strcspn(line, "\r\n")] = '\0';
    size_t count = 0;
    char *cell = line;
    while (cell != NULL) {
        assert_true(count < CELLS_MAX);
        cells[count++] = cell;
        cell = strchr(cell, ',');
        if (cell != NULL) {
            *cell++ = '\0';
        }
    }
    return count;
}

static FILE *open_table(const char *path)
{
    FILE *file = fopen(path, "r");
    char names[LINE_BYTES_MAX];
    assert_non_null(file);
    assert_non_null(fgets(names, sizeof(names), file));
    return file;
}

static enum spean_referral_track_state track_of(const char *name)
{
    enum spean_referral_track_state state = SPEAN_TRACK_NONE;
    while (strcmp(spean_referral_track_name(state), name) != 0) {
        state++;
        assert_true(state < SPEAN_TRACKS_COUNT);
    }
    return state;
}

/* A track that stands in state by one head. */
static struct spean_referral_track in_state(enum spean_referral_track_state state)
{
    return (struct spean_referral_track){.state = state, .heads_states = UINT32_C(1) << state};
}

static struct spean_referral_progress joined(enum spean_referral_track_state origin,
                                             enum spean_referral_track_state target)
{
    const struct spean_referral_track tracks[] = {in_state(origin), in_state(target)};
    return spean_referral_join(&tracks[0], &tracks[1], false);
}

/* Everything is in order and everything is given. */
static struct spean_referral_facts good_facts(void)
{
    return (struct spean_referral_facts){
        .consent_in_force = true,
        .consent_covers_target = true,
        .consent_allows_onward = true,
        .target_is_active = true,
        .gives_urgency = true,
        .gives_respond_by = true,
        .gives_service = true,
        .gives_changes = true,
        .gives_reason = true,
        .gives_worker = true,
        .gives_first_contact = true,
        .gives_review_by = true,
        .gives_note = true,
        .gives_outcome = true,
        .gives_services_provided = true,
        .gives_child = true,
        .gives_client_informed = true,
        .gives_next_step = true,
        .gives_data_purged = true,
        .gives_channel = true,
        .gives_date = true,
    };
}

/* The two tables that the rules were agreed in. */

static void every_pair_of_tracks_gives_the_agreed_joint_state(void **state)
{
    (void)state;
    FILE *file = open_table("tests/data/joint_states.csv");
    char line[LINE_BYTES_MAX];
    size_t rows = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *cells[CELLS_MAX];
        assert_int_equal(split(line, cells), 5);
        const struct spean_referral_track origin = in_state(track_of(cells[0]));
        struct spean_referral_track target = in_state(track_of(cells[1]));
        target.is_cancel_acknowledged = strcmp(cells[3], "1") == 0;
        const struct spean_referral_progress progress =
            spean_referral_join(&origin, &target, strcmp(cells[2], "1") == 0);

        char expected[LINE_BYTES_MAX];
        (void)snprintf(expected, sizeof(expected), "%s%s",
                       spean_referral_state_name(progress.state),
                       progress.is_closed_while_live ? "+closed_while_live" : "");
        assert_string_equal(expected, cells[4]);
        rows++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rows, 6 * 9 * 2 * 2); /* Every pair, with and without both flags. */
}

/* What referral_transitions.csv allows: a bit for each state that a step may be taken from. */
struct legal {
    uint32_t from[SPEAN_STEPS_COUNT];
    enum spean_referral_track_state to[SPEAN_STEPS_COUNT];
    enum spean_referral_side side[SPEAN_STEPS_COUNT];
};

static uint32_t states_of(char *list)
{
    if (strcmp(list, "any") == 0) {
        return UINT32_MAX;
    }
    uint32_t states = 0;
    for (char *name = list; name != NULL;) {
        char *bar = strchr(name, '|');
        if (bar != NULL) {
            *bar++ = '\0';
        }
        states |= UINT32_C(1) << track_of(strcmp(name, "draft") == 0 ? "none" : name);
        name = bar;
    }
    return states;
}

static struct legal read_legal(void)
{
    struct legal legal = {{0}, {0}, {0}};
    FILE *file = open_table("tests/data/referral_transitions.csv");
    char line[LINE_BYTES_MAX];
    size_t rows = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *cells[CELLS_MAX];
        assert_int_equal(split(line, cells), 9);
        const bool is_origin = strcmp(cells[0], "origin") == 0;
        const bool is_draft = strcmp(cells[1], "draft") == 0; /* Local, never a step. */
        if ((!is_origin && strcmp(cells[0], "target") != 0) || is_draft) {
            continue;
        }
        const enum spean_referral_step step = spean_referral_step_of(view(cells[1]));
        assert_int_not_equal(step, SPEAN_STEP_UNKNOWN);
        legal.from[step] = states_of(cells[2]);
        legal.side[step] = is_origin ? SPEAN_SIDE_ORIGIN : SPEAN_SIDE_TARGET;
        const bool stays =
            strcmp(cells[3], "unchanged") == 0 || strcmp(cells[3], "cancel_ack") == 0;
        legal.to[step] = stays ? SPEAN_TRACKS_COUNT : track_of(cells[3]);
        rows++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rows, SPEAN_STEPS_COUNT);
    return legal;
}

/* A joint state in which no guard beyond the own track stands in the way of step. */
static struct spean_referral_progress favourable(enum spean_referral_step step,
                                                 enum spean_referral_track_state own)
{
    if (spean_referral_step_side(step) == SPEAN_SIDE_ORIGIN) {
        return joined(own, step == SPEAN_STEP_CLOSE ? SPEAN_TRACK_COMPLETED : SPEAN_TRACK_NONE);
    }
    return joined(step == SPEAN_STEP_ACK_CANCEL ? SPEAN_TRACK_CANCELLED : SPEAN_TRACK_SENT, own);
}

static void every_agreed_step_is_allowed_and_no_other(void **state)
{
    (void)state;
    const struct legal legal = read_legal();
    const struct spean_referral_facts facts = good_facts();
    size_t allowed = 0;
    for (enum spean_referral_step step = 0; step < SPEAN_STEPS_COUNT; step++) {
        assert_int_equal(spean_referral_step_side(step), legal.side[step]);
        for (enum spean_referral_track_state own = 0; own < SPEAN_TRACKS_COUNT; own++) {
            const bool is_origins = own >= SPEAN_TRACK_SENT && own <= SPEAN_TRACK_CLOSED_CANCELLED;
            if (own != SPEAN_TRACK_NONE && is_origins != (legal.side[step] == SPEAN_SIDE_ORIGIN)) {
                continue; /* A state of the other track. */
            }
            const struct spean_referral_progress now = favourable(step, own);
            enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
            const spean_err err =
                spean_referral_may_step(&now, legal.side[step], step, &facts, &why);
            const bool expected = (legal.from[step] & UINT32_C(1) << own) != 0;
            assert_int_equal(err, expected ? SPEAN_OK : SPEAN_ESTATE);
            assert_int_equal(why, expected ? SPEAN_REFUSAL_NONE : SPEAN_REFUSAL_TRACK);
            allowed += expected ? 1 : 0;
        }
    }
    assert_int_equal(allowed, 6 + 1 + 2 + 2 + 2 + 2 + 3 * 3 + 4 + 9);
}

/* Building tracks. Steps are named 1, 2, 3 ...; the entry id is that number, or as said. */

struct track_fixture {
    struct spean_referral_item items[ITEMS_MAX];
    struct spean_referral_mark marks[ITEMS_MAX];
    size_t count;
};

static struct spean_dot name_of(uint64_t number)
{
    return (struct spean_dot){.log = 7, .seq = number, .index = 0};
}

/* Add step number following the steps in the list, which ends with 0. */
static void add(struct track_fixture *track, uint8_t number, enum spean_referral_step step,
                const uint8_t *follows)
{
    assert_true(track->count < ITEMS_MAX);
    struct spean_referral_item *item = &track->items[track->count++];
    *item = (struct spean_referral_item){.name = name_of(number), .step = step};
    item->entry.bytes[0] = number;
    for (; *follows != 0; follows++) {
        item->follows[item->follows_count++] = name_of(*follows);
    }
}

#define FOLLOWS(...) ((const uint8_t[]){__VA_ARGS__, 0})
#define FIRST        ((const uint8_t[]){0})

static struct spean_referral_track compute(struct track_fixture *track,
                                           enum spean_referral_side side)
{
    struct spean_referral_track out;
    assert_int_equal(spean_referral_track(&out, track->marks, side, track->items, track->count),
                     SPEAN_OK);
    return out;
}

static void every_agreed_step_leads_where_agreed(void **state)
{
    (void)state;
    const struct legal legal = read_legal();
    /* A way into each state, so that the step under test can follow it. */
    static const struct {
        enum spean_referral_track_state state;
        enum spean_referral_step way[3];
        size_t length;
    } ways[] = {
        {SPEAN_TRACK_NONE, {0}, 0},
        {SPEAN_TRACK_SENT, {SPEAN_STEP_SEND}, 1},
        {SPEAN_TRACK_CANCELLED, {SPEAN_STEP_SEND, SPEAN_STEP_CANCEL}, 2},
        {SPEAN_TRACK_RECEIVED, {SPEAN_STEP_RECEIVE}, 1},
        {SPEAN_TRACK_ACCEPTED, {SPEAN_STEP_ACCEPT}, 1},
        {SPEAN_TRACK_IN_PROGRESS, {SPEAN_STEP_ACCEPT, SPEAN_STEP_START}, 2},
        {SPEAN_TRACK_ON_HOLD, {SPEAN_STEP_RECEIVE, SPEAN_STEP_ACCEPT, SPEAN_STEP_HOLD}, 3},
    };
    for (enum spean_referral_step step = 0; step < SPEAN_STEPS_COUNT; step++) {
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
            if ((legal.from[step] & UINT32_C(1) << ways[i].state) == 0 ||
                (step == SPEAN_STEP_ACK_CANCEL &&
                 (ways[i].state == SPEAN_TRACK_SENT || ways[i].state == SPEAN_TRACK_CANCELLED))) {
                continue;
            }
            struct track_fixture track = {.count = 0};
            uint8_t number = 0;
            for (size_t k = 0; k < ways[i].length; k++) {
                add(&track, (uint8_t)(number + 1), ways[i].way[k], (uint8_t[]){number, 0});
                number++;
            }
            add(&track, (uint8_t)(number + 1), step, (uint8_t[]){number, 0});
            const struct spean_referral_track out = compute(&track, legal.side[step]);

            enum spean_referral_track_state expected = legal.to[step];
            if (expected == SPEAN_TRACKS_COUNT) {
                expected = ways[i].state;
            }
            if (step == SPEAN_STEP_CLOSE && ways[i].state == SPEAN_TRACK_CANCELLED) {
                expected = SPEAN_TRACK_CLOSED_CANCELLED;
            }
            assert_int_equal(out.state, expected);
            assert_int_equal(out.misfits_count, 0);
            assert_int_equal(out.heads_count, 1);
            assert_int_equal(out.head, number);
        }
    }
}

static void no_step_leaves_the_track_at_none(void **state)
{
    (void)state;
    struct spean_referral_track out;
    assert_int_equal(spean_referral_track(&out, NULL, SPEAN_SIDE_TARGET, NULL, 0), SPEAN_OK);
    assert_int_equal(out.state, SPEAN_TRACK_NONE);
    assert_int_equal(out.heads_count, 0);
    assert_int_equal(out.head, 0);
    assert_int_equal(out.heads_states, 1u << SPEAN_TRACK_NONE);
}

/* Misfits. */

static void an_illegal_step_is_flagged_and_stands(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_DECLINE, FOLLOWS(1)); /* After accepting. */
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_false(track.marks[0].is_misfit);
    assert_true(track.marks[1].is_misfit);
    assert_int_equal(out.misfits_count, 1);
    assert_int_equal(out.state, SPEAN_TRACK_DECLINED);
}

static void a_step_of_the_other_track_is_flagged_and_changes_nothing(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_CANCEL, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_true(track.marks[1].is_misfit);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED);
    assert_int_equal(out.head, 1);
}

static void the_origin_cannot_acknowledge_its_own_cancellation(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_SEND, FIRST);
    add(&track, 2, SPEAN_STEP_CANCEL, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_ACK_CANCEL, FOLLOWS(2));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_ORIGIN);

    assert_true(track.marks[2].is_misfit);
    assert_false(out.is_cancel_acknowledged);
    assert_int_equal(out.state, SPEAN_TRACK_CANCELLED);
}

static void a_step_that_is_not_known_changes_nothing_and_is_no_misfit(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_UNKNOWN, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_START, FOLLOWS(2));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.misfits_count, 0);
    assert_int_equal(out.state, SPEAN_TRACK_IN_PROGRESS);
}

static void a_step_that_follows_what_is_not_there_is_flagged(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_RECEIVE, FOLLOWS(9));
    add(&track, 2, SPEAN_STEP_ACCEPT, FOLLOWS(1, 9));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_true(track.marks[0].is_misfit);
    assert_true(track.marks[1].is_misfit);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED);
    assert_int_equal(out.heads_count, 1);
}

static void a_name_that_two_steps_share_names_neither(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_RECEIVE, FIRST);
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    track.items[1].entry.bytes[0] = 2; /* Another log with the same short name. */
    add(&track, 3, SPEAN_STEP_START, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_true(track.marks[2].is_misfit);
    assert_int_equal(out.heads_count, 3);
}

static void a_step_that_follows_itself_is_flagged(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.misfits_count, 1);
    assert_int_equal(out.heads_count, 1);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED);
}

static void a_circle_is_cut_at_its_lowest_entry(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 3, SPEAN_STEP_COMPLETE, FOLLOWS(2));
    add(&track, 1, SPEAN_STEP_ACCEPT, FOLLOWS(3));
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_true(track.marks[1].is_misfit);
    assert_int_equal(out.misfits_count, 1);
    assert_int_equal(out.heads_count, 1);
    assert_int_equal(out.state, SPEAN_TRACK_COMPLETED);
}

/* Two nodes of one organisation step at the same time. */

static void two_nodes_stepping_at_once_leave_two_heads_and_live_wins(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_RECEIVE, FIRST);
    add(&track, 2, SPEAN_STEP_DECLINE, FOLLOWS(1)); /* The lower entry id, but final. */
    add(&track, 3, SPEAN_STEP_ACCEPT, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.heads_count, 2);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED);
    assert_int_equal(out.head, 2);
    assert_int_equal(out.misfits_count, 0);
    assert_int_equal(out.heads_states, (1u << SPEAN_TRACK_ACCEPTED) | (1u << SPEAN_TRACK_DECLINED));
}

static void of_two_live_heads_the_lower_entry_id_wins(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 3, SPEAN_STEP_HOLD, FOLLOWS(1));
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.heads_count, 2);
    assert_int_equal(out.state, SPEAN_TRACK_IN_PROGRESS);
}

static void of_two_heads_in_one_entry_the_lower_index_wins(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_HOLD, FOLLOWS(1));
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(1));
    track.items[1].name.index = 1;
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.heads_count, 2);
    assert_int_equal(out.state, SPEAN_TRACK_IN_PROGRESS);
}

static void a_step_that_follows_both_heads_settles_them(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_DECLINE, FIRST);
    add(&track, 2, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 3, SPEAN_STEP_NOTE, FOLLOWS(1, 2));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.heads_count, 1);
    assert_int_equal(out.misfits_count, 0);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED); /* The note keeps what was provisional. */
}

static void a_settling_step_is_legal_if_one_of_the_heads_allows_it(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_RECEIVE, FIRST);
    add(&track, 3, SPEAN_STEP_DECLINE, FOLLOWS(1, 2));
    struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);
    assert_int_equal(out.misfits_count, 0);
    assert_int_equal(out.state, SPEAN_TRACK_DECLINED);

    track.count = 2;
    out = compute(&track, SPEAN_SIDE_TARGET);
    const struct spean_referral_track origin = in_state(SPEAN_TRACK_SENT);
    const struct spean_referral_progress now = spean_referral_join(&origin, &out, false);
    const struct spean_referral_facts facts = good_facts();
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    assert_int_equal(
        spean_referral_may_step(&now, SPEAN_SIDE_TARGET, SPEAN_STEP_DECLINE, &facts, &why),
        SPEAN_OK);
    assert_int_equal(
        spean_referral_may_step(&now, SPEAN_SIDE_TARGET, SPEAN_STEP_RECEIVE, &facts, &why),
        SPEAN_ESTATE);
}

static void an_organisation_decides_for_a_final_head_of_its_own(void **state)
{
    (void)state;
    static const struct {
        enum spean_referral_step one, other, decision;
        enum spean_referral_track_state becomes;
        bool is_allowed;
    } rows[] = {
        {SPEAN_STEP_ACCEPT, SPEAN_STEP_DECLINE, SPEAN_STEP_DECLINE, SPEAN_TRACK_DECLINED, true},
        {SPEAN_STEP_COMPLETE, SPEAN_STEP_DECLINE, SPEAN_STEP_DECLINE, SPEAN_TRACK_DECLINED, true},
        {SPEAN_STEP_COMPLETE, SPEAN_STEP_DECLINE, SPEAN_STEP_COMPLETE, SPEAN_TRACK_COMPLETED, true},
        {SPEAN_STEP_COMPLETE, SPEAN_STEP_DECLINE, SPEAN_STEP_FAIL, SPEAN_TRACK_UNSUCCESSFUL, false},
        {SPEAN_STEP_ACCEPT, SPEAN_STEP_HOLD, SPEAN_STEP_DECLINE, SPEAN_TRACK_DECLINED, false},
        {SPEAN_STEP_START, SPEAN_STEP_DECLINE, SPEAN_STEP_ACCEPT, SPEAN_TRACK_ACCEPTED, false},
    };
    const struct spean_referral_facts facts = good_facts();
    const struct spean_referral_track origin = in_state(SPEAN_TRACK_SENT);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct track_fixture track = {.count = 0};
        add(&track, 1, SPEAN_STEP_RECEIVE, FIRST);
        add(&track, 2, rows[i].one, FOLLOWS(1));
        add(&track, 3, rows[i].other, FOLLOWS(1));
        struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);
        const struct spean_referral_progress now = spean_referral_join(&origin, &out, false);
        enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
        assert_int_equal(
            spean_referral_may_step(&now, SPEAN_SIDE_TARGET, rows[i].decision, &facts, &why),
            rows[i].is_allowed ? SPEAN_OK : SPEAN_ESTATE);

        add(&track, 4, rows[i].decision, FOLLOWS(2, 3));
        out = compute(&track, SPEAN_SIDE_TARGET);
        assert_int_equal(track.marks[3].is_misfit, !rows[i].is_allowed);
        assert_int_equal(out.heads_count, 1);
        assert_int_equal(out.state, rows[i].becomes);
    }
}

static void naming_one_head_twice_is_no_decision(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_DECLINE, FIRST);
    add(&track, 2, SPEAN_STEP_DECLINE, FOLLOWS(1, 1));
    (void)compute(&track, SPEAN_SIDE_TARGET);
    assert_true(track.marks[1].is_misfit);
}

static void no_step_is_placed_before_what_it_follows(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_HOLD, FOLLOWS(3)); /* As clocks that differ may bring them. */
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_ACCEPT, FIRST);
    (void)compute(&track, SPEAN_SIDE_TARGET);
    assert_int_equal(track.marks[2].place, 0);
    assert_int_equal(track.marks[0].place, 1);
    assert_int_equal(track.marks[1].place, 2);
}

static void an_amendment_at_the_same_time_as_a_cancellation_keeps_it_sent(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_SEND, FIRST);
    add(&track, 2, SPEAN_STEP_CANCEL, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_AMEND, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_ORIGIN);

    assert_int_equal(out.heads_count, 2);
    assert_int_equal(out.state, SPEAN_TRACK_SENT);
}

static void acknowledging_counts_even_from_a_head_that_is_not_provisional(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FIRST);
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_ACK_CANCEL, FOLLOWS(1));
    const struct spean_referral_track out = compute(&track, SPEAN_SIDE_TARGET);

    assert_int_equal(out.state, SPEAN_TRACK_IN_PROGRESS);
    assert_true(out.is_cancel_acknowledged);
}

/* The order in which steps are given never matters. */

static void swap(struct track_fixture *track, size_t a, size_t b)
{
    const struct spean_referral_item item = track->items[a];
    track->items[a] = track->items[b];
    track->items[b] = item;
}

static void assert_same_result(struct track_fixture *track, enum spean_referral_side side,
                               const struct track_fixture *expected,
                               const struct spean_referral_track *expected_out)
{
    const struct spean_referral_track out = compute(track, side);
    assert_int_equal(out.state, expected_out->state);
    assert_int_equal(out.heads_count, expected_out->heads_count);
    assert_int_equal(out.heads_states, expected_out->heads_states);
    assert_int_equal(out.misfits_count, expected_out->misfits_count);
    assert_int_equal(out.is_no_response, expected_out->is_no_response);
    assert_int_equal(track->items[out.head].name.seq, expected->items[expected_out->head].name.seq);
    for (size_t i = 0; i < track->count; i++) {
        size_t k = 0;
        while (expected->items[k].name.seq != track->items[i].name.seq) {
            k++;
        }
        assert_int_equal(track->marks[i].after, expected->marks[k].after);
        assert_int_equal(track->marks[i].is_head, expected->marks[k].is_head);
        assert_int_equal(track->marks[i].is_misfit, expected->marks[k].is_misfit);
    }
}

/* All orders by Heap's method, without recursion. */
static void assert_order_never_matters(const struct track_fixture *original,
                                       enum spean_referral_side side)
{
    struct track_fixture expected = *original;
    const struct spean_referral_track out = compute(&expected, side);
    struct track_fixture track = *original;
    size_t counters[ITEMS_MAX] = {0};
    size_t i = 0;
    size_t orders = 1;
    while (i < track.count) {
        if (counters[i] == i) {
            counters[i++] = 0;
            continue;
        }
        swap(&track, i % 2 == 0 ? 0 : counters[i], i);
        assert_same_result(&track, side, &expected, &out);
        counters[i]++;
        i = 0;
        orders++;
    }
    size_t factorial = 1;
    for (size_t k = 2; k <= track.count; k++) {
        factorial *= k;
    }
    assert_int_equal(orders, factorial);
}

static void the_order_of_arrival_never_matters_to_the_target(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_RECEIVE, FIRST);
    add(&track, 5, SPEAN_STEP_ACCEPT, FOLLOWS(1));
    add(&track, 4, SPEAN_STEP_DECLINE, FOLLOWS(1));
    add(&track, 3, SPEAN_STEP_START, FOLLOWS(5));
    add(&track, 2, SPEAN_STEP_NOTE, FOLLOWS(4, 9));
    add(&track, 6, SPEAN_STEP_ACK_CANCEL, FOLLOWS(3, 2));
    assert_order_never_matters(&track, SPEAN_SIDE_TARGET);
}

static void the_order_of_arrival_never_matters_to_the_origin(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 4, SPEAN_STEP_SEND, FIRST);
    add(&track, 3, SPEAN_STEP_AMEND, FOLLOWS(4));
    add(&track, 2, SPEAN_STEP_CANCEL, FOLLOWS(4));
    track.items[2].is_no_response = true;
    add(&track, 1, SPEAN_STEP_CLOSE, FOLLOWS(2));
    add(&track, 5, SPEAN_STEP_CANCEL, FOLLOWS(3));
    assert_order_never_matters(&track, SPEAN_SIDE_ORIGIN);
}

static void the_order_of_arrival_never_matters_in_circles(void **state)
{
    (void)state;
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_ACCEPT, FOLLOWS(2));
    add(&track, 2, SPEAN_STEP_START, FOLLOWS(3));
    add(&track, 3, SPEAN_STEP_HOLD, FOLLOWS(1));
    add(&track, 4, SPEAN_STEP_COMPLETE, FOLLOWS(5, 3));
    add(&track, 5, SPEAN_STEP_FAIL, FOLLOWS(4));
    add(&track, 6, SPEAN_STEP_DECLINE, FOLLOWS(6, 5));
    assert_order_never_matters(&track, SPEAN_SIDE_TARGET);
}

static void as_many_steps_as_the_limit_are_computed_and_one_more_is_refused(void **state)
{
    (void)state;
    const size_t count = SPEAN_REFERRAL_STEPS_MAX + 1;
    struct spean_referral_item *items = calloc(count, sizeof(*items));
    struct spean_referral_mark *marks = calloc(count, sizeof(*marks));
    assert_non_null(items);
    assert_non_null(marks);
    for (size_t i = 0; i < count; i++) {
        /* Given backwards, each following the one given after it: the slowest order. */
        items[i].name = name_of(count - i);
        items[i].step = i + 1 == count ? SPEAN_STEP_ACCEPT : SPEAN_STEP_NOTE;
        items[i].follows[0] = name_of(count - i - 1);
        items[i].follows_count = i + 1 == count ? 0 : 1;
    }
    struct spean_referral_track out;
    assert_int_equal(spean_referral_track(&out, marks, SPEAN_SIDE_TARGET, items, count),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_referral_track(&out, marks, SPEAN_SIDE_TARGET, items + 1, count - 1),
                     SPEAN_OK);
    assert_int_equal(out.state, SPEAN_TRACK_ACCEPTED);
    assert_int_equal(out.heads_count, 1);
    assert_int_equal(out.head, 0);
    free(items);
    free(marks);
}

/* Joint states that are not in the table. */

static struct spean_referral_track cancelled_for_no_response(bool is_closed)
{
    struct track_fixture track = {.count = 0};
    add(&track, 1, SPEAN_STEP_SEND, FIRST);
    add(&track, 2, SPEAN_STEP_CANCEL, FOLLOWS(1));
    track.items[1].is_no_response = true;
    if (is_closed) {
        add(&track, 3, SPEAN_STEP_CLOSE, FOLLOWS(2));
    }
    return compute(&track, SPEAN_SIDE_ORIGIN);
}

static void cancelled_for_no_response_shows_as_expired_while_nobody_is_at_work(void **state)
{
    (void)state;
    const struct spean_referral_track origin = cancelled_for_no_response(false);
    struct spean_referral_track target = in_state(SPEAN_TRACK_RECEIVED);

    assert_int_equal(spean_referral_join(&origin, &target, false).state, SPEAN_REFERRAL_EXPIRED);
    assert_int_equal(spean_referral_join(&origin, &target, true).state,
                     SPEAN_REFERRAL_CONSENT_WITHDRAWN);
    target = in_state(SPEAN_TRACK_ACCEPTED); /* The answer came after all. */
    assert_int_equal(spean_referral_join(&origin, &target, false).state,
                     SPEAN_REFERRAL_CANCEL_PENDING);
    target.is_cancel_acknowledged = true;
    assert_int_equal(spean_referral_join(&origin, &target, false).state, SPEAN_REFERRAL_CANCELLED);
}

static void an_expired_referral_can_be_closed(void **state)
{
    (void)state;
    const struct spean_referral_track origin = cancelled_for_no_response(true);
    const struct spean_referral_track target = in_state(SPEAN_TRACK_NONE);
    const struct spean_referral_progress progress = spean_referral_join(&origin, &target, false);

    assert_int_equal(origin.state, SPEAN_TRACK_CLOSED_CANCELLED);
    assert_int_equal(progress.state, SPEAN_REFERRAL_CLOSED);
    assert_false(progress.is_closed_while_live);
}

static void a_closed_referral_stays_closed_when_consent_is_withdrawn_later(void **state)
{
    (void)state;
    const struct spean_referral_track origin = in_state(SPEAN_TRACK_CLOSED);
    const struct spean_referral_track target = in_state(SPEAN_TRACK_COMPLETED);
    assert_int_equal(spean_referral_join(&origin, &target, false).state, SPEAN_REFERRAL_CLOSED);
    assert_int_equal(spean_referral_join(&origin, &target, true).state, SPEAN_REFERRAL_CLOSED);
}

static void what_is_resolved_is_told_apart_from_what_is_open(void **state)
{
    (void)state;
    assert_true(spean_referral_is_resolved(SPEAN_REFERRAL_DECLINED));
    assert_true(spean_referral_is_resolved(SPEAN_REFERRAL_CONSENT_WITHDRAWN));
    assert_true(spean_referral_is_resolved(SPEAN_REFERRAL_CLOSED));
    assert_false(spean_referral_is_resolved(SPEAN_REFERRAL_DRAFT));
    assert_false(spean_referral_is_resolved(SPEAN_REFERRAL_SENT));
    assert_false(spean_referral_is_resolved(SPEAN_REFERRAL_ON_HOLD));
    assert_false(spean_referral_is_resolved(SPEAN_REFERRAL_CANCEL_PENDING));
}

/* Guards for writing. */

static void assert_refused(const struct spean_referral_progress *now, enum spean_referral_step step,
                           const struct spean_referral_facts *facts, spean_err err,
                           enum spean_referral_refusal refusal)
{
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    assert_int_equal(
        spean_referral_may_step(now, spean_referral_step_side(step), step, facts, &why), err);
    assert_int_equal(why, refusal);
}

static void nobody_steps_for_somebody_else(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    for (enum spean_referral_step step = 0; step < SPEAN_STEPS_COUNT; step++) {
        const struct spean_referral_progress now = favourable(step, SPEAN_TRACK_NONE);
        const enum spean_referral_side other = spean_referral_step_side(step) == SPEAN_SIDE_ORIGIN
                                                   ? SPEAN_SIDE_TARGET
                                                   : SPEAN_SIDE_ORIGIN;
        enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
        assert_int_equal(spean_referral_may_step(&now, other, step, &facts, &why), SPEAN_EDENIED);
        assert_int_equal(why, SPEAN_REFUSAL_NOT_YOURS);
        assert_int_equal(spean_referral_may_step(&now, SPEAN_SIDE_NONE, step, &facts, &why),
                         SPEAN_EDENIED);
    }
}

static void a_step_that_is_not_known_is_not_written(void **state)
{
    (void)state;
    const struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, SPEAN_TRACK_NONE);
    const struct spean_referral_facts facts = good_facts();
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    assert_int_equal(
        spean_referral_may_step(&now, SPEAN_SIDE_ORIGIN, SPEAN_STEP_UNKNOWN, &facts, &why),
        SPEAN_EINPUT);
    assert_int_equal(why, SPEAN_REFUSAL_UNKNOWN_STEP);
}

/* One fact turned against a step that would be allowed otherwise. */
struct turned {
    size_t fact; /* Offset of a bool in the facts; it is inverted. */
    enum spean_referral_step step;
    enum spean_referral_track_state origin;
    enum spean_referral_track_state target;
    enum spean_referral_refusal refusal;
};

#define FACT(name) offsetof(struct spean_referral_facts, name)

static const struct turned turned_facts[] = {
    {FACT(consent_in_force), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_NO_CONSENT},
    {FACT(consent_covers_target), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_RECIPIENT},
    {FACT(target_is_withheld), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_WITHHELD},
    {FACT(target_is_active), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_NOT_MEMBER},
    {FACT(has_unresolved_twin), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_TWIN},
    {FACT(gives_urgency), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_URGENCY},
    {FACT(gives_respond_by), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_RESPOND_BY},
    {FACT(gives_service), SPEAN_STEP_SEND, SPEAN_TRACK_NONE, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_SERVICE},
    {FACT(gives_changes), SPEAN_STEP_AMEND, SPEAN_TRACK_SENT, SPEAN_TRACK_RECEIVED,
     SPEAN_REFUSAL_MISSING_CHANGES},
    {FACT(gives_reason), SPEAN_STEP_CANCEL, SPEAN_TRACK_SENT, SPEAN_TRACK_IN_PROGRESS,
     SPEAN_REFUSAL_MISSING_REASON},
    {FACT(gives_reason), SPEAN_STEP_ERROR, SPEAN_TRACK_SENT, SPEAN_TRACK_RECEIVED,
     SPEAN_REFUSAL_MISSING_REASON},
    {FACT(gives_client_informed), SPEAN_STEP_CLOSE, SPEAN_TRACK_SENT, SPEAN_TRACK_DECLINED,
     SPEAN_REFUSAL_MISSING_INFORMED},
    {FACT(gives_next_step), SPEAN_STEP_CLOSE, SPEAN_TRACK_SENT, SPEAN_TRACK_DECLINED,
     SPEAN_REFUSAL_MISSING_NEXT_STEP},
    {FACT(gives_worker), SPEAN_STEP_ACCEPT, SPEAN_TRACK_SENT, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_WORKER},
    {FACT(gives_first_contact), SPEAN_STEP_ACCEPT, SPEAN_TRACK_SENT, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_FIRST_CONTACT},
    {FACT(is_known_duplicate), SPEAN_STEP_ACCEPT, SPEAN_TRACK_SENT, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_DUPLICATE},
    {FACT(gives_reason), SPEAN_STEP_DECLINE, SPEAN_TRACK_SENT, SPEAN_TRACK_NONE,
     SPEAN_REFUSAL_MISSING_REASON},
    {FACT(gives_reason), SPEAN_STEP_HOLD, SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_REASON},
    {FACT(gives_review_by), SPEAN_STEP_HOLD, SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_REVIEW_BY},
    {FACT(gives_note), SPEAN_STEP_NOTE, SPEAN_TRACK_SENT, SPEAN_TRACK_ON_HOLD,
     SPEAN_REFUSAL_MISSING_NOTE},
    {FACT(gives_outcome), SPEAN_STEP_COMPLETE, SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_OUTCOME},
    {FACT(gives_services_provided), SPEAN_STEP_COMPLETE, SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_SERVICES},
    {FACT(gives_reason), SPEAN_STEP_FAIL, SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_REASON},
    {FACT(gives_child), SPEAN_STEP_REDIRECT, SPEAN_TRACK_SENT, SPEAN_TRACK_RECEIVED,
     SPEAN_REFUSAL_MISSING_CHILD},
    {FACT(consent_allows_onward), SPEAN_STEP_REDIRECT, SPEAN_TRACK_SENT, SPEAN_TRACK_RECEIVED,
     SPEAN_REFUSAL_ONWARD},
    {FACT(gives_data_purged), SPEAN_STEP_ACK_CANCEL, SPEAN_TRACK_ERROR, SPEAN_TRACK_ACCEPTED,
     SPEAN_REFUSAL_MISSING_PURGED},
};

static void each_fact_that_an_act_needs_stops_it_when_it_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(turned_facts) / sizeof(turned_facts[0]); i++) {
        const struct turned *turned = &turned_facts[i];
        const struct spean_referral_progress now = joined(turned->origin, turned->target);
        struct spean_referral_facts facts = good_facts();
        assert_refused(&now, turned->step, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);

        bool *const fact = (bool *)((char *)&facts + turned->fact);
        *fact = !*fact;
        const bool missing = turned->refusal >= SPEAN_REFUSAL_MISSING_URGENCY;
        assert_refused(&now, turned->step, &facts, missing ? SPEAN_EINPUT : SPEAN_ESTATE,
                       turned->refusal);
    }
}

static void
an_override_with_a_reason_stands_in_for_consent_but_not_for_the_persons_wish(void **state)
{
    (void)state;
    const struct spean_referral_progress now = joined(SPEAN_TRACK_NONE, SPEAN_TRACK_NONE);
    struct spean_referral_facts facts = good_facts();
    facts.consent_in_force = false;
    facts.consent_covers_target = false;
    facts.gives_override = true;
    assert_refused(&now, SPEAN_STEP_SEND, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
    facts.target_is_withheld = true;
    assert_refused(&now, SPEAN_STEP_SEND, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_WITHHELD);
}

static void after_acceptance_nothing_is_amended_or_called_an_error(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    const struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED);
    assert_refused(&now, SPEAN_STEP_AMEND, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_ANSWERED);
    assert_refused(&now, SPEAN_STEP_ERROR, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_ACCEPTED);
    assert_refused(&now, SPEAN_STEP_CANCEL, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
}

static void after_a_withdrawal_nothing_more_is_said_about_the_person(void **state)
{
    (void)state;
    const struct spean_referral_track sent = in_state(SPEAN_TRACK_SENT);
    const struct spean_referral_track received = in_state(SPEAN_TRACK_RECEIVED);
    const struct spean_referral_track accepted = in_state(SPEAN_TRACK_ACCEPTED);
    struct spean_referral_facts facts = good_facts();
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    struct spean_referral_progress now = spean_referral_join(&sent, &received, true);
    assert_refused(&now, SPEAN_STEP_AMEND, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_WITHDRAWN);
    now = spean_referral_join(&sent, &accepted, true);
    assert_refused(&now, SPEAN_STEP_AMEND, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_WITHDRAWN);
    assert_refused(&now, SPEAN_STEP_NOTE, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOTE_WITHDRAWN);
    assert_int_equal(spean_referral_may_note(&now, &facts, &why), SPEAN_ESTATE);
    assert_int_equal(why, SPEAN_REFUSAL_NOTE_WITHDRAWN);
    assert_refused(&now, SPEAN_STEP_COMPLETE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
    facts.gives_closing_note = true;
    assert_refused(&now, SPEAN_STEP_COMPLETE, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOTE_WITHDRAWN);
    assert_refused(&now, SPEAN_STEP_FAIL, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOTE_WITHDRAWN);
}

static void the_origin_writes_notes_to_who_may_read_them(void **state)
{
    (void)state;
    struct spean_referral_facts facts = good_facts();
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    for (enum spean_referral_track_state target = SPEAN_TRACK_RECEIVED;
         target <= SPEAN_TRACK_REDIRECTED; target++) {
        const struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, target);
        const bool keeps = target != SPEAN_TRACK_DECLINED && target != SPEAN_TRACK_REDIRECTED;
        assert_int_equal(spean_referral_may_note(&now, &facts, &why),
                         keeps ? SPEAN_OK : SPEAN_ESTATE);
        assert_int_equal(why, keeps ? SPEAN_REFUSAL_NONE : SPEAN_REFUSAL_FINISHED);
    }
    struct spean_referral_progress now = joined(SPEAN_TRACK_NONE, SPEAN_TRACK_NONE);
    assert_int_equal(spean_referral_may_note(&now, &facts, &why), SPEAN_ESTATE);
    assert_int_equal(why, SPEAN_REFUSAL_NOT_SENT);
    facts.gives_note = false;
    now = joined(SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED);
    assert_int_equal(spean_referral_may_note(&now, &facts, &why), SPEAN_EINPUT);
    assert_int_equal(why, SPEAN_REFUSAL_MISSING_NOTE);
}

static void what_the_target_finished_is_not_cancelled(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    for (enum spean_referral_track_state target = SPEAN_TRACK_DECLINED;
         target <= SPEAN_TRACK_REDIRECTED; target++) {
        const struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, target);
        assert_refused(&now, SPEAN_STEP_CANCEL, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_FINISHED);
        assert_refused(&now, SPEAN_STEP_ERROR, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_FINISHED);
        assert_refused(&now, SPEAN_STEP_CLOSE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
    }
}

static void what_is_not_resolved_is_not_closed(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, SPEAN_TRACK_IN_PROGRESS);
    assert_refused(&now, SPEAN_STEP_CLOSE, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_RESOLVED);
    now = joined(SPEAN_TRACK_CANCELLED, SPEAN_TRACK_IN_PROGRESS); /* Not acknowledged. */
    assert_refused(&now, SPEAN_STEP_CLOSE, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_RESOLVED);
    now = joined(SPEAN_TRACK_CANCELLED, SPEAN_TRACK_RECEIVED);
    assert_refused(&now, SPEAN_STEP_CLOSE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
}

static void withdrawn_consent_stops_sending_and_accepting_but_not_finishing(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    struct spean_referral_progress now = joined(SPEAN_TRACK_NONE, SPEAN_TRACK_NONE);
    now.is_consent_withdrawn = true;
    assert_refused(&now, SPEAN_STEP_SEND, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_WITHDRAWN);

    const struct spean_referral_track origin = in_state(SPEAN_TRACK_SENT);
    struct spean_referral_track target = in_state(SPEAN_TRACK_RECEIVED);
    now = spean_referral_join(&origin, &target, true);
    assert_refused(&now, SPEAN_STEP_ACCEPT, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_WITHDRAWN);
    assert_refused(&now, SPEAN_STEP_DECLINE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
    assert_refused(&now, SPEAN_STEP_CLOSE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
    target = in_state(SPEAN_TRACK_IN_PROGRESS);
    now = spean_referral_join(&origin, &target, true);
    assert_refused(&now, SPEAN_STEP_COMPLETE, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
}

static void what_is_known_to_be_cancelled_is_not_accepted(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    struct spean_referral_progress now = joined(SPEAN_TRACK_CANCELLED, SPEAN_TRACK_RECEIVED);
    assert_refused(&now, SPEAN_STEP_ACCEPT, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_CANCELLED);
    now = joined(SPEAN_TRACK_CLOSED_CANCELLED, SPEAN_TRACK_NONE);
    assert_refused(&now, SPEAN_STEP_ACCEPT, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_CANCELLED);
}

static void the_target_does_nothing_before_it_was_sent_anything(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    const struct spean_referral_progress now = joined(SPEAN_TRACK_NONE, SPEAN_TRACK_NONE);
    assert_refused(&now, SPEAN_STEP_RECEIVE, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_SENT);
    assert_refused(&now, SPEAN_STEP_ACCEPT, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_SENT);
}

static void only_a_cancellation_is_acknowledged(void **state)
{
    (void)state;
    const struct spean_referral_facts facts = good_facts();
    struct spean_referral_progress now = joined(SPEAN_TRACK_SENT, SPEAN_TRACK_ACCEPTED);
    assert_refused(&now, SPEAN_STEP_ACK_CANCEL, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_CANCELLED);
    now = joined(SPEAN_TRACK_CLOSED, SPEAN_TRACK_ACCEPTED);
    assert_refused(&now, SPEAN_STEP_ACK_CANCEL, &facts, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_CANCELLED);
    now = joined(SPEAN_TRACK_CLOSED_CANCELLED, SPEAN_TRACK_ACCEPTED);
    assert_refused(&now, SPEAN_STEP_ACK_CANCEL, &facts, SPEAN_OK, SPEAN_REFUSAL_NONE);
}

static void either_side_may_say_that_consent_was_withdrawn_and_nobody_else(void **state)
{
    (void)state;
    struct spean_referral_facts facts = good_facts();
    enum spean_referral_refusal why = SPEAN_REFUSALS_COUNT;
    assert_int_equal(spean_referral_may_withdraw(SPEAN_SIDE_ORIGIN, &facts, &why), SPEAN_OK);
    assert_int_equal(spean_referral_may_withdraw(SPEAN_SIDE_TARGET, &facts, &why), SPEAN_OK);
    assert_int_equal(why, SPEAN_REFUSAL_NONE);
    assert_int_equal(spean_referral_may_withdraw(SPEAN_SIDE_NONE, &facts, &why), SPEAN_EDENIED);
    facts.gives_date = false;
    assert_int_equal(spean_referral_may_withdraw(SPEAN_SIDE_TARGET, &facts, &why), SPEAN_EINPUT);
    assert_int_equal(why, SPEAN_REFUSAL_MISSING_DATE);
    facts.gives_channel = false;
    assert_int_equal(spean_referral_may_withdraw(SPEAN_SIDE_TARGET, &facts, &why), SPEAN_EINPUT);
    assert_int_equal(why, SPEAN_REFUSAL_MISSING_CHANNEL);
}

static void every_refusal_has_its_own_name_and_a_text(void **state)
{
    (void)state;
    for (enum spean_referral_refusal a = 0; a < SPEAN_REFUSALS_COUNT; a++) {
        assert_true(strlen(spean_referral_refusal_text(a)) > 5);
        for (enum spean_referral_refusal b = 0; b < a; b++) {
            assert_string_not_equal(spean_referral_refusal_name(a), spean_referral_refusal_name(b));
        }
    }
}

/* Reading steps. */

static uint8_t buffer[8192];

static void put(struct spean_writer *w, const char *text)
{
    spean_writer_str(w, text, strlen(text));
}

static struct spean_view written(const struct spean_writer *w)
{
    struct spean_view bytes = {NULL, 0};
    assert_int_equal(spean_writer_end(w, &bytes), SPEAN_OK);
    return bytes;
}

static struct spean_view encoded_step(const char *code, uint32_t follows_count)
{
    static const uint8_t log[SPEAN_SHORT_BYTES] = {0x01, 0, 0, 0, 0, 0, 0, 0x02};
    struct spean_writer w;
    spean_writer_init(&w, buffer, sizeof(buffer));
    spean_writer_map(&w, 5);
    spean_writer_uint(&w, SPEAN_SUB_STEP_STEP);
    put(&w, code);
    spean_writer_uint(&w, SPEAN_SUB_STEP_FOLLOWS);
    spean_writer_array(&w, follows_count);
    for (uint32_t i = 0; i < follows_count; i++) {
        spean_writer_array(&w, 3);
        spean_writer_bin(&w, log, sizeof(log));
        spean_writer_uint(&w, 300 + i);
        spean_writer_uint(&w, i);
    }
    spean_writer_uint(&w, SPEAN_SUB_STEP_AT);
    spean_writer_uint(&w, 1795000000);
    spean_writer_uint(&w, SPEAN_SUB_STEP_REASON);
    put(&w, "no_response");
    spean_writer_uint(&w, 900); /* A sub-field of a newer program. */
    spean_writer_array(&w, 0);
    return written(&w);
}

static void a_step_is_read_with_what_it_follows(void **state)
{
    (void)state;
    struct spean_referral_item item = {.name = name_of(4)};
    assert_int_equal(spean_referral_item_decode(&item, encoded_step("cancel", 2)), SPEAN_OK);
    assert_int_equal(item.step, SPEAN_STEP_CANCEL);
    assert_true(item.is_no_response);
    assert_int_equal(item.follows_count, 2);
    assert_true(item.follows[1].log == UINT64_C(0x0100000000000002));
    assert_int_equal(item.follows[1].seq, 301);
    assert_int_equal(item.follows[1].index, 1);
    assert_int_equal(item.name.seq, 4);

    assert_int_equal(spean_referral_item_decode(&item, encoded_step("teleport", 0)), SPEAN_OK);
    assert_int_equal(item.step, SPEAN_STEP_UNKNOWN);
}

static void a_step_cut_at_any_byte_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const struct spean_view whole = encoded_step("accept", 3);
    struct spean_referral_item item = {.step = SPEAN_STEP_FAIL};
    for (size_t len = 0; len < whole.len; len++) {
        assert_int_not_equal(
            spean_referral_item_decode(&item, (struct spean_view){whole.data, len}), SPEAN_OK);
        assert_int_equal(item.step, SPEAN_STEP_FAIL);
        assert_int_equal(item.follows_count, 0);
    }
    buffer[whole.len] = 0;
    assert_int_equal(
        spean_referral_item_decode(&item, (struct spean_view){whole.data, whole.len + 1}),
        SPEAN_EFORMAT);
}

static void a_step_that_follows_too_many_is_refused(void **state)
{
    (void)state;
    struct spean_referral_item item = {.step = SPEAN_STEP_FAIL};
    assert_int_equal(
        spean_referral_item_decode(&item, encoded_step("accept", SPEAN_REFERRAL_FOLLOWS_MAX)),
        SPEAN_OK);
    assert_int_equal(
        spean_referral_item_decode(&item, encoded_step("accept", SPEAN_REFERRAL_FOLLOWS_MAX + 1)),
        SPEAN_ELIMIT);
}

static void what_is_no_step_is_refused(void **state)
{
    (void)state;
    struct spean_referral_item item = {.step = SPEAN_STEP_FAIL};
    struct spean_writer w;
    spean_writer_init(&w, buffer, sizeof(buffer));
    spean_writer_map(&w, 0);
    assert_int_equal(spean_referral_item_decode(&item, written(&w)), SPEAN_EFORMAT);

    spean_writer_init(&w, buffer, sizeof(buffer));
    put(&w, "accept");
    assert_int_equal(spean_referral_item_decode(&item, written(&w)), SPEAN_EFORMAT);

    spean_writer_init(&w, buffer, sizeof(buffer));
    spean_writer_map(&w, 2);
    for (size_t i = 0; i < 2; i++) { /* The same key twice. */
        spean_writer_uint(&w, SPEAN_SUB_STEP_STEP);
        put(&w, "accept");
    }
    assert_int_equal(spean_referral_item_decode(&item, written(&w)), SPEAN_EFORMAT);

    spean_writer_init(&w, buffer, sizeof(buffer));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, SPEAN_SUB_STEP_AT);
    spean_writer_uint(&w, 5);
    assert_int_equal(spean_referral_item_decode(&item, written(&w)), SPEAN_EFORMAT);
}

static void the_list_of_a_reason_has_codes_and_no_other_step_takes_one(void **state)
{
    (void)state;
    size_t lists = 0;
    for (enum spean_referral_step step = SPEAN_STEP_SEND; step < SPEAN_STEPS_COUNT; step++) {
        const char *list = spean_referral_reason_list(step);
        size_t codes = 0;
        lists += list != NULL ? 1 : 0;
        assert_true(list == NULL || spean_codes_list(list, &codes) != NULL);
    }
    assert_int_equal(lists, 7); /* As many as the table of SCHEMA.md, section 6, names. */
    assert_string_equal(spean_referral_reason_list(SPEAN_STEP_HOLD), "hold_reason");
    assert_null(spean_referral_reason_list(SPEAN_STEP_SEND));
    assert_null(spean_referral_reason_list(SPEAN_STEP_UNKNOWN));
}

static void step_codes_read_back_as_themselves(void **state)
{
    (void)state;
    for (enum spean_referral_step step = 0; step < SPEAN_STEPS_COUNT; step++) {
        assert_int_equal(spean_referral_step_of(view(spean_referral_step_code(step))), step);
    }
    assert_int_equal(spean_referral_step_of(view("accepted")), SPEAN_STEP_UNKNOWN);
    assert_int_equal(spean_referral_step_of(view("")), SPEAN_STEP_UNKNOWN);
    assert_int_equal(spean_referral_step_side(SPEAN_STEP_UNKNOWN), SPEAN_SIDE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_tracks_gives_the_agreed_joint_state),
        cmocka_unit_test(every_agreed_step_is_allowed_and_no_other),
        cmocka_unit_test(every_agreed_step_leads_where_agreed),
        cmocka_unit_test(no_step_leaves_the_track_at_none),
        cmocka_unit_test(an_illegal_step_is_flagged_and_stands),
        cmocka_unit_test(a_step_of_the_other_track_is_flagged_and_changes_nothing),
        cmocka_unit_test(the_origin_cannot_acknowledge_its_own_cancellation),
        cmocka_unit_test(a_step_that_is_not_known_changes_nothing_and_is_no_misfit),
        cmocka_unit_test(a_step_that_follows_what_is_not_there_is_flagged),
        cmocka_unit_test(a_name_that_two_steps_share_names_neither),
        cmocka_unit_test(a_step_that_follows_itself_is_flagged),
        cmocka_unit_test(a_circle_is_cut_at_its_lowest_entry),
        cmocka_unit_test(two_nodes_stepping_at_once_leave_two_heads_and_live_wins),
        cmocka_unit_test(of_two_live_heads_the_lower_entry_id_wins),
        cmocka_unit_test(of_two_heads_in_one_entry_the_lower_index_wins),
        cmocka_unit_test(a_step_that_follows_both_heads_settles_them),
        cmocka_unit_test(a_settling_step_is_legal_if_one_of_the_heads_allows_it),
        cmocka_unit_test(an_organisation_decides_for_a_final_head_of_its_own),
        cmocka_unit_test(naming_one_head_twice_is_no_decision),
        cmocka_unit_test(no_step_is_placed_before_what_it_follows),
        cmocka_unit_test(an_amendment_at_the_same_time_as_a_cancellation_keeps_it_sent),
        cmocka_unit_test(acknowledging_counts_even_from_a_head_that_is_not_provisional),
        cmocka_unit_test(the_order_of_arrival_never_matters_to_the_target),
        cmocka_unit_test(the_order_of_arrival_never_matters_to_the_origin),
        cmocka_unit_test(the_order_of_arrival_never_matters_in_circles),
        cmocka_unit_test(as_many_steps_as_the_limit_are_computed_and_one_more_is_refused),
        cmocka_unit_test(cancelled_for_no_response_shows_as_expired_while_nobody_is_at_work),
        cmocka_unit_test(an_expired_referral_can_be_closed),
        cmocka_unit_test(a_closed_referral_stays_closed_when_consent_is_withdrawn_later),
        cmocka_unit_test(what_is_resolved_is_told_apart_from_what_is_open),
        cmocka_unit_test(nobody_steps_for_somebody_else),
        cmocka_unit_test(a_step_that_is_not_known_is_not_written),
        cmocka_unit_test(each_fact_that_an_act_needs_stops_it_when_it_fails),
        cmocka_unit_test(
            an_override_with_a_reason_stands_in_for_consent_but_not_for_the_persons_wish),
        cmocka_unit_test(after_acceptance_nothing_is_amended_or_called_an_error),
        cmocka_unit_test(after_a_withdrawal_nothing_more_is_said_about_the_person),
        cmocka_unit_test(the_origin_writes_notes_to_who_may_read_them),
        cmocka_unit_test(what_the_target_finished_is_not_cancelled),
        cmocka_unit_test(what_is_not_resolved_is_not_closed),
        cmocka_unit_test(withdrawn_consent_stops_sending_and_accepting_but_not_finishing),
        cmocka_unit_test(what_is_known_to_be_cancelled_is_not_accepted),
        cmocka_unit_test(the_target_does_nothing_before_it_was_sent_anything),
        cmocka_unit_test(only_a_cancellation_is_acknowledged),
        cmocka_unit_test(either_side_may_say_that_consent_was_withdrawn_and_nobody_else),
        cmocka_unit_test(every_refusal_has_its_own_name_and_a_text),
        cmocka_unit_test(a_step_is_read_with_what_it_follows),
        cmocka_unit_test(a_step_cut_at_any_byte_is_refused_and_changes_nothing),
        cmocka_unit_test(a_step_that_follows_too_many_is_refused),
        cmocka_unit_test(what_is_no_step_is_refused),
        cmocka_unit_test(the_list_of_a_reason_has_codes_and_no_other_step_takes_one),
        cmocka_unit_test(step_codes_read_back_as_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
