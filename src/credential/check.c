/* check.c - from a credential to a decision. */
#include <weir/credential.h>

#include "live/find.h"
#include "live/section.h"
#include "match/quick.h"

/* The answer inside a read section. */
static enum weir_reason check_by_digest(const struct weir_engine *engine, const uint8_t *digest,
                                        const struct weir_request *request, struct weir_instant now)
{
    const struct weir_block *block =
        weir_live_find_by_digest(engine, weir_engine_edition(engine), digest);
    bool usual = block != NULL && weir_request_is_usual(request);

    return weir_decide_either_way(block, request, usual, now).reason;
}

enum weir_reason weir_engine_check_credential(const struct weir_engine *engine,
                                              struct weir_text credential,
                                              const struct weir_request *request,
                                              struct weir_instant now)
{
    uint8_t digest[WEIR_DIGEST_SIZE];
    enum weir_reason reason = WEIR_UNKNOWN_TOKEN;
    struct weir_section section;

    if (!weir_credential_digest(credential, digest)) {
        return reason;
    }
    section = weir_section_begin();
    reason = check_by_digest(engine, digest, request, now);
    weir_section_end(section);
    weir_wipe(digest, sizeof digest);
    return reason;
}

enum weir_reason weir_follower_check_credential(const struct weir_follower *follower,
                                                struct weir_text credential,
                                                const struct weir_request *request,
                                                struct weir_clocks now)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    return engine == NULL ? WEIR_STALE
                          : weir_engine_check_credential(engine, credential, request, now.wall);
}
