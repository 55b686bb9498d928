/*
 * credential.h - the secret text by which a client shows that it holds a token, and its digest, by
 * which engines and stores know it. Needs the library weir.
 *
 * A credential is WEIR_CREDENTIAL_LENGTH bytes of printable ASCII, safe in URLs and headers:
 *
 *     weir_ + 43 letters and digits, drawn (256 bits of entropy) + 6 letters and digits, a checksum
 *
 * The checksum is the CRC-32 (as zlib's) of all before it, in base 62 with the digits 0-9A-Za-z,
 * most significant first. So who scans texts for secrets knows a real one without asking
 * (`weir_[0-9A-Za-z]{49}` and the checksum), and what is none is refused before anything is hashed.
 * The digest is the SHA-256 of the whole text, which is one block of it.
 */
#ifndef WEIR_CREDENTIAL_H
#define WEIR_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/engine.h>
#include <weir/error.h>
#include <weir/follow.h>
#include <weir/name.h>
#include <weir/token.h>

WEIR_DECLARATIONS_BEGIN

#define WEIR_CREDENTIAL_PREFIX "weir_"
#define WEIR_CREDENTIAL_LENGTH 54

/* A credential's text. Whoever has one wipes it (weir_wipe) once it is not needed. */
struct weir_credential {
    char text[WEIR_CREDENTIAL_LENGTH + 1]; /* terminated */
};

/* Draws a credential from the system's random bits. WEIR_OK, or WEIR_ERROR_IO: there are none. Any
 * thread. */
enum weir_status weir_credential_draw(struct weir_credential *credential, struct weir_error *error);

/* Whether the text has a credential's form, checksum included. Any thread. */
bool weir_credential_well_formed(struct weir_text text);

/* The digest of a credential. False, nothing hashed and nothing written, if the text has not a
 * credential's form. Leaves nothing of the text on the stack. Any thread. */
bool weir_credential_digest(struct weir_text text, uint8_t digest[WEIR_DIGEST_SIZE]);

/* Overwrites memory in a way that no compiler leaves out. Any thread. */
void weir_wipe(void *memory, size_t size);

/*
 * A gateway's whole question: may whoever sends this credential do this, at this instant? What has
 * not a credential's form is WEIR_UNKNOWN_TOKEN, and so is a credential of no token. Beyond the
 * digest it is weir_engine_find_by_digest and weir_check_token. Any thread, wait-free.
 */
enum weir_reason weir_engine_check_credential(const struct weir_engine *engine,
                                              struct weir_text credential,
                                              const struct weir_request *request,
                                              struct weir_instant now);

/* Likewise of a follower; WEIR_STALE as weir_follower_check (follow.h). Any thread, wait-free. */
enum weir_reason weir_follower_check_credential(const struct weir_follower *follower,
                                                struct weir_text credential,
                                                const struct weir_request *request,
                                                struct weir_clocks now);

WEIR_DECLARATIONS_END

#endif
