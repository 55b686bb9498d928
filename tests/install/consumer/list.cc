// list IMAGE TOKEN - what a token may do, asked from C++ of the library that only checks.
#include <cstdio>
#include <cstring>

#include <weir/decision.h>
#include <weir/image.h>
#include <weir/listing.h>

namespace
{

weir_text text_of(const char *string)
{
    return weir_text{string, std::strlen(string)};
}

void check(const weir_compiled_token *token)
{
    weir_request request = {};

    request.operation = WEIR_READ;
    request.basin = WEIR_TEXT("acme-prod");
    request.stream = WEIR_TEXT("users/1/inbox");
    std::puts(weir_reason_name(weir_check_token(token, &request, weir_instant_now()).reason));
}

bool list(const weir_compiled_token *token)
{
    weir_reason reason = WEIR_STALE;
    weir_listing *listing = nullptr;
    weir_error error = {};

    if (weir_narrow(token, WEIR_LIST_STREAMS, WEIR_TEXT("acme-prod"), WEIR_TEXT("users/"),
                    weir_instant_now(), nullptr, &reason, &listing, &error) != WEIR_OK ||
        reason != WEIR_ALLOWED) {
        return false;
    }
    for (size_t i = 0; i < listing->prefix_count; i++) {
        std::printf("%.*s*\n", static_cast<int>(listing->prefixes[i].length),
                    listing->prefixes[i].bytes);
    }
    weir_listing_free(listing);
    return true;
}

} // namespace

int main(int count, char **arguments)
{
    weir_image *image = nullptr;
    weir_error error = {};

    if (count != 3 ||
        weir_image_open(arguments[1], WEIR_IMAGE_COPY, nullptr, &image, &error) != WEIR_OK) {
        std::fprintf(stderr, "list: %s\n", error.message);
        return 2;
    }
    const weir_compiled_token *token = weir_image_find(image, text_of(arguments[2]));
    check(token);
    const bool listed = token != nullptr && list(token);
    weir_image_close(image);
    return listed ? 0 : 1;
}
