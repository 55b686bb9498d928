#include "authority/store_model.h"

#include <stdlib.h>
#include <string.h>

/*
 * ---- What seeds say ----
 */

struct weir_text text_of_id(const struct model_id *id)
{
    return (struct weir_text){id->bytes, id->length};
}

static struct model_id id_of(const char *bytes, size_t length)
{
    struct model_id id = {length < WEIR_TOKEN_ID_MAX ? length : WEIR_TOKEN_ID_MAX, {0}};

    memcpy(id.bytes, bytes, id.length);
    return id;
}

struct model_id random_id(struct dice *dice)
{
    static const char *const pieces[] = {
        "a", "b", "/", "user", "\xc3\xa9", "\xff", "\x01", "\xf4\x8f\xbf\xbf", "\xff\xff\xff"};
    char bytes[WEIR_TOKEN_ID_MAX + 16];
    size_t length = 0;
    size_t count = dice_between(dice, 1, 3);

    if (dice_chance(dice, 3)) {
        memset(bytes, dice_chance(dice, 50) ? 'z' : 0xff, WEIR_TOKEN_ID_MAX);
        return id_of(bytes, WEIR_TOKEN_ID_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[dice_below(dice, sizeof pieces / sizeof pieces[0])];

        memcpy(bytes + length, piece, strlen(piece));
        length += strlen(piece);
    }
    return id_of(bytes, length);
}

struct model_id random_prefix(struct dice *dice)
{
    struct model_id id = random_id(dice);

    id.length = dice_below(dice, id.length + 1);
    return id;
}

struct weir_instant sample_instant(struct dice *dice)
{
    static const uint32_t nanoseconds[] = {0, 1, 500000000, 999999999};

    return (struct weir_instant){(int64_t)dice_below(dice, 5) - 2,
                                 nanoseconds[dice_below(dice, 4)]};
}

static struct weir_text sample_by(struct dice *dice, char by[WEIR_TOKEN_ID_MAX])
{
    struct model_id id = random_id(dice);

    memcpy(by, id.bytes, sizeof id.bytes);
    return (struct weir_text){by, dice_chance(dice, 20) ? 0 : id.length};
}

/* Most fit into a page; some need several. */
static struct weir_text sample_declaration(struct dice *dice, char *bytes)
{
    size_t length =
        dice_chance(dice, 5) ? dice_below(dice, SAMPLE_DECLARATION_MAX) : dice_below(dice, 300);

    for (size_t i = 0; i < length; i += 8) {
        uint64_t bits = dice_bits(dice);

        for (size_t j = i; j < i + 8 && j < length; j++, bits >>= 8) {
            bytes[j] = (char)(' ' + (bits & 63));
        }
    }
    return (struct weir_text){bytes, length};
}

void sample_token(struct sample *sample, const struct model_id *id, uint64_t number, uint64_t seed)
{
    struct dice dice = {seed};

    sample->token = (struct weir_stored_token){.id = text_of_id(id), .issue_number = number};
    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        sample->token.digest[i] = (uint8_t)dice_bits(&dice);
    }
    sample->token.expires = dice_chance(&dice, 60);
    if (sample->token.expires) {
        sample->token.expires_at = sample_instant(&dice);
    }
    sample->token.issued_by = sample_by(&dice, sample->by);
    sample->token.issued_by_number = dice_below(&dice, 100);
    sample->token.issued_at = sample_instant(&dice);
    sample->token.declaration = sample_declaration(&dice, sample->declaration);
}

void sample_change(struct sample *sample, struct weir_logged_change *change,
                   const struct model_id *id, uint64_t number, enum weir_change_kind kind,
                   uint64_t seed)
{
    struct dice dice = {seed};

    *change =
        (struct weir_logged_change){.kind = kind, .id = text_of_id(id), .issue_number = number};
    change->by = sample_by(&dice, sample->by);
    change->by_number = dice_below(&dice, 100);
    change->at = sample_instant(&dice);
}

/* The change that issuing or removing has logged. */
static void change_of(const struct model *model, size_t at, struct sample *sample,
                      struct weir_logged_change *change)
{
    const struct model_change *kept = &model->changes[at];

    if (kept->kind == WEIR_CHANGE_ISSUED) {
        sample_token(sample, &kept->id, kept->number, kept->seed);
        *change = (struct weir_logged_change){.kind = kept->kind,
                                              .id = sample->token.id,
                                              .issue_number = kept->number,
                                              .by = sample->token.issued_by,
                                              .by_number = sample->token.issued_by_number,
                                              .at = sample->token.issued_at};
    } else {
        sample_change(sample, change, &kept->id, kept->number, kept->kind, kept->seed);
    }
    change->sequence = model->forgotten + at + 1;
}

/*
 * ---- Changing it ----
 */

static int compare_ids(const struct model_id *left, const struct model_id *right)
{
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->bytes, right->bytes, shorter);

    if (order != 0) {
        return order;
    }
    return (left->length > right->length) - (left->length < right->length);
}

struct model_token *model_find(struct model *model, const struct model_id *id)
{
    for (size_t i = 0; i < model->token_count; i++) {
        if (compare_ids(&model->tokens[i].id, id) == 0) {
            return &model->tokens[i];
        }
    }
    return NULL;
}

uint64_t model_sequence(const struct model *model)
{
    return model->forgotten + model->change_count;
}

static void add_change(struct model *model, struct model_change change)
{
    if (model->change_count < MODEL_CHANGES_MAX) {
        model->changes[model->change_count++] = change;
    }
}

void model_issue(struct model *model, const struct model_id *id, uint64_t number, uint64_t seed)
{
    model->tokens[model->token_count++] = (struct model_token){*id, number, seed};
    add_change(model, (struct model_change){*id, WEIR_CHANGE_ISSUED, number, seed});
}

void model_remove(struct model *model, struct model_token *token, enum weir_change_kind kind,
                  uint64_t seed)
{
    add_change(model, (struct model_change){token->id, kind, token->number, seed});
    *token = model->tokens[--model->token_count];
}

static bool is_before(struct weir_instant left, struct weir_instant right)
{
    return left.seconds < right.seconds ||
           (left.seconds == right.seconds && left.nanoseconds < right.nanoseconds);
}

void model_forget(struct model *model, uint64_t sequence, struct weir_instant before, uint64_t most)
{
    for (; most > 0 && model->change_count > 0 && model->forgotten < sequence; most--) {
        struct sample sample;
        struct weir_logged_change oldest;

        change_of(model, 0, &sample, &oldest);
        if (!is_before(oldest.at, before)) {
            return;
        }
        model->change_count--;
        memmove(model->changes, model->changes + 1, model->change_count * sizeof model->changes[0]);
        model->forgotten++;
    }
}

/*
 * ---- Listings ----
 */

static void add_raw(struct listing *listing, const void *bytes, size_t size)
{
    if (listing->room < listing->length + size) {
        listing->room = 2 * listing->room + size;
        listing->bytes = realloc(listing->bytes, listing->room);
        if (listing->bytes == NULL) {
            abort();
        }
    }
    memcpy(listing->bytes + listing->length, bytes, size);
    listing->length += size;
}

static void add_number(struct listing *listing, uint64_t number)
{
    add_raw(listing, &number, sizeof number);
}

/* Long ones by their length and a sum. */
static void add_text(struct listing *listing, struct weir_text text)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    add_number(listing, text.length);
    if (text.length > 0 && text.length <= WEIR_TOKEN_ID_MAX) {
        add_raw(listing, text.bytes, text.length);
        return;
    }
    for (size_t i = 0; i < text.length; i++) {
        sum = (sum ^ (unsigned char)text.bytes[i]) * UINT64_C(1099511628211);
    }
    add_number(listing, sum);
}

static void add_instant(struct listing *listing, struct weir_instant instant)
{
    add_number(listing, (uint64_t)instant.seconds);
    add_number(listing, instant.nanoseconds);
}

void listing_clear(struct listing *listing)
{
    listing->length = 0;
    listing->rows = 0;
    listing->most = SIZE_MAX;
}

void listing_free(struct listing *listing)
{
    free(listing->bytes);
}

bool list_token(void *context, const struct weir_stored_token *token)
{
    struct listing *listing = context;

    add_text(listing, token->id);
    add_number(listing, token->issue_number);
    add_text(listing, token->declaration);
    add_raw(listing, token->digest, sizeof token->digest);
    add_number(listing, token->expires);
    add_instant(listing, token->expires_at);
    add_text(listing, token->issued_by);
    add_number(listing, token->issued_by_number);
    add_instant(listing, token->issued_at);
    return ++listing->rows < listing->most;
}

bool list_change(void *context, const struct weir_logged_change *change)
{
    struct listing *listing = context;

    add_number(listing, change->sequence);
    add_number(listing, change->kind);
    add_text(listing, change->id);
    add_number(listing, change->issue_number);
    add_text(listing, change->by);
    add_number(listing, change->by_number);
    add_instant(listing, change->at);
    return ++listing->rows < listing->most;
}

bool listing_equal(const struct listing *left, const struct listing *right)
{
    return left->length == right->length &&
           (left->length == 0 || memcmp(left->bytes, right->bytes, left->length) == 0);
}

static bool begins_with(const struct model_id *id, const struct model_id *prefix)
{
    return id->length >= prefix->length && memcmp(id->bytes, prefix->bytes, prefix->length) == 0;
}

static bool is_listed(const struct model_token *token, const struct model_id *prefix,
                      const struct model_id *least, bool excluded, const struct weir_instant *now)
{
    struct sample sample;
    int order = compare_ids(&token->id, least);

    sample_token(&sample, &token->id, token->number, token->seed);
    return begins_with(&token->id, prefix) && (excluded ? order > 0 : order >= 0) &&
           (now == NULL || !sample.token.expires || is_before(*now, sample.token.expires_at));
}

/* The index of the least id of those that are listed and greater than `last`; the count if there is
 * none. */
static size_t next_listed(const struct model *model, const struct model_id *last,
                          const bool listed[MODEL_TOKENS_MAX])
{
    size_t found = model->token_count;

    for (size_t i = 0; i < model->token_count; i++) {
        if (listed[i] && (last == NULL || compare_ids(&model->tokens[i].id, last) > 0) &&
            (found == model->token_count ||
             compare_ids(&model->tokens[i].id, &model->tokens[found].id) < 0)) {
            found = i;
        }
    }
    return found;
}

static void list_in_order(const struct model *model, const bool listed[MODEL_TOKENS_MAX],
                          struct listing *listing)
{
    const struct model_id *last = NULL;

    for (;;) {
        size_t next = next_listed(model, last, listed);
        struct sample sample;

        if (next == model->token_count) {
            return;
        }
        last = &model->tokens[next].id;
        sample_token(&sample, last, model->tokens[next].number, model->tokens[next].seed);
        if (!list_token(listing, &sample.token)) {
            return;
        }
    }
}

void model_list(struct model *model, const struct model_id *prefix, const struct model_id *least,
                bool excluded, const struct weir_instant *now, struct listing *listing)
{
    bool listed[MODEL_TOKENS_MAX] = {false};

    for (size_t i = 0; i < model->token_count; i++) {
        listed[i] = is_listed(&model->tokens[i], prefix, least, excluded, now);
    }
    list_in_order(model, listed, listing);
}

void model_list_expired(struct model *model, struct weir_instant now, struct listing *listing)
{
    bool listed[MODEL_TOKENS_MAX] = {false};

    for (size_t i = 0; i < model->token_count; i++) {
        struct sample sample;

        sample_token(&sample, &model->tokens[i].id, 1, model->tokens[i].seed);
        listed[i] = sample.token.expires && !is_before(now, sample.token.expires_at);
    }
    list_in_order(model, listed, listing);
}

void model_list_changes(const struct model *model, uint64_t sequence, struct listing *listing)
{
    for (size_t i = 0; i < model->change_count; i++) {
        struct sample sample;
        struct weir_logged_change change;

        change_of(model, i, &sample, &change);
        if (change.sequence > sequence && !list_change(listing, &change)) {
            return;
        }
    }
}

/*
 * ---- The whole ----
 */

static const char *tokens_difference(struct weir_store *store, struct model *model)
{
    static const struct weir_instant long_ago = {INT64_MIN, 0};
    struct model_id none = {0, {0}};
    struct listing expected = {.most = SIZE_MAX};
    struct listing got = {.most = SIZE_MAX};
    const char *difference = NULL;

    model_list(model, &none, &none, false, NULL, &expected);
    if (weir_store_each(store, WEIR_TEXT(""), WEIR_TEXT(""), true, long_ago, list_token, &got,
                        NULL) != WEIR_OK) {
        difference = "the tokens cannot be read";
    } else if (!listing_equal(&expected, &got)) {
        difference = "other tokens";
    }
    listing_free(&expected);
    listing_free(&got);
    return difference;
}

static const char *log_difference(struct weir_store *store, const struct model *model)
{
    struct listing expected = {.most = SIZE_MAX};
    struct listing got = {.most = SIZE_MAX};
    const char *difference = NULL;

    model_list_changes(model, 0, &expected);
    if (weir_store_changes(store, model->forgotten, list_change, &got, NULL) != WEIR_OK) {
        difference = "the log cannot be read";
    } else if (!listing_equal(&expected, &got)) {
        difference = "another log";
    } else if (model->forgotten > 0 && weir_store_changes(store, model->forgotten - 1, list_change,
                                                          &got, NULL) != WEIR_ERROR_NOT_FOUND) {
        difference = "the log goes back too far";
    }
    listing_free(&expected);
    listing_free(&got);
    return difference;
}

/* Draws a number, which the transaction that is rolled back gives back. */
static const char *counters_difference(struct weir_store *store, const struct model *model)
{
    uint64_t sequence = 0;
    uint64_t tokens = 0;
    uint64_t number = 0;

    if (weir_store_sequence(store, &sequence, NULL) != WEIR_OK ||
        weir_store_count(store, &tokens, NULL) != WEIR_OK ||
        weir_store_next_issue_number(store, &number, NULL) != WEIR_OK) {
        return "the counters cannot be read";
    }
    if (sequence != model_sequence(model)) {
        return "another sequence";
    }
    if (tokens != model->token_count) {
        return "another count of tokens";
    }
    return number != model->issue_number + 1 ? "another issue number" : NULL;
}

const char *store_difference(struct weir_store *store, struct model *model)
{
    const char *difference = NULL;

    if (weir_store_begin(store, true, NULL) != WEIR_OK) {
        return "no transaction can be begun";
    }
    difference = tokens_difference(store, model);
    if (difference == NULL) {
        difference = log_difference(store, model);
    }
    if (difference == NULL) {
        difference = counters_difference(store, model);
    }
    weir_store_rollback(store);
    return difference;
}
