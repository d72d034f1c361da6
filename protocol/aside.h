/* protocol/aside.h - why an entry is kept and shown, but not folded. */
#ifndef SPEAN_PROTOCOL_ASIDE_H
#define SPEAN_PROTOCOL_ASIDE_H

/*
 * X(code, name, text): name is stable and appears in logs, in JSON and in the store; text is
 * English, for people, and goes through gettext in tools/.
 */
#define SPEAN_ASIDE_TABLE(X)                                                                       \
    X(SPEAN_ASIDE_NOT, "not", "it is folded")                                                      \
    X(SPEAN_ASIDE_MALFORMED, "malformed", "its content is not in the form of its kind")            \
    X(SPEAN_ASIDE_WRITER, "writer", "its author may not write one of its fields")                  \
    X(SPEAN_ASIDE_FIXED, "fixed", "it gives a field at creation that is not a fixed one")          \
    X(SPEAN_ASIDE_RECORD, "record", "its author did not derive the record's id")                   \
    X(SPEAN_ASIDE_PARTY, "party", "it creates a record in the name of another organisation")       \
    X(SPEAN_ASIDE_KEY, "key", "its key is not the one it commits to; it may differ per receiver")  \
    X(SPEAN_ASIDE_OWNER, "owner", "only the record's owner may grant this")                        \
    X(SPEAN_ASIDE_GENERATION, "generation", "the generation before it has not been granted")       \
    X(SPEAN_ASIDE_AUDIENCE, "audience", "its author was not in the audience before")               \
    X(SPEAN_ASIDE_LARGER, "larger", "only the owner may add organisations")                        \
    X(SPEAN_ASIDE_LEFT_OUT, "left_out", "a newer key leaves its author out, and covers it not")    \
    X(SPEAN_ASIDE_PART, "part", "it is not sealed as the part that it names")                      \
    X(SPEAN_ASIDE_TYPE, "type", "it takes its record for one of another type")                     \
    X(SPEAN_ASIDE_ERASER, "eraser", "its author may not erase this")                               \
    X(SPEAN_ASIDE_MANY, "many", "there are more of its kind than this program takes")

#define SPEAN_ASIDE_ENUM(code, name, text) code,
enum spean_aside { SPEAN_ASIDE_TABLE(SPEAN_ASIDE_ENUM) SPEAN_ASIDES_COUNT };
#undef SPEAN_ASIDE_ENUM

/* The stable name of a reason: "writer". Never NULL. */
const char *spean_aside_name(enum spean_aside aside);

/* One English sentence part about a reason, for people. Never NULL. */
const char *spean_aside_text(enum spean_aside aside);

#endif
