#include "store/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_block_is_aligned_for_what_is_kept_in_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 32, 36, 192, SPEAN_SECRET_BYTES_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *block = NULL;
        assert_int_equal(spean_secret_alloc(sizes[i], &block), SPEAN_OK);
        const uintptr_t align = sizes[i] % 8 == 0 ? 8 : sizes[i] % 4 == 0 ? 4 : 1;
        assert_int_equal((uintptr_t)block % align, 0);
        (void)memset(block, 0, sizes[i]);
        spean_secret_free(block);
    }
    spean_secret_free(NULL);
}

/* Exit status: what allocating returns to a process that may lock nothing; SPEAN_ESTATE if it may
 * all the same, as under AddressSanitizer, which makes mlock() do nothing. */
static void alloc_without_leave_to_lock(void)
{
    const struct rlimit none = {0, 0};
    static uint8_t page[4096];
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0) ||
        mlock(page, sizeof(page)) == 0) {
        _exit(SPEAN_ESTATE);
    }
    void *block = NULL;
    _exit((int)spean_secret_alloc(32, &block));
}

static void memory_that_cannot_be_locked_is_refused_by_name(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alloc_without_leave_to_lock();
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SPEAN_ESTATE) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), SPEAN_EMEMLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_aligned_for_what_is_kept_in_it),
        cmocka_unit_test(memory_that_cannot_be_locked_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
