#include "authority/place.h"

#include <stdio.h>
#include <stdlib.h>

bool place_make(char folder[256], char store[320], char directory[320])
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(folder, 256, "%s/weir-test-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(store, 320, "%s/tokens.db", folder);
    (void)snprintf(directory, 320, "%s/published", folder);
    return true;
}

bool place_remove(const char *folder)
{
    char command[400];

    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    return system(command) == 0;
}
