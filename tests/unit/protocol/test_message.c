#include "protocol/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/evidence.h"
#include "protocol/writer.h"

#define TYPE_HIGHEST 40u /* Some way above the last that exists. */
#define FRAME_ROOM   (2u * SPEAN_FRAME_BYTES_MAX)

/* What a test writes a frame with, without the encoder that it tests. */
struct fixture {
    uint8_t *buf;
    uint8_t *again;
    struct spean_writer w;
    struct spean_message *m;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->buf = malloc(FRAME_ROOM);
    f->again = malloc(FRAME_ROOM);
    f->m = calloc(1, sizeof(*f->m));
    assert_true(f->buf != NULL && f->again != NULL && f->m != NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->buf);
    free(f->again);
    free(f->m);
    free(f);
    return 0;
}

static void begin(struct fixture *f, uint32_t elements, uint64_t type)
{
    spean_writer_init(&f->w, f->buf, FRAME_ROOM);
    spean_writer_array(&f->w, elements);
    spean_writer_uint(&f->w, type);
}

static void bin(struct fixture *f, uint8_t fill, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    memset(bytes, fill, len);
    spean_writer_bin(&f->w, bytes, len);
    free(bytes);
}

static void id(struct fixture *f, uint32_t number)
{
    uint8_t bytes[SPEAN_ID_BYTES] = {0};
    bytes[2] = (uint8_t)(number >> 8);
    bytes[3] = (uint8_t)number;
    spean_writer_bin(&f->w, bytes, sizeof(bytes));
}

static void place(struct fixture *f, uint64_t seq)
{
    spean_writer_uint(&f->w, seq);
    id(f, 0xee);
}

static struct spean_view whole(struct fixture *f)
{
    struct spean_view frame = {0};
    assert_int_equal(spean_writer_end(&f->w, &frame), SPEAN_OK);
    return frame;
}

static spean_err decode(struct fixture *f)
{
    return spean_message_decode(whole(f), f->m);
}

/* -- One frame of each type, as the table of P13.1 describes it ---------------------------------
 */

static void write_hello(struct fixture *f, const char magic[8], uint32_t features)
{
    begin(f, 11, SPEAN_MESSAGE_HELLO);
    spean_writer_bin(&f->w, magic, 8);
    spean_writer_uint(&f->w, 1);
    spean_writer_uint(&f->w, 3);
    bin(f, 0x11, SPEAN_HANDLE_BYTES);
    id(f, 0x12);
    id(f, 0x13);
    id(f, 0x14);
    id(f, 0x15);
    spean_writer_array(&f->w, features);
    for (uint32_t i = 0; i < features; i++) {
        spean_writer_uint(&f->w, i);
    }
    spean_writer_uint(&f->w, 1790000000);
}

static void write_refuse(struct fixture *f, size_t text_len)
{
    char text[SPEAN_REFUSE_BYTES_MAX + 1];
    memset(text, 'x', sizeof(text));
    begin(f, 3, SPEAN_MESSAGE_REFUSE);
    spean_writer_uint(&f->w, 1301);
    spean_writer_str(&f->w, text, text_len);
}

static void write_title(struct fixture *f, uint64_t version, uint32_t number)
{
    spean_writer_array(&f->w, 2);
    spean_writer_uint(&f->w, version);
    id(f, number);
}

static void write_titles(struct fixture *f, uint32_t heads, uint32_t chains)
{
    begin(f, 4, SPEAN_MESSAGE_TITLES);
    spean_writer_array(&f->w, heads);
    for (uint32_t i = 0; i < heads; i++) {
        write_title(f, i + 1, 0xee + i);
    }
    spean_writer_array(&f->w, chains);
    for (uint32_t i = 0; i < chains; i++) {
        spean_writer_array(&f->w, 2);
        id(f, i);
        spean_writer_array(&f->w, i % 3);
        for (uint32_t k = 0; k < i % 3; k++) {
            write_title(f, k + 1, k);
        }
    }
    spean_writer_bool(&f->w, true);
}

static void write_documents(struct fixture *f, uint32_t count, size_t len)
{
    spean_writer_array(&f->w, count);
    for (uint32_t i = 0; i < count; i++) {
        bin(f, (uint8_t)i, len);
    }
}

static void write_digest(struct fixture *f, uint32_t names, size_t extra, size_t buckets)
{
    uint8_t *bytes = calloc(names + 1, SPEAN_SHORT_BYTES);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < names; i++) {
        spean_u64_put(bytes + (size_t)i * SPEAN_SHORT_BYTES, i + 1);
    }
    begin(f, 3, SPEAN_MESSAGE_DIGEST);
    spean_writer_bin(&f->w, bytes, (size_t)names * SPEAN_SHORT_BYTES + extra);
    bin(f, 0x61, buckets);
    free(bytes);
}

static void write_rows(struct fixture *f, uint32_t count, uint64_t seq)
{
    begin(f, 4, SPEAN_MESSAGE_ROWS);
    spean_writer_uint(&f->w, UINT64_MAX);
    spean_writer_array(&f->w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(&f->w, 3);
        id(f, i);
        place(f, seq);
    }
    spean_writer_bool(&f->w, false);
}

static void write_want(struct fixture *f, uint64_t want, uint32_t places, uint64_t highest)
{
    begin(f, 5, SPEAN_MESSAGE_WANT);
    spean_writer_uint(&f->w, want);
    id(f, 7);
    spean_writer_array(&f->w, places);
    for (uint32_t i = 0; i < places; i++) {
        spean_writer_array(&f->w, 2);
        place(f, highest - i);
    }
    spean_writer_uint(&f->w, 1u << 20);
}

static void write_fetch(struct fixture *f, uint32_t count, uint64_t lowest)
{
    begin(f, 6, SPEAN_MESSAGE_FETCH);
    spean_writer_uint(&f->w, 9);
    id(f, 7);
    bin(f, 0x21, SPEAN_TAG_BYTES);
    id(f, 8);
    spean_writer_array(&f->w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_uint(&f->w, lowest + i);
    }
}

static void write_bodies(struct fixture *f, uint32_t count, uint64_t lowest, size_t len)
{
    begin(f, 4, SPEAN_MESSAGE_BODIES);
    spean_writer_uint(&f->w, 9);
    spean_writer_array(&f->w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(&f->w, 2);
        spean_writer_uint(&f->w, lowest + i);
        bin(f, (uint8_t)i, len);
    }
    spean_writer_bool(&f->w, true);
}

static void write_aside(struct fixture *f, uint32_t held, uint64_t lowest)
{
    begin(f, 7, SPEAN_MESSAGE_ASIDE);
    spean_writer_uint(&f->w, 1);
    id(f, 7);
    place(f, lowest - 1);
    spean_writer_array(&f->w, held);
    for (uint32_t i = 0; i < held; i++) {
        spean_writer_array(&f->w, 2);
        place(f, lowest + i);
    }
    spean_writer_bool(&f->w, held > 0);
}

static void write_sample_of_sync(struct fixture *f, uint64_t type)
{
    if (type == SPEAN_MESSAGE_DIGEST) {
        write_digest(f, 3, 0, SPEAN_BUCKETS_BYTES);
    } else if (type == SPEAN_MESSAGE_ROWS) {
        write_rows(f, 3, 400);
    } else if (type == SPEAN_MESSAGE_WANT) {
        write_want(f, 1, 3, 70000);
    } else if (type == SPEAN_MESSAGE_RUN) {
        begin(f, 4, type);
        spean_writer_uint(&f->w, 0);
        id(f, 7);
        spean_writer_array(&f->w, 0); /* Whatever stands here is for protocol/run.h to judge. */
    } else if (type == SPEAN_MESSAGE_END || type == SPEAN_MESSAGE_MORE) {
        begin(f, 3, type);
        spean_writer_uint(&f->w, UINT32_MAX);
        spean_writer_uint(&f->w, 1);
    } else if (type == SPEAN_MESSAGE_FETCH) {
        write_fetch(f, 3, 100);
    } else if (type == SPEAN_MESSAGE_BODIES) {
        write_bodies(f, 3, 100, 300);
    } else if (type == SPEAN_MESSAGE_SYNCED) {
        begin(f, 3, type);
        id(f, 6);
        spean_writer_uint(&f->w, 12);
    } else {
        begin(f, 4, type); /* HEAD and HELD */
        id(f, 7);
        place(f, UINT64_MAX);
    }
}

static void write_node(struct fixture *f)
{
    begin(f, 7, SPEAN_MESSAGE_NODE);
    bin(f, 0x41, SPEAN_HANDLE_BYTES);
    id(f, 5);
    id(f, 6);
    id(f, 7);
    bin(f, 0x61, SPEAN_SIGNATURE_BYTES);
    id(f, 8);
}

/* False: there is no such type. */
static bool write_sample(struct fixture *f, uint64_t type)
{
    switch (type) {
    case SPEAN_MESSAGE_HELLO:
        write_hello(f, "spean\0\0", 0);
        return true;
    case SPEAN_MESSAGE_REFUSE:
        write_refuse(f, 40);
        return true;
    case SPEAN_MESSAGE_TITLES:
        write_titles(f, 2, 4);
        return true;
    case SPEAN_MESSAGE_DOCUMENTS:
        begin(f, 3, type);
        write_documents(f, 3, 200);
        spean_writer_bool(&f->w, false);
        return true;
    case SPEAN_MESSAGE_EVIDENCE:
        begin(f, 2, type);
        bin(f, 0x31, 90);
        return true;
    case SPEAN_MESSAGE_PING:
    case SPEAN_MESSAGE_PONG:
        begin(f, 2, type);
        spean_writer_uint(&f->w, UINT64_MAX);
        return true;
    case SPEAN_MESSAGE_OFFER:
        begin(f, 2, type);
        write_documents(f, 2, 20);
        return true;
    case SPEAN_MESSAGE_JOIN:
        begin(f, 4, type);
        bin(f, 0x41, SPEAN_HANDLE_BYTES);
        write_documents(f, 2, 20);
        id(f, 5);
        return true;
    case SPEAN_MESSAGE_CHALLENGE:
        begin(f, 2, type);
        bin(f, 0x51, SPEAN_FRESH_BYTES);
        return true;
    case SPEAN_MESSAGE_STANDING:
        begin(f, 2, type);
        spean_writer_uint(&f->w, SPEAN_STANDING_MEMBER);
        return true;
    case SPEAN_MESSAGE_ASIDE:
        write_aside(f, 3, 100);
        return true;
    case SPEAN_MESSAGE_BRANCH:
        begin(f, 5, type);
        spean_writer_uint(&f->w, 9);
        id(f, 7);
        id(f, 8);
        spean_writer_array(&f->w, 0); /* As in RUN. */
        return true;
    case SPEAN_MESSAGE_NODE:
        write_node(f);
        return true;
    default:
        if (type < SPEAN_MESSAGE_DIGEST || type > SPEAN_MESSAGE_HELD) {
            return false;
        }
        write_sample_of_sync(f, type);
        return true;
    }
}

/* -- Every type -------------------------------------------------------------------------------- */

static void every_message_is_encoded_as_it_was_decoded(void **state)
{
    struct fixture *f = *state;
    uint32_t known = 0;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        if (!write_sample(f, type)) {
            continue;
        }
        known++;
        assert_int_equal(decode(f), SPEAN_OK);
        assert_int_equal(f->m->type, type);
        struct spean_view again = {0};
        assert_int_equal(spean_message_encode(f->m, f->again, FRAME_ROOM, &again), SPEAN_OK);
        assert_int_equal(again.len, whole(f).len);
        assert_memory_equal(again.data, whole(f).data, again.len);
    }
    assert_int_equal(known, 25); /* The table of P13.1. */
}

static void types_that_do_not_exist_are_refused_with_any_number_of_elements(void **state)
{
    struct fixture *f = *state;
    static const uint64_t types[] = {0, 19, 27, 31, 32, 255, 256, 65536, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (uint32_t elements = 1; elements <= 12; elements++) {
            begin(f, elements, types[i]);
            for (uint32_t k = 1; k < elements; k++) {
                spean_writer_uint(&f->w, 1);
            }
            assert_int_not_equal(decode(f), SPEAN_OK);
        }
    }
}

static void a_message_truncated_at_any_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        if (!write_sample(f, type)) {
            continue;
        }
        const struct spean_view frame = whole(f);
        for (size_t len = 0; len < frame.len; len++) {
            uint8_t *exact = malloc(len + (len == 0)); /* ASan sees a read of one too many. */
            assert_non_null(exact);
            memcpy(exact, frame.data, len);
            assert_int_not_equal(spean_message_decode((struct spean_view){exact, len}, f->m),
                                 SPEAN_OK);
            free(exact);
        }
    }
}

/* A run ends its frame, so what follows it is the run's, which refuses it (protocol/run.h). */
static void a_trailing_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        const bool ends_in_run = type == SPEAN_MESSAGE_RUN || type == SPEAN_MESSAGE_BRANCH;
        if (ends_in_run || !write_sample(f, type)) {
            continue;
        }
        spean_writer_nil(&f->w);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
}

static void one_element_more_or_less_is_refused(void **state)
{
    struct fixture *f = *state;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        if (!write_sample(f, type)) {
            continue;
        }
        f->buf[0]--; /* The head of an array of at most 15. */
        assert_int_not_equal(decode(f), SPEAN_OK);
        f->buf[0] += 2;
        assert_int_not_equal(decode(f), SPEAN_OK);
        spean_writer_nil(&f->w);
        assert_int_not_equal(decode(f), SPEAN_OK);
    }
}

static void no_single_changed_byte_breaks_the_decoder_or_makes_two_encodings(void **state)
{
    struct fixture *f = *state;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        if (!write_sample(f, type)) {
            continue;
        }
        const size_t len = whole(f).len;
        for (size_t i = 0; i < len; i++) {
            const uint8_t kept = f->buf[i];
            for (unsigned bit = 0; bit < 8; bit++) {
                f->buf[i] = (uint8_t)(kept ^ 1u << bit);
                struct spean_view again = {0};
                if (decode(f) == SPEAN_OK && f->m->type != SPEAN_MESSAGE_HELLO) {
                    assert_int_equal(spean_message_encode(f->m, f->again, FRAME_ROOM, &again),
                                     SPEAN_OK);
                    assert_int_equal(again.len, len);
                    assert_memory_equal(again.data, f->buf, len);
                }
            }
            f->buf[i] = kept;
        }
    }
}

static void a_message_does_not_fit_a_buffer_one_byte_too_small(void **state)
{
    struct fixture *f = *state;
    for (uint64_t type = 0; type < TYPE_HIGHEST; type++) {
        if (!write_sample(f, type)) {
            continue;
        }
        assert_int_equal(decode(f), SPEAN_OK);
        const size_t len = whole(f).len;
        struct spean_view again = {0};
        assert_int_equal(spean_message_encode(f->m, f->again, len - 1, &again), SPEAN_ELIMIT);
        assert_int_equal(again.len, 0);
        assert_int_equal(spean_message_encode(f->m, f->again, len, &again), SPEAN_OK);
    }
}

/* -- Limits ------------------------------------------------------------------------------------ */

static void a_frame_is_at_most_its_limit(void **state)
{
    struct fixture *f = *state;
    begin(f, 2, SPEAN_MESSAGE_OFFER);
    write_documents(f, 1, SPEAN_FRAME_BYTES_MAX - 8); /* Heads: array, type, array, bin32. */
    assert_int_equal(whole(f).len, SPEAN_FRAME_BYTES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    begin(f, 2, SPEAN_MESSAGE_OFFER);
    write_documents(f, 1, SPEAN_FRAME_BYTES_MAX - 7);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
}

static void hello_names_the_protocol_and_ignores_features_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    write_hello(f, "spean\0\0", SPEAN_FEATURES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.hello.lowest, 1);
    assert_int_equal(f->m->as.hello.highest, 3);
    assert_int_equal(f->m->as.hello.org.bytes[3], 0x12);
    assert_int_equal(f->m->as.hello.signing.bytes[3], 0x13);
    assert_int_equal(f->m->as.hello.authority.bytes[3], 0x14);
    assert_int_equal(f->m->as.hello.frontier.bytes[3], 0x15);
    assert_int_equal(f->m->as.hello.time, 1790000000);
    write_hello(f, "spean\0\0", SPEAN_FEATURES_MAX + 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_hello(f, "speam\0\0", 0);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void text_of_a_refusal_is_bounded_and_valid(void **state)
{
    struct fixture *f = *state;
    write_refuse(f, SPEAN_REFUSE_BYTES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.refuse.rule, 1301);
    assert_int_equal(f->m->as.refuse.text.len, SPEAN_REFUSE_BYTES_MAX);
    write_refuse(f, SPEAN_REFUSE_BYTES_MAX + 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_refuse(f, 4);
    f->buf[whole(f).len - 1] = 0xff; /* No UTF-8. */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void titles_give_every_chain_with_its_heads(void **state)
{
    struct fixture *f = *state;
    write_titles(f, SPEAN_MESSAGE_HEADS_MAX, SPEAN_MESSAGE_TITLES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_true(f->m->as.titles.more);
    uint64_t version = 0;
    struct spean_id title;
    struct spean_list list = f->m->as.titles.charter;
    for (uint32_t i = 0; i < SPEAN_MESSAGE_HEADS_MAX; i++) {
        assert_true(spean_title_next(&list, &version, &title));
        assert_int_equal(version, i + 1);
        assert_int_equal(title.bytes[3], 0xee + i);
    }
    assert_false(spean_title_next(&list, &version, &title));
    struct spean_list chains = f->m->as.titles.orgs;
    struct spean_id org;
    for (uint32_t i = 0; i < SPEAN_MESSAGE_TITLES_MAX; i++) {
        assert_true(spean_chain_next(&chains, &org, &list));
        assert_int_equal(org.bytes[2] << 8 | org.bytes[3], i);
        uint32_t heads = 0;
        while (spean_title_next(&list, &version, &title)) {
            heads++;
        }
        assert_int_equal(heads, i % 3);
    }
    assert_false(spean_chain_next(&chains, &org, &list));
}

static void titles_above_a_limit_are_refused(void **state)
{
    struct fixture *f = *state;
    write_titles(f, SPEAN_MESSAGE_HEADS_MAX + 1, 0);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_titles(f, 0, SPEAN_MESSAGE_TITLES_MAX + 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
}

static void a_chain_twice_or_out_of_order_is_refused(void **state)
{
    static const uint32_t orders[][2] = {{5, 5}, {6, 5}, {256, 255}};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        begin(f, 4, SPEAN_MESSAGE_TITLES);
        spean_writer_array(&f->w, 0);
        spean_writer_array(&f->w, 2);
        for (size_t k = 0; k < 2; k++) {
            spean_writer_array(&f->w, 2);
            id(f, orders[i][k]);
            spean_writer_array(&f->w, 0);
        }
        spean_writer_bool(&f->w, false);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
}

static void heads_twice_or_out_of_order_are_refused(void **state)
{
    static const uint32_t orders[][2] = {{5, 5}, {6, 5}, {256, 255}};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        begin(f, 4, SPEAN_MESSAGE_TITLES);
        spean_writer_array(&f->w, 2);
        write_title(f, 1, orders[i][0]);
        write_title(f, 2, orders[i][1]);
        spean_writer_array(&f->w, 0);
        spean_writer_bool(&f->w, false);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
}

static void a_title_of_version_0_is_refused(void **state)
{
    struct fixture *f = *state;
    begin(f, 4, SPEAN_MESSAGE_TITLES);
    spean_writer_array(&f->w, 1);
    write_title(f, 0, 1);
    spean_writer_array(&f->w, 0);
    spean_writer_bool(&f->w, false);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void documents_are_given_in_order_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    begin(f, 3, SPEAN_MESSAGE_DOCUMENTS);
    write_documents(f, SPEAN_MESSAGE_DOCS_MAX, 3);
    spean_writer_bool(&f->w, true);
    assert_int_equal(decode(f), SPEAN_OK);
    struct spean_list list = f->m->as.documents.documents;
    struct spean_view document;
    for (uint32_t i = 0; i < SPEAN_MESSAGE_DOCS_MAX; i++) {
        assert_true(spean_document_next(&list, &document));
        assert_int_equal(document.len, 3);
        assert_int_equal(document.data[2], i);
    }
    assert_false(spean_document_next(&list, &document));

    begin(f, 3, SPEAN_MESSAGE_DOCUMENTS);
    write_documents(f, SPEAN_MESSAGE_DOCS_MAX + 1, 3);
    spean_writer_bool(&f->w, true);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    begin(f, 3, SPEAN_MESSAGE_DOCUMENTS);
    write_documents(f, 1, 0);
    spean_writer_bool(&f->w, true);
    assert_int_not_equal(decode(f), SPEAN_OK); /* A document is never empty. */
}

static void an_offer_never_announces_more(void **state)
{
    struct fixture *f = *state;
    f->m->as.documents.more = true;
    begin(f, 2, SPEAN_MESSAGE_OFFER);
    write_documents(f, 1, 3);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_false(f->m->as.documents.more);
}

static void evidence_is_bounded(void **state)
{
    struct fixture *f = *state;
    begin(f, 2, SPEAN_MESSAGE_EVIDENCE);
    bin(f, 1, SPEAN_EVIDENCE_BYTES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.evidence.len, SPEAN_EVIDENCE_BYTES_MAX);
    begin(f, 2, SPEAN_MESSAGE_EVIDENCE);
    bin(f, 1, SPEAN_EVIDENCE_BYTES_MAX + 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    begin(f, 2, SPEAN_MESSAGE_EVIDENCE);
    bin(f, 1, 0);
    assert_int_not_equal(decode(f), SPEAN_OK);
}

static void excluded_names_are_whole_ascending_and_bounded(void **state)
{
    struct fixture *f = *state;
    write_digest(f, SPEAN_EXCLUDED_MAX, 0, SPEAN_BUCKETS_BYTES);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.digest.excluded_count, SPEAN_EXCLUDED_MAX);
    assert_int_equal(f->m->as.digest.buckets[SPEAN_BUCKETS_BYTES - 1], 0x61);
    write_digest(f, SPEAN_EXCLUDED_MAX + 1, 0, SPEAN_BUCKETS_BYTES);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    for (size_t extra = 1; extra < SPEAN_SHORT_BYTES; extra++) {
        write_digest(f, 2, extra, SPEAN_BUCKETS_BYTES);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
    write_digest(f, 2, SPEAN_SHORT_BYTES, SPEAN_BUCKETS_BYTES); /* 1, 2, 0 */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void a_name_excluded_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    begin(f, 3, SPEAN_MESSAGE_DIGEST);
    bin(f, 4, 2 * SPEAN_SHORT_BYTES);
    bin(f, 0, SPEAN_BUCKETS_BYTES);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void there_are_exactly_64_bucket_digests(void **state)
{
    struct fixture *f = *state;
    write_digest(f, 0, 0, SPEAN_BUCKETS_BYTES - SPEAN_BUCKET_DIGEST_BYTES);
    assert_int_not_equal(decode(f), SPEAN_OK);
    write_digest(f, 0, 0, SPEAN_BUCKETS_BYTES + 1);
    assert_int_not_equal(decode(f), SPEAN_OK);
}

static void rows_are_given_as_encoded_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    write_rows(f, SPEAN_MESSAGE_ROWS_MAX, UINT64_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_true(f->m->as.rows.buckets == UINT64_MAX);
    assert_false(f->m->as.rows.more);
    struct spean_list list = f->m->as.rows.rows;
    struct spean_frontier_row row;
    for (uint32_t i = 0; i < SPEAN_MESSAGE_ROWS_MAX; i++) {
        assert_true(spean_row_next(&list, &row));
        assert_int_equal(row.log.bytes[2] << 8 | row.log.bytes[3], i);
        assert_true(row.head.seq == UINT64_MAX);
        assert_int_equal(row.head.entry.bytes[3], 0xee);
    }
    assert_false(spean_row_next(&list, &row));
    write_rows(f, SPEAN_MESSAGE_ROWS_MAX + 1, 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_rows(f, 1, 0);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void a_row_twice_or_out_of_order_is_refused(void **state)
{
    static const uint32_t orders[][2] = {{5, 5}, {6, 5}, {256, 255}};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        begin(f, 4, SPEAN_MESSAGE_ROWS);
        spean_writer_uint(&f->w, 1);
        spean_writer_array(&f->w, 2);
        for (size_t k = 0; k < 2; k++) {
            spean_writer_array(&f->w, 3);
            id(f, orders[i][k]);
            place(f, 9);
        }
        spean_writer_bool(&f->w, false);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
}

static void places_of_a_want_descend_from_the_head_and_are_bounded(void **state)
{
    struct fixture *f = *state;
    write_want(f, UINT32_MAX, SPEAN_PLACES_MAX, SPEAN_PLACES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.want.want, UINT32_MAX);
    assert_int_equal(f->m->as.want.places_count, SPEAN_PLACES_MAX);
    assert_int_equal(f->m->as.want.places[0].seq, SPEAN_PLACES_MAX);
    assert_int_equal(f->m->as.want.places[SPEAN_PLACES_MAX - 1].seq, 1);
    assert_int_equal(f->m->as.want.bytes, 1u << 20);
    write_want(f, 1, SPEAN_PLACES_MAX + 1, 100);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_want(f, 1, 2, 1); /* 1, 0 */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
    write_want(f, 1, 2, 0); /* 0, then the highest number there is */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void a_want_needs_a_number_of_its_own(void **state)
{
    struct fixture *f = *state;
    write_want(f, 0, 1, 5); /* 0 names what is pushed. */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
    write_want(f, UINT64_C(1) << 32, 1, 5);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
}

static void equal_places_are_refused(void **state)
{
    struct fixture *f = *state;
    begin(f, 5, SPEAN_MESSAGE_WANT);
    spean_writer_uint(&f->w, 1);
    id(f, 7);
    spean_writer_array(&f->w, 2);
    for (int i = 0; i < 2; i++) {
        spean_writer_array(&f->w, 2);
        place(f, 6);
    }
    spean_writer_uint(&f->w, 0);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void a_run_message_holds_a_run(void **state)
{
    struct fixture *f = *state;
    begin(f, 4, SPEAN_MESSAGE_RUN);
    spean_writer_uint(&f->w, 3);
    id(f, 7);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
    spean_writer_array(&f->w, 0);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.run.want, 3);
    assert_int_equal(f->m->as.run.run.len, 1);
}

static void a_want_ends_in_one_of_two_ways(void **state)
{
    struct fixture *f = *state;
    for (uint64_t status = 0; status < 4; status++) {
        begin(f, 3, SPEAN_MESSAGE_END);
        spean_writer_uint(&f->w, 1);
        spean_writer_uint(&f->w, status);
        assert_int_equal(decode(f), status <= SPEAN_END_NOT_SERVED ? SPEAN_OK : SPEAN_ELIMIT);
    }
}

static void seqs_of_a_fetch_ascend_from_1_and_are_bounded(void **state)
{
    struct fixture *f = *state;
    write_fetch(f, SPEAN_FETCH_SEQS_MAX, 1);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_int_equal(f->m->as.fetch.seqs_count, SPEAN_FETCH_SEQS_MAX);
    assert_int_equal(f->m->as.fetch.seqs[SPEAN_FETCH_SEQS_MAX - 1], SPEAN_FETCH_SEQS_MAX);
    write_fetch(f, SPEAN_FETCH_SEQS_MAX + 1, 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_fetch(f, 0, 1);
    assert_int_not_equal(decode(f), SPEAN_OK);
    write_fetch(f, 1, 0);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
    write_fetch(f, 2, UINT64_MAX); /* The highest number, then 0 */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void bodies_are_given_as_encoded_up_to_the_limits(void **state)
{
    struct fixture *f = *state;
    write_bodies(f, SPEAN_FETCH_SEQS_MAX, 1000, 2);
    assert_int_equal(decode(f), SPEAN_OK);
    assert_true(f->m->as.bodies.more);
    struct spean_list list = f->m->as.bodies.items;
    uint64_t seq = 0;
    struct spean_view body;
    for (uint32_t i = 0; i < SPEAN_FETCH_SEQS_MAX; i++) {
        assert_true(spean_bodies_next(&list, &seq, &body));
        assert_int_equal(seq, 1000 + i);
        assert_int_equal(body.len, 2);
        assert_int_equal(body.data[1], i);
    }
    assert_false(spean_bodies_next(&list, &seq, &body));
    write_bodies(f, SPEAN_FETCH_SEQS_MAX + 1, 1000, 2);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_bodies(f, 1, 1, SPEAN_BODY_BYTES_MAX);
    assert_int_equal(decode(f), SPEAN_OK);
    write_bodies(f, 1, 1, SPEAN_BODY_BYTES_MAX + 1);
    assert_int_equal(decode(f), SPEAN_ELIMIT);
    write_bodies(f, 1, 1, 0);
    assert_int_not_equal(decode(f), SPEAN_OK);
    write_bodies(f, 1, 0, 5);
    assert_int_equal(decode(f), SPEAN_EFORMAT);
    write_bodies(f, 2, UINT64_MAX, 5); /* The highest number, then 0 */
    assert_int_equal(decode(f), SPEAN_EFORMAT);
}

static void a_head_of_nothing_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint64_t types[] = {SPEAN_MESSAGE_HEAD, SPEAN_MESSAGE_HELD};
    for (size_t i = 0; i < 2; i++) {
        begin(f, 4, types[i]);
        id(f, 7);
        place(f, 0);
        assert_int_equal(decode(f), SPEAN_EFORMAT);
    }
}

static void a_standing_is_one_of_four(void **state)
{
    struct fixture *f = *state;
    static const uint64_t unknown[] = {0, 5, UINT64_C(0x100000004)};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        begin(f, 2, SPEAN_MESSAGE_STANDING);
        spean_writer_uint(&f->w, unknown[i]);
        assert_int_not_equal(decode(f), SPEAN_OK);
    }
}

static void fresh_bytes_are_exactly_16(void **state)
{
    struct fixture *f = *state;
    static const size_t lens[] = {0, 15, 17};
    for (size_t i = 0; i < 3; i++) {
        begin(f, 2, SPEAN_MESSAGE_CHALLENGE);
        bin(f, 1, lens[i]);
        assert_int_not_equal(decode(f), SPEAN_OK);
    }
}

static void a_count_that_the_frame_cannot_hold_is_refused(void **state)
{
    static const uint8_t frames[][8] = {
        {0x94, 0x03, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x90}, /* TITLES */
        {0x93, 0x04, 0xdd, 0xff, 0xff, 0xff, 0xff, 0xc3}, /* DOCUMENTS */
        {0x92, 0x05, 0xc6, 0xff, 0xff, 0xff, 0xff, 0x00}, /* EVIDENCE */
        {0x94, 0x07, 0x00, 0xdd, 0xff, 0xff, 0xff, 0xff}, /* ROWS */
        {0x94, 0x0d, 0x01, 0xdd, 0xff, 0xff, 0xff, 0xff}, /* BODIES */
        {0xdd, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        const struct spean_view frame = {frames[i], sizeof(frames[i])};
        assert_int_not_equal(spean_message_decode(frame, f->m), SPEAN_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_message_is_encoded_as_it_was_decoded),
        TEST(types_that_do_not_exist_are_refused_with_any_number_of_elements),
        TEST(a_message_truncated_at_any_byte_is_refused),
        TEST(a_trailing_byte_is_refused),
        TEST(one_element_more_or_less_is_refused),
        TEST(no_single_changed_byte_breaks_the_decoder_or_makes_two_encodings),
        TEST(a_message_does_not_fit_a_buffer_one_byte_too_small),
        TEST(a_frame_is_at_most_its_limit),
        TEST(hello_names_the_protocol_and_ignores_features_up_to_the_limit),
        TEST(text_of_a_refusal_is_bounded_and_valid),
        TEST(titles_give_every_chain_with_its_heads),
        TEST(titles_above_a_limit_are_refused),
        TEST(a_chain_twice_or_out_of_order_is_refused),
        TEST(heads_twice_or_out_of_order_are_refused),
        TEST(a_title_of_version_0_is_refused),
        TEST(documents_are_given_in_order_up_to_the_limit),
        TEST(an_offer_never_announces_more),
        TEST(evidence_is_bounded),
        TEST(excluded_names_are_whole_ascending_and_bounded),
        TEST(a_name_excluded_twice_is_refused),
        TEST(there_are_exactly_64_bucket_digests),
        TEST(rows_are_given_as_encoded_up_to_the_limit),
        TEST(a_row_twice_or_out_of_order_is_refused),
        TEST(places_of_a_want_descend_from_the_head_and_are_bounded),
        TEST(a_want_needs_a_number_of_its_own),
        TEST(equal_places_are_refused),
        TEST(a_run_message_holds_a_run),
        TEST(a_want_ends_in_one_of_two_ways),
        TEST(seqs_of_a_fetch_ascend_from_1_and_are_bounded),
        TEST(bodies_are_given_as_encoded_up_to_the_limits),
        TEST(a_head_of_nothing_is_refused),
        TEST(a_standing_is_one_of_four),
        TEST(fresh_bytes_are_exactly_16),
        TEST(a_count_that_the_frame_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
