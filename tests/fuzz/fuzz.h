/* tests/fuzz/fuzz.h - what a fuzz target defines, for libFuzzer and for driver.c. */
#ifndef SPEAN_TESTS_FUZZ_FUZZ_H
#define SPEAN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input. Returns 0; ends the process when a property does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
