/* protocol/version.h - which program this is and which protocol it speaks. */
#ifndef SPEAN_PROTOCOL_VERSION_H
#define SPEAN_PROTOCOL_VERSION_H

#define SPEAN_PROTOCOL_VERSION 1u /* docs/PROTOCOL.md describes this one. */

/* The version of the program, "0.1.0", as the top CMakeLists.txt states it. Static. */
const char *spean_version(void);

#endif
