#include "options.h"

#include <string.h>

#include "command.h"
#include "report.h"

struct flag_form {
    const char *name;
    char letter;       /* of the short form; NUL where there is none */
    const char *value; /* what the value is called; NULL for a flag that takes none */
};

static const struct flag_form forms[FLAG_COUNT] = {
    [FLAG_TOKENS] = {"--tokens", '\0', "FILE"},
    [FLAG_NOW] = {"--now", '\0', "T"},
    [FLAG_OUTPUT] = {"--output", 'o', "IMAGE"},
    [FLAG_HELP] = {"--help", 'h', NULL},
};

/* The arguments not yet read. */
struct arguments {
    int count;
    char **next;
};

/*
 * Finds the flag that `argument` is, and the value attached to it (`--now=T`, `-oIMAGE`), if any.
 * FLAG_COUNT if the command has no such flag.
 */
static enum flag find_flag(const struct command *command, const char *argument,
                           const char **attached)
{
    size_t length = strcspn(argument, "=");

    *attached = argument[length] == '=' ? argument + length + 1 : NULL;
    for (enum flag flag = 0; flag < FLAG_COUNT; flag++) {
        const struct flag_form *form = &forms[flag];

        if (((command->flags | FLAG_BIT(FLAG_HELP)) & FLAG_BIT(flag)) == 0) {
            continue;
        }
        if (strlen(form->name) == length && memcmp(form->name, argument, length) == 0) {
            return flag;
        }
        if (form->letter != '\0' && argument[1] == form->letter) {
            *attached = argument[2] != '\0' ? argument + 2 : NULL;
            return flag;
        }
    }
    return FLAG_COUNT;
}

static bool read_flag(struct options *options, const struct command *command, const char *argument,
                      struct arguments *rest)
{
    const char *value = NULL;
    enum flag flag = find_flag(command, argument, &value);

    if (flag == FLAG_COUNT) {
        return report_usage(command, "unknown flag %s (an id that begins with '-' goes after --)",
                            quoted(argument).text);
    }
    if (options->values[flag] != NULL) {
        return report_usage(command, "%s is given twice", forms[flag].name);
    }
    if (forms[flag].value == NULL) {
        if (value != NULL) {
            return report_usage(command, "%s takes no value", forms[flag].name);
        }
        value = "";
    } else if (value == NULL) {
        if (rest->count == 0) {
            return report_usage(command, "%s needs a value, %s", forms[flag].name,
                                forms[flag].value);
        }
        value = *rest->next++;
        rest->count--;
    }
    options->values[flag] = value;
    return true;
}

static bool read_now(struct options *options, const struct command *command)
{
    const char *now = options->values[FLAG_NOW];

    if (now != NULL && !weir_instant_parse(text_of(now), &options->now)) {
        return report_usage(command, "--now is not an RFC 3339 instant: %s", quoted(now).text);
    }
    return true;
}

static bool check_complete(const struct options *options, const struct command *command)
{
    for (enum flag flag = 0; flag < FLAG_COUNT; flag++) {
        if ((command->required & FLAG_BIT(flag)) != 0 && options->values[flag] == NULL) {
            return report_usage(command, "%s %s is missing", forms[flag].name, forms[flag].value);
        }
    }
    if (options->operand_count < command->operands_required) {
        return report_usage(command, "%s is missing", command->operands[options->operand_count]);
    }
    return true;
}

static bool add_operand(struct options *options, const struct command *command, char *argument)
{
    if (options->operand_count == OPERANDS_MAX ||
        command->operands[options->operand_count] == NULL) {
        return report_usage(command, "one argument too many: %s", quoted(argument).text);
    }
    options->operands[options->operand_count++] = argument;
    return true;
}

bool options_read(struct options *options, const struct command *command, int argc, char **argv)
{
    struct arguments rest = {argc, argv};
    bool flags_ended = false;

    *options = (struct options){.operands = argv};
    while (rest.count > 0) {
        char *argument = *rest.next++;
        bool understood = true;

        rest.count--;
        if (flags_ended || argument[0] != '-' || argument[1] == '\0') {
            understood = add_operand(options, command, argument);
        } else if (strcmp(argument, "--") == 0) {
            flags_ended = true;
        } else {
            understood = read_flag(options, command, argument, &rest);
        }
        if (!understood) {
            return false;
        }
        if (options->values[FLAG_HELP] != NULL) {
            return true;
        }
    }
    return check_complete(options, command) && read_now(options, command);
}

struct weir_instant options_now(const struct options *options)
{
    return options->values[FLAG_NOW] != NULL ? options->now : weir_instant_now();
}
