#include "authority/store_history.h"

#include <string.h>

#include "library/support.h"

enum verdict { SAME, REFUSED, DIFFERS };

static enum verdict differ(struct history *history, const char *how)
{
    history->difference = how;
    return DIFFERS;
}

/* What becomes of a call that should have returned `expected`. */
static enum verdict judge(struct history *history, enum weir_status status,
                          enum weir_status expected, const char *what)
{
    if (status == expected) {
        return SAME;
    }
    if (status == WEIR_ERROR_IO || status == WEIR_ERROR_MEMORY) {
        return REFUSED;
    }
    return differ(history, what);
}

/* After a call that lists. */
static enum verdict compare(struct history *history, struct listing *expected, struct listing *got,
                            enum verdict verdict, const char *what)
{
    if (verdict == SAME && !listing_equal(expected, got)) {
        verdict = differ(history, what);
    }
    listing_free(expected);
    listing_free(got);
    return verdict;
}

/*
 * ---- Steps ----
 */

static enum verdict issue(struct history *history, struct weir_store *store)
{
    struct model *model = &history->next;
    struct model_id id = random_id(&history->dice);
    bool takes_digest = model->token_count > 0 && dice_chance(&history->dice, 5);
    uint64_t seed = takes_digest
                        ? model->tokens[dice_below(&history->dice, model->token_count)].seed
                        : dice_bits(&history->dice);
    bool duplicate = takes_digest || model_find(model, &id) != NULL;
    struct sample sample;
    uint64_t number = 0;
    uint64_t sequence = 0;
    enum verdict verdict = SAME;

    if (model->token_count == MODEL_TOKENS_MAX || model->change_count == MODEL_CHANGES_MAX) {
        return SAME;
    }
    verdict = judge(history, weir_store_next_issue_number(store, &number, NULL), WEIR_OK,
                    "no issue number");
    if (verdict != SAME) {
        return verdict;
    }
    if (number != ++model->issue_number) {
        return differ(history, "an issue number that is not the next");
    }
    sample_token(&sample, &id, number, seed);
    verdict = judge(history, weir_store_issue(store, &sample.token, &sequence, NULL),
                    duplicate ? WEIR_ERROR_DUPLICATE : WEIR_OK, "an issue");
    if (verdict != SAME || duplicate) {
        return verdict;
    }
    model_issue(model, &id, number, seed);
    return sequence == model_sequence(model) ? SAME : differ(history, "an issue's sequence");
}

/* Mostly of a token that is there. */
static enum verdict remove_one(struct history *history, struct weir_store *store)
{
    struct model *model = &history->next;
    struct model_id id = random_id(&history->dice);
    enum weir_change_kind kind =
        dice_chance(&history->dice, 50) ? WEIR_CHANGE_REVOKED : WEIR_CHANGE_EXPIRED;
    uint64_t seed = dice_bits(&history->dice);
    struct model_token *token = model_find(model, &id);
    uint64_t number = 0;
    struct sample sample;
    struct weir_logged_change change;
    enum verdict verdict = SAME;

    if (model->change_count == MODEL_CHANGES_MAX) {
        return SAME;
    }
    if (model->token_count > 0 && dice_chance(&history->dice, 80)) {
        token = &model->tokens[dice_below(&history->dice, model->token_count)];
        id = token->id;
    }
    number = token != NULL ? token->number : dice_below(&history->dice, 100);
    if (dice_chance(&history->dice, 5)) {
        number++;
        token = NULL;
    }
    sample_change(&sample, &change, &id, number, kind, seed);
    verdict = judge(history, weir_store_remove(store, &change, NULL),
                    token != NULL ? WEIR_OK : WEIR_ERROR_NOT_FOUND, "a removal");
    if (verdict != SAME || token == NULL) {
        return verdict;
    }
    model_remove(model, token, kind, seed);
    return change.sequence == model_sequence(model) ? SAME
                                                    : differ(history, "a removal's sequence");
}

static enum verdict forget(struct history *history, struct weir_store *store)
{
    struct model *model = &history->next;
    uint64_t sequence = model->forgotten + dice_below(&history->dice, model->change_count + 3);
    struct weir_instant before = sample_instant(&history->dice);
    uint64_t most = dice_chance(&history->dice, 50) ? UINT64_MAX : dice_below(&history->dice, 20);

    if (model->change_count > MODEL_CHANGES_MAX / 2) {
        before = (struct weir_instant){100, 0};
    }
    model_forget(model, sequence, before, most);
    return judge(history, weir_store_forget(store, sequence, before, most, NULL), WEIR_OK,
                 "forgetting");
}

static enum verdict find(struct history *history, struct weir_store *store)
{
    struct model_id id = random_id(&history->dice);
    struct model_token *token = model_find(&history->next, &id);
    struct weir_stored_token found;
    struct sample sample;
    struct listing expected = {.most = SIZE_MAX};
    struct listing got = {.most = SIZE_MAX};
    enum verdict verdict = judge(history, weir_store_find(store, text_of_id(&id), &found, NULL),
                                 token != NULL ? WEIR_OK : WEIR_ERROR_NOT_FOUND, "finding");

    if (token != NULL && verdict == SAME) {
        sample_token(&sample, &id, token->number, token->seed);
        (void)list_token(&expected, &sample.token);
        (void)list_token(&got, &found);
    }
    return compare(history, &expected, &got, verdict, "what was found");
}

static enum verdict find_by_digest(struct history *history, struct weir_store *store)
{
    struct model *model = &history->next;
    struct model_token stranger = {random_id(&history->dice), 1, dice_bits(&history->dice)};
    struct model_token *token = &stranger;
    struct weir_stored_token found;
    struct sample sample;
    struct listing expected = {.most = SIZE_MAX};
    struct listing got = {.most = SIZE_MAX};
    enum verdict verdict = SAME;

    if (model->token_count > 0 && dice_chance(&history->dice, 80)) {
        token = &model->tokens[dice_below(&history->dice, model->token_count)];
    }
    sample_token(&sample, &token->id, token->number, token->seed);
    verdict = judge(history, weir_store_find_by_digest(store, sample.token.digest, &found, NULL),
                    token != &stranger ? WEIR_OK : WEIR_ERROR_NOT_FOUND, "finding by digest");
    if (token != &stranger && verdict == SAME) {
        (void)list_token(&expected, &sample.token);
        (void)list_token(&got, &found);
    }
    return compare(history, &expected, &got, verdict, "what was found by digest");
}

static enum verdict each(struct history *history, struct weir_store *store)
{
    struct model_id prefix = random_prefix(&history->dice);
    struct model_id after =
        dice_chance(&history->dice, 30) ? (struct model_id){0, {0}} : random_id(&history->dice);
    bool included = dice_chance(&history->dice, 30);
    struct weir_instant now = sample_instant(&history->dice);
    size_t most = dice_chance(&history->dice, 50) ? SIZE_MAX : dice_between(&history->dice, 1, 4);
    struct listing expected = {.most = most};
    struct listing got = {.most = most};

    model_list(&history->next, &prefix, &after, !included, &now, &expected);
    return compare(history, &expected, &got,
                   judge(history,
                         weir_store_each(store, text_of_id(&prefix), text_of_id(&after), included,
                                         now, list_token, &got, NULL),
                         WEIR_OK, "visiting each"),
                   "a page");
}

/* Tokens as a set of texts, whatever their order: each line, by what it begins with. */
struct visited {
    struct model *model;
    bool seen[MODEL_TOKENS_MAX];
    size_t strange;
    struct weir_instant last;
    bool out_of_order;
    bool issues_only; /* of the rest nothing is told */
};

/* The sample, but for what is told of an issue. */
static struct weir_stored_token as_told(const struct sample *sample,
                                        const struct weir_stored_token *issue)
{
    struct weir_stored_token told = sample->token;

    told.id = issue->id;
    told.issue_number = issue->issue_number;
    memcpy(told.digest, issue->digest, sizeof told.digest);
    told.expires = issue->expires;
    told.expires_at = issue->expires_at;
    return told;
}

static bool visit_known(void *context, const struct weir_stored_token *token)
{
    struct visited *visited = context;
    struct model_id id = {token->id.length, {0}};
    struct model_token *known = NULL;
    struct sample sample;
    struct weir_stored_token told = *token;
    struct listing expected = {.most = SIZE_MAX};
    struct listing got = {.most = SIZE_MAX};

    memcpy(id.bytes, token->id.bytes, id.length);
    known = model_find(visited->model, &id);
    if (known == NULL || visited->seen[known - visited->model->tokens]) {
        visited->strange++;
        return true;
    }
    visited->seen[known - visited->model->tokens] = true;
    sample_token(&sample, &id, known->number, known->seed);
    (void)list_token(&expected, &sample.token);
    if (visited->issues_only) {
        told = as_told(&sample, token);
    }
    (void)list_token(&got, &told);
    visited->strange += listing_equal(&expected, &got) ? 0 : 1;
    visited->out_of_order |= token->expires_at.seconds < visited->last.seconds ||
                             (token->expires_at.seconds == visited->last.seconds &&
                              token->expires_at.nanoseconds < visited->last.nanoseconds);
    visited->last = token->expires_at;
    listing_free(&expected);
    listing_free(&got);
    return true;
}

static size_t seen_count(const struct visited *visited)
{
    size_t count = 0;

    for (size_t i = 0; i < visited->model->token_count; i++) {
        count += visited->seen[i] ? 1 : 0;
    }
    return count;
}

static enum verdict all(struct history *history, struct weir_store *store)
{
    struct visited visited = {.model = &history->next};
    enum verdict verdict =
        judge(history, weir_store_all(store, visit_known, &visited, NULL), WEIR_OK, "visiting all");

    if (verdict == SAME &&
        (visited.strange > 0 || seen_count(&visited) != history->next.token_count)) {
        return differ(history, "all tokens");
    }
    visited = (struct visited){.model = &history->next, .issues_only = true};
    if (verdict == SAME) {
        verdict = judge(history, weir_store_all_issues(store, visit_known, &visited, NULL), WEIR_OK,
                        "visiting all issues");
    }
    if (verdict == SAME &&
        (visited.strange > 0 || seen_count(&visited) != history->next.token_count)) {
        return differ(history, "all issues");
    }
    return verdict;
}

static enum verdict expired(struct history *history, struct weir_store *store)
{
    struct weir_instant now = sample_instant(&history->dice);
    struct visited visited = {.model = &history->next, .last = {INT64_MIN, 0}, .issues_only = true};
    struct listing expected = {.most = SIZE_MAX};
    enum verdict verdict =
        judge(history, weir_store_expired(store, now, visit_known, &visited, NULL), WEIR_OK,
              "visiting what has expired");

    model_list_expired(&history->next, now, &expected);
    if (verdict == SAME && (visited.strange > 0 || seen_count(&visited) != expected.rows)) {
        verdict = differ(history, "what has expired");
    } else if (verdict == SAME && visited.out_of_order) {
        verdict = differ(history, "the order of what has expired");
    }
    listing_free(&expected);
    return verdict;
}

/* Issues as tokens, in the order they come in. */
struct issues {
    struct model *model;
    struct listing got;
};

static bool list_issue(void *context, const struct weir_stored_token *token)
{
    struct issues *issues = context;
    struct model_id id = {token->id.length, {0}};
    struct model_token *known = NULL;
    struct sample sample;
    struct weir_stored_token told = *token;

    memcpy(id.bytes, token->id.bytes, id.length);
    known = model_find(issues->model, &id);
    if (known != NULL) {
        sample_token(&sample, &id, known->number, known->seed);
        told = as_told(&sample, token);
    }
    return list_token(&issues->got, &told);
}

/* Those that live, as issues, and how many there are. */
static enum verdict living(struct history *history, struct weir_store *store)
{
    struct model_id prefix = random_prefix(&history->dice);
    struct model_id none = {0, {0}};
    struct weir_instant now = sample_instant(&history->dice);
    struct issues issues = {&history->next, {.most = SIZE_MAX}};
    struct listing expected = {.most = SIZE_MAX};
    uint64_t tokens = 0;
    enum verdict verdict =
        judge(history, weir_store_count_living(store, text_of_id(&prefix), now, &tokens, NULL),
              WEIR_OK, "counting what lives");

    model_list(&history->next, &prefix, &none, false, &now, &expected);
    if (verdict == SAME && tokens != expected.rows) {
        verdict = differ(history, "how many live");
    }
    if (verdict == SAME) {
        verdict =
            judge(history,
                  weir_store_each_issue(store, text_of_id(&prefix), now, list_issue, &issues, NULL),
                  WEIR_OK, "visiting what lives");
    }
    return compare(history, &expected, &issues.got, verdict, "what lives");
}

static enum verdict changes(struct history *history, struct weir_store *store)
{
    const struct model *model = &history->next;
    uint64_t sequence = dice_below(&history->dice, (size_t)model_sequence(model) + 2);
    size_t most = dice_chance(&history->dice, 50) ? SIZE_MAX : dice_between(&history->dice, 1, 4);
    bool kept = sequence >= model->forgotten && sequence <= model_sequence(model);
    struct listing expected = {.most = most};
    struct listing got = {.most = most};

    if (kept) {
        model_list_changes(model, sequence, &expected);
    }
    return compare(history, &expected, &got,
                   judge(history, weir_store_changes(store, sequence, list_change, &got, NULL),
                         kept ? WEIR_OK : WEIR_ERROR_NOT_FOUND, "the log"),
                   "changes");
}

static enum verdict counters(struct history *history, struct weir_store *store)
{
    uint64_t sequence = 0;
    uint64_t tokens = 0;
    enum verdict verdict =
        judge(history, weir_store_sequence(store, &sequence, NULL), WEIR_OK, "the sequence");

    if (verdict == SAME) {
        verdict = judge(history, weir_store_count(store, &tokens, NULL), WEIR_OK, "the count");
    }
    if (verdict == SAME &&
        (sequence != model_sequence(&history->next) || tokens != history->next.token_count)) {
        return differ(history, "the counters");
    }
    return verdict;
}

/*
 * ---- Transactions ----
 */

static enum verdict step(struct history *history, struct weir_store *store)
{
    static enum verdict (*const steps[])(struct history *, struct weir_store *) = {
        issue, issue,          issue, remove_one, remove_one, forget,  find,    each,
        each,  find_by_digest, all,   expired,    living,     changes, counters};
    size_t which = dice_below(&history->dice, COUNT(steps));

    history->steps++;
    return steps[which](history, store);
}

/* A transaction of which a part has failed is rolled back also by committing it. */
static enum history_outcome refuse(struct history *history, struct weir_store *store,
                                   enum verdict verdict)
{
    if (verdict == REFUSED && dice_chance(&history->dice, 50) &&
        weir_store_commit(store, NULL) == WEIR_OK) {
        verdict = differ(history, "committed, though a part had failed");
    }
    weir_store_rollback(store);
    return verdict == DIFFERS ? HISTORY_DIFFERS : HISTORY_REFUSED;
}

enum history_outcome history_go_on(struct history *history, struct weir_store *store, size_t steps)
{
    size_t count = dice_between(&history->dice, 1, steps);
    enum verdict verdict = SAME;

    history->next = history->model;
    verdict = judge(history, weir_store_begin(store, true, NULL), WEIR_OK, "beginning");
    if (verdict != SAME) {
        return verdict == DIFFERS ? HISTORY_DIFFERS : HISTORY_REFUSED;
    }
    for (size_t i = 0; verdict == SAME && i < count; i++) {
        verdict = step(history, store);
    }
    if (verdict != SAME) {
        return refuse(history, store, verdict);
    }
    if (dice_chance(&history->dice, 15)) {
        weir_store_rollback(store);
        return HISTORY_ROLLED_BACK;
    }
    verdict = judge(history, weir_store_commit(store, NULL), WEIR_OK, "committing");
    if (verdict != SAME) {
        return verdict == DIFFERS ? HISTORY_DIFFERS : HISTORY_UNDECIDED;
    }
    history->model = history->next;
    return HISTORY_COMMITTED;
}
