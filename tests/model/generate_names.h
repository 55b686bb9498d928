/* generate_names.h - names on their way: grown, filled up, spoilt. */
#ifndef WEIR_TESTS_GENERATE_NAMES_H
#define WEIR_TESTS_GENERATE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/decision.h>
#include <weir/name.h>

#include "model/dice.h"

/* A text that is being made. Longer than any name, since questions may be. */
#define DRAFT_MAX 8192

struct draft {
    enum weir_set_role role;
    size_t length;
    char bytes[DRAFT_MAX];
};

/* How strange the characters are that names are grown of, in percent: those that look like others,
 * those at the ends of what UTF-8 can say. The rest is `a`, `b` and a few signs. */
struct strangeness {
    unsigned look_alike;
    unsigned extreme;
};

/* The longest name of a role. */
size_t longest_name(enum weir_set_role role);

void draft_set(struct draft *draft, enum weir_set_role role, struct weir_text text);
void draft_add(struct draft *draft, const char *bytes, size_t length);
struct weir_text draft_text(const struct draft *draft);

/* Adds a character that the role allows, or a short piece. */
void draft_add_piece(struct draft *draft, struct dice *dice, struct strangeness strangeness);

/* Adds character `number`, each of which begins with a byte of its own. There are that many. */
size_t first_bytes(enum weir_set_role role);
void draft_add_first_byte(struct draft *draft, struct dice *dice, size_t number);

/* Adds one of 64 characters that differ in their last byte only. Not for basins. */
void draft_add_last_byte(struct draft *draft, size_t number);

/* Cuts at the last character that ends within `length` bytes. */
void draft_cut(struct draft *draft, size_t length);
void draft_drop_character(struct draft *draft);

/* Adds characters until there are exactly `length` bytes. */
void draft_fill(struct draft *draft, struct dice *dice, size_t length);

/* Makes a prefix, allowed in its role, a name. */
void draft_complete(struct draft *draft, struct dice *dice);

/* Changes one thing; what comes out is often no name, or not the same. */
void draft_spoil(struct draft *draft, struct dice *dice);

#endif
