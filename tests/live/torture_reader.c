#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/stamped.h"
#include "live/torture.h"

enum { BATCH = 70 };

/* A credential's token, resolved. */
struct handle {
    struct weir_resolved resolved;
    uint32_t id;
    bool in_use;
    bool expired;
};

struct torture_reader {
    struct torture *torture;
    struct dice dice;
    uint64_t seen_ids[TORTURE_IDS]; /* the least versions that what was answered last allows for */
    uint64_t seen_credentials[TORTURE_CREDENTIALS];
    struct weir_resolved by_id[TORTURE_IDS];
    struct handle by_credential[TORTURE_CREDENTIALS];
    struct torture_tally tally;
};

const char *const torture_way_names[TORTURE_WAYS] = {"by id",
                                                     "in a batch",
                                                     "resolved by id",
                                                     "under a prefix",
                                                     "resolved, under a prefix",
                                                     "found by id",
                                                     "found by credential",
                                                     "resolved by credential"};

/*
 * ---- Judging ----
 */

/* What was answered, or found. */
struct answer {
    enum torture_way way;
    uint32_t asked; /* the stamp whose permission was asked for */
    bool under;     /* for everything under its stream's name */
    enum weir_reason reason;
    bool found;
    bool second;     /* of a credential's ids */
    uint64_t number; /* of the token found, or of the one resolved before */
};

static enum weir_reason reason_of(struct version version, const struct answer *answer)
{
    return !version.there  ? WEIR_UNKNOWN_TOKEN
           : answer->under ? stamped_reason_under(version.stamp, answer->asked)
                           : stamped_reason(version.stamp, answer->asked);
}

/* Whether the subject, were it at that version, would have given the answer. */
static bool explains(struct version version, const struct answer *answer)
{
    const bool is_number = version.there && stamped_number(version.stamp) == answer->number;

    switch (answer->way) {
    case WAY_FOUND:
        return answer->found ? is_number : !version.there;
    case WAY_FOUND_BY_CREDENTIAL:
        return answer->found ? is_number && version.has_credential == answer->second
                             : !version.there;
    case WAY_RESOLVED_BY_CREDENTIAL:
        return answer->reason == (is_number && version.has_credential ? reason_of(version, answer)
                                                                      : WEIR_UNKNOWN_TOKEN);
    default:
        return answer->reason == reason_of(version, answer);
    }
}

_Noreturn static void accuse(const struct ledger *ledger, struct window window,
                             const struct answer *answer, const char *subject, uint32_t number)
{
    fprintf(stderr, "torture: %s, %s %u: asked for %s%u; %s; found: %d, issue number %" PRIu64 "\n",
            torture_way_names[answer->way], subject, number, answer->under ? "all under " : "",
            answer->asked, weir_reason_name(answer->reason), answer->found, answer->number);
    fprintf(stderr, "  it may have been any version from %" PRIu64 " to %" PRIu64 ":\n", window.low,
            window.high);
    for (uint64_t i = window.low; i <= window.high && i < window.low + 40; i++) {
        struct version version;

        if (ledger_version(ledger, i, &version)) {
            fprintf(stderr,
                    "  %" PRIu64 ": there %d, credential %d, stamp %u, number %" PRIu64 "\n", i,
                    version.there, version.has_credential, version.stamp,
                    stamped_number(version.stamp));
        }
    }
    torture_fail("an answer is that of no version that it may be of");
}

static void count_age(struct torture_tally *tally, uint64_t age)
{
    unsigned place = age == 0 ? 0 : 64 - (unsigned)__builtin_clzll(age);

    tally->ages[place < TORTURE_AGES ? place : TORTURE_AGES - 1]++;
}

static void judge(struct torture_reader *reader, const struct ledger *ledger, uint64_t done_before,
                  uint64_t *seen, const struct answer *answer, const char *subject, uint32_t number)
{
    struct window window = ledger_window(ledger, done_before, *seen);

    for (uint64_t i = window.low; i <= window.high; i++) {
        struct version version;

        if (!ledger_version(ledger, i, &version)) {
            reader->tally.unjudged++;
            return;
        }
        if (explains(version, answer)) {
            *seen = i;
            count_age(&reader->tally, window.high - i);
            reader->tally.judged[answer->way]++;
            reader->tally.allowed += answer->reason == WEIR_ALLOWED;
            reader->tally.allowed_under += answer->under && answer->reason == WEIR_ALLOWED;
            return;
        }
    }
    accuse(ledger, window, answer, subject, number);
}

static void judge_id(struct torture_reader *reader, uint32_t id, uint64_t done_before,
                     const struct answer *answer)
{
    judge(reader, &reader->torture->ids[id], done_before, &reader->seen_ids[id], answer, "id", id);
}

static void judge_credential(struct torture_reader *reader, uint32_t credential,
                             uint64_t done_before, const struct answer *answer)
{
    judge(reader, &reader->torture->credentials[credential], done_before,
          &reader->seen_credentials[credential], answer, "credential", credential);
}

/* What to ask for: most often what the last version permits, so that one more answers otherwise. */
static uint32_t draw_asked(struct torture_reader *reader, uint32_t id, uint64_t number)
{
    struct version version = {0};

    if (dice_chance(&reader->dice, 15) ||
        !ledger_version(&reader->torture->ids[id], number, &version)) {
        return (uint32_t)dice_below(&reader->dice, 1000);
    }
    return version.stamp;
}

static uint32_t any_id(struct torture_reader *reader)
{
    return (uint32_t)dice_below(&reader->dice, TORTURE_IDS);
}

/*
 * ---- By id ----
 */

static enum weir_reason ask_resolved(const struct torture_reader *reader,
                                     struct weir_resolved *resolved, const struct answer *answer)
{
    const struct weir_engine *engine = reader->torture->engine;
    struct weir_request request = stamped_request(answer->asked);

    return answer->under ? weir_engine_check_resolved_under(engine, resolved, &request, STAMPED_NOW)
                         : weir_engine_check_resolved(engine, resolved, &request, STAMPED_NOW);
}

static enum weir_reason ask_sought(const struct torture_reader *reader, uint32_t id,
                                   const struct answer *answer)
{
    const struct weir_engine *engine = reader->torture->engine;
    struct weir_request request = stamped_request(answer->asked);
    char buffer[16];
    struct weir_text text = stamped_id(buffer, TORTURE_KIND, id);

    return answer->under ? weir_engine_check_under(engine, text, &request, STAMPED_NOW)
                         : weir_engine_check(engine, text, &request, STAMPED_NOW);
}

static void ask_by_id(struct torture_reader *reader)
{
    const uint32_t id = any_id(reader);
    const uint64_t done = ledger_done(&reader->torture->ids[id]);
    const bool resolved = dice_chance(&reader->dice, 50);
    struct answer answer = {.under = dice_chance(&reader->dice, 30),
                            .asked = draw_asked(reader, id, done)};

    if (resolved) {
        answer.way = answer.under ? WAY_RESOLVED_UNDER : WAY_RESOLVED_BY_ID;
        answer.reason = ask_resolved(reader, &reader->by_id[id], &answer);
    } else {
        answer.way = answer.under ? WAY_UNDER : WAY_BY_ID;
        answer.reason = ask_sought(reader, id, &answer);
    }
    judge_id(reader, id, done, &answer);
}

struct batch {
    uint32_t ids[BATCH];
    uint64_t done[BATCH];
    struct answer answers[BATCH];
    char buffers[BATCH][16];
    struct weir_question questions[BATCH];
    enum weir_reason reasons[BATCH];
};

static void ask_batch(struct torture_reader *reader)
{
    const size_t count = dice_between(&reader->dice, 1, BATCH);
    struct batch batch;

    for (size_t i = 0; i < count; i++) {
        batch.ids[i] = any_id(reader);
        batch.done[i] = ledger_done(&reader->torture->ids[batch.ids[i]]);
        batch.answers[i] = (struct answer){
            .way = WAY_BATCH, .asked = draw_asked(reader, batch.ids[i], batch.done[i])};
        batch.questions[i] =
            (struct weir_question){stamped_id(batch.buffers[i], TORTURE_KIND, batch.ids[i]),
                                   stamped_request(batch.answers[i].asked)};
    }
    weir_engine_check_batch(reader->torture->engine, batch.questions, count, STAMPED_NOW,
                            batch.reasons);
    for (size_t i = 0; i < count; i++) {
        batch.answers[i].reason = batch.reasons[i];
        judge_id(reader, batch.ids[i], batch.done[i], &batch.answers[i]);
    }
}

/*
 * ---- Found, and held ----
 */

/* Whether the sum is that of a token of the number, as far as the writer's table still has it. */
static void check_sum(struct torture_reader *reader, uint64_t number, uint32_t sum)
{
    bool known = false;

    for (uint32_t stamp = (uint32_t)number * 2; stamp < number * 2 + 2; stamp++) {
        uint64_t word =
            __atomic_load_n(&reader->torture->sums[stamp % TORTURE_SUMS], __ATOMIC_RELAXED);

        if (word >> 32 != stamp) {
            known = known || (stamp & 1) == 0; /* overwritten: it may be that one */
        } else if ((uint32_t)word == sum) {
            reader->tally.summed++;
            return;
        }
    }
    if (!known) {
        torture_fail("a token's bytes are not those that were put");
    }
}

/* Reads all of the token, does something else for a while, and reads it again. */
static void hold(struct torture_reader *reader, const struct weir_compiled_token *token)
{
    const uint64_t number = weir_compiled_token_issue_number(token);
    const uint32_t sum = stamped_sum(token);

    check_sum(reader, number, sum);
    if (dice_chance(&reader->dice, 1)) {
        sched_yield();
    }
    for (size_t i = dice_below(&reader->dice, 4); i > 0; i--) {
        ask_by_id(reader); /* sections nest */
    }
    if (weir_compiled_token_issue_number(token) != number || stamped_sum(token) != sum) {
        torture_fail("a token changed while a section held it");
    }
}

static struct answer answer_of(enum torture_way way, const struct weir_compiled_token *token)
{
    return (struct answer){.way = way,
                           .found = token != NULL,
                           .number = token != NULL ? weir_compiled_token_issue_number(token) : 0};
}

static void find(struct torture_reader *reader)
{
    const uint32_t id = any_id(reader);
    const uint64_t done = ledger_done(&reader->torture->ids[id]);
    const struct weir_compiled_token *token = NULL;
    struct answer answer;
    char buffer[16];

    weir_read_begin();
    token = dice_chance(&reader->dice, 50)
                ? weir_engine_find_resolved(reader->torture->engine, &reader->by_id[id])
                : weir_engine_find(reader->torture->engine, stamped_id(buffer, TORTURE_KIND, id));
    answer = answer_of(WAY_FOUND, token);
    judge_id(reader, id, done, &answer);
    if (token != NULL) {
        hold(reader, token);
    }
    weir_read_end();
}

/*
 * ---- By credential ----
 */

/* Which of the pair has the id that a token or a handle bears. */
static bool is_second(uint32_t credential, struct weir_text id)
{
    char buffer[16];
    struct weir_text second = stamped_id(buffer, TORTURE_KIND, 2 * credential + 1);

    return id.length == second.length && memcmp(id.bytes, second.bytes, id.length) == 0;
}

/* What was found by credential counts for the credential, and for the id that has it. */
static void judge_both(struct torture_reader *reader, uint32_t credential, uint64_t done,
                       const uint64_t *done_ids, struct answer answer)
{
    const uint32_t id = 2 * credential + answer.second;

    judge_credential(reader, credential, done, &answer);
    if (answer.found) {
        answer.way = WAY_FOUND;
        judge_id(reader, id, done_ids[answer.second], &answer);
    }
}

static void find_by_credential(struct torture_reader *reader)
{
    const uint32_t credential = (uint32_t)dice_below(&reader->dice, TORTURE_CREDENTIALS);
    const struct torture *torture = reader->torture;
    const uint64_t done_ids[2] = {ledger_done(&torture->ids[2 * credential]),
                                  ledger_done(&torture->ids[2 * credential + 1])};
    const uint64_t done = ledger_done(&torture->credentials[credential]);
    const struct weir_compiled_token *token = NULL;
    struct answer answer;
    uint8_t digest[WEIR_DIGEST_SIZE];

    stamped_digest(credential, digest);
    weir_read_begin();
    token = weir_engine_find_by_digest(torture->engine, digest);
    answer = answer_of(WAY_FOUND_BY_CREDENTIAL, token);
    answer.second = token != NULL && is_second(credential, weir_compiled_token_id(token));
    judge_both(reader, credential, done, done_ids, answer);
    if (token != NULL) {
        hold(reader, token);
    }
    weir_read_end();
}

static void resolve_credential(struct torture_reader *reader, uint32_t credential)
{
    const struct torture *torture = reader->torture;
    struct handle *handle = &reader->by_credential[credential];
    const uint64_t done_ids[2] = {ledger_done(&torture->ids[2 * credential]),
                                  ledger_done(&torture->ids[2 * credential + 1])};
    const uint64_t done = ledger_done(&torture->credentials[credential]);
    struct answer answer = {.way = WAY_FOUND_BY_CREDENTIAL};
    uint8_t digest[WEIR_DIGEST_SIZE];

    stamped_digest(credential, digest);
    answer.found = weir_engine_resolve_by_digest(torture->engine, digest, &handle->resolved);
    handle->in_use = answer.found;
    if (answer.found) {
        answer.number = handle->resolved.issue_number;
        answer.second = is_second(
            credential, (struct weir_text){handle->resolved.id, handle->resolved.id_length});
        handle->id = 2 * credential + answer.second;
        handle->expired = false;
    }
    judge_both(reader, credential, done, done_ids, answer);
}

static void ask_by_credential(struct torture_reader *reader)
{
    const uint32_t credential = (uint32_t)dice_below(&reader->dice, TORTURE_CREDENTIALS);
    struct handle *handle = &reader->by_credential[credential];
    const uint64_t done = ledger_done(&reader->torture->ids[handle->id]);
    struct answer answer = {.way = WAY_RESOLVED_BY_CREDENTIAL,
                            .number = handle->resolved.issue_number,
                            .under = dice_chance(&reader->dice, 30),
                            .asked = draw_asked(reader, handle->id, done)};

    if (!handle->in_use || dice_chance(&reader->dice, 2)) {
        resolve_credential(reader, credential);
        return;
    }
    answer.reason = ask_resolved(reader, &handle->resolved, &answer);
    if (handle->expired) {
        if (answer.reason != WEIR_EXPIRED) {
            torture_fail("what was seen expired lives again");
        }
        return;
    }
    judge_id(reader, handle->id, done, &answer);
    handle->expired = answer.reason == WEIR_EXPIRED;
}

/*
 * ---- The thread ----
 */

void *torture_read(void *context)
{
    struct torture_reader *reader = context;

    while (!torture_stops(reader->torture)) {
        switch (dice_below(&reader->dice, 5)) {
        case 0:
            ask_batch(reader);
            break;
        case 1:
            find(reader);
            break;
        case 2:
            find_by_credential(reader);
            break;
        case 3:
            ask_by_credential(reader);
            break;
        default:
            ask_by_id(reader);
            break;
        }
    }
    return NULL;
}

struct torture_reader *torture_reader_new(struct torture *torture, uint64_t seed)
{
    struct torture_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL) {
        torture_fail("no memory");
    }
    reader->torture = torture;
    reader->dice.state = seed;
    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        char buffer[16];

        (void)weir_engine_resolve(torture->engine, stamped_id(buffer, TORTURE_KIND, id),
                                  &reader->by_id[id]);
    }
    return reader;
}

void torture_reader_add(const struct torture_reader *reader, struct torture_tally *tally)
{
    for (unsigned way = 0; way < TORTURE_WAYS; way++) {
        tally->judged[way] += reader->tally.judged[way];
    }
    for (unsigned age = 0; age < TORTURE_AGES; age++) {
        tally->ages[age] += reader->tally.ages[age];
    }
    tally->allowed += reader->tally.allowed;
    tally->allowed_under += reader->tally.allowed_under;
    tally->unjudged += reader->tally.unjudged;
    tally->summed += reader->tally.summed;
}

void torture_reader_free(struct torture_reader *reader)
{
    free(reader);
}
