/* Followers, asked by credential. */
#include <stdlib.h>

#include <weir/compile.h>

#include "credential/credential_cases.h"
#include "credential/samples.h"
#include "library/support.h"
#include "publish/stage.h"

static void publish(struct stage *stage, struct weir_text credential)
{
    struct declared declared;
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    declare(&declared, (struct recipe){"a", .version = 1, .issue_number = 1, .credential = 1,
                                       .expires_at = NOW_SECONDS + 1});
    ck_assert(weir_credential_digest(credential, declared.token.credential_digest));
    ck_assert_int_eq(weir_compile_token(&declared.token, NULL, &compiled, &size, NULL), WEIR_OK);
    ck_assert_int_eq(publish_block(stage, compiled), WEIR_OK);
    free(compiled);
}

static enum weir_reason ask_follower(const struct weir_follower *follower,
                                     struct weir_text credential, uint64_t boot, int64_t second)
{
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all"), .stream = FIRST_VERSION_STREAM};

    return weir_follower_check_credential(follower, credential, &request,
                                          (struct weir_clocks){{second, 0}, boot});
}

START_TEST(a_follower_answers_by_credential_while_it_is_fresh)
{
    struct stage stage;
    struct dice dice = {6};
    struct weir_credential mine = credential_of(&dice);
    struct weir_credential other = credential_of(&dice);
    struct weir_text text = text_of_credential(&mine);
    struct weir_follower *follower = NULL;
    uint64_t boot = 0;

    stage_create(&stage);
    publish(&stage, text);
    weir_publisher_heartbeat(stage.publisher);
    follower = follow(&stage);
    boot = weir_follower_status(follower).heartbeat;
    ck_assert_int_eq(ask_follower(follower, text, boot, NOW_SECONDS), WEIR_ALLOWED);
    ck_assert_int_eq(ask_follower(follower, text, boot, NOW_SECONDS + 1), WEIR_EXPIRED);
    ck_assert_int_eq(ask_follower(follower, text_of_credential(&other), boot, NOW_SECONDS),
                     WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_follower(follower, WEIR_TEXT("none"), boot, NOW_SECONDS),
                     WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_follower(follower, text, boot + LEASE - 1, NOW_SECONDS), WEIR_ALLOWED);
    ck_assert_int_eq(ask_follower(follower, text, boot + LEASE, NOW_SECONDS), WEIR_STALE);
    ck_assert_int_eq(ask_follower(follower, WEIR_TEXT("none"), boot + LEASE, NOW_SECONDS),
                     WEIR_STALE);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    boot = weir_follower_status(follower).heartbeat;
    ck_assert_int_eq(ask_follower(follower, text, boot, NOW_SECONDS), WEIR_UNKNOWN_TOKEN);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

TCase *follower_cases(void)
{
    TCase *cases = tcase_create("followers");

    tcase_add_test(cases, a_follower_answers_by_credential_while_it_is_fresh);
    return cases;
}
