#include "protocol/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"

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
    static const char *const kinds[] = {"a.b:1", "node.example.org:7210", "[2001:db8::1]:7210"};
    for (size_t i = 0; i < 3; i++) {
        const struct spean_invite invite = sample(kinds[i]);
        char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
        struct spean_invite read;
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
        assert_int_equal(decode(&read, text, strlen(text)), SPEAN_OK);
        assert_memory_equal(&read.handle, &invite.handle, sizeof(invite.handle));
        assert_memory_equal(&read.transport, &invite.transport, sizeof(invite.transport));
        assert_memory_equal(read.secret, invite.secret, sizeof(invite.secret));
        assert_int_equal(read.expires, 1700000000);
        assert_string_equal(read.endpoint, kinds[i]);
    }
}

static void the_longest_has_at_most_178_characters_for_a_qr_code_p12_1(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("12345678901234567890123456789012:78");
    assert_int_equal(strlen(invite.endpoint), SPEAN_INVITE_ENDPOINT_BYTES_MAX);
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    assert_true(strlen(text) <= 178);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:"), strlen(text));
}

static struct spean_invite sample_of_node(const char *endpoint)
{
    struct spean_invite invite = sample(endpoint);
    invite.node = true;
    memset(invite.org.bytes, 0x77, sizeof(invite.org.bytes));
    return invite;
}

static void one_of_a_node_names_its_organisation_p12_5(void **state)
{
    (void)state;
    const struct spean_invite invite = sample_of_node("12345678901234567890123456789012345:78");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    struct spean_invite read;
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    assert_memory_equal(text, "SPEANNODE1:", 11);
    assert_int_equal(strlen(text), 232);
    assert_int_equal(decode(&read, text, strlen(text)), SPEAN_OK);
    assert_true(read.node);
    assert_memory_equal(&read.org, &invite.org, sizeof(invite.org));
    assert_memory_equal(&read.handle, &invite.handle, sizeof(invite.handle));
    assert_memory_equal(read.secret, invite.secret, sizeof(invite.secret));
    assert_int_equal(read.expires, invite.expires);
    assert_string_equal(read.endpoint, invite.endpoint);
}

static void one_kind_is_not_taken_for_the_other_p12_5(void **state)
{
    (void)state;
    const struct spean_invite of_org = sample("a.b:1");
    const struct spean_invite of_node = sample_of_node("a.b:1");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    char other[SPEAN_INVITE_TEXT_LEN_MAX + 8];
    struct spean_invite read;
    assert_int_equal(spean_invite_encode(text, &of_org), SPEAN_OK);
    (void)snprintf(other, sizeof(other), "SPEANNODE1:%s", text + 7);
    assert_int_equal(decode(&read, other, strlen(other)), SPEAN_EINPUT);
    assert_int_equal(spean_invite_encode(text, &of_node), SPEAN_OK);
    for (size_t len = 0; len < strlen(text); len++) {
        assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
    }
    assert_int_equal(decode(&read, "SPEANNODE2:AAAA", 15), SPEAN_EVERSION);
    assert_int_equal(decode(&read, "SPEANNODE:AAAAA", 15), SPEAN_EINPUT);
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

/* The longest and the shortest, and one whose checksum shares a character with the endpoint. */
static const char *const endpoints[] = {"a.b:1", "node.example.org:7210",
                                        "12345678901234567890123456789:78901"};

static void text_cut_short_anywhere_is_refused_p12_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        const struct spean_invite invite = sample(endpoints[i]);
        char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
        struct spean_invite read;
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
        for (size_t len = 0; len < strlen(text); len++) {
            assert_int_equal(decode(&read, text, len), SPEAN_EINPUT);
        }
    }
}

/* Try every other character at one place of text. */
static void assert_place_matters(char *text, size_t place)
{
    static const char typed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:";
    const char was = text[place];
    for (size_t i = 0; typed[i] != '\0'; i++) {
        struct spean_invite read;
        text[place] = typed[i];
        if (typed[i] != was) {
            assert_int_not_equal(decode(&read, text, strlen(text)), SPEAN_OK);
        }
    }
    text[place] = was;
}

static void any_one_character_mistyped_is_refused_p12_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        const struct spean_invite invite = sample(endpoints[i]);
        char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
        for (size_t place = 0; text[place] != '\0'; place++) {
            assert_place_matters(text, place);
        }
    }
}

static void two_neighbours_swapped_are_refused_p12_1(void **state)
{
    (void)state;
    const struct spean_invite invite = sample("node.example.org:7210");
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    for (size_t i = 0; text[i + 1] != '\0'; i++) {
        const char first = text[i];
        struct spean_invite read;
        text[i] = text[i + 1];
        text[i + 1] = first;
        if (text[i] != first) {
            assert_int_equal(decode(&read, text, strlen(text)), SPEAN_EINPUT);
        }
        text[i + 1] = text[i];
        text[i] = first;
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

/* Write what spean_invite_encode() refuses to: raw bytes with the checksum that belongs to them. */
static void text_make(char out[SPEAN_INVITE_TEXT_LEN_MAX + 1], const char *endpoint, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t raw[SPEAN_INVITE_TEXT_LEN_MAX] = {0};
    uint8_t hash[SPEAN_HASH_BYTES_MIN];
    const size_t fixed = 16 + 32 + 16 + 4;
    memcpy(raw + fixed, endpoint, len);
    spean_hash(hash, sizeof(hash), "spean/invitation/1", raw, fixed + len);
    memcpy(raw + fixed + len, hash, 3);
    const size_t bits = (fixed + len + 3) * 8;
    memcpy(out, "SPEAN1:", 7);
    for (size_t at = 0; at < bits; at += 5) {
        const unsigned pair = (unsigned)raw[at / 8] << 8 | raw[at / 8 + 1];
        out[7 + at / 5] = digits[pair >> (11 - at % 8) & 31u];
    }
    out[7 + (bits + 4) / 5] = '\0';
}

static void an_endpoint_that_is_no_endpoint_is_refused_when_read_whatever_its_checksum(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a.b\n:1", "a b:1", "caf\xc3\xa9.org:1", "a:1"};
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    struct spean_invite read;
    text_make(text, "a.b:1", 5);
    assert_int_equal(decode(&read, text, strlen(text)), SPEAN_OK);
    text_make(text, "a.\0:1", 5);
    assert_int_equal(decode(&read, text, strlen(text)), SPEAN_EINPUT);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        text_make(text, wrong[i], strlen(wrong[i]));
        assert_int_equal(decode(&read, text, strlen(text)), SPEAN_EINPUT);
    }
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
        cmocka_unit_test(one_of_a_node_names_its_organisation_p12_5),
        cmocka_unit_test(one_kind_is_not_taken_for_the_other_p12_5),
        cmocka_unit_test(base_32_is_that_of_rfc_4648_p12_1),
        cmocka_unit_test(an_endpoint_that_does_not_fit_is_refused),
        cmocka_unit_test(text_cut_short_anywhere_is_refused_p12_1),
        cmocka_unit_test(any_one_character_mistyped_is_refused_p12_1),
        cmocka_unit_test(two_neighbours_swapped_are_refused_p12_1),
        cmocka_unit_test(each_invitation_has_one_spelling),
        cmocka_unit_test(
            an_endpoint_that_is_no_endpoint_is_refused_when_read_whatever_its_checksum),
        cmocka_unit_test(more_than_the_longest_is_refused),
        cmocka_unit_test(a_later_kind_is_told_apart_from_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
