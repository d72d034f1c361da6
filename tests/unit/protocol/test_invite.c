#include "protocol/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static struct spean_invite sample(const char *endpoint)
{
    struct spean_invite invite = {.expires = 1700000000};
    memset(invite.handle.bytes, 0xa1, sizeof(invite.handle.bytes));
    memset(invite.transport.bytes, 0xb2, sizeof(invite.transport.bytes));
    memset(invite.secret, 0xc3, sizeof(invite.secret));
    strncpy(invite.endpoint, endpoint, sizeof(invite.endpoint) - 1);
    return invite;
}

static spean_err decode(struct spean_invite *invite, const char *text, size_t len)
{
    const struct spean_view view = {(const uint8_t *)text, len};
    return spean_invite_decode(invite, view);
}

static void an_invitation_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const endpoints[] = {"a.b:1", "node.example.org:7210", "[2001:db8::1]:7210"};
    for (size_t i = 0; i < 3; i++) {
        const struct spean_invite invite = sample(endpoints[i]);
        char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
        struct spean_invite read;
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
        assert_int_equal(decode(&read, text, strlen(text)), SPEAN_OK);
        assert_memory_equal(&read.handle, &invite.handle, sizeof(invite.handle));
        assert_memory_equal(&read.transport, &invite.transport, sizeof(invite.transport));
        assert_memory_equal(read.secret, invite.secret, sizeof(invite.secret));
        assert_int_equal(read.expires, 1700000000);
        assert_string_equal(read.endpoint, endpoints[i]);
    }
}

static void the_longest_has_at_most_178_characters_for_a_qr_code_p12_1(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("12345678901234567890123456789012345:78");
    assert_int_equal(strlen(invite.endpoint), SPEAN_INVITE_ENDPOINT_BYTES_MAX);
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    assert_true(strlen(text) <= 178);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:"), strlen(text));
}

static void base_32_is_that_of_rfc_4648_p12_1(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("a.b:1");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    assert_memory_equal(text, "SPEAN1:UGQ2DINB", 15); /* Five bytes a1 are UGQ2DINB. */
}

static void an_endpoint_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1] = "untouched";
    static const char *const wrong[] = {"", "a:1", "has space:7210", "caf\xc3\xa9.org:1",
                                        "a.b:1\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct spean_invite invite = sample(wrong[i]);
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_EINPUT);
    }
    struct spean_invite endless = sample("a.b:1");
    memset(endless.endpoint, 'a', sizeof(endless.endpoint));
    assert_int_equal(spean_invite_encode(text, &endless), SPEAN_EINPUT);
    assert_string_equal(text, "untouched");
}

static void text_cut_short_within_the_fixed_part_is_refused(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("a.b:1");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    for (size_t len = 0; len < strlen(text); len++) {
        struct spean_invite read;
        assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
    }
}

static void each_invitation_has_one_spelling(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("a.b:1");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    struct spean_invite read;
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    const size_t len = strlen(text);
    static const char strange[] = "abz019=- :\n";
    for (size_t i = 0; i < sizeof(strange); i++) {
        const char was = text[20];
        text[20] = strange[i];
        assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
        text[20] = was;
    }
    text[len] = 'A'; /* Five zero bits more would decode to the same bytes. */
    assert_int_equal(decode(&read, text, len + 1), SPEAN_EINPUT);
    text[len - 1]++; /* The last character's fill bits are zero: its neighbour is no spelling. */
    assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
}

static void an_endpoint_that_is_not_printable_is_refused_when_read(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("aaaaaaaaaa");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    struct spean_invite read;
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    memset(text + strlen(text) - 8, 'A', 4); /* Zero bytes in the last five. */
    assert_int_equal(decode(&read, text, strlen(text)), SPEAN_EINPUT);
}

static void more_than_the_longest_is_refused(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'M', sizeof(text)); /* Decodes to bytes like 'c': printable. */
    memcpy(text, "SPEAN1:", 7);
    struct spean_invite read;
    for (size_t len = 7 + 171; len <= sizeof(text); len++) {
        assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
    }
}

static void a_later_kind_is_told_apart_from_nonsense(void **state)
{
    (void)state;
    struct spean_invite read;
    assert_int_equal(decode(&read, "SPEAN2:AAAA", 11), SPEAN_EVERSION);
    assert_int_equal(decode(&read, "SPEAN0:AAAA", 11), SPEAN_EINPUT);
    assert_int_equal(decode(&read, "SPEANX:AAAA", 11), SPEAN_EINPUT);
    assert_int_equal(decode(&read, "spean1:AAAA", 11), SPEAN_EINPUT);
    assert_int_equal(decode(&read, "HELLO W:", 8), SPEAN_EINPUT);
    assert_int_equal(decode(&read, NULL, 0), SPEAN_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_comes_back_as_it_was),
        cmocka_unit_test(the_longest_has_at_most_178_characters_for_a_qr_code_p12_1),
        cmocka_unit_test(base_32_is_that_of_rfc_4648_p12_1),
        cmocka_unit_test(an_endpoint_that_does_not_fit_is_refused),
        cmocka_unit_test(text_cut_short_within_the_fixed_part_is_refused),
        cmocka_unit_test(each_invitation_has_one_spelling),
        cmocka_unit_test(an_endpoint_that_is_not_printable_is_refused_when_read),
        cmocka_unit_test(more_than_the_longest_is_refused),
        cmocka_unit_test(a_later_kind_is_told_apart_from_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
