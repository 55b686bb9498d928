#include "authority/last_connection.h"

static sqlite3 *connection;

static int note_connection(sqlite3 *database, char **message,
                           const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    connection = database;
    return SQLITE_OK;
}

bool watch_connections(void)
{
    return sqlite3_auto_extension((void (*)(void))note_connection) == SQLITE_OK;
}

sqlite3 *last_connection(void)
{
    return connection;
}
