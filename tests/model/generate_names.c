#include "model/generate_names.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const basin_pieces[] = {"a", "b", "-", "0", "9", "z", "acme-", "tenant-"};
static const char *const plain_pieces[] = {"a", "b", "a", "/", "-", ".", "0", "users/"};
static const char *const look_alikes[] = {
    "a",
    "A",
    "\xd0\xb0",
    "\xef\xbd\x81",
    "e\xcc\x81",
    "\xc3\xa9",
    "\xc3\xa8",
    "e",
    "\xcc\x81",
    "\xef\xac\x81",
    "fi",
    "\xc4\xb0",
    "\xc4\xb1",
    "i",
    "I",
    "K",
    "\xe2\x84\xaa",
    "ss",
    "\xc3\x9f",
    "\xc5\xbf",
    "\xe2\x80\x8d",
    "\xe2\x80\xa4",
    "\xef\xbc\x8e",
    ".",
    "/",
    "\xe2\x88\x95",
    " ",
    "\xc2\xa0",
    "\xef\xbb\xbf",
    "%2f",
};
static const char *const extremes[] = {
    "\x01",
    "\x7f",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbf",
    "\xef\xbf\xbd",
    "\xf0\x90\x80\x80",
    "\"",
    "\\",
    "\n",
    "\xe6\x97\xa5",
    "\xe6\x9c\xac",
    "*",
    "..",
    "\xf4\x8f\xbf\xbf",
    "\xf0\x9d\x92\x9c",
    "../",
};

/* Bytes that are no UTF-8 wherever they stand: strays, overlong forms, surrogates, too much. */
static const char *const broken[] = {
    "\x80",     "\xff",         "\xc0\xaf",         "\xc1\xbf", "\xe0\x9f\xbf",     "\xed\xa0\x80",
    "\xe6\x97", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xc3",     "\xf4\x90\x80\x80",
};

static const char basin_bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

size_t longest_name(enum weir_set_role role)
{
    static const size_t longest[] = {WEIR_BASIN_MAX, WEIR_STREAM_MAX, WEIR_TOKEN_ID_MAX};

    return longest[role];
}

void draft_set(struct draft *draft, enum weir_set_role role, struct weir_text text)
{
    draft->role = role;
    draft->length = 0;
    draft_add(draft, text.bytes, text.length);
}

void draft_add(struct draft *draft, const char *bytes, size_t length)
{
    if (length > DRAFT_MAX - draft->length) {
        length = DRAFT_MAX - draft->length;
    }
    if (length > 0) {
        memcpy(draft->bytes + draft->length, bytes, length);
    }
    draft->length += length;
}

struct weir_text draft_text(const struct draft *draft)
{
    return (struct weir_text){draft->bytes, draft->length};
}

static void add_one_of(struct draft *draft, struct dice *dice, const char *const *pieces,
                       size_t count)
{
    const char *piece = pieces[dice_below(dice, count)];

    draft_add(draft, piece, strlen(piece));
}

void draft_add_piece(struct draft *draft, struct dice *dice, struct strangeness strangeness)
{
    size_t roll = dice_below(dice, 100);

    if (draft->role == WEIR_BASINS) {
        add_one_of(draft, dice, basin_pieces, COUNT_OF(basin_pieces));
        if (draft->bytes[0] == '-') {
            draft->bytes[0] = 'a';
        }
    } else if (roll < strangeness.look_alike) {
        add_one_of(draft, dice, look_alikes, COUNT_OF(look_alikes));
    } else if (roll < strangeness.look_alike + strangeness.extreme) {
        add_one_of(draft, dice, extremes, COUNT_OF(extremes));
    } else {
        add_one_of(draft, dice, plain_pieces, COUNT_OF(plain_pieces));
    }
}

/* 0x01 to 0x7f, and 0xc2 to 0xf4, which lead a character of two to four bytes. */
size_t first_bytes(enum weir_set_role role)
{
    return role == WEIR_BASINS ? sizeof basin_bytes - 1 : 0x7f + (0xf4 - 0xc2 + 1);
}

void draft_add_first_byte(struct draft *draft, struct dice *dice, size_t number)
{
    unsigned char first = (unsigned char)(number < 0x7f ? number + 1 : number - 0x7f + 0xc2);
    unsigned char low = (unsigned char)(0x80 + dice_below(dice, 2));
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    /* After e0 and f0 a smaller second byte would be an overlong form. */
    unsigned char second = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    const char character[4] = {(char)first, (char)(length == 2 ? low : second), (char)low,
                               (char)low};

    if (draft->role == WEIR_BASINS) {
        draft_add(draft, &basin_bytes[number], 1);
    } else {
        draft_add(draft, character, length);
    }
}

void draft_add_last_byte(struct draft *draft, size_t number)
{
    const char character[2] = {(char)0xd0, (char)(0x80 + number % 64)};

    draft_add(draft, character, 2);
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

void draft_cut(struct draft *draft, size_t length)
{
    if (length >= draft->length) {
        return;
    }
    while (length > 0 && continues(draft->bytes[length])) {
        length--;
    }
    draft->length = length;
}

void draft_drop_character(struct draft *draft)
{
    if (draft->length > 0) {
        draft_cut(draft, draft->length - 1);
    }
}

void draft_fill(struct draft *draft, struct dice *dice, size_t length)
{
    static const char filler[] = "abcdefgh01234567";
    size_t start = dice_below(dice, sizeof filler - 1);

    draft_cut(draft, length);
    while (draft->length < length) {
        if (draft->role != WEIR_BASINS && length - draft->length >= 3 && dice_chance(dice, 10)) {
            draft_add(draft, "\xe6\x97\xa5", 3);
        } else {
            draft_add(draft, &filler[start++ % (sizeof filler - 1)], 1);
        }
    }
}

void draft_complete(struct draft *draft, struct dice *dice)
{
    if (draft->role == WEIR_BASINS) {
        if (draft->length < WEIR_BASIN_MIN) {
            draft_fill(draft, dice, WEIR_BASIN_MIN);
        }
        if (draft->bytes[draft->length - 1] == '-' && draft->length < WEIR_BASIN_MAX) {
            draft_add(draft, "a", 1);
        }
        if (draft->bytes[draft->length - 1] == '-') {
            draft->bytes[draft->length - 1] = 'z';
        }
    } else if (draft->length == 0 || (draft->length == 1 && draft->bytes[0] == '.') ||
               (draft->length == 2 && memcmp(draft->bytes, "..", 2) == 0)) {
        draft_add(draft, "x", 1);
    }
}

/* Puts the bytes in front of the byte at a random place, which need not begin a character. */
static void insert_somewhere(struct draft *draft, struct dice *dice, const char *bytes,
                             size_t length)
{
    size_t at = dice_below(dice, draft->length + 1);

    if (draft->length + length <= DRAFT_MAX) {
        memmove(draft->bytes + at + length, draft->bytes + at, draft->length - at);
        memcpy(draft->bytes + at, bytes, length);
        draft->length += length;
    }
}

static void change_byte(struct draft *draft, struct dice *dice, size_t at)
{
    static const char flips[] = {1, 2, 32, 64, 127, (char)0x80};

    if (at < draft->length) {
        draft->bytes[at] = (char)(draft->bytes[at] ^ flips[dice_below(dice, sizeof flips)]);
    }
}

void draft_spoil(struct draft *draft, struct dice *dice)
{
    static const struct strangeness strange = {50, 50};
    static const char *const whole[] = {"", ".", "..", "...", "-", "../", "./"};
    const char *piece = broken[dice_below(dice, COUNT_OF(broken))];
    const size_t longest = longest_name(draft->role);

    switch (dice_below(dice, 15)) {
    case 0:
        draft->length -= draft->length > 0;
        break;
    case 1:
        draft_drop_character(draft);
        break;
    case 2:
        change_byte(draft, dice, draft->length - 1);
        break;
    case 3:
        change_byte(draft, dice, draft->length == 0 ? 0 : dice_below(dice, draft->length));
        break;
    case 4:
        draft_cut(draft, dice_below(dice, draft->length + 1));
        break;
    case 5:
    case 6:
        draft_add_piece(draft, dice, strange);
        break;
    case 7:
        insert_somewhere(draft, dice, "\0", 1);
        break;
    case 8:
        insert_somewhere(draft, dice, piece, strlen(piece));
        break;
    case 9:
        draft_add(draft, piece, strlen(piece));
        break;
    case 10:
        draft->length = 0;
        add_one_of(draft, dice, whole, COUNT_OF(whole));
        break;
    case 11:
        draft_fill(draft, dice, longest);
        break;
    case 12:
        draft_fill(draft, dice, longest - 1 + 2 * dice_below(dice, 2));
        break;
    case 13:
        draft_fill(draft, dice, dice_chance(dice, 90) ? WEIR_BASIN_MIN - 1 : longest + 3000);
        break;
    default:
        insert_somewhere(draft, dice, draft->role == WEIR_BASINS ? "_" : "\xcc\x81",
                         draft->role == WEIR_BASINS ? 1 : 2);
        break;
    }
}
