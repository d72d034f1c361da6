#include "protocol/charter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

static uint8_t buf[SPEAN_DOCUMENT_BYTES_MAX];
static struct spean_writer w;

static void begin_version(uint64_t version, uint32_t count)
{
    const struct spean_id previous = fixture_id(1);
    spean_writer_init(&w, buf, sizeof(buf));
    spean_document_write_head(&w, SPEAN_DOCUMENT_CHARTER, version, &previous);
    spean_writer_map(&w, count);
}

static spean_err decode(struct spean_charter *c)
{
    struct spean_view body;
    struct spean_document doc;
    assert_int_equal(spean_writer_end(&w, &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    return spean_charter_decode(c, &doc);
}

static spean_err decode_any(void)
{
    struct spean_charter c;
    return decode(&c);
}

static void write_id(unsigned n)
{
    const struct spean_id id = fixture_id(n);
    spean_writer_bin(&w, id.bytes, sizeof(id.bytes));
}

static void write_stewards(uint64_t threshold, uint32_t count, const unsigned *keys)
{
    spean_writer_uint(&w, 1);
    spean_writer_array(&w, 2);
    spean_writer_uint(&w, threshold);
    spean_writer_array(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(&w, 2);
        write_id(500);
        write_id(keys[i]);
    }
}

static void write_uint_change(uint64_t key, uint64_t value)
{
    spean_writer_uint(&w, key);
    spean_writer_uint(&w, value);
}

static void write_member(unsigned org, uint64_t status)
{
    spean_writer_array(&w, 2);
    write_id(org);
    spean_writer_uint(&w, status);
}

static void write_name(size_t len)
{
    static char name[200];
    memset(name, 'n', sizeof(name));
    spean_writer_uint(&w, 11);
    spean_writer_str(&w, name, len);
}

static void write_random(void)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES];
    spean_writer_uint(&w, 12);
    spean_writer_bin(&w, random, sizeof(random));
}

/* A genesis without the changes whose keys are in the mask, 1u << key. */
static spean_err genesis_without(unsigned mask, struct spean_charter *c)
{
    static const unsigned keys[] = {1, 2, 5, 6, 7, 11, 12};
    const unsigned steward = 9;
    uint32_t count = 0;
    for (size_t i = 0; i < 7; i++) {
        count += (mask & 1u << keys[i]) == 0 ? 1 : 0;
    }
    begin_version(1, count);
    if ((mask & 1u << 1) == 0) {
        write_stewards(1, 1, &steward);
    }
    if ((mask & 1u << 2) == 0) {
        spean_writer_uint(&w, 2);
        spean_writer_array(&w, 1);
        write_member(500, 1);
    }
    if ((mask & 1u << 5) == 0) {
        write_uint_change(5, 259200);
    }
    if ((mask & 1u << 6) == 0) {
        write_uint_change(6, 1);
    }
    if ((mask & 1u << 7) == 0) {
        spean_writer_uint(&w, 7);
        write_id(77);
    }
    if ((mask & 1u << 11) == 0) {
        write_name(10);
    }
    if ((mask & 1u << 12) == 0) {
        write_random();
    }
    return decode(c);
}

static void a_genesis_has_all_its_keys_p4_2(void **state)
{
    (void)state;
    static const unsigned keys[] = {1, 2, 5, 6, 7, 11, 12};
    struct spean_charter c;
    assert_int_equal(genesis_without(0, &c), SPEAN_OK);
    assert_int_equal(c.erasure_delay_s, 259200);
    assert_int_equal(c.name.len, 10);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(genesis_without(1u << keys[i], &c), SPEAN_EFORMAT);
    }
}

static void a_genesis_has_no_relays_cuts_pins_or_join_p4_2(void **state)
{
    (void)state;
    const uint64_t number = 1;
    const struct spean_id id = fixture_id(500);
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES];
    struct spean_steward steward = {.org = id, .key = fixture_key(1)};
    struct spean_charter_member member = {.org = id, .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_cut cut = {.org = id, .cut = {.closed = true}};
    struct spean_pin pin = {.org = id, .statement = id};
    const struct spean_charter_draft genesis = {.version = 1,
                                                .threshold = 1,
                                                .stewards_count = 1,
                                                .stewards = &steward,
                                                .members_count = 1,
                                                .members = &member,
                                                .erasure_delay_s = &number,
                                                .entry_format = &number,
                                                .schema = &id,
                                                .name = {(const uint8_t *)"n", 1},
                                                .random = random};
    struct spean_charter_draft wrong[4] = {genesis, genesis, genesis, genesis};
    wrong[0].has_relays = true;
    wrong[1].cuts_count = 1;
    wrong[1].cuts = &cut;
    wrong[2].pins_count = 1;
    wrong[2].pins = &pin;
    wrong[3].join = &id;

    struct spean_view body;
    assert_int_equal(spean_charter_compose(&genesis, buf, sizeof(buf), &body), SPEAN_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(spean_charter_compose(&wrong[i], buf, sizeof(buf), &body), SPEAN_EINPUT);
    }
}

static void name_and_random_are_for_version_1_only_p4_1(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_name(3);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_random();
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void a_name_is_1_to_128_bytes(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_name(129);
    assert_int_equal(decode_any(), SPEAN_ELIMIT);
    begin_version(2, 1);
    write_name(0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void the_threshold_is_more_than_half_of_the_stewards_p4_1(void **state)
{
    (void)state;
    static const unsigned keys[] = {1, 2, 3, 4};
    static const struct {
        uint64_t threshold;
        uint32_t count;
        spean_err err;
    } rows[] = {{1, 1, SPEAN_OK},      {0, 1, SPEAN_EFORMAT}, {2, 1, SPEAN_EFORMAT},
                {1, 2, SPEAN_EFORMAT}, {2, 2, SPEAN_OK},      {1, 3, SPEAN_EFORMAT},
                {2, 3, SPEAN_OK},      {2, 4, SPEAN_EFORMAT}, {3, 4, SPEAN_OK},
                {5, 4, SPEAN_EFORMAT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin_version(2, 1);
        write_stewards(rows[i].threshold, rows[i].count, keys);
        assert_int_equal(decode_any(), rows[i].err);
    }
}

static void the_last_steward_cannot_go_p4_3(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_stewards(1, 0, NULL);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void stewards_are_64_at_most_and_ascend_by_key(void **state)
{
    (void)state;
    unsigned keys[65];
    for (unsigned i = 0; i < 65; i++) {
        keys[i] = i + 1;
    }
    begin_version(2, 1);
    write_stewards(33, 64, keys);
    assert_int_equal(decode_any(), SPEAN_OK);
    begin_version(2, 1);
    write_stewards(33, 65, keys);
    assert_int_equal(decode_any(), SPEAN_ELIMIT);
    keys[1] = keys[0];
    begin_version(2, 1);
    write_stewards(2, 2, keys);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

/* Write a list of two rows of one kind with the orgs given. */
static void write_rows(uint64_t key, unsigned first, unsigned second)
{
    const unsigned orgs[] = {first, second};
    begin_version(2, 1);
    spean_writer_uint(&w, key);
    spean_writer_array(&w, 2);
    for (size_t i = 0; i < 2; i++) {
        spean_writer_array(&w, key == 8 ? 4 : 2);
        write_id(orgs[i]);
        if (key == 2) {
            spean_writer_uint(&w, 1);
        } else {
            write_id(60);
        }
        if (key == 8) {
            spean_writer_uint(&w, 0);
            spean_writer_nil(&w);
        }
    }
}

static void every_list_ascends_without_repetition_p4_1(void **state)
{
    (void)state;
    static const uint64_t keys[] = {2, 3, 8, 9};
    for (size_t i = 0; i < 4; i++) {
        write_rows(keys[i], 1, 2);
        assert_int_equal(decode_any(), SPEAN_OK);
        write_rows(keys[i], 2, 1);
        assert_int_equal(decode_any(), SPEAN_EFORMAT);
        write_rows(keys[i], 1, 1);
        assert_int_equal(decode_any(), SPEAN_EFORMAT);
    }
}

static void only_the_list_of_relays_may_be_empty(void **state)
{
    (void)state;
    static const uint64_t keys[] = {2, 3, 8, 9};
    for (size_t i = 0; i < 4; i++) {
        begin_version(2, 1);
        spean_writer_uint(&w, keys[i]);
        spean_writer_array(&w, 0);
        assert_int_equal(decode_any(), keys[i] == 3 ? SPEAN_OK : SPEAN_EFORMAT);
    }
}

static void a_status_is_active_or_removed(void **state)
{
    (void)state;
    for (uint64_t status = 0; status <= 3; status++) {
        begin_version(2, 1);
        spean_writer_uint(&w, 2);
        spean_writer_array(&w, 1);
        write_member(1, status);
        const bool known = status == 1 || status == 2;
        assert_int_equal(decode_any(), known ? SPEAN_OK : SPEAN_EFORMAT);
    }
}

static void numbers_keep_to_their_limits(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_uint_change(5, 31536000);
    assert_int_equal(decode_any(), SPEAN_OK);
    begin_version(2, 1);
    write_uint_change(5, 31536001);
    assert_int_equal(decode_any(), SPEAN_ELIMIT);
    begin_version(2, 1);
    write_uint_change(6, 0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void limits_have_known_keys_and_at_least_one(void **state)
{
    (void)state;
    begin_version(2, 1);
    spean_writer_uint(&w, 4);
    spean_writer_map(&w, 1);
    write_uint_change(2, 86400);
    struct spean_charter c;
    assert_int_equal(decode(&c), SPEAN_OK);
    assert_true(c.has_heads_interval);
    assert_false(c.has_quota);
    begin_version(2, 1);
    spean_writer_uint(&w, 4);
    spean_writer_map(&w, 1);
    write_uint_change(3, 1);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    spean_writer_uint(&w, 4);
    spean_writer_map(&w, 0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void unknown_keys_and_no_changes_are_refused_p2_2(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_uint_change(13, 1);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void a_statement_is_no_charter(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);
    struct spean_charter c;
    assert_int_equal(spean_charter_decode(&c, &d.doc), SPEAN_EFORMAT);
}

static void compose_and_decode(const struct spean_charter_draft *draft, struct spean_charter *c)
{
    struct spean_view body;
    struct spean_document doc;
    assert_int_equal(spean_charter_compose(draft, buf, sizeof(buf), &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    assert_int_equal(spean_charter_decode(c, &doc), SPEAN_OK);
}

static void numbers_are_read_as_they_were_composed(void **state)
{
    (void)state;
    const uint64_t quota = 1u << 30;
    const uint64_t interval = 86400;
    const uint64_t delay = 0;
    const uint64_t format = 2;
    const struct spean_id schema = fixture_id(7);
    const struct spean_id join = fixture_id(8);
    struct spean_steward stewards[2] = {{.org = fixture_id(1), .key = fixture_key(1)},
                                        {.org = fixture_id(2), .key = fixture_key(2)}};
    const struct spean_charter_draft draft = {.version = 2,
                                              .previous = fixture_id(1),
                                              .threshold = 2,
                                              .stewards_count = 2,
                                              .stewards = stewards,
                                              .quota_bytes = &quota,
                                              .heads_interval_s = &interval,
                                              .erasure_delay_s = &delay,
                                              .entry_format = &format,
                                              .schema = &schema,
                                              .join = &join};
    struct spean_charter c;
    compose_and_decode(&draft, &c);
    assert_int_equal(c.threshold, 2);
    assert_int_equal(c.stewards_count, 2);
    assert_int_equal(c.quota_bytes, quota);
    assert_int_equal(c.heads_interval_s, interval);
    assert_true(c.has_erasure_delay);
    assert_int_equal(c.erasure_delay_s, 0);
    assert_int_equal(c.entry_format, 2);
    assert_true(c.has_schema && spean_id_equal(&c.schema, &schema));
    assert_true(c.has_join && spean_id_equal(&c.join, &join));
}

static void rows_are_read_as_they_were_composed(void **state)
{
    (void)state;
    struct spean_charter_member members[2] = {
        {.org = fixture_id(9), .status = SPEAN_MEMBER_REMOVED},
        {.org = fixture_id(4), .status = SPEAN_MEMBER_ACTIVE}};
    struct spean_relay relays[2] = {{.org = fixture_id(6), .signing = fixture_key(3)},
                                    {.org = fixture_id(5), .signing = fixture_key(3)}};
    struct spean_charter_cut cut = {.org = fixture_id(9), .signing = fixture_key(4)};
    cut.cut = fixture_cut(12, 3);
    struct spean_pin pin = {.org = fixture_id(2), .statement = fixture_id(3)};
    const struct spean_charter_draft draft = {.version = 2,
                                              .previous = fixture_id(1),
                                              .members_count = 2,
                                              .members = members,
                                              .has_relays = true,
                                              .relays_count = 2,
                                              .relays = relays,
                                              .cuts_count = 1,
                                              .cuts = &cut,
                                              .pins_count = 1,
                                              .pins = &pin};
    struct spean_charter c;
    compose_and_decode(&draft, &c);

    struct spean_reader r;
    struct spean_charter_member member;
    const struct spean_id first = fixture_id(4);
    spean_reader_init(&r, c.members);
    assert_true(spean_charter_next_member(&r, &member));
    assert_true(spean_id_equal(&member.org, &first));
    assert_true(spean_charter_next_member(&r, &member));
    assert_int_equal(member.status, SPEAN_MEMBER_REMOVED);
    assert_false(spean_charter_next_member(&r, &member));

    struct spean_charter_cut read_cut;
    spean_reader_init(&r, c.cuts);
    assert_true(spean_charter_next_cut(&r, &read_cut));
    assert_int_equal(read_cut.cut.seq, 12);
    assert_false(spean_charter_next_cut(&r, &read_cut));
    struct spean_relay relay;
    const struct spean_id first_relay = fixture_id(5);
    spean_reader_init(&r, c.relays);
    assert_true(spean_charter_next_relay(&r, &relay));
    assert_true(spean_id_equal(&relay.org, &first_relay));
    struct spean_pin read_pin;
    spean_reader_init(&r, c.pins);
    assert_true(spean_charter_next_pin(&r, &read_pin));
    assert_true(spean_id_equal(&read_pin.statement, &pin.statement));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genesis_has_all_its_keys_p4_2),
        cmocka_unit_test(a_genesis_has_no_relays_cuts_pins_or_join_p4_2),
        cmocka_unit_test(name_and_random_are_for_version_1_only_p4_1),
        cmocka_unit_test(a_name_is_1_to_128_bytes),
        cmocka_unit_test(the_threshold_is_more_than_half_of_the_stewards_p4_1),
        cmocka_unit_test(the_last_steward_cannot_go_p4_3),
        cmocka_unit_test(stewards_are_64_at_most_and_ascend_by_key),
        cmocka_unit_test(every_list_ascends_without_repetition_p4_1),
        cmocka_unit_test(only_the_list_of_relays_may_be_empty),
        cmocka_unit_test(a_status_is_active_or_removed),
        cmocka_unit_test(numbers_keep_to_their_limits),
        cmocka_unit_test(limits_have_known_keys_and_at_least_one),
        cmocka_unit_test(unknown_keys_and_no_changes_are_refused_p2_2),
        cmocka_unit_test(a_statement_is_no_charter),
        cmocka_unit_test(numbers_are_read_as_they_were_composed),
        cmocka_unit_test(rows_are_read_as_they_were_composed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
