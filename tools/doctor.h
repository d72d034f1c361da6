/* tools/doctor.h - what can be told of a node without its daemon. */
#ifndef SPEAN_TOOLS_DOCTOR_H
#define SPEAN_TOOLS_DOCTOR_H

#include <jansson.h>

#include "protocol/err.h"

#define SPEAN_DOCTOR_DISK_BYTES_MIN ((uint64_t)1 << 30) /* Less room on the disk is too little. */

/*
 * Append to checks, an array, what is found about the home folder, its store and keys, the disk
 * and the clock: objects {check, state, text, do} as GET /v1/doctor has them. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_doctor_look(const char *home, json_t *checks);

/* Append one finding; advice may be NULL. state is "ok", "attention" or "unknown". */
SPEAN_CHECK spean_err spean_doctor_add(json_t *checks, const char *check, const char *state,
                                       const char *text, const char *advice);

#endif
