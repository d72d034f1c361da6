#include "store/recovery.h"

#include <ctype.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/recovery_words.h"

/* Published with BIP-39 (the vectors of 256 bits). */
static const struct {
    const char *seed;
    const char *words;
} vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon art"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank year wave sausage "
     "worth useful legal winner thank year wave sausage worth title"},
    {"8080808080808080808080808080808080808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount "
     "doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "zoo vote"},
    {"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
     "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
     "screen patrol group space point ten exist slush involve unfold"},
};

#define VECTORS_COUNT (sizeof(vectors) / sizeof(vectors[0]))
#define LAST          (VECTORS_COUNT - 1)

static void seed_of(size_t vector, uint8_t seed[SPEAN_KEY_BYTES])
{
    size_t len = 0;
    const char *hex = vectors[vector].seed;
    assert_int_equal(sodium_hex2bin(seed, SPEAN_KEY_BYTES, hex, strlen(hex), NULL, &len, NULL), 0);
    assert_int_equal(len, SPEAN_KEY_BYTES);
}

static spean_err read_words(const char *text, uint8_t seed[SPEAN_KEY_BYTES], unsigned *word)
{
    const struct spean_view view = {(const uint8_t *)text, strlen(text)};
    return spean_recovery_seed(view, seed, word);
}

static void expect_seed(const char *text, size_t vector)
{
    uint8_t expected[SPEAN_KEY_BYTES];
    uint8_t seed[SPEAN_KEY_BYTES] = {0};
    unsigned word = 7;
    seed_of(vector, expected);
    assert_int_equal(read_words(text, seed, &word), SPEAN_OK);
    assert_memory_equal(seed, expected, sizeof(seed));
    assert_int_equal(word, 0);
}

static void expect_refusal(const char *text, spean_err expected, unsigned expected_word)
{
    uint8_t seed[SPEAN_KEY_BYTES] = {0x55};
    unsigned word = 99;
    assert_int_equal(read_words(text, seed, &word), expected);
    assert_int_equal(word, expected_word);
    assert_int_equal(seed[0], 0x55);
}

static void the_list_is_the_published_one(void **state)
{
    (void)state;
    crypto_hash_sha256_state hash;
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(digest) + 1];
    assert_int_equal(crypto_hash_sha256_init(&hash), 0);
    for (size_t i = 0; i < SPEAN_RECOVERY_LIST_COUNT; i++) {
        const char *word = spean_recovery_list[i];
        assert_true(strlen(word) >= 3 && strlen(word) <= SPEAN_RECOVERY_WORD_BYTES_MAX);
        (void)crypto_hash_sha256_update(&hash, (const uint8_t *)word, strlen(word));
        (void)crypto_hash_sha256_update(&hash, (const uint8_t *)"\n", 1);
    }
    (void)crypto_hash_sha256_final(&hash, digest);
    (void)sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    assert_string_equal(hex, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void four_letters_tell_a_word_from_all_others(void **state)
{
    (void)state;
    for (size_t i = 1; i < SPEAN_RECOVERY_LIST_COUNT; i++) { /* The list is sorted. */
        assert_int_not_equal(strncmp(spean_recovery_list[i - 1], spean_recovery_list[i], 4), 0);
    }
}

static void published_vectors_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS_COUNT; i++) {
        uint8_t seed[SPEAN_KEY_BYTES];
        char text[SPEAN_RECOVERY_TEXT_BYTES];
        seed_of(i, seed);
        spean_recovery_words(seed, text);
        assert_string_equal(text, vectors[i].words);
        expect_seed(vectors[i].words, i);
    }
}

static void case_and_blanks_do_not_matter(void **state)
{
    (void)state;
    char text[1024] = "\n\t ";
    size_t pos = strlen(text);
    for (const char *c = vectors[LAST].words; *c != '\0'; c++) {
        if (*c == ' ') {
            (void)memcpy(text + pos, " \r\n\t", 4);
            pos += 4;
        } else {
            text[pos++] = (char)toupper((unsigned char)*c);
        }
    }
    (void)memcpy(text + pos, "  \n", 4);
    expect_seed(text, LAST);
}

static void words_may_be_cut_after_four_letters(void **state)
{
    (void)state;
    expect_seed("void come effo suff camp surv warr heav shoo prim clut crus open amaz scre patr "
                "grou spac poin ten exis slus invo unfo",
                LAST);
    expect_seed("void come effor suffe camp surve warrio heavy shoo prim clut crus open amazin "
                "scre patro grou spac poin ten exis slus involv unfol",
                LAST);
}

static void the_word_that_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned word;
    } rows[] = {
        {"xoid come effort suffer camp survey warrior heavy shoot primary clutch crush open "
         "amazing screen patrol group space point ten exist slush involve unfold",
         1},
        {"void come eff suffer camp survey warrior heavy shoot primary clutch crush open amazing "
         "screen patrol group space point ten exist slush involve unfold",
         3}, /* Three letters of a longer word. */
        {"void come effort sufferr camp survey warrior heavy shoot primary clutch crush open "
         "amazing screen patrol group space point ten exist slush involve unfold",
         4}, /* A letter too many. */
        {"void come effort suffer c4mp survey warrior heavy shoot primary clutch crush open "
         "amazing screen patrol group space point ten exist slush involve unfold",
         5},
        {"void come effort suffer camp survey warrior heavyheavy shoot primary clutch crush open "
         "amazing screen patrol group space point ten exist slush involve unfold",
         8},
        {"void come effort suffer camp survey warrior heavy shoot primary clutch crush open "
         "amazing screen patrol group space point ten exist slush involve unfold\xc3\xa9",
         24},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_refusal(rows[i].text, SPEAN_EINPUT, rows[i].word);
    }
}

static void too_few_or_too_many_words_are_counted(void **state)
{
    (void)state;
    expect_refusal("", SPEAN_EFORMAT, 0);
    expect_refusal("  \n", SPEAN_EFORMAT, 0);
    expect_refusal("zoo", SPEAN_EFORMAT, 1);
    expect_refusal("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
                   "zoo zoo zoo vote",
                   SPEAN_EFORMAT, 23);
    expect_refusal("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
                   "zoo zoo zoo zoo vote zoo",
                   SPEAN_EFORMAT, 25);
}

static void words_that_changed_places_do_not_check(void **state)
{
    (void)state;
    expect_refusal("come void effort suffer camp survey warrior heavy shoot primary clutch crush "
                   "open amazing screen patrol group space point ten exist slush involve unfold",
                   SPEAN_ESIGNATURE, 0);
    expect_refusal("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
                   "zoo zoo zoo zoo zoo",
                   SPEAN_ESIGNATURE, 0);
}

static void endless_text_is_refused(void **state)
{
    (void)state;
    static char text[SPEAN_RECOVERY_INPUT_BYTES_MAX + 2];
    (void)memset(text, ' ', sizeof(text) - 1);
    (void)memcpy(text, vectors[LAST].words, strlen(vectors[LAST].words));
    expect_refusal(text, SPEAN_ELIMIT, 0);
    text[SPEAN_RECOVERY_INPUT_BYTES_MAX] = '\0';
    expect_seed(text, LAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_published_one),
        cmocka_unit_test(four_letters_tell_a_word_from_all_others),
        cmocka_unit_test(published_vectors_hold_both_ways),
        cmocka_unit_test(case_and_blanks_do_not_matter),
        cmocka_unit_test(words_may_be_cut_after_four_letters),
        cmocka_unit_test(the_word_that_is_wrong_is_named),
        cmocka_unit_test(too_few_or_too_many_words_are_counted),
        cmocka_unit_test(words_that_changed_places_do_not_check),
        cmocka_unit_test(endless_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
