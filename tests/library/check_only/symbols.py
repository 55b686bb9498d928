"""Proves from their symbols what programs and objects hold and what they call.

- A program that only checks has neither the compiler nor JSON in it.
- The objects of the read path call nothing that allocates, locks or asks the system.
- The libraries have no state: no variable that can be written, no constructor, no destructor.
- No object of theirs but the one around malloc takes memory that is not the caller's.
- Every global symbol of the libraries begins with weir_.
"""

import argparse
import re
import subprocess
import sys

# Libraries that a program which only checks has no need of, and what they define.
FORBIDDEN_LIBRARIES = re.compile(r"jansson|jemalloc|weir_(compile|wire)")
FORBIDDEN_SYMBOLS = re.compile(r"jansson|json_|mallctl|weir_compiler_|weir_token_parse|weir_question_")

# All that the read path may call: comparing bytes, and what else of Weir is as harmless.
READ_PATH_CALLS = {
    "memcmp", "bcmp", "memcpy", "memset",
    "weir_check_thoroughly", "weir_decide_thoroughly",  # in match.c, which is among the objects
    "weir_live_check_thoroughly",  # likewise in live/check.c
    "weir_index_find_spilled",  # a binary search in the image's overflow
    "weir_utf8_valid",  # the rule for names that are not all ASCII
    "weir_live_find_spilled", "weir_live_find_by_digest",  # in find.c, which is among the objects
    "weir_check_token_under", "weir_basin_trie", "weir_name_trie", "weir_trie_step_at",
    "weir_beginning_of", "weir_beginning_add", "weir_beginning_add_text", "weir_beginning_is_name",
    "weir_beginning_next", "weir_name_longest",  # likewise in under.c, walk.c and completion.c
    "weir_image_find", "weir_edges_key",  # look-ups in an image and a node
    "urcu_bp_reader", "urcu_bp_gp", "urcu_bp_has_sys_membarrier",  # words that a read section reads
    "urcu_bp_register_thread",  # with a thread's first read
    "__tls_get_addr",
    "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail",
}

# What takes memory from malloc, or may. (The hash that is inlined names malloc itself without using
# it, in builds that are not optimized.)
TAKES_MEMORY = re.compile(r"(calloc|realloc|reallocarray|strn?dup|v?asprintf|qsort(_r)?|getline|fopen)$")
AROUND_MALLOC = "memory.c.o"

# What sanitizers define beside each variable.
SANITIZERS = re.compile(r"_*(asan|ubsan|tsan|lsan|sanitizer|gcov|llvm|odr_asan)")

# Sections that can be written while a program runs, and those that run before it or after.
WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(\.(?!rel\.ro)|$)")
RUNS_BY_ITSELF = re.compile(r"\.(init|fini|ctors|dtors|init_array|fini_array)")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def members(library, *command):
    """Yields (object, line) for each line that nm or objdump says of a library's objects."""
    name = None
    for line in output(*command, library).splitlines():
        header = re.match(r"(?:.*\()?([^\s()]+\.o)\)?:", line)
        if header:
            name = header.group(1)
        elif line.strip():
            yield name, line


def defined_globals(library):
    for name, line in members(library, "nm", "--defined-only", "--extern-only"):
        yield name, line.split()[-1]


def foreign_to_program(program, compile_library):
    compiler = {symbol for _, symbol in defined_globals(compile_library)}
    if not compiler:
        yield f"{compile_library}: defines nothing"
    for line in output("nm", program).splitlines():
        symbol = line.split()[-1].split("@")[0]
        if symbol in compiler or FORBIDDEN_SYMBOLS.match(symbol):
            yield f"{program}: has {symbol}"
    for line in output("readelf", "--dynamic", program).splitlines():
        if "(NEEDED)" in line and FORBIDDEN_LIBRARIES.search(line):
            yield f"{program}: needs {line.split('[')[-1].rstrip(']')}"


def calls_of_read_path(objects):
    for path in objects:
        for line in output("nm", "--undefined-only", path).splitlines():
            symbol = line.split()[-1]
            if symbol not in READ_PATH_CALLS:
                yield f"{path}: calls {symbol}"


def foreign_names(library):
    for name, symbol in defined_globals(library):
        if not symbol.startswith("weir_") and not SANITIZERS.match(symbol):
            yield f"{library}: {name} defines {symbol}"


def memory_not_the_callers(library):
    for name, line in members(library, "nm", "--undefined-only"):
        symbol = line.split()[-1]
        if name != AROUND_MALLOC and TAKES_MEMORY.match(symbol):
            yield f"{library}: {name} calls {symbol}"


def state_of(library):
    for name, line in members(library, "objdump", "--syms"):
        row = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(.*)", line)
        if row is None:
            continue
        flags, section, symbol = row.groups()
        if section == "*COM*" or ("O" in flags and WRITABLE.match(section)):
            yield f"{library}: {name} can write {symbol} in {section}"
    for name, line in members(library, "objdump", "--section-headers"):
        fields = line.split()
        if len(fields) > 1 and RUNS_BY_ITSELF.match(fields[1]):
            yield f"{library}: {name} runs something by itself: {fields[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="that only checks")
    parser.add_argument("--check", required=True, help="library that it links")
    parser.add_argument("--compile", required=True, help="library that it does not link")
    parser.add_argument("--others", required=True, nargs="+", help="more libraries")
    parser.add_argument("--read-path", required=True, nargs="+", help="objects")
    parser.add_argument("--sanitizer", default="", help="for which the libraries were built")
    arguments = parser.parse_args()

    failures = list(foreign_to_program(arguments.program, arguments.compile))
    failures += calls_of_read_path(arguments.read_path)
    for library in (arguments.check, arguments.compile, *arguments.others):
        failures += foreign_names(library)
        failures += memory_not_the_callers(library)
        if not arguments.sanitizer:
            failures += state_of(library)
    print("\n".join(failures) or "nothing that should not be there")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
