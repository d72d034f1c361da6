#include "protocol/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

static uint8_t buf[SPEAN_DOCUMENT_BYTES_MAX];
static struct spean_writer w;

/* Begin a body of version 2 with a map of count changes; the test writes them. */
static void begin_version(uint64_t version, uint32_t count)
{
    const struct spean_id previous = fixture_id(1);
    spean_writer_init(&w, buf, sizeof(buf));
    spean_document_write_head(&w, SPEAN_DOCUMENT_STATEMENT, version, &previous);
    spean_writer_map(&w, count);
}

static spean_err decode(struct spean_statement *s)
{
    struct spean_view body;
    struct spean_document doc;
    assert_int_equal(spean_writer_end(&w, &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    return spean_statement_decode(s, &doc);
}

static spean_err decode_any(void)
{
    struct spean_statement s;
    return decode(&s);
}

static void write_key(unsigned n)
{
    const struct spean_key key = fixture_x25519(n);
    spean_writer_bin(&w, key.bytes, sizeof(key.bytes));
}

static void write_admin(uint64_t threshold, uint32_t count, const unsigned *keys)
{
    spean_writer_uint(&w, 1);
    spean_writer_array(&w, 2);
    spean_writer_uint(&w, threshold);
    spean_writer_array(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        write_key(keys[i]);
    }
}

static void write_recovery(void)
{
    spean_writer_uint(&w, 2);
    write_key(90);
}

static void write_sealing(uint64_t generation)
{
    spean_writer_uint(&w, 3);
    spean_writer_array(&w, 2);
    spean_writer_uint(&w, generation);
    write_key(91);
}

static void write_node_row(unsigned n)
{
    static const uint8_t acceptance[SPEAN_SIGNATURE_BYTES];
    spean_writer_array(&w, 4);
    write_key(n);
    write_key(n + 100);
    write_key(n + 200);
    spean_writer_bin(&w, acceptance, sizeof(acceptance));
}

static void write_cut_row(unsigned n, uint64_t seq, bool entry)
{
    spean_writer_array(&w, 3);
    write_key(n);
    spean_writer_uint(&w, seq);
    if (entry) {
        write_key(92);
    } else {
        spean_writer_nil(&w);
    }
}

static void version_1_has_exactly_its_three_keys_p3_3(void **state)
{
    (void)state;
    const unsigned key = 1;
    begin_version(1, 3);
    write_admin(1, 1, &key);
    write_recovery();
    write_sealing(1);
    struct spean_statement s;
    assert_int_equal(decode(&s), SPEAN_OK);
    assert_true(s.has_admin && s.has_recovery && s.has_sealing);

    begin_version(1, 2);
    write_recovery();
    write_sealing(1);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(1, 2);
    write_admin(1, 1, &key);
    write_sealing(1);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(1, 2);
    write_admin(1, 1, &key);
    write_recovery();
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(1, 3);
    write_admin(1, 1, &key);
    write_recovery();
    write_sealing(2);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(1, 4);
    write_admin(1, 1, &key);
    write_recovery();
    write_sealing(1);
    spean_writer_uint(&w, 5);
    spean_writer_array(&w, 1);
    write_node_row(1);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void an_unknown_key_is_refused_p2_2(void **state)
{
    (void)state;
    begin_version(2, 1);
    spean_writer_uint(&w, 7);
    spean_writer_nil(&w);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    spean_writer_uint(&w, 0);
    spean_writer_nil(&w);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    spean_writer_str(&w, "admin", 5);
    spean_writer_nil(&w);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void a_version_that_changes_nothing_is_refused(void **state)
{
    (void)state;
    begin_version(2, 0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void admin_keys_ascend_and_the_threshold_can_be_met_p3_1(void **state)
{
    (void)state;
    const unsigned ascending[] = {1, 2};
    const unsigned descending[] = {2, 1};
    const unsigned doubled[] = {1, 1};
    begin_version(2, 1);
    write_admin(2, 2, ascending);
    assert_int_equal(decode_any(), SPEAN_OK);
    begin_version(2, 1);
    write_admin(2, 2, descending);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_admin(2, 2, doubled);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_admin(0, 2, ascending);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_admin(3, 2, ascending);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void the_admin_list_is_never_empty_nor_above_sixteen_p3_5(void **state)
{
    (void)state;
    unsigned keys[17];
    for (unsigned i = 0; i < 17; i++) {
        keys[i] = i + 1;
    }
    begin_version(2, 1);
    write_admin(1, 0, keys);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_admin(1, 16, keys);
    assert_int_equal(decode_any(), SPEAN_OK);
    begin_version(2, 1);
    write_admin(1, 17, keys);
    assert_int_equal(decode_any(), SPEAN_ELIMIT);
}

static void sealing_generations_are_from_1_to_their_limit(void **state)
{
    (void)state;
    begin_version(2, 1);
    write_sealing(0);
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
    begin_version(2, 1);
    write_sealing(SPEAN_ORG_GENERATIONS_MAX);
    assert_int_equal(decode_any(), SPEAN_OK);
    begin_version(2, 1);
    write_sealing(SPEAN_ORG_GENERATIONS_MAX + 1u);
    assert_int_equal(decode_any(), SPEAN_ELIMIT);
}

static void nodes_and_cuts_ascend_and_are_not_empty(void **state)
{
    (void)state;
    for (uint64_t key = 5; key <= 6; key++) {
        static const unsigned orders[][2] = {{1, 2}, {2, 1}, {1, 1}};
        for (size_t i = 0; i < 3; i++) {
            begin_version(2, 1);
            spean_writer_uint(&w, key);
            spean_writer_array(&w, 2);
            for (size_t j = 0; j < 2; j++) {
                if (key == 5) {
                    write_node_row(orders[i][j]);
                } else {
                    write_cut_row(orders[i][j], 1, true);
                }
            }
            assert_int_equal(decode_any(), i == 0 ? SPEAN_OK : SPEAN_EFORMAT);
        }
        begin_version(2, 1);
        spean_writer_uint(&w, key);
        spean_writer_array(&w, 0);
        assert_int_equal(decode_any(), SPEAN_EFORMAT);
    }
}

static void a_cut_at_0_names_no_entry_and_any_other_does_p3_7(void **state)
{
    (void)state;
    static const struct {
        uint64_t seq;
        bool entry;
        spean_err err;
    } rows[] = {{0, false, SPEAN_OK},
                {0, true, SPEAN_EFORMAT},
                {1, true, SPEAN_OK},
                {1, false, SPEAN_EFORMAT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin_version(2, 1);
        spean_writer_uint(&w, 6);
        spean_writer_array(&w, 1);
        write_cut_row(1, rows[i].seq, rows[i].entry);
        assert_int_equal(decode_any(), rows[i].err);
    }
}

static void a_handle_without_nodes_is_refused_p3_4(void **state)
{
    (void)state;
    static const uint8_t handle[SPEAN_HANDLE_BYTES];
    begin_version(2, 1);
    spean_writer_uint(&w, 4);
    spean_writer_bin(&w, handle, sizeof(handle));
    assert_int_equal(decode_any(), SPEAN_EFORMAT);
}

static void rows_are_read_again_where_they_lie(void **state)
{
    (void)state;
    begin_version(2, 2);
    spean_writer_uint(&w, 5);
    spean_writer_array(&w, 2);
    write_node_row(1);
    write_node_row(2);
    spean_writer_uint(&w, 6);
    spean_writer_array(&w, 1);
    write_cut_row(7, 3, true);
    struct spean_statement s;
    assert_int_equal(decode(&s), SPEAN_OK);

    struct spean_reader r;
    struct spean_statement_node node;
    spean_reader_init(&r, s.nodes);
    for (unsigned n = 1; n <= 2; n++) {
        const struct spean_key expected = fixture_x25519(n);
        assert_true(spean_statement_next_node(&r, &node));
        assert_true(spean_key_equal(&node.signing, &expected));
    }
    assert_false(spean_statement_next_node(&r, &node));
    struct spean_statement_cut cut;
    spean_reader_init(&r, s.cuts);
    assert_true(spean_statement_next_cut(&r, &cut));
    assert_int_equal(cut.cut.seq, 3);
    assert_true(cut.cut.closed);
    assert_false(spean_statement_next_cut(&r, &cut));
}

static void a_draft_is_put_in_order(void **state)
{
    (void)state;
    struct spean_key admins[3] = {fixture_x25519(9), fixture_x25519(1), fixture_x25519(5)};
    struct spean_statement_draft draft = {
        .version = 2, .threshold = 2, .admins_count = 3, .admins = admins};
    struct spean_view body;
    struct spean_document doc;
    struct spean_statement s;
    assert_int_equal(spean_statement_compose(&draft, buf, sizeof(buf), &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    assert_int_equal(spean_statement_decode(&s, &doc), SPEAN_OK);
    const struct spean_key first = fixture_x25519(1);
    assert_int_equal(s.admins_count, 3);
    assert_true(spean_key_equal(&s.admins[0], &first));
}

static void a_draft_that_nobody_would_accept_is_not_written(void **state)
{
    (void)state;
    struct spean_key admins[2] = {fixture_x25519(1), fixture_x25519(1)};
    struct spean_statement_draft draft = {
        .version = 2, .threshold = 1, .admins_count = 2, .admins = admins};
    struct spean_view body = {NULL, 0};
    assert_int_equal(spean_statement_compose(&draft, buf, sizeof(buf), &body), SPEAN_EINPUT);
    draft.admins_count = 1;
    draft.threshold = 2;
    assert_int_equal(spean_statement_compose(&draft, buf, sizeof(buf), &body), SPEAN_EINPUT);
    draft.threshold = 1;
    draft.version = 1;
    assert_int_equal(spean_statement_compose(&draft, buf, sizeof(buf), &body), SPEAN_EINPUT);
    draft.version = 2;
    assert_int_equal(spean_statement_compose(&draft, buf, 20, &body), SPEAN_ELIMIT);
    assert_null(body.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_has_exactly_its_three_keys_p3_3),
        cmocka_unit_test(an_unknown_key_is_refused_p2_2),
        cmocka_unit_test(a_version_that_changes_nothing_is_refused),
        cmocka_unit_test(admin_keys_ascend_and_the_threshold_can_be_met_p3_1),
        cmocka_unit_test(the_admin_list_is_never_empty_nor_above_sixteen_p3_5),
        cmocka_unit_test(sealing_generations_are_from_1_to_their_limit),
        cmocka_unit_test(nodes_and_cuts_ascend_and_are_not_empty),
        cmocka_unit_test(a_cut_at_0_names_no_entry_and_any_other_does_p3_7),
        cmocka_unit_test(a_handle_without_nodes_is_refused_p3_4),
        cmocka_unit_test(rows_are_read_again_where_they_lie),
        cmocka_unit_test(a_draft_is_put_in_order),
        cmocka_unit_test(a_draft_that_nobody_would_accept_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
