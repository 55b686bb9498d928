#include "question.h"

#include <string.h>

#include "report.h"

#define SCHEME "s2://"

/* `s2://BASIN` or `s2://BASIN/STREAM`, parted at the first slash after the scheme; no byte of a
 * name means anything else. */
static bool read_location(struct weir_request *request, const char *target, bool with_stream)
{
    const char *basin = target + strlen(SCHEME);
    const char *slash = NULL;

    if (strncmp(target, SCHEME, strlen(SCHEME)) != 0) {
        return false;
    }
    slash = strchr(basin, '/');
    if ((slash != NULL) != with_stream) {
        return false;
    }
    request->basin = text_of(basin);
    if (slash != NULL) {
        request->basin.length = (size_t)(slash - basin);
        request->stream = text_of(slash + 1);
    }
    return true;
}

static bool read_target(struct weir_request *request, const char *target)
{
    switch (weir_operation_target(request->operation)) {
    case WEIR_TARGET_BASIN:
        return read_location(request, target, false);
    case WEIR_TARGET_STREAM:
        return read_location(request, target, true);
    case WEIR_TARGET_ACCESS_TOKEN:
        request->access_token = text_of(target);
        return true;
    case WEIR_TARGET_NONE:
    default:
        return false;
    }
}

static const char *form_of(enum weir_target target)
{
    static const char *const forms[] = {
        [WEIR_TARGET_NONE] = "no TARGET",
        [WEIR_TARGET_BASIN] = "a TARGET s2://BASIN",
        [WEIR_TARGET_STREAM] = "a TARGET s2://BASIN/STREAM",
        [WEIR_TARGET_ACCESS_TOKEN] = "a TARGET, the id of an access token",
    };

    return forms[target];
}

bool request_read(struct weir_request *request, const struct command *command, char **operands,
                  size_t count)
{
    const char *form = NULL;

    *request = (struct weir_request){0};
    if (!weir_operation_parse(text_of(operands[0]), &request->operation)) {
        return report_usage(command, "no such operation: %s", quoted(operands[0]).text);
    }
    form = form_of(weir_operation_target(request->operation));
    if (count == 1) {
        return weir_operation_target(request->operation) == WEIR_TARGET_NONE ||
               report_usage(command, "%s takes %s, which is missing", operands[0], form);
    }
    if (!read_target(request, operands[1])) {
        return report_usage(command, "%s takes %s, not %s", operands[0], form,
                            quoted(operands[1]).text);
    }
    return true;
}
