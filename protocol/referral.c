#include "protocol/referral.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/codes.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"

#define BIT(state)       (UINT32_C(1) << (state))
#define COUNT_OF(array)  (sizeof(array) / sizeof((array)[0]))
#define NO_ITEM          UINT16_MAX
#define ITEM_PAIRS_MAX   256u
#define NO_RESPONSE_CODE "no_response"

#define ANY_TARGET_STATE                                                                           \
    (BIT(SPEAN_TRACK_NONE) | BIT(SPEAN_TRACK_RECEIVED) | ACCEPTED_STATES | FINISHED_STATES)
#define ACCEPTED_STATES                                                                            \
    (BIT(SPEAN_TRACK_ACCEPTED) | BIT(SPEAN_TRACK_IN_PROGRESS) | BIT(SPEAN_TRACK_ON_HOLD))
#define FINISHED_STATES                                                                            \
    (BIT(SPEAN_TRACK_DECLINED) | BIT(SPEAN_TRACK_COMPLETED) | BIT(SPEAN_TRACK_UNSUCCESSFUL) |      \
     BIT(SPEAN_TRACK_REDIRECTED))
#define UNANSWERED_STATES (BIT(SPEAN_TRACK_NONE) | BIT(SPEAN_TRACK_RECEIVED))
#define CANCELLED_STATES                                                                           \
    (BIT(SPEAN_TRACK_CANCELLED) | BIT(SPEAN_TRACK_ERROR) | BIT(SPEAN_TRACK_CLOSED_CANCELLED))
#define CLOSED_STATES (BIT(SPEAN_TRACK_CLOSED) | BIT(SPEAN_TRACK_CLOSED_CANCELLED))
#define LIVE_STATES   (BIT(SPEAN_TRACK_SENT) | BIT(SPEAN_TRACK_RECEIVED) | ACCEPTED_STATES)
#define FINAL_STATES  (FINISHED_STATES | CANCELLED_STATES | CLOSED_STATES)

/* The legal steps. to SPEAN_TRACKS_COUNT: the state stays. */
static const struct {
    enum spean_referral_side side;
    uint32_t from; /* Bit for each state that allows it. */
    enum spean_referral_track_state to;
} rules[SPEAN_STEPS_COUNT] = {
    [SPEAN_STEP_SEND] = {SPEAN_SIDE_ORIGIN, BIT(SPEAN_TRACK_NONE), SPEAN_TRACK_SENT},
    [SPEAN_STEP_AMEND] = {SPEAN_SIDE_ORIGIN, BIT(SPEAN_TRACK_SENT), SPEAN_TRACKS_COUNT},
    [SPEAN_STEP_CANCEL] = {SPEAN_SIDE_ORIGIN, BIT(SPEAN_TRACK_SENT), SPEAN_TRACK_CANCELLED},
    [SPEAN_STEP_ERROR] = {SPEAN_SIDE_ORIGIN, BIT(SPEAN_TRACK_SENT), SPEAN_TRACK_ERROR},
    [SPEAN_STEP_CLOSE] = {SPEAN_SIDE_ORIGIN, BIT(SPEAN_TRACK_SENT) | BIT(SPEAN_TRACK_CANCELLED),
                          SPEAN_TRACK_CLOSED},
    [SPEAN_STEP_RECEIVE] = {SPEAN_SIDE_TARGET, BIT(SPEAN_TRACK_NONE), SPEAN_TRACK_RECEIVED},
    [SPEAN_STEP_ACCEPT] = {SPEAN_SIDE_TARGET, UNANSWERED_STATES, SPEAN_TRACK_ACCEPTED},
    [SPEAN_STEP_DECLINE] = {SPEAN_SIDE_TARGET, UNANSWERED_STATES, SPEAN_TRACK_DECLINED},
    [SPEAN_STEP_START] = {SPEAN_SIDE_TARGET, BIT(SPEAN_TRACK_ACCEPTED) | BIT(SPEAN_TRACK_ON_HOLD),
                          SPEAN_TRACK_IN_PROGRESS},
    [SPEAN_STEP_HOLD] = {SPEAN_SIDE_TARGET,
                         BIT(SPEAN_TRACK_ACCEPTED) | BIT(SPEAN_TRACK_IN_PROGRESS),
                         SPEAN_TRACK_ON_HOLD},
    [SPEAN_STEP_NOTE] = {SPEAN_SIDE_TARGET, ACCEPTED_STATES, SPEAN_TRACKS_COUNT},
    [SPEAN_STEP_COMPLETE] = {SPEAN_SIDE_TARGET, ACCEPTED_STATES, SPEAN_TRACK_COMPLETED},
    [SPEAN_STEP_FAIL] = {SPEAN_SIDE_TARGET, ACCEPTED_STATES, SPEAN_TRACK_UNSUCCESSFUL},
    [SPEAN_STEP_REDIRECT] = {SPEAN_SIDE_TARGET, BIT(SPEAN_TRACK_RECEIVED) | ACCEPTED_STATES,
                             SPEAN_TRACK_REDIRECTED},
    [SPEAN_STEP_ACK_CANCEL] = {SPEAN_SIDE_TARGET, ANY_TARGET_STATE, SPEAN_TRACKS_COUNT},
};

/* Whether a step may follow heads in these states: one of them allows it, or, where there are
 * several, one is final already as the step would make it (S4). */
static bool allows(enum spean_referral_step step, uint32_t states, size_t heads_count)
{
    const uint32_t to = step == SPEAN_STEP_CLOSE               ? CLOSED_STATES
                        : rules[step].to == SPEAN_TRACKS_COUNT ? 0
                                                               : BIT(rules[step].to);
    return (rules[step].from & states) != 0 ||
           (heads_count > 1 && (to & FINAL_STATES & states) != 0);
}

const char *spean_referral_step_code(enum spean_referral_step step)
{
#define ROW(step_, code) [step_] = (code),
    static const char *const codes[] = {SPEAN_REFERRAL_STEP_TABLE(ROW)[SPEAN_STEP_UNKNOWN] =
                                            "unknown"};
#undef ROW
    assert((size_t)step < COUNT_OF(codes));
    return codes[step];
}

const char *spean_referral_track_name(enum spean_referral_track_state state)
{
#define ROW(state_, name) [state_] = (name),
    static const char *const names[] = {SPEAN_REFERRAL_TRACK_TABLE(ROW)};
#undef ROW
    assert((size_t)state < COUNT_OF(names));
    return names[state];
}

const char *spean_referral_state_name(enum spean_referral_state state)
{
#define ROW(state_, name) [state_] = (name),
    static const char *const names[] = {SPEAN_REFERRAL_STATE_TABLE(ROW)};
#undef ROW
    assert((size_t)state < COUNT_OF(names));
    return names[state];
}

const char *spean_referral_refusal_name(enum spean_referral_refusal refusal)
{
#define ROW(refusal_, name, text) [refusal_] = (name),
    static const char *const names[] = {SPEAN_REFERRAL_REFUSAL_TABLE(ROW)};
#undef ROW
    assert((size_t)refusal < COUNT_OF(names));
    return names[refusal];
}

const char *spean_referral_refusal_text(enum spean_referral_refusal refusal)
{
#define ROW(refusal_, name, text) [refusal_] = (text),
    static const char *const texts[] = {SPEAN_REFERRAL_REFUSAL_TABLE(ROW)};
#undef ROW
    assert((size_t)refusal < COUNT_OF(texts));
    return texts[refusal];
}

static bool is_text(struct spean_view view, const char *text)
{
    return view.len == strlen(text) && memcmp(view.data, text, view.len) == 0;
}

enum spean_referral_step spean_referral_step_of(struct spean_view code)
{
    enum spean_referral_step step = SPEAN_STEP_SEND;
    while (step < SPEAN_STEPS_COUNT && !is_text(code, spean_referral_step_code(step))) {
        step++;
    }
    return step;
}

const char *spean_referral_reason_list(enum spean_referral_step step)
{
    static const char *const lists[SPEAN_STEPS_COUNT] = {
        [SPEAN_STEP_CANCEL] = "cancel_reason",       [SPEAN_STEP_ERROR] = "error_reason",
        [SPEAN_STEP_DECLINE] = "decline_reason",     [SPEAN_STEP_HOLD] = "hold_reason",
        [SPEAN_STEP_FAIL] = "fail_reason",           [SPEAN_STEP_REDIRECT] = "redirect_reason",
        [SPEAN_STEP_ACK_CANCEL] = "deletion_reason",
    };
    return step < SPEAN_STEPS_COUNT ? lists[step] : NULL;
}

enum spean_referral_side spean_referral_step_side(enum spean_referral_step step)
{
    return step < SPEAN_STEPS_COUNT ? rules[step].side : SPEAN_SIDE_NONE;
}

static void read_follows(struct spean_reader *r, struct spean_referral_item *item)
{
    const uint32_t count = spean_reader_array(r, 0, SPEAN_REFERRAL_FOLLOWS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct spean_view name = spean_reader_value(r, SPEAN_DOT_BYTES_MAX);
        const spean_err err = spean_dot_decode(name, &item->follows[i]);
        if (err != SPEAN_OK) {
            spean_reader_fail(r, err);
            return;
        }
    }
    item->follows_count = count;
}

static void read_sub(struct spean_reader *r, uint64_t key, struct spean_referral_item *item)
{
    switch (key) {
    case SPEAN_SUB_STEP_STEP:
        item->step = spean_referral_step_of(spean_reader_str(r, 1, SPEAN_CODE_BYTES_MAX));
        return;
    case SPEAN_SUB_STEP_FOLLOWS:
        read_follows(r, item);
        return;
    case SPEAN_SUB_STEP_REASON:
        item->is_no_response =
            is_text(spean_reader_str(r, 1, SPEAN_CODE_BYTES_MAX), NO_RESPONSE_CODE);
        return;
    default:
        (void)spean_reader_value(r, SPEAN_VALUE_BYTES_MAX);
        return;
    }
}

spean_err spean_referral_item_decode(struct spean_referral_item *out, struct spean_view value)
{
    assert(out != NULL);

    struct spean_referral_item item = *out;
    item.step = SPEAN_STEP_UNKNOWN;
    item.is_no_response = false;
    item.follows_count = 0;

    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_map(&r, ITEM_PAIRS_MAX);
    uint64_t key_min = 0;
    bool has_step = false;
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t key = spean_reader_uint(&r, UINT16_MAX);
        if (!spean_reader_failed(&r) && key < key_min) {
            spean_reader_fail(&r, SPEAN_EFORMAT);
        }
        key_min = key + 1;
        has_step = has_step || key == SPEAN_SUB_STEP_STEP;
        read_sub(&r, key, &item);
    }
    const spean_err err = spean_reader_end(&r);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!has_step) {
        return SPEAN_EFORMAT;
    }
    *out = item;
    return SPEAN_OK;
}

/* Where an item stands in the sorted list of names. */
struct place {
    struct spean_dot name;
    uint16_t item;
};

/* The computation of one track. */
struct weave {
    const struct spean_referral_item *items;
    uint16_t count; /* At most SPEAN_REFERRAL_STEPS_MAX, so below NO_ITEM. */
    enum spean_referral_side side;
    struct spean_referral_mark *marks;
    struct place *places;                            /* Sorted by name. */
    uint16_t (*befores)[SPEAN_REFERRAL_FOLLOWS_MAX]; /* Items followed; NO_ITEM for none. */
    bool *are_decided;
    uint16_t decided_count;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *const left = a;
    const struct place *const right = b;
    return spean_dot_compare(&left->name, &right->name);
}

/* The item of that name; NO_ITEM if there is none, or two, as when two logs share a short name. */
static uint16_t find_item(const struct weave *weave, const struct spean_dot *name)
{
    const struct place key = {*name, 0};
    const struct place *found =
        bsearch(&key, weave->places, weave->count, sizeof(key), compare_places);
    if (found == NULL) {
        return NO_ITEM;
    }
    const size_t at = (size_t)(found - weave->places);
    const bool twin_before = at > 0 && compare_places(&found[-1], found) == 0;
    const bool twin_after = at + 1 < weave->count && compare_places(&found[1], found) == 0;
    return twin_before || twin_after ? NO_ITEM : found->item;
}

/* Turn the names that each item follows into items, and mark those that name nothing. */
static void link_items(struct weave *weave)
{
    for (size_t i = 0; i < weave->count; i++) {
        weave->places[i] = (struct place){weave->items[i].name, (uint16_t)i};
    }
    qsort(weave->places, weave->count, sizeof(weave->places[0]), compare_places);

    for (size_t i = 0; i < weave->count; i++) {
        const struct spean_referral_item *item = &weave->items[i];
        weave->marks[i] = (struct spean_referral_mark){.is_head = true};
        for (size_t k = 0; k < SPEAN_REFERRAL_FOLLOWS_MAX; k++) {
            weave->befores[i][k] =
                k < item->follows_count ? find_item(weave, &item->follows[k]) : NO_ITEM;
            if (k < item->follows_count && weave->befores[i][k] == NO_ITEM) {
                weave->marks[i].is_misfit = true;
            }
        }
    }
}

/* Live before final before nothing; then the lower entry id, then the lower index (S6). */
static bool comes_first(const struct weave *weave, uint16_t a, uint16_t b)
{
    if (b == NO_ITEM) {
        return true;
    }
    const enum spean_referral_track_state states[] = {weave->marks[a].after, weave->marks[b].after};
    unsigned ranks[2];
    for (size_t i = 0; i < 2; i++) {
        const bool live = (LIVE_STATES & BIT(states[i])) != 0;
        ranks[i] = live ? 0 : states[i] != SPEAN_TRACK_NONE ? 1 : 2;
    }
    if (ranks[0] != ranks[1]) {
        return ranks[0] < ranks[1];
    }
    const int order = spean_id_compare(&weave->items[a].entry, &weave->items[b].entry);
    return order != 0 ? order < 0 : weave->items[a].name.index < weave->items[b].name.index;
}

/* State after an item that follows the mark from. */
static void set_after(struct spean_referral_mark *mark, const struct spean_referral_item *item,
                      enum spean_referral_side side, const struct spean_referral_mark *from)
{
    mark->after = from->after;
    mark->is_no_response = from->is_no_response;
    const bool own = spean_referral_step_side(item->step) == side;
    if (!own || rules[item->step].to == SPEAN_TRACKS_COUNT) {
        return;
    }
    if (item->step == SPEAN_STEP_CLOSE) {
        const bool cancelled = (CANCELLED_STATES & BIT(from->after)) != 0;
        mark->after = cancelled ? SPEAN_TRACK_CLOSED_CANCELLED : SPEAN_TRACK_CLOSED;
        return;
    }
    mark->after = rules[item->step].to;
    mark->is_no_response = item->step == SPEAN_STEP_CANCEL && item->is_no_response;
}

/* Whether an item names what it follows at k a second time. */
static bool names_again(const struct weave *weave, uint16_t i, size_t k)
{
    size_t first = 0;
    while (weave->befores[i][first] != weave->befores[i][k]) {
        first++;
    }
    return first < k;
}

/* Compute the mark of an item whose befores are all decided (S4). */
static void decide(struct weave *weave, uint16_t i)
{
    const struct spean_referral_item *item = &weave->items[i];
    const struct spean_referral_mark nothing = {.after = SPEAN_TRACK_NONE};
    uint16_t first = NO_ITEM;
    uint32_t states = 0;
    size_t heads_count = 0;
    for (size_t k = 0; k < item->follows_count; k++) {
        const uint16_t before = weave->befores[i][k];
        if (before == NO_ITEM) {
            continue;
        }
        heads_count += names_again(weave, i, k) ? 0 : 1;
        states |= BIT(weave->marks[before].after);
        weave->marks[before].is_head = false;
        if (comes_first(weave, before, first)) {
            first = before;
        }
    }
    if (first == NO_ITEM) {
        states = BIT(SPEAN_TRACK_NONE);
    }

    struct spean_referral_mark *mark = &weave->marks[i];
    set_after(mark, item, weave->side, first == NO_ITEM ? &nothing : &weave->marks[first]);
    if (item->step != SPEAN_STEP_UNKNOWN) {
        const bool own = spean_referral_step_side(item->step) == weave->side;
        mark->is_misfit = mark->is_misfit || !own || !allows(item->step, states, heads_count);
    }
    mark->place = weave->decided_count++;
    weave->are_decided[i] = true;
}

static bool is_ready(const struct weave *weave, uint16_t i)
{
    for (size_t k = 0; k < weave->items[i].follows_count; k++) {
        const uint16_t before = weave->befores[i][k];
        if (before != NO_ITEM && !weave->are_decided[before]) {
            return false;
        }
    }
    return true;
}

/* Decide what can be decided. */
static void decide_ready(struct weave *weave)
{
    for (uint16_t i = 0; i < weave->count; i++) {
        if (!weave->are_decided[i] && is_ready(weave, i)) {
            decide(weave, i);
        }
    }
}

/* Steps that follow each other in a circle: cut it open at the lowest (entry id, index). */
static void open_circle(struct weave *weave)
{
    uint16_t lowest = NO_ITEM;
    for (uint16_t i = 0; i < weave->count; i++) {
        /* None of them has a state yet, so only entry id and index decide. */
        if (!weave->are_decided[i] && comes_first(weave, i, lowest)) {
            lowest = i;
        }
    }
    assert(lowest != NO_ITEM);
    for (size_t k = 0; k < weave->items[lowest].follows_count; k++) {
        uint16_t *const before = &weave->befores[lowest][k];
        if (*before != NO_ITEM && !weave->are_decided[*before]) {
            *before = NO_ITEM;
            weave->marks[lowest].is_misfit = true;
        }
    }
}

static void decide_all(struct weave *weave)
{
    while (weave->decided_count < weave->count) {
        const uint16_t before = weave->decided_count;
        decide_ready(weave);
        if (weave->decided_count == before) {
            open_circle(weave);
        }
    }
}

static struct spean_referral_track sum_up(const struct weave *weave)
{
    struct spean_referral_track track = {.head = weave->count};
    uint16_t first = NO_ITEM;
    for (uint16_t i = 0; i < weave->count; i++) {
        const struct spean_referral_mark *mark = &weave->marks[i];
        track.misfits_count += mark->is_misfit ? 1 : 0;
        track.is_cancel_acknowledged =
            track.is_cancel_acknowledged ||
            (weave->side == SPEAN_SIDE_TARGET && weave->items[i].step == SPEAN_STEP_ACK_CANCEL);
        if (!mark->is_head) {
            continue;
        }
        track.heads_count++;
        track.heads_states |= BIT(mark->after);
        if (comes_first(weave, i, first)) {
            first = i;
        }
    }
    if (first == NO_ITEM) {
        track.heads_states = BIT(SPEAN_TRACK_NONE);
        return track;
    }
    track.head = first;
    track.state = weave->marks[first].after;
    track.is_no_response = weave->marks[first].is_no_response;
    return track;
}

spean_err spean_referral_track(struct spean_referral_track *out, struct spean_referral_mark *marks,
                               enum spean_referral_side side,
                               const struct spean_referral_item *items, size_t items_count)
{
    assert(out != NULL);
    assert(marks != NULL || items_count == 0);
    assert(items != NULL || items_count == 0);
    assert(side != SPEAN_SIDE_NONE);

    if (items_count > SPEAN_REFERRAL_STEPS_MAX) {
        return SPEAN_ELIMIT;
    }
    struct weave weave = {
        .items = items, .count = (uint16_t)items_count, .side = side, .marks = marks};
    if (items_count == 0) {
        *out = sum_up(&weave);
        return SPEAN_OK;
    }

    spean_err err = SPEAN_ENOMEM;
    weave.places = spean_alloc_array(items_count, sizeof(*weave.places));
    weave.befores = spean_alloc_array(items_count, sizeof(*weave.befores));
    weave.are_decided = spean_alloc_array(items_count, sizeof(*weave.are_decided));
    if (weave.places != NULL && weave.befores != NULL && weave.are_decided != NULL) {
        link_items(&weave);
        decide_all(&weave);
        *out = sum_up(&weave);
        err = SPEAN_OK;
    }
    free(weave.places);
    free(weave.befores);
    free(weave.are_decided);
    return err;
}

/* What the target's state is called when nothing else has a say (S8, 1 and 4). */
static enum spean_referral_state plain_state(enum spean_referral_track_state target)
{
    switch (target) {
    case SPEAN_TRACK_RECEIVED:
        return SPEAN_REFERRAL_RECEIVED;
    case SPEAN_TRACK_ACCEPTED:
        return SPEAN_REFERRAL_ACCEPTED;
    case SPEAN_TRACK_IN_PROGRESS:
        return SPEAN_REFERRAL_IN_PROGRESS;
    case SPEAN_TRACK_ON_HOLD:
        return SPEAN_REFERRAL_ON_HOLD;
    case SPEAN_TRACK_DECLINED:
        return SPEAN_REFERRAL_DECLINED;
    case SPEAN_TRACK_COMPLETED:
        return SPEAN_REFERRAL_COMPLETED;
    case SPEAN_TRACK_UNSUCCESSFUL:
        return SPEAN_REFERRAL_UNSUCCESSFUL;
    case SPEAN_TRACK_REDIRECTED:
        return SPEAN_REFERRAL_REDIRECTED;
    case SPEAN_TRACK_NONE:
    case SPEAN_TRACK_SENT:
    case SPEAN_TRACK_CANCELLED:
    case SPEAN_TRACK_ERROR:
    case SPEAN_TRACK_CLOSED:
    case SPEAN_TRACK_CLOSED_CANCELLED:
    case SPEAN_TRACKS_COUNT:
        break;
    }
    return SPEAN_REFERRAL_SENT;
}

/* The state leaving aside whether the origin closed (S8, 1 to 4). */
static enum spean_referral_state open_state(const struct spean_referral_track *origin,
                                            const struct spean_referral_track *target,
                                            bool is_consent_withdrawn)
{
    const bool finished = (FINISHED_STATES & BIT(target->state)) != 0;
    const bool accepted = (ACCEPTED_STATES & BIT(target->state)) != 0;
    const bool cancelled = (CANCELLED_STATES & BIT(origin->state)) != 0;

    if (finished) {
        return plain_state(target->state);
    }
    if (is_consent_withdrawn) {
        return SPEAN_REFERRAL_CONSENT_WITHDRAWN;
    }
    if (!cancelled) {
        return plain_state(target->state);
    }
    if (accepted) {
        return target->is_cancel_acknowledged ? SPEAN_REFERRAL_CANCELLED
                                              : SPEAN_REFERRAL_CANCEL_PENDING;
    }
    if (origin->state == SPEAN_TRACK_ERROR) {
        return SPEAN_REFERRAL_ENTERED_IN_ERROR;
    }
    return origin->is_no_response ? SPEAN_REFERRAL_EXPIRED : SPEAN_REFERRAL_CANCELLED;
}

bool spean_referral_is_resolved(enum spean_referral_state state)
{
    const uint32_t resolved = BIT(SPEAN_REFERRAL_DECLINED) | BIT(SPEAN_REFERRAL_COMPLETED) |
                              BIT(SPEAN_REFERRAL_UNSUCCESSFUL) | BIT(SPEAN_REFERRAL_REDIRECTED) |
                              BIT(SPEAN_REFERRAL_CONSENT_WITHDRAWN) |
                              BIT(SPEAN_REFERRAL_CANCELLED) | BIT(SPEAN_REFERRAL_EXPIRED) |
                              BIT(SPEAN_REFERRAL_ENTERED_IN_ERROR) | BIT(SPEAN_REFERRAL_CLOSED);
    return (resolved & BIT(state)) != 0;
}

struct spean_referral_progress spean_referral_join(const struct spean_referral_track *origin,
                                                   const struct spean_referral_track *target,
                                                   bool is_consent_withdrawn)
{
    assert(origin != NULL);
    assert(target != NULL);

    struct spean_referral_progress progress = {
        .origin = *origin,
        .target = *target,
        .is_consent_withdrawn = is_consent_withdrawn,
        .state = SPEAN_REFERRAL_DRAFT,
    };
    if (origin->state == SPEAN_TRACK_NONE) {
        return progress;
    }
    progress.state = open_state(origin, target, is_consent_withdrawn);
    if ((CLOSED_STATES & BIT(origin->state)) == 0) {
        return progress;
    }
    if (spean_referral_is_resolved(progress.state)) {
        progress.state = SPEAN_REFERRAL_CLOSED;
    } else {
        progress.is_closed_while_live = true;
    }
    return progress;
}

/* Something that must be so, and what is said if it is not. */
struct need {
    bool is_met;
    enum spean_referral_refusal otherwise;
};

static enum spean_referral_refusal first_unmet(const struct need *needs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!needs[i].is_met) {
            return needs[i].otherwise;
        }
    }
    return SPEAN_REFUSAL_NONE;
}

static enum spean_referral_refusal judge_send(const struct spean_referral_progress *now,
                                              const struct spean_referral_facts *facts)
{
    const struct need needs[] = {
        {!now->is_consent_withdrawn, SPEAN_REFUSAL_WITHDRAWN},
        {facts->consent_in_force || facts->gives_override, SPEAN_REFUSAL_NO_CONSENT},
        {facts->consent_covers_target || facts->gives_override, SPEAN_REFUSAL_RECIPIENT},
        {!facts->target_is_withheld, SPEAN_REFUSAL_WITHHELD},
        {facts->target_is_active, SPEAN_REFUSAL_NOT_MEMBER},
        {!facts->has_unresolved_twin, SPEAN_REFUSAL_TWIN},
        {facts->gives_urgency, SPEAN_REFUSAL_MISSING_URGENCY},
        {facts->gives_respond_by, SPEAN_REFUSAL_MISSING_RESPOND_BY},
        {facts->gives_service, SPEAN_REFUSAL_MISSING_SERVICE},
    };
    return first_unmet(needs, COUNT_OF(needs));
}

static enum spean_referral_refusal judge_accept(const struct spean_referral_progress *now,
                                                const struct spean_referral_facts *facts)
{
    const struct need needs[] = {
        {!now->is_consent_withdrawn, SPEAN_REFUSAL_WITHDRAWN},
        {(CANCELLED_STATES & BIT(now->origin.state)) == 0, SPEAN_REFUSAL_CANCELLED},
        {!facts->is_known_duplicate, SPEAN_REFUSAL_DUPLICATE},
        {facts->gives_worker, SPEAN_REFUSAL_MISSING_WORKER},
        {facts->gives_first_contact, SPEAN_REFUSAL_MISSING_FIRST_CONTACT},
    };
    return first_unmet(needs, COUNT_OF(needs));
}

static enum spean_referral_refusal judge_origin(enum spean_referral_step step,
                                                const struct spean_referral_progress *now,
                                                const struct spean_referral_facts *facts)
{
    const uint32_t target = BIT(now->target.state);
    const bool unanswered = (UNANSWERED_STATES & target) != 0;
    const bool finished = (FINISHED_STATES & target) != 0;

    if (step == SPEAN_STEP_SEND) {
        return judge_send(now, facts);
    }
    if (step == SPEAN_STEP_AMEND) {
        const struct need needs[] = {{!now->is_consent_withdrawn, SPEAN_REFUSAL_WITHDRAWN},
                                     {unanswered, SPEAN_REFUSAL_ANSWERED},
                                     {facts->gives_changes, SPEAN_REFUSAL_MISSING_CHANGES}};
        return first_unmet(needs, COUNT_OF(needs));
    }
    if (step == SPEAN_STEP_CLOSE) {
        const struct need needs[] = {
            {spean_referral_is_resolved(now->state), SPEAN_REFUSAL_NOT_RESOLVED},
            {facts->gives_client_informed, SPEAN_REFUSAL_MISSING_INFORMED},
            {facts->gives_next_step, SPEAN_REFUSAL_MISSING_NEXT_STEP}};
        return first_unmet(needs, COUNT_OF(needs));
    }
    assert(step == SPEAN_STEP_CANCEL || step == SPEAN_STEP_ERROR);
    const struct need needs[] = {{!finished, SPEAN_REFUSAL_FINISHED},
                                 {unanswered || step == SPEAN_STEP_CANCEL, SPEAN_REFUSAL_ACCEPTED},
                                 {facts->gives_reason, SPEAN_REFUSAL_MISSING_REASON}};
    return first_unmet(needs, COUNT_OF(needs));
}

static enum spean_referral_refusal judge_redirect(const struct spean_referral_progress *now,
                                                  const struct spean_referral_facts *facts)
{
    const struct need needs[] = {
        {!now->is_consent_withdrawn, SPEAN_REFUSAL_WITHDRAWN},
        {(CANCELLED_STATES & BIT(now->origin.state)) == 0, SPEAN_REFUSAL_CANCELLED},
        {facts->gives_child, SPEAN_REFUSAL_MISSING_CHILD},
        {facts->consent_allows_onward, SPEAN_REFUSAL_ONWARD}};
    return first_unmet(needs, COUNT_OF(needs));
}

static enum spean_referral_refusal judge_ack_cancel(const struct spean_referral_progress *now,
                                                    const struct spean_referral_facts *facts)
{
    const bool cancelled = (CANCELLED_STATES & BIT(now->origin.state)) != 0;
    const struct need needs[] = {{cancelled, SPEAN_REFUSAL_NOT_CANCELLED},
                                 {facts->gives_data_purged, SPEAN_REFUSAL_MISSING_PURGED}};
    return first_unmet(needs, COUNT_OF(needs));
}

static enum spean_referral_refusal judge_target(enum spean_referral_step step,
                                                const struct spean_referral_progress *now,
                                                const struct spean_referral_facts *facts)
{
    if (now->origin.state == SPEAN_TRACK_NONE) {
        return SPEAN_REFUSAL_NOT_SENT;
    }
    if (step == SPEAN_STEP_ACCEPT) {
        return judge_accept(now, facts);
    }
    if (step == SPEAN_STEP_REDIRECT) {
        return judge_redirect(now, facts);
    }
    if (step == SPEAN_STEP_ACK_CANCEL) {
        return judge_ack_cancel(now, facts);
    }
    /* The rest has no guard beyond its own track: only what each must give. */
    const bool reasoned =
        step == SPEAN_STEP_DECLINE || step == SPEAN_STEP_HOLD || step == SPEAN_STEP_FAIL;
    const bool notes = step == SPEAN_STEP_NOTE || facts->gives_closing_note;
    const struct need needs[] = {
        {!now->is_consent_withdrawn || !notes, SPEAN_REFUSAL_NOTE_WITHDRAWN},
        {facts->gives_reason || !reasoned, SPEAN_REFUSAL_MISSING_REASON},
        {facts->gives_review_by || step != SPEAN_STEP_HOLD, SPEAN_REFUSAL_MISSING_REVIEW_BY},
        {facts->gives_note || step != SPEAN_STEP_NOTE, SPEAN_REFUSAL_MISSING_NOTE},
        {facts->gives_outcome || step != SPEAN_STEP_COMPLETE, SPEAN_REFUSAL_MISSING_OUTCOME},
        {facts->gives_services_provided || step != SPEAN_STEP_COMPLETE,
         SPEAN_REFUSAL_MISSING_SERVICES},
    };
    return first_unmet(needs, COUNT_OF(needs));
}

static spean_err err_of(enum spean_referral_refusal refusal)
{
    if (refusal == SPEAN_REFUSAL_NONE) {
        return SPEAN_OK;
    }
    if (refusal == SPEAN_REFUSAL_NOT_YOURS) {
        return SPEAN_EDENIED;
    }
    const bool missing = refusal >= SPEAN_REFUSAL_MISSING_URGENCY;
    return missing || refusal == SPEAN_REFUSAL_UNKNOWN_STEP ? SPEAN_EINPUT : SPEAN_ESTATE;
}

spean_err spean_referral_may_step(const struct spean_referral_progress *now,
                                  enum spean_referral_side side, enum spean_referral_step step,
                                  const struct spean_referral_facts *facts,
                                  enum spean_referral_refusal *why)
{
    assert(now != NULL);
    assert(facts != NULL);
    assert(why != NULL);

    *why = SPEAN_REFUSAL_NONE;
    if (step >= SPEAN_STEPS_COUNT) {
        *why = SPEAN_REFUSAL_UNKNOWN_STEP;
        return err_of(*why);
    }
    const bool is_origins = rules[step].side == SPEAN_SIDE_ORIGIN;
    const struct spean_referral_track *own = is_origins ? &now->origin : &now->target;
    if (side != rules[step].side) {
        *why = SPEAN_REFUSAL_NOT_YOURS;
    } else if (!allows(step, own->heads_states, own->heads_count)) {
        *why = SPEAN_REFUSAL_TRACK;
    } else {
        *why = is_origins ? judge_origin(step, now, facts) : judge_target(step, now, facts);
    }
    return err_of(*why);
}

spean_err spean_referral_may_note(const struct spean_referral_progress *now,
                                  const struct spean_referral_facts *facts,
                                  enum spean_referral_refusal *why)
{
    assert(now != NULL);
    assert(facts != NULL);
    assert(why != NULL);

    const uint32_t gone = BIT(SPEAN_TRACK_DECLINED) | BIT(SPEAN_TRACK_REDIRECTED);
    const struct need needs[] = {
        {now->origin.state != SPEAN_TRACK_NONE, SPEAN_REFUSAL_NOT_SENT},
        {!now->is_consent_withdrawn, SPEAN_REFUSAL_NOTE_WITHDRAWN},
        {(gone & BIT(now->target.state)) == 0, SPEAN_REFUSAL_FINISHED},
        {facts->gives_note, SPEAN_REFUSAL_MISSING_NOTE},
    };
    *why = first_unmet(needs, COUNT_OF(needs));
    return err_of(*why);
}

spean_err spean_referral_may_withdraw(enum spean_referral_side side,
                                      const struct spean_referral_facts *facts,
                                      enum spean_referral_refusal *why)
{
    assert(facts != NULL);
    assert(why != NULL);

    const struct need needs[] = {{side != SPEAN_SIDE_NONE, SPEAN_REFUSAL_NOT_YOURS},
                                 {facts->gives_channel, SPEAN_REFUSAL_MISSING_CHANNEL},
                                 {facts->gives_date, SPEAN_REFUSAL_MISSING_DATE}};
    *why = first_unmet(needs, COUNT_OF(needs));
    return err_of(*why);
}
