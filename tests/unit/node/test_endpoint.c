/* An endpoint of an agency record: what is written is read, and what others wrote is not trusted.
 */
#include "node/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define BUF_BYTES (2u * SPEAN_NODE_ENDPOINT_BYTES_MAX)

static uint8_t buf[BUF_BYTES];

static struct spean_node_endpoint endpoint_make(const char *address, const char *name,
                                                const char *kind)
{
    struct spean_node_endpoint made = {.node = {{7, 8, 9}}};
    memcpy(made.address, address, strlen(address) + 1);
    memcpy(made.name, name, strlen(name) + 1);
    memcpy(made.kind, kind, strlen(kind) + 1);
    return made;
}

static struct spean_view written(const struct spean_node_endpoint *endpoint)
{
    struct spean_view view = {0};
    assert_int_equal(spean_endpoint_write(endpoint, buf, SPEAN_NODE_ENDPOINT_BYTES_MAX, &view),
                     SPEAN_OK);
    return view;
}

static void assert_same(const struct spean_node_endpoint *a, const struct spean_node_endpoint *b)
{
    assert_memory_equal(&a->node, &b->node, sizeof(a->node));
    assert_string_equal(a->address, b->address);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->kind, b->kind);
}

/* An element with a sub-field of number beside the node's key, whose value is a text. */
static struct spean_view element_with(uint64_t number, const char *text, size_t len)
{
    struct spean_writer w;
    struct spean_view view = {0};
    const uint8_t key[SPEAN_KEY_BYTES] = {7, 8, 9};
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_NODE_KEY);
    spean_writer_bin(&w, key, sizeof(key));
    spean_writer_uint(&w, number);
    spean_writer_str(&w, text, len);
    assert_int_equal(spean_writer_end(&w, &view), SPEAN_OK);
    return view;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const char *const texts[][3] = {{"tcp://192.0.2.7:7431", "laptop", "tcp"},
                                           {"", "laptop", ""},
                                           {"tcp://[2001:db8::1]:7431", "", ""},
                                           {"", "ភ្នំពេញ", ""},
                                           {"", "", ""}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct spean_node_endpoint read;
        const struct spean_node_endpoint made =
            endpoint_make(texts[i][0], texts[i][1], texts[i][2]);
        assert_true(spean_endpoint_read(written(&made), &read));
        assert_same(&made, &read);
    }
}

static void the_longest_texts_fit_what_is_promised(void **state)
{
    (void)state;
    struct spean_node_endpoint made = endpoint_make("", "", "");
    struct spean_node_endpoint read;
    struct spean_view view = {0};
    memset(made.address, 'a', SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX);
    memset(made.name, 'n', SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX);
    memset(made.kind, 'k', SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX);
    const struct spean_view whole = written(&made);
    assert_true(spean_endpoint_read(whole, &read));
    assert_same(&made, &read);
    assert_int_equal(spean_endpoint_write(&made, buf, whole.len - 1, &view), SPEAN_ELIMIT);
    assert_null(view.data);
}

/* Cut anywhere, or with a byte too many, it names no node, and nothing of it is used. */
static void an_element_that_is_not_whole_is_none(void **state)
{
    (void)state;
    const struct spean_node_endpoint made = endpoint_make("tcp://192.0.2.7:7431", "laptop", "tcp");
    const struct spean_node_endpoint before = endpoint_make("before", "before", "");
    const struct spean_view whole = written(&made);
    struct spean_node_endpoint read = before;
    for (size_t len = 0; len < whole.len; len++) {
        assert_false(spean_endpoint_read((struct spean_view){whole.data, len}, &read));
        assert_same(&before, &read);
    }
    buf[whole.len] = 0;
    assert_false(spean_endpoint_read((struct spean_view){whole.data, whole.len + 1}, &read));
    assert_same(&before, &read);
}

static void texts_of_others_are_bounded(void **state)
{
    (void)state;
    static char text[SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX + 1];
    static const struct {
        uint64_t number;
        size_t max;
    } fields[] = {{SPEAN_SUB_ENDPOINT_ADDRESS, SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX},
                  {SPEAN_SUB_ENDPOINT_KIND, SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX},
                  {SPEAN_SUB_ENDPOINT_NAME, SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX}};
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct spean_node_endpoint read;
        assert_true(
            spean_endpoint_read(element_with(fields[i].number, text, fields[i].max), &read));
        assert_false(
            spean_endpoint_read(element_with(fields[i].number, text, fields[i].max + 1), &read));
    }
}

/* A later version says more of a node: what we know of it still counts. */
static void a_sub_field_of_a_later_version_is_passed_over(void **state)
{
    (void)state;
    struct spean_node_endpoint read;
    const struct spean_node_endpoint bare = endpoint_make("", "", "");
    assert_true(spean_endpoint_read(element_with(900, "later", 5), &read));
    assert_same(&bare, &read);
}

static void an_element_without_a_node_is_nobodys(void **state)
{
    (void)state;
    struct spean_writer w;
    struct spean_view view = {0};
    struct spean_node_endpoint read;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_ADDRESS);
    spean_writer_str(&w, "tcp://192.0.2.7:7431", 20);
    assert_int_equal(spean_writer_end(&w, &view), SPEAN_OK);
    assert_false(spean_endpoint_read(view, &read));
}

static void no_part_names_no_address(void **state)
{
    (void)state;
    const struct spean_key node = {{7}};
    assert_false(spean_endpoint_has(NULL, &node, "tcp://192.0.2.7:7431"));
    assert_false(spean_endpoint_has(NULL, &node, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_longest_texts_fit_what_is_promised),
        cmocka_unit_test(an_element_that_is_not_whole_is_none),
        cmocka_unit_test(texts_of_others_are_bounded),
        cmocka_unit_test(a_sub_field_of_a_later_version_is_passed_over),
        cmocka_unit_test(an_element_without_a_node_is_nobodys),
        cmocka_unit_test(no_part_names_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
