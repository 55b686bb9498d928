/* lines.c - draws as many credentials as it is told, and prints each, a space, and its digest. */
#include <stdio.h>
#include <stdlib.h>

#include <weir/credential.h>

int main(int argc, char **argv)
{
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;

    for (long i = 0; i < count; i++) {
        struct weir_credential credential;
        uint8_t digest[WEIR_DIGEST_SIZE];

        if (weir_credential_draw(&credential, NULL) != WEIR_OK ||
            !weir_credential_digest((struct weir_text){credential.text, WEIR_CREDENTIAL_LENGTH},
                                    digest)) {
            return 1;
        }
        printf("%s ", credential.text);
        for (size_t byte = 0; byte < sizeof digest; byte++) {
            printf("%02x", digest[byte]);
        }
        printf("\n");
    }
    return count > 0 ? 0 : 2;
}
