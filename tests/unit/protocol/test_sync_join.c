/* What the sync step makes of the answers of a node that we join through (P12.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/message.h"
#include "protocol/sync.h"

#define LINK 7u

struct world {
    struct spean_authority *authority;
    struct spean_sync *sync;
};

static struct world world;

static const uint8_t join[] = {0x95, 0x15};

/* We dialled with an invitation; JOIN was sent. */
static int set_up(void **state)
{
    const struct spean_sync_config config = {.handle = {{1}}, .transport = {{2}}};
    struct spean_sync_event up = {.kind = SPEAN_SYNC_PEER_UP, .link = LINK};
    up.as.up.mode = SPEAN_LINK_JOINING;
    up.as.up.dialled = true;
    up.as.up.join = (struct spean_view){join, sizeof(join)};
    assert_int_equal(spean_authority_new(&world.authority, &config.handle), SPEAN_OK);
    assert_int_equal(spean_sync_new(&config, world.authority, &world.sync), SPEAN_OK);
    assert_int_equal(spean_sync_step(world.sync, &up), SPEAN_OK);
    assert_int_equal(spean_sync_effects_count(world.sync), 1);
    assert_int_equal(spean_sync_effect(world.sync, 0)->kind, SPEAN_SYNC_SEND);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spean_sync_free(world.sync);
    spean_authority_free(world.authority);
    return 0;
}

static void be_told(uint32_t standing)
{
    uint8_t buf[16];
    struct spean_sync_event event = {.kind = SPEAN_SYNC_MESSAGE, .link = LINK};
    assert_int_equal(spean_sync_encode_standing(standing, buf, sizeof(buf), &event.as.message),
                     SPEAN_OK);
    assert_int_equal(spean_sync_step(world.sync, &event), SPEAN_OK);
}

static void who_is_told_refused_or_expired_ends_the_link(void **state)
{
    (void)state;
    for (uint32_t standing = SPEAN_STANDING_REFUSED; standing <= SPEAN_STANDING_EXPIRED;
         standing++) {
        be_told(standing);
        assert_int_equal(spean_sync_effects_count(world.sync), 2);
        const struct spean_sync_effect *told = spean_sync_effect(world.sync, 0);
        assert_int_equal(told->kind, SPEAN_SYNC_LOBBY_ANSWER);
        assert_int_equal(told->as.answer.standing, standing);
        assert_int_equal(spean_sync_effect(world.sync, 1)->kind, SPEAN_SYNC_DROP);
        assert_int_equal(spean_sync_effect(world.sync, 1)->as.drop.err, SPEAN_OK);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void who_is_to_wait_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        be_told(SPEAN_STANDING_WAITING);
        assert_int_equal(spean_sync_effects_count(world.sync), 1);
        assert_int_equal(spean_sync_effect(world.sync, 0)->kind, SPEAN_SYNC_LOBBY_ANSWER);
    }
}

static void ask_again(void)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_ASK_AGAIN, .link = LINK};
    event.as.message = (struct spean_view){join, sizeof(join)};
    assert_int_equal(spean_sync_step(world.sync, &event), SPEAN_OK);
}

static void who_waits_asks_again(void **state)
{
    (void)state;
    be_told(SPEAN_STANDING_WAITING);
    ask_again();
    assert_int_equal(spean_sync_effects_count(world.sync), 1);
    const struct spean_sync_effect *effect = spean_sync_effect(world.sync, 0);
    assert_int_equal(effect->kind, SPEAN_SYNC_SEND);
    assert_int_equal(effect->as.message.len, sizeof(join));
    assert_memory_equal(effect->as.message.data, join, sizeof(join));
}

static void who_is_let_in_or_sent_away_asks_no_more(void **state)
{
    (void)state;
    for (uint32_t standing = SPEAN_STANDING_REFUSED; standing <= SPEAN_STANDING_MEMBER;
         standing++) {
        be_told(standing);
        ask_again();
        assert_int_equal(spean_sync_effects_count(world.sync), 0);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void nothing_is_taken_from_a_link_that_is_over(void **state)
{
    (void)state;
    be_told(SPEAN_STANDING_EXPIRED);
    be_told(SPEAN_STANDING_MEMBER);
    assert_int_equal(spean_sync_effects_count(world.sync), 0);
}

static void only_refused_and_expired_are_final(void **state)
{
    (void)state;
    assert_false(spean_standing_is_final(0));
    assert_false(spean_standing_is_final(SPEAN_STANDING_WAITING));
    assert_true(spean_standing_is_final(SPEAN_STANDING_REFUSED));
    assert_true(spean_standing_is_final(SPEAN_STANDING_EXPIRED));
    assert_false(spean_standing_is_final(SPEAN_STANDING_MEMBER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_told_refused_or_expired_ends_the_link, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_to_wait_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_asks_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_let_in_or_sent_away_asks_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_taken_from_a_link_that_is_over, set_up,
                                        tear_down),
        cmocka_unit_test(only_refused_and_expired_are_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
