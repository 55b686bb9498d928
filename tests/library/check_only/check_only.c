/* check_only.c - the least that a gateway does: opens an image and asks it one question.
 *
 *     check_only IMAGE TOKEN BASIN STREAM
 *
 * asks whether the token may read the stream, prints the reason and exits 0, 1 or 2.
 */
#include <stdio.h>
#include <string.h>

#include <weir/decision.h>

int main(int argc, char **argv)
{
    struct weir_image *image = NULL;
    struct weir_error error;
    struct weir_request request = {.operation = WEIR_READ};
    struct weir_decision decision;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: check_only IMAGE TOKEN BASIN STREAM\n");
        return 2;
    }
    if (weir_image_open(argv[1], WEIR_IMAGE_SHARED, NULL, &image, &error) != WEIR_OK) {
        (void)fprintf(stderr, "check_only: %s\n", error.message);
        return 2;
    }
    request.basin = (struct weir_text){argv[3], strlen(argv[3])};
    request.stream = (struct weir_text){argv[4], strlen(argv[4])};
    decision = weir_check(image, (struct weir_text){argv[2], strlen(argv[2])}, &request,
                          weir_instant_now());
    (void)puts(weir_reason_name(decision.reason));
    weir_image_close(image);
    return weir_allowed(decision) ? 0 : 1;
}
