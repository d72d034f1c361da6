/* protocol/referral.h - how far a referral is: two tracks, one state, and who may step next.
 *
 * Each organisation writes only its own track, a list of steps; the state that people see is
 * computed from both, the same everywhere and whatever the order in which steps arrived
 * (docs/SCHEMA.md, section 6; rules S4 to S8). No clock is read. An organisation has several nodes,
 * so its track can be stepped twice at once: then it has several heads, one of them provisional.
 *
 * Computing never drops a step, however odd; spean_referral_may_step() refuses odd ones before they
 * are written.
 */
#ifndef SPEAN_PROTOCOL_REFERRAL_H
#define SPEAN_PROTOCOL_REFERRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"

#define SPEAN_REFERRAL_STEPS_MAX   1024u /* Of one track. */
#define SPEAN_REFERRAL_FOLLOWS_MAX 16u   /* Heads that one step may settle. */

enum spean_referral_side {
    SPEAN_SIDE_NONE, /* Neither origin nor target. */
    SPEAN_SIDE_ORIGIN,
    SPEAN_SIDE_TARGET
};

/* X(step, code): the origin's steps first, then the target's. */
#define SPEAN_REFERRAL_STEP_TABLE(X)                                                               \
    X(SPEAN_STEP_SEND, "send")                                                                     \
    X(SPEAN_STEP_AMEND, "amend")                                                                   \
    X(SPEAN_STEP_CANCEL, "cancel")                                                                 \
    X(SPEAN_STEP_ERROR, "error")                                                                   \
    X(SPEAN_STEP_CLOSE, "close")                                                                   \
    X(SPEAN_STEP_RECEIVE, "receive")                                                               \
    X(SPEAN_STEP_ACCEPT, "accept")                                                                 \
    X(SPEAN_STEP_DECLINE, "decline")                                                               \
    X(SPEAN_STEP_START, "start")                                                                   \
    X(SPEAN_STEP_HOLD, "hold")                                                                     \
    X(SPEAN_STEP_NOTE, "note")                                                                     \
    X(SPEAN_STEP_COMPLETE, "complete")                                                             \
    X(SPEAN_STEP_FAIL, "fail")                                                                     \
    X(SPEAN_STEP_REDIRECT, "redirect")                                                             \
    X(SPEAN_STEP_ACK_CANCEL, "ack_cancel")

#define SPEAN_REFERRAL_STEP_ENUM(step, code) step,
enum spean_referral_step {
    SPEAN_REFERRAL_STEP_TABLE(SPEAN_REFERRAL_STEP_ENUM) SPEAN_STEPS_COUNT,
    SPEAN_STEP_UNKNOWN = SPEAN_STEPS_COUNT /* Of a newer program; changes no state. */
};
#undef SPEAN_REFERRAL_STEP_ENUM

/* State of one track; both share "none". */
#define SPEAN_REFERRAL_TRACK_TABLE(X)                                                              \
    X(SPEAN_TRACK_NONE, "none")                                                                    \
    X(SPEAN_TRACK_SENT, "sent")                                                                    \
    X(SPEAN_TRACK_CANCELLED, "cancelled")                                                          \
    X(SPEAN_TRACK_ERROR, "error")                                                                  \
    X(SPEAN_TRACK_CLOSED, "closed")                                                                \
    X(SPEAN_TRACK_CLOSED_CANCELLED, "closed_c")                                                    \
    X(SPEAN_TRACK_RECEIVED, "received")                                                            \
    X(SPEAN_TRACK_ACCEPTED, "accepted")                                                            \
    X(SPEAN_TRACK_IN_PROGRESS, "in_progress")                                                      \
    X(SPEAN_TRACK_ON_HOLD, "on_hold")                                                              \
    X(SPEAN_TRACK_DECLINED, "declined")                                                            \
    X(SPEAN_TRACK_COMPLETED, "completed")                                                          \
    X(SPEAN_TRACK_UNSUCCESSFUL, "unsuccessful")                                                    \
    X(SPEAN_TRACK_REDIRECTED, "redirected")

#define SPEAN_REFERRAL_TRACK_ENUM(state, name) state,
enum spean_referral_track_state {
    SPEAN_REFERRAL_TRACK_TABLE(SPEAN_REFERRAL_TRACK_ENUM) SPEAN_TRACKS_COUNT
};
#undef SPEAN_REFERRAL_TRACK_ENUM

/* State of the whole, as people see it. */
#define SPEAN_REFERRAL_STATE_TABLE(X)                                                              \
    X(SPEAN_REFERRAL_DRAFT, "draft")                                                               \
    X(SPEAN_REFERRAL_SENT, "sent")                                                                 \
    X(SPEAN_REFERRAL_RECEIVED, "received")                                                         \
    X(SPEAN_REFERRAL_ACCEPTED, "accepted")                                                         \
    X(SPEAN_REFERRAL_IN_PROGRESS, "in_progress")                                                   \
    X(SPEAN_REFERRAL_ON_HOLD, "on_hold")                                                           \
    X(SPEAN_REFERRAL_DECLINED, "declined")                                                         \
    X(SPEAN_REFERRAL_COMPLETED, "completed")                                                       \
    X(SPEAN_REFERRAL_UNSUCCESSFUL, "unsuccessful")                                                 \
    X(SPEAN_REFERRAL_REDIRECTED, "redirected")                                                     \
    X(SPEAN_REFERRAL_CONSENT_WITHDRAWN, "consent_withdrawn")                                       \
    X(SPEAN_REFERRAL_CANCEL_PENDING, "cancel_pending")                                             \
    X(SPEAN_REFERRAL_CANCELLED, "cancelled")                                                       \
    X(SPEAN_REFERRAL_EXPIRED, "expired")                                                           \
    X(SPEAN_REFERRAL_ENTERED_IN_ERROR, "entered_in_error")                                         \
    X(SPEAN_REFERRAL_CLOSED, "closed")

#define SPEAN_REFERRAL_STATE_ENUM(state, name) state,
enum spean_referral_state {
    SPEAN_REFERRAL_STATE_TABLE(SPEAN_REFERRAL_STATE_ENUM) SPEAN_REFERRAL_STATES_COUNT
};
#undef SPEAN_REFERRAL_STATE_ENUM

/* The stable names of the tables above. Never NULL. */
const char *spean_referral_step_code(enum spean_referral_step step);
const char *spean_referral_track_name(enum spean_referral_track_state state);
const char *spean_referral_state_name(enum spean_referral_state state);

/* Return the step of that code, SPEAN_STEP_UNKNOWN for another. */
enum spean_referral_step spean_referral_step_of(struct spean_view code);

/* Return the code list that the reasons of a step are from; NULL: it takes none. */
const char *spean_referral_reason_list(enum spean_referral_step step);

/* Say whose track a step belongs to; SPEAN_SIDE_NONE for an unknown one. */
enum spean_referral_side spean_referral_step_side(enum spean_referral_step step);

struct spean_referral_item {
    struct spean_dot name;
    struct spean_id entry; /* The entry that holds it. */
    enum spean_referral_step step;
    bool is_no_response; /* Reason code is no_response. */
    struct spean_dot follows[SPEAN_REFERRAL_FOLLOWS_MAX];
    size_t follows_count;
};

/*
 * Read what counts for the track from an encoded map step into *out: step, is_no_response, follows;
 * the rest of *out is untouched. Sub-fields that are not known are passed over.
 * SPEAN_EFORMAT: not a map, or what it follows is not readable; SPEAN_ELIMIT: it follows too many.
 * Such an item is shown as unknown and left out of the track; on error *out is unchanged. Strikes
 * do not matter: a step cannot be unsaid.
 */
SPEAN_CHECK spean_err spean_referral_item_decode(struct spean_referral_item *out,
                                                 struct spean_view value);

/* What is computed of one step; the caller's array runs beside that of the items. */
struct spean_referral_mark {
    enum spean_referral_track_state after; /* State of the track after this step. */
    uint16_t place;      /* From 0: the order to show steps in, none before what it follows. */
    bool is_no_response; /* Cancelled because nobody answered. */
    bool is_head;
    bool is_misfit; /* The track did not allow it after what it follows. */
};

struct spean_referral_track {
    enum spean_referral_track_state state; /* After the provisional head; none without steps. */
    bool is_no_response;
    bool is_cancel_acknowledged; /* The target's only. */
    size_t head;                 /* Index of the provisional head; items' count for none. */
    size_t heads_count;          /* More than one: a conflict within the organisation. */
    uint32_t heads_states;       /* Bit 1 << state for each head; for none without steps. */
    size_t misfits_count;
};

/*
 * Compute the track of side (not SPEAN_SIDE_NONE) from its items, in any order; marks has
 * items_count places. Fill all marks and *out. SPEAN_ELIMIT: more than SPEAN_REFERRAL_STEPS_MAX
 * items, the referral is shown as unreadable; SPEAN_ENOMEM: try later.
 */
SPEAN_CHECK spean_err spean_referral_track(struct spean_referral_track *out,
                                           struct spean_referral_mark *marks,
                                           enum spean_referral_side side,
                                           const struct spean_referral_item *items,
                                           size_t items_count);

struct spean_referral_progress {
    struct spean_referral_track origin;
    struct spean_referral_track target;
    bool is_consent_withdrawn;
    enum spean_referral_state state;
    bool is_closed_while_live; /* The origin closed, but state is not resolved. */
};

/* Compute the joint state of two tracks and the one-way flag of the consent. */
struct spean_referral_progress spean_referral_join(const struct spean_referral_track *origin,
                                                   const struct spean_referral_track *target,
                                                   bool is_consent_withdrawn);

/* Say whether nothing more is due in this state: closing is allowed, another may be sent. */
bool spean_referral_is_resolved(enum spean_referral_state state);

/* What the writer of a step knows beyond the tracks. All false is the careful beginning. */
struct spean_referral_facts {
    /* Is so. */
    bool consent_in_force;      /* Given or renewed, for referring, within its dates. */
    bool consent_covers_target; /* The target is among its recipients. */
    bool consent_allows_onward; /* The child's target is among its recipients. */
    bool target_is_withheld;    /* The person does not want the target to know. */
    bool target_is_active;      /* An active member. */
    bool has_unresolved_twin;   /* Same case, target and service: another referral is open. */
    bool is_known_duplicate;    /* The target knows that it serves the person already. */
    /* Was given. */
    bool gives_override; /* A reason to send without consent. */
    bool gives_urgency;
    bool gives_respond_by;
    bool gives_service;
    bool gives_changes;
    bool gives_closing_note;
    bool gives_reason;
    bool gives_worker;
    bool gives_first_contact;
    bool gives_review_by;
    bool gives_note;
    bool gives_outcome;
    bool gives_services_provided; /* Perhaps none. */
    bool gives_child;
    bool gives_client_informed;
    bool gives_next_step;
    bool gives_data_purged;
    bool gives_channel;
    bool gives_date;
};

/*
 * X(refusal, name, text): name is stable, text is English for people and says what to do. The
 * error that goes with one is SPEAN_EDENIED for the wrong author, SPEAN_EINPUT for an unknown step
 * or something that was not given, SPEAN_ESTATE for everything else.
 */
#define SPEAN_REFERRAL_REFUSAL_TABLE(X)                                                            \
    X(SPEAN_REFUSAL_NONE, "none", "nothing is in the way")                                         \
    X(SPEAN_REFUSAL_UNKNOWN_STEP, "unknown_step", "this program does not know that step")          \
    X(SPEAN_REFUSAL_NOT_YOURS, "not_yours",                                                        \
      "this step belongs to the other organisation; ask them to take it")                          \
    X(SPEAN_REFUSAL_TRACK, "track",                                                                \
      "your own last step does not allow this one; look at the referral's history")                \
    X(SPEAN_REFUSAL_NOT_SENT, "not_sent", "the referral has not been sent")                        \
    X(SPEAN_REFUSAL_NO_CONSENT, "no_consent",                                                      \
      "no consent is in force; record one, or give a reason to override")                          \
    X(SPEAN_REFUSAL_RECIPIENT, "recipient",                                                        \
      "the consent does not cover this organisation; record a wider one")                          \
    X(SPEAN_REFUSAL_WITHHELD, "withheld",                                                          \
      "the person does not want this organisation to know; choose another")                        \
    X(SPEAN_REFUSAL_NOT_MEMBER, "not_member",                                                      \
      "this organisation is not an active member; choose another")                                 \
    X(SPEAN_REFUSAL_TWIN, "twin",                                                                  \
      "an open referral of this case to them for this service exists; use or close that one")      \
    X(SPEAN_REFUSAL_ANSWERED, "answered", "they have answered already; send a note instead")       \
    X(SPEAN_REFUSAL_FINISHED, "finished",                                                          \
      "they have finished already; close the referral instead")                                    \
    X(SPEAN_REFUSAL_ACCEPTED, "accepted", "they have accepted already; cancel it instead")         \
    X(SPEAN_REFUSAL_WITHDRAWN, "withdrawn",                                                        \
      "consent was withdrawn; nothing more is done or shared under it")                            \
    X(SPEAN_REFUSAL_NOTE_WITHDRAWN, "note_withdrawn",                                              \
      "consent was withdrawn, so nothing more is written about this person; leave the note out")   \
    X(SPEAN_REFUSAL_CANCELLED, "cancelled",                                                        \
      "the sender has cancelled; acknowledge the cancellation instead")                            \
    X(SPEAN_REFUSAL_DUPLICATE, "duplicate",                                                        \
      "you serve this person already; decline it as a duplicate")                                  \
    X(SPEAN_REFUSAL_ONWARD, "onward",                                                              \
      "the consent forbids passing this on; decline or fail it, so that the sender can")           \
    X(SPEAN_REFUSAL_NOT_CANCELLED, "not_cancelled", "the sender has not cancelled")                \
    X(SPEAN_REFUSAL_NOT_RESOLVED, "not_resolved",                                                  \
      "nothing is resolved yet; wait for their outcome or cancel first")                           \
    X(SPEAN_REFUSAL_MISSING_URGENCY, "missing_urgency", "say how urgent it is")                    \
    X(SPEAN_REFUSAL_MISSING_RESPOND_BY, "missing_respond_by", "say until when they must answer")   \
    X(SPEAN_REFUSAL_MISSING_SERVICE, "missing_service", "name at least one service")               \
    X(SPEAN_REFUSAL_MISSING_CHANGES, "missing_changes", "say what changes")                        \
    X(SPEAN_REFUSAL_MISSING_REASON, "missing_reason", "give a reason")                             \
    X(SPEAN_REFUSAL_MISSING_WORKER, "missing_worker", "say who takes it")                          \
    X(SPEAN_REFUSAL_MISSING_FIRST_CONTACT, "missing_first_contact",                                \
      "say until when the person is contacted")                                                    \
    X(SPEAN_REFUSAL_MISSING_REVIEW_BY, "missing_review_by", "say when you look at it again")       \
    X(SPEAN_REFUSAL_MISSING_NOTE, "missing_note", "write the note")                                \
    X(SPEAN_REFUSAL_MISSING_OUTCOME, "missing_outcome", "say what came of it")                     \
    X(SPEAN_REFUSAL_MISSING_SERVICES, "missing_services",                                          \
      "list the services that were provided, perhaps none")                                        \
    X(SPEAN_REFUSAL_MISSING_CHILD, "missing_child", "name the new referral")                       \
    X(SPEAN_REFUSAL_MISSING_INFORMED, "missing_informed",                                          \
      "say whether the person knows the result: yes, no or unsafe")                                \
    X(SPEAN_REFUSAL_MISSING_NEXT_STEP, "missing_next_step",                                        \
      "say what comes next, perhaps nothing")                                                      \
    X(SPEAN_REFUSAL_MISSING_PURGED, "missing_purged", "say whether what you held is destroyed")    \
    X(SPEAN_REFUSAL_MISSING_CHANNEL, "missing_channel", "say how the person told you")             \
    X(SPEAN_REFUSAL_MISSING_DATE, "missing_date", "say when")

#define SPEAN_REFERRAL_REFUSAL_ENUM(refusal, name, text) refusal,
enum spean_referral_refusal {
    SPEAN_REFERRAL_REFUSAL_TABLE(SPEAN_REFERRAL_REFUSAL_ENUM) SPEAN_REFUSALS_COUNT
};
#undef SPEAN_REFERRAL_REFUSAL_ENUM

/* The stable name of a refusal, and an English sentence part about it. Never NULL. */
const char *spean_referral_refusal_name(enum spean_referral_refusal refusal);
const char *spean_referral_refusal_text(enum spean_referral_refusal refusal);

/*
 * Say whether an author on side may write step now; it will follow all heads of its own track.
 * *why says what is in the way, SPEAN_REFUSAL_NONE if nothing; it is set in any case. Roles of
 * persons are not looked at. On any error: do not write, show the text of *why.
 */
SPEAN_CHECK spean_err spean_referral_may_step(const struct spean_referral_progress *now,
                                              enum spean_referral_side side,
                                              enum spean_referral_step step,
                                              const struct spean_referral_facts *facts,
                                              enum spean_referral_refusal *why);

/* The same for a note of the origin, which is no step: its track knows none. */
SPEAN_CHECK spean_err spean_referral_may_note(const struct spean_referral_progress *now,
                                              const struct spean_referral_facts *facts,
                                              enum spean_referral_refusal *why);

/* The same for writing that the person withdrew the consent: never refused to either side. */
SPEAN_CHECK spean_err spean_referral_may_withdraw(enum spean_referral_side side,
                                                  const struct spean_referral_facts *facts,
                                                  enum spean_referral_refusal *why);

#endif
