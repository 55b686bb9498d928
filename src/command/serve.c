/* serve.c - the authority as a server of HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/authority.h>

#include "command.h"
#include "report.h"
#include "serve.h"

#define CONNECTIONS 1024
#define CONNECTIONS_PER_ADDRESS 64

static const char help[] =
    "Usage: weir serve --store STORE [--publish DIR [--lease SECONDS]]\n"
    "                  --listen ADDRESS [--listen ADDRESS ...] [FLAG ...]\n"
    "\n"
    "Issues, lists and revokes tokens over HTTP, as S2 does (/v1/access-tokens), and\n"
    "publishes each change in DIR for gateways and brokers to follow. It owns the store:\n"
    "weir token asks this process while it runs. /health is answered, too, and to the\n"
    "operator /metrics, for Prometheus. A change is answered once it is durable and published.\n"
    "\n"
    "  --store STORE        the file that keeps the tokens: weir token init makes it\n"
    "  --publish DIR        where to publish; without it only this process knows the tokens\n"
    "  --lease SECONDS      of a directory that is made: without a heartbeat for so long\n"
    "                       followers deny, 0.01 to 86400; 2 unless given\n"
    "  --listen ADDRESS     HOST:PORT or unix:PATH; may be given several times. It is plain\n"
    "                       HTTP, so only this machine's own addresses are taken,\n"
    "  --allow-remote       ... unless this allows others: credentials can then be read on\n"
    "                       the way. Put TLS in front\n"
    "  --metrics ADDRESS    where /metrics is answered to whoever can reach it; else on the\n"
    "                       operator's socket alone\n"
    "  --socket PATH        the operator's socket; STORE.operator unless given. Root and the\n"
    "                       user of this process have the operator's authority there\n"
    "  --audit FILE         who did what to which token, a JSON object a line; - is standard\n"
    "                       error. None unless given\n"
    "  --log FILE           what the server says of itself, a JSON object a line; standard\n"
    "                       error unless given\n"
    "  --connections N      at one time, shared evenly among the addresses; 1024\n"
    "  --connections-per-address N\n"
    "                       from one address, of a network; 64. What stands in front has\n"
    "                       one address\n"
    "  -h, --help           this text\n"
    "\n"
    "SIGHUP opens FILE of --log and --audit anew. SIGTERM and SIGINT end it once what was\n"
    "begun is finished, for which there are 30 seconds.\n"
    "\n"
    "Exits with 0, or 2 after an error.\n"
    "\n"
    "Example:\n"
    "  weir serve --store /var/lib/weir/tokens.db --publish /run/weir/tokens \\\n"
    "      --listen 127.0.0.1:8480 --audit /var/log/weir/audit.ndjson\n";

/* PATH of --socket, or STORE.operator in `made`. */
static const char *socket_path(const struct options *options, char *made, size_t size)
{
    if (options->values[FLAG_SOCKET] != NULL) {
        return options->values[FLAG_SOCKET];
    }
    (void)snprintf(made, size, "%s.operator", options->values[FLAG_STORE]);
    return made;
}

static bool serve_store(struct weir_authority *authority, const struct options *options)
{
    const char *log = options->values[FLAG_LOG];
    char made[4096];
    const struct serve_options how = {
        .addresses = options->listen,
        .address_count = options->listen_count,
        .metrics = options->values[FLAG_METRICS],
        .operator_path = socket_path(options, made, sizeof made),
        .audit = options->values[FLAG_AUDIT],
        .log = log != NULL ? log : "-",
        .allow_remote = options->values[FLAG_ALLOW_REMOTE] != NULL,
        .connections = options->connections != 0 ? options->connections : CONNECTIONS,
        .connections_per_address =
            options->per_address != 0 ? options->per_address : CONNECTIONS_PER_ADDRESS,
    };
    const char *about = NULL;
    struct weir_error error;

    return serve(authority, &how, &about, &error) ||
           report_error(about != NULL ? about : options->values[FLAG_STORE], &error);
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    const struct weir_authority_options how = {
        .directory = options->values[FLAG_PUBLISH],
        .publisher = {.lease = options->lease},
    };
    struct weir_authority *authority = NULL;
    struct weir_error error;
    bool served = false;

    (void)command;
    (void)output;
    if (weir_authority_open(options->values[FLAG_STORE], &how, &authority, &error) != WEIR_OK) {
        (void)report_error(options->values[FLAG_STORE], &error);
        return EXIT_TROUBLE;
    }
    served = serve_store(authority, options);
    weir_authority_close(authority);
    return served ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "issues, lists and revokes tokens over HTTP, as S2 does",
    .help = help,
    .flags = FLAG_BIT(FLAG_STORE) | FLAG_BIT(FLAG_PUBLISH) | FLAG_BIT(FLAG_LEASE) |
             FLAG_BIT(FLAG_LISTEN) | FLAG_BIT(FLAG_ALLOW_REMOTE) | FLAG_BIT(FLAG_METRICS) |
             FLAG_BIT(FLAG_SOCKET) | FLAG_BIT(FLAG_AUDIT) | FLAG_BIT(FLAG_LOG) |
             FLAG_BIT(FLAG_CONNECTIONS) | FLAG_BIT(FLAG_PER_ADDRESS),
    .required = FLAG_BIT(FLAG_STORE) | FLAG_BIT(FLAG_LISTEN),
    .run = run,
};
