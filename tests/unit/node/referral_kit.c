#include "tests/unit/node/referral_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *path(const char *group, const char *id, const char *rest)
{
    static char text[256];
    (void)snprintf(text, sizeof(text), "/v1/%s/%s%s", group, id, rest);
    return text;
}

void keep(char out[ID_BYTES], json_t *answer)
{
    assert_non_null(records_kit_text(answer, "id"));
    (void)snprintf(out, ID_BYTES, "%s", records_kit_text(answer, "id"));
}

static void hex_of(char *out, const struct spean_id *id)
{
    for (size_t i = 0; i < SPEAN_ID_BYTES; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", id->bytes[i]);
    }
}

static void add_org(struct records_kit *kit, enum author_who who, const char *hex, const char *name)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"org\": \"%s\"}, \"set\": {\"kind\": \"partner_ngo\", \"names\": "
                   "{\"en\": \"%s\"}}}",
                   hex, name);
    (void)records_kit_ok(kit, who, "POST", "/v1/agencies", body);
}

void add_consent(struct story *s, const char *terms)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body), "{\"fixed\": {\"case\": \"%s\", \"terms\": %s}}", s->a_case,
                   terms);
    keep(s->consent, records_kit_ok(s->kit, A1, "POST", "/v1/consents", body));
}

/* Make a draft of A's case to B; more is what the draft says beside the least, with a comma. */
void add_draft(struct story *s, const char *more)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"case\": \"%s\", \"to\": \"%.8s\", \"services\": [{\"code\": \"legal\", "
                   "\"language\": \"km\"}]%s}",
                   s->a_case, s->org_b, more);
    keep(s->referral, records_kit_ok(s->kit, A1, "POST", "/v1/referrals", body));
}

int story_setup(void **state)
{
    struct story *s = calloc(1, sizeof(*s));
    void *kit = NULL;
    assert_non_null(s);
    (void)records_kit_setup(&kit);
    s->kit = kit;
    hex_of(s->org_a, &s->kit->f->nodes[A1].org);
    hex_of(s->org_b, &s->kit->f->nodes[B1].org);
    hex_of(s->org_c, &s->kit->f->nodes[C1].org);
    add_org(s->kit, A1, s->org_a, "Bridge");
    add_org(s->kit, B1, s->org_b, "Tokyo Migrant Support");
    records_kit_meet(s->kit);
    keep(s->a_case,
         records_kit_ok(
             s->kit, A1, "POST", "/v1/cases",
             "{\"set\": {\"gender\": \"female\", \"age_band\": \"adult\", \"narrative\": {\"en\": "
             "\"secret\"}, \"safe_contact\": {\"safe\": true}}, \"add\": {\"names\": [{\"full\": "
             "\"Sok Dara\"}], \"issues\": [\"wage\"]}, \"append\": {\"costs\": [{\"category\": "
             "\"broker\", \"amount\": {\"amount\": 573607, \"currency\": \"JPY\", \"exact\": "
             "true}}]}}"));
    add_consent(s, TERMS_WIDE);
    *state = s;
    return 0;
}

int story_teardown(void **state)
{
    struct story *s = *state;
    void *kit = s->kit;
    (void)records_kit_teardown(&kit);
    free(s);
    return 0;
}

/* What a draft says when it can be sent. */
const char *ready(const struct story *s, const char *urgency)
{
    static char more[512];
    (void)snprintf(more, sizeof(more),
                   ", \"consent\": \"%s\", \"urgency\": \"%s\", \"respond_by\": "
                   "\"2026-11-25T09:00:00Z\", \"sections\": [\"identity\", \"costs\"], "
                   "\"languages\": [\"km\", \"km\"], \"informed\": true",
                   s->consent, urgency);
    return more;
}

void send_it(struct story *s, const char *urgency)
{
    add_draft(s, ready(s, urgency));
    (void)records_kit_ok(s->kit, A1, "POST", path("referrals", s->referral, "/send"), "{}");
    records_kit_meet(s->kit);
}

json_t *step(struct story *s, enum author_who who, const char *code, const char *body)
{
    char rest[64];
    (void)snprintf(rest, sizeof(rest), "/%s", code);
    return records_kit_ok(s->kit, who, "POST", path("referrals", s->referral, rest), body);
}

void assert_step_refused(struct story *s, enum author_who who, const char *code, const char *body,
                         const char *why)
{
    char rest[64];
    (void)snprintf(rest, sizeof(rest), "/%s", code);
    assert_refused(s->kit, who, "POST", path("referrals", s->referral, rest), body, why);
}

json_t *show(struct story *s, enum author_who who)
{
    return records_kit_ok(s->kit, who, "GET", path("referrals", s->referral, ""), NULL);
}

/* A step of a referral that is shown; steps of one second stand in any order. */
json_t *step_of(json_t *answer, const char *code)
{
    json_t *steps = records_kit_at(answer, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        if (strcmp(records_kit_text(json_array_get(steps, i), "step"), code) == 0) {
            return json_array_get(steps, i);
        }
    }
    fail_msg("there is no step %s", code);
    return NULL;
}

void add_org_c(struct story *s, const char *kind)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"org\": \"%s\"}, \"set\": {\"kind\": \"%s\", \"names\": {\"en\": "
                   "\"Hanoi Centre\"}}}",
                   s->org_c, kind);
    (void)records_kit_ok(s->kit, C1, "POST", "/v1/agencies", body);
    records_kit_meet_all(s->kit);
}

void take_it(struct story *s)
{
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    records_kit_meet(s->kit);
}

bool lists(json_t *answer, const char *list, const char *text)
{
    json_t *array = records_kit_at(answer, list);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *held = json_string_value(json_array_get(array, i));
        if (held != NULL && strcmp(held, text) == 0) {
            return true;
        }
    }
    return false;
}

struct spean_todo_counts counts_of(struct story *s, enum author_who who)
{
    struct spean_todo_counts counts;
    struct spean_core_view view;
    assert_int_equal(spean_core_view_begin(&s->kit->cores[who], &view), SPEAN_OK);
    spean_todo_count(&view, &counts);
    spean_core_view_end(&view);
    return counts;
}
