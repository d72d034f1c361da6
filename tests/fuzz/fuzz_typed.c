/*
 * What people type, by the first byte: codes of cases and referrals, ids, times, spans, names of
 * items, hex, base 32, the words of the recovery key, and what is looked for. What is accepted has
 * one spelling, which is accepted again and means the same; a text is found by itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/json_value.h"
#include "node/when.h"
#include "protocol/caseid.h"
#include "protocol/text.h"
#include "store/recovery.h"
#include "store/searchkey.h"
#include "tests/fuzz/fuzz.h"
#include "tools/idtext.h"
#include "tools/timetext.h"

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static void check_caseid(const char *typed)
{
    struct spean_caseid id;
    struct spean_caseid read;
    char text[SPEAN_CASEID_LEN + 1];
    if (spean_caseid_parse(&id, view_of(typed)) != SPEAN_OK) {
        return;
    }
    spean_err err = spean_caseid_make(text, &id);
    assert(err == SPEAN_OK);
    err = spean_caseid_parse(&read, view_of(text));
    assert(err == SPEAN_OK);
    assert(strcmp(read.country, id.country) == 0);
    assert(read.year == id.year && read.month == id.month && read.number == id.number);
}

static void check_referral(const char *typed)
{
    char text[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    char again[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    const struct spean_record_id record = {{9}};
    if (spean_caseid_referral_parse(text, view_of(typed)) != SPEAN_OK) {
        return;
    }
    const spean_err err = spean_caseid_referral_parse(again, view_of(text));
    assert(err == SPEAN_OK);
    assert(strcmp(again, text) == 0);
    (void)spean_caseid_referral_matches(text, &record);
}

static void check_idtext(const char *typed)
{
    struct spean_idtext id;
    struct spean_idtext again;
    if (spean_idtext_parse(typed, &id) != SPEAN_OK) {
        return;
    }
    const spean_err err = spean_idtext_parse(id.text, &again);
    assert(err == SPEAN_OK);
    assert(again.kind == id.kind);
    assert(strcmp(again.text, id.text) == 0);
}

static void check_when(const char *typed)
{
    uint64_t time_s = 0;
    char text[SPEAN_WHEN_BYTES];
    if (spean_when_parse(view_of(typed), &time_s) != SPEAN_OK) {
        return;
    }
    const spean_err err = spean_when_format(text, time_s);
    assert(err == SPEAN_OK);
    assert(strcmp(text, typed) == 0);
}

static void check_timetext(const char *typed)
{
    int64_t seconds = 0;
    char text[SPEAN_TIMETEXT_BYTES_MAX];
    if (spean_timetext_parse(typed, &seconds) == SPEAN_OK) {
        spean_timetext_utc(seconds, text);
        spean_timetext_local(seconds, text);
    }
    if (spean_timetext_span(typed, &seconds) == SPEAN_OK) {
        assert(seconds >= 0 && seconds <= SPEAN_TIMETEXT_SPAN_MAX);
    }
}

static void check_item(const char *typed)
{
    struct spean_dot dot;
    char text[SPEAN_JSON_ITEM_BYTES];
    if (spean_json_item_parse(typed, &dot) == SPEAN_OK) {
        spean_json_item_format(text, &dot);
        assert(strcmp(text, typed) == 0);
    }
}

static void check_digits(const char *typed)
{
    uint8_t bytes[SPEAN_ID_BYTES];
    char text[2 * SPEAN_ID_BYTES + 1];
    const struct spean_view view = view_of(typed);
    const size_t hex_len = view.len / 2 < sizeof(bytes) ? view.len / 2 : sizeof(bytes);
    if (spean_text_hex_decode(bytes, hex_len, view) == SPEAN_OK) {
        spean_text_hex_encode(text, sizeof(text), (struct spean_view){bytes, hex_len});
        assert(strcmp(text, typed) == 0);
    }
}

static void check_words(const char *typed)
{
    uint8_t seed[SPEAN_KEY_BYTES];
    uint8_t again[SPEAN_KEY_BYTES];
    char text[SPEAN_RECOVERY_TEXT_BYTES];
    unsigned word = 0;
    if (spean_recovery_seed(view_of(typed), seed, &word) != SPEAN_OK) {
        return;
    }
    spean_recovery_words(seed, text);
    const spean_err err = spean_recovery_seed(view_of(text), again, &word);
    assert(err == SPEAN_OK);
    assert(memcmp(again, seed, sizeof(seed)) == 0);
}

static void check_search(const char *typed)
{
    char *key = NULL;
    char *name = NULL;
    char *query = NULL;
    if (spean_searchkey_new(view_of(typed), &key) == SPEAN_OK) {
        assert(spean_text_valid(view_of(key)));
        spean_err err = spean_searchkey_name(view_of(typed), &name);
        assert(err == SPEAN_OK);
        err = spean_searchkey_query(view_of(typed), &query);
        assert(err == SPEAN_OK);
        /* With more words than it knows, a text may join where its query has a space. */
        assert(strlen(query) > SPEAN_SEARCHKEY_WORDS_MAX || spean_searchkey_match(key, query));
        assert(spean_searchkey_match(name, ""));
    }
    spean_searchkey_free(key);
    spean_searchkey_free(name);
    spean_searchkey_free(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *) = {check_caseid, check_referral, check_idtext,
                                                   check_when,   check_timetext, check_item,
                                                   check_digits, check_words,    check_search};
    if (size == 0) {
        return 0;
    }
    char *const text = malloc(size);
    assert(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](text);
    free(text);
    return 0;
}
