#include "node/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64];
    char path[96];
};

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->dir, sizeof(place->dir), "/tmp/spean-test-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    (void)snprintf(place->path, sizeof(place->path), "%s/spean.sock", place->dir);
    *state = place;
    return 0;
}

static int place_drop(void **state)
{
    struct place *place = *state;
    (void)unlink(place->path); /* Some tests leave it. */
    assert_int_equal(rmdir(place->dir), 0);
    free(place);
    return 0;
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static spean_err listen_on(const char *path, struct spean_local *local)
{
    return spean_local_listen(path, SPEAN_LOCAL_NO_GROUP, local);
}

static void the_socket_is_for_its_owner_alone_whatever_the_umask(void **state)
{
    const struct place *place = *state;
    static const mode_t masks[] = {0000, 0022, 0077};
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        struct spean_local local;
        const mode_t before = umask(masks[i]);
        assert_int_equal(listen_on(place->path, &local), SPEAN_OK);
        (void)umask(before);
        assert_int_equal(mode_of(place->path), 0600);
        spean_local_close(&local);
        assert_int_not_equal(access(place->path, F_OK), 0);
    }
}

static void a_group_may_be_let_in_by_name(void **state)
{
    const struct place *place = *state;
    struct spean_local local;
    assert_int_equal(chmod(place->dir, 0750), 0);
    assert_int_equal(listen_on(place->path, &local), SPEAN_EDENIED);
    assert_int_equal(spean_local_listen(place->path, getegid(), &local), SPEAN_OK);
    assert_int_equal(mode_of(place->path), 0660);
    spean_local_close(&local);
    assert_int_equal(chmod(place->dir, 0770), 0);
    assert_int_equal(spean_local_listen(place->path, getegid(), &local), SPEAN_EDENIED);
}

static void a_directory_that_others_can_enter_is_refused(void **state)
{
    const struct place *place = *state;
    static const mode_t open_modes[] = {0701, 0710, 0702, 0755, 0777};
    for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
        struct spean_local local;
        assert_int_equal(chmod(place->dir, open_modes[i]), 0);
        assert_int_equal(listen_on(place->path, &local), SPEAN_EDENIED);
    }
}

static void a_directory_behind_a_link_or_missing_is_refused(void **state)
{
    const struct place *place = *state;
    struct spean_local local;
    char link_path[96];
    char path[128];
    (void)snprintf(link_path, sizeof(link_path), "%s-link", place->dir);
    assert_int_equal(symlink(place->dir, link_path), 0);
    (void)snprintf(path, sizeof(path), "%s/spean.sock", link_path);
    const spean_err err = listen_on(path, &local);
    assert_int_equal(unlink(link_path), 0);
    assert_true(err != SPEAN_OK);
    assert_int_equal(listen_on(path, &local), SPEAN_ENOTFOUND);
}

static void a_path_must_fit_the_kernel_and_not_be_empty(void **state)
{
    (void)state;
    struct spean_local local;
    char path[SPEAN_LOCAL_PATH_BYTES_MAX + 2];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(listen_on(path, &local), SPEAN_EINPUT);
    assert_int_equal(listen_on("", &local), SPEAN_EINPUT);
}

static void a_second_server_finds_the_first_busy(void **state)
{
    const struct place *place = *state;
    struct spean_local first;
    struct spean_local second;
    assert_int_equal(listen_on(place->path, &first), SPEAN_OK);
    assert_int_equal(listen_on(place->path, &second), SPEAN_EBUSY);
    assert_int_equal(access(place->path, F_OK), 0);
    spean_local_close(&first);
}

static void a_socket_that_nobody_answers_on_is_replaced(void **state)
{
    const struct place *place = *state;
    struct spean_local dead;
    struct spean_local local;
    assert_int_equal(listen_on(place->path, &dead), SPEAN_OK);
    assert_int_equal(close(dead.fd), 0); /* As a crash would. */
    assert_int_equal(access(place->path, F_OK), 0);
    assert_int_equal(listen_on(place->path, &local), SPEAN_OK);
    spean_local_close(&local);
}

static void a_file_or_link_of_that_name_is_not_touched(void **state)
{
    const struct place *place = *state;
    struct spean_local local;
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(listen_on(place->path, &local), SPEAN_EEXISTS);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(symlink("/dev/null", place->path), 0);
    assert_int_equal(listen_on(place->path, &local), SPEAN_EEXISTS);
}

static void closing_leaves_the_socket_of_another_server_alone(void **state)
{
    const struct place *place = *state;
    struct spean_local first;
    struct spean_local second;
    assert_int_equal(listen_on(place->path, &first), SPEAN_OK);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(listen_on(place->path, &second), SPEAN_OK);
    spean_local_close(&first);
    assert_int_equal(access(place->path, F_OK), 0);
    spean_local_close(&second);
    spean_local_close(&second);
    assert_int_not_equal(access(place->path, F_OK), 0);
}

static void the_kernel_says_who_connected(void **state)
{
    (void)state;
    int pair[2];
    struct spean_caller caller;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(spean_local_caller(pair[0], &caller), SPEAN_OK);
    assert_int_equal(caller.uid, geteuid());
    assert_int_equal(caller.gid, getegid());
    assert_int_equal(caller.pid, getpid());
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(spean_local_caller(-1, &caller), SPEAN_EIO);
}

static void only_root_the_own_user_and_the_group_may_speak(void **state)
{
    (void)state;
    const struct spean_caller root = {.uid = 0, .gid = 0};
    const struct spean_caller own = {.uid = 1000, .gid = 1000};
    const struct spean_caller other = {.uid = 1001, .gid = 50};
    assert_true(spean_local_allowed(&root, -1, 1000, SPEAN_LOCAL_NO_GROUP));
    assert_true(spean_local_allowed(&own, -1, 1000, SPEAN_LOCAL_NO_GROUP));
    assert_false(spean_local_allowed(&other, -1, 1000, SPEAN_LOCAL_NO_GROUP));
    assert_false(spean_local_allowed(&other, -1, 1000, 1000));
    assert_true(spean_local_allowed(&other, -1, 1000, 50));
    const struct spean_caller no_group = {.uid = 1001, .gid = SPEAN_LOCAL_NO_GROUP};
    assert_false(spean_local_allowed(&no_group, -1, 1000, SPEAN_LOCAL_NO_GROUP));
}

int main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_drop)
    const struct CMUnitTest tests[] = {
        PLACED(the_socket_is_for_its_owner_alone_whatever_the_umask),
        PLACED(a_group_may_be_let_in_by_name),
        PLACED(a_directory_that_others_can_enter_is_refused),
        PLACED(a_directory_behind_a_link_or_missing_is_refused),
        cmocka_unit_test(a_path_must_fit_the_kernel_and_not_be_empty),
        PLACED(a_second_server_finds_the_first_busy),
        PLACED(a_socket_that_nobody_answers_on_is_replaced),
        PLACED(a_file_or_link_of_that_name_is_not_touched),
        PLACED(closing_leaves_the_socket_of_another_server_alone),
        cmocka_unit_test(the_kernel_says_who_connected),
        cmocka_unit_test(only_root_the_own_user_and_the_group_may_speak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
