"""The budgets that figures are held against, and what has none but says what something costs."""

import statistics
from typing import NamedTuple

from rounds import medians_of, ratio_of_counters, ratios_of_counters

# Each a ratio within one run: (what, bound, figure, figures whose sum it is divided by).
BUDGETS = [
    ("hot check by id, names validated ÷ (XXH3 + resolved comparison)", 2.5,
     "check/id/hot/loop", ["floor/hash", "floor/resolved"]),
    ("cold check, one at a time ÷ its own cache lines replayed", 1.3,
     "check/id/cold/serial", ["floor/replay/serial"]),
    ("cold checks in a plain loop ÷ one record miss", 1.0,
     "check/id/cold/loop", ["floor/record_miss"]),
    ("batch of 32 ÷ plain loop, cold", 0.25,
     "check/id/cold/batch", ["check/id/cold/loop"]),
    ("batch of 32, cold ÷ two-line prefetch loop over the same memory, 1 M tokens", 1.5,
     "tokens/1m/batch", ["tokens/1m/floor/two_lines"]),
    ("batch of 32, cold ÷ two-line prefetch loop over the same memory, 10 M tokens", 1.5,
     "tokens/10m/batch", ["tokens/10m/floor/two_lines"]),
    ("batch of 32, cold ÷ two-line prefetch loop over the same memory, 100 M tokens", 1.5,
     "tokens/100m/batch", ["tokens/100m/floor/two_lines"]),
    ("unknown id, cold ÷ one record miss", 0.35,
     "check/id/unknown/serial", ["floor/record_miss"]),
    ("resolved check ÷ its floor (comparison and names)", 1.25,
     "check/resolved/one_scope", ["floor/resolved_with_names"]),
    ("resolved check, 10 000 prefixes like org-07/audit/1c0ffe/ ÷ one scope", 6,
     "check/resolved/10000_services", ["check/resolved/one_scope"]),
    ("resolved check, 10 000 prefixes like 9f86d081884c/ ÷ one scope", 6,
     "check/resolved/10000_hexadecimal", ["check/resolved/one_scope"]),
    ("resolved check, 10 000 prefixes like users/1234/ ÷ one scope", 6,
     "check/resolved/10000_users", ["check/resolved/one_scope"]),
    ("compile, random order ÷ (hash + write)", 3,
     "compile/random_order", ["floor/hash_and_write"]),
    ("compile, by id ÷ (hash + write)", 3,
     "compile/by_id", ["floor/hash_and_write"]),
    ("read-side protection ÷ XXH3", 0.25,
     "engine/section/inlined", ["floor/hash"]),
    ("replacing a token of the image, cold ÷ (index + record miss)", 1.6,
     "change/replace/of_image", ["floor/index_and_record_miss"]),
    ("revoking a token of the image, cold ÷ (index + record miss)", 1.6,
     "change/revoke/of_image", ["floor/index_and_record_miss"]),
]

# Likewise, divided by whichever of some rivals takes least: (what, bound, figure, rivals).
BEST_RIVAL = [
    ("hot check ÷ absl::flat_hash_map from id + two memcmp, the faster set-up", 0.7,
     "check/id/hot/loop", ["rival/absl/hot/loop", "rival/absl_in_slot/hot/loop"]),
    ("cold check, one at a time ÷ absl::flat_hash_map from id + two memcmp, the faster set-up",
     0.5, "check/id/cold/serial", ["rival/absl/cold/serial", "rival/absl_in_slot/cold/serial"]),
]

# Ratios of what one benchmark measured in turn, chunk by chunk, so that they are tighter than the
# machine's noise: (what, bound or None, benchmark, counter its time is divided by).
IN_TURN = [
    ("a follower's check, instants given ÷ its engine's, hot", 1.15,
     "follow/hot/loop", "by_its_engine_ns"),
    ("a follower's check, instants given ÷ its engine's, cold", 1.15,
     "follow/cold/loop", "by_its_engine_ns"),
    ("a follower's check ÷ its engine's, cold, one at a time", None,
     "follow/cold/serial", "by_its_engine_ns"),
    ("a follower's batch of 32 ÷ its engine's, cold", None,
     "follow/cold/batch", "by_its_engine_ns"),
]

# Ratios that are bounded from below: (what, bound, figures whose sum is divided, figure).
AT_LEAST = [
    ("a reader's hot checks in its own time, beside 100 000 changes a second ÷ undisturbed", 0.9,
     "beside/nothing/hot", "beside/changes/hot"),
    ("a reader's cold checks in its own time, beside 100 000 changes a second ÷ undisturbed", 0.9,
     "beside/nothing/cold", "beside/changes/cold"),
]

# Figures that are bounded as they are: (what, bound, benchmark, counter).
SIZES = [
    ("memory beyond the tokens' own strings, bytes a token", 40,
     "image/size", "bytes_a_token_beyond_strings"),
    ("a whole replacement at a million tokens, median ns", 2000,
     "change/whole/replace", "real_time"),
    ("a whole revocation at a million tokens, median ns", 2000,
     "change/whole/revoke", "real_time"),
    ("a whole issue at a million tokens, median ns", 2000,
     "change/whole/issue", "real_time"),
]

# Ratios of two figures that a benchmark counts, and what the first is when nothing happens: where
# that is beyond the bound as well, and no less than half of it, the machine's interrupts hide the
# answer. (what, bound, benchmark, counter, counter it is divided by, counter beside nothing).
WITHIN = [
    ("the longest check beside a swap ÷ 99.9th percentile before", 10,
     "swap/beside_reader/cold", "longest_beside_swap_ns", "p999_before_ns",
     "longest_idle_ns"),
]

# Why a budget is exceeded, after attempts: {budget: what was found}. Told only where the median is.
WHY = {
    "hot check by id, names validated ÷ (XXH3 + resolved comparison)":
        "the floor neither finds the token nor validates names, which alone takes floor/names.",
    "resolved check ÷ its floor (comparison and names)":
        "the floor is told where the prefixes of a token of one scope lie; a check learns from the "
        "token how many scopes it has and of which kind, and says why it denies.",
    "cold checks in a plain loop ÷ one record miss":
        "the next question's memory is asked for when the processor comes to it, and a check "
        "(check/id/cold/loop) has more instructions than it can hold (256 on Zen 3).",
    "batch of 32 ÷ plain loop, cold":
        "a batched check where nothing misses (tokens/1k/batch) and its lines alone "
        "(floor/replay/batch) add up to about the bound: it would need the two to overlap, but a "
        "batch takes more than their sum.",
    "unknown id, cold ÷ one record miss":
        "an unknown id costs its bucket's line, which is a miss itself: "
        "floor/index_and_record_miss takes far more than floor/record_miss.",
    "hot check ÷ absl::flat_hash_map from id + two memcmp, the faster set-up":
        "the map's user looks neither whether names are valid, which alone takes floor/names, nor "
        "whether the token has expired, and learns no reason.",
    "cold check, one at a time ÷ absl::flat_hash_map from id + two memcmp, the faster set-up":
        "rival/absl waits for one line of an index and then for the token's, as a check does; "
        "rival/absl_in_slot has the token in its slots, and looks before that at one byte a slot, "
        "a ninth of the memory of Weir's index.",
} | {
    f"batch of 32, cold ÷ two-line prefetch loop over the same memory, {tokens} tokens":
        "even where nothing misses (tokens/1k/batch) a batched check takes longer than the loop: "
        "names are validated, hashed and compared, an answer is written."
    for tokens in ("1 M", "10 M", "100 M")
} | {
    f"compile, {order} ÷ (hash + write)":
        "a declaration's names are checked, its bytes are summed into the images' hash key, which "
        "depends on all of them, and it is written twice, since its place follows from that key; "
        "then both index and image are written, and the image's checksum."
    for order in ("random order", "by id")
}

# Ratios that have no bound but say what something costs: (what, figure, figure it is divided by).
COMPARISONS = [
    ("batch of 32, cold ÷ its own cache lines replayed in batches",
     "check/id/cold/batch", "floor/replay/batch"),
    ("batch of 32, cold ÷ rte_hash's bulk look-up",
     "check/id/cold/batch", "rival/rte_hash/cold/batch"),
    ("batch of 32, hot ÷ absl::flat_hash_map", "check/id/hot/batch", "rival/absl/hot/batch"),
    ("resolved check, 10 prefixes ÷ binary search of a sorted array",
     "check/resolved/10_services", "rival/sorted_array/10"),
    ("resolved check, 100 prefixes ÷ binary search of a sorted array",
     "check/resolved/100_services", "rival/sorted_array/100"),
    ("resolved check, 10 000 prefixes ÷ binary search of a sorted array",
     "check/resolved/10000_services", "rival/sorted_array/10000"),
    ("check by id, cold, one at a time: 10 M tokens in pages of 4 KiB ÷ of 2 MiB",
     "small_pages/10m/serial", "tokens/10m/serial"),
    ("batch of 32, cold: 10 M tokens in pages of 4 KiB ÷ of 2 MiB",
     "small_pages/10m/batch", "tokens/10m/batch"),
    ("check by id, hot: engine ÷ image", "engine/image/hot/loop", "check/id/hot/loop"),
    ("check by id, cold loop: engine ÷ image", "engine/image/cold/loop", "check/id/cold/loop"),
    ("check by id, cold, one at a time: engine ÷ image",
     "engine/image/cold/serial", "check/id/cold/serial"),
    ("batch of 32, cold: engine ÷ image", "engine/image/cold/batch", "check/id/cold/batch"),
    ("unknown id: engine ÷ image", "engine/image/unknown/serial", "check/id/unknown/serial"),
    ("resolved check: engine ÷ image", "engine/image/resolved", "check/resolved/one_scope"),
    ("cold, one at a time: replaced tokens ÷ the image's",
     "engine/replaced/cold/serial", "engine/image/cold/serial"),
    ("cold, one at a time: issued tokens ÷ the image's",
     "engine/issued/cold/serial", "engine/image/cold/serial"),
    ("batch of 32, cold: replaced tokens ÷ the image's",
     "engine/replaced/cold/batch", "engine/image/cold/batch"),
    ("batch of 32, cold: issued tokens ÷ the image's",
     "engine/issued/cold/batch", "engine/image/cold/batch"),
    ("replacing a replaced token, cold ÷ (index + record miss)",
     "change/replace/of_replaced", "floor/index_and_record_miss"),
    ("revoking a replaced token, cold ÷ (index + record miss)",
     "change/revoke/of_replaced", "floor/index_and_record_miss"),
    ("revoking an issued token, cold ÷ (index + record miss)",
     "change/revoke/of_issued", "floor/index_and_record_miss"),
    ("checks beside another reader ÷ beside nothing, hot",
     "beside/reader/hot", "beside/nothing/hot"),
    ("checks beside another reader ÷ beside nothing, hot, with a read-write lock",
     "rwlock/beside/reader/hot", "rwlock/beside/nothing/hot"),
    ("checks beside changes, hot: read-write lock that spins ÷ engine",
     "rwlock/beside/changes/hot", "beside/changes/hot"),
    ("checks beside changes, hot: read-write lock that sleeps ÷ engine",
     "rwlock/asleep/beside/changes/hot", "beside/changes/hot"),
    ("compaction ÷ compiling", "compact/of_image", "compile/random_order"),
    ("check by id, hot: follower, image a mapped file ÷ engine, image in large pages",
     "follow/hot/loop", "engine/image/hot/loop"),
    ("check by id, cold loop: follower, image a mapped file ÷ engine, image in large pages",
     "follow/cold/loop", "engine/image/cold/loop"),
    ("revoking and telling the followers ÷ revoking in the engine, whole calls",
     "publish/whole/revoke", "change/whole/revoke"),
]

# Likewise, of what one benchmark counts: (what, benchmark, counter, counter it is divided by).
SHARES = [
    ("share of an image of 1 M tokens in pages of 2 MiB, where they are large",
     "image/pages/large", "in_large_pages_bytes", "image_bytes"),
    ("share of an image of 1 M tokens in pages of 2 MiB, where they are small",
     "image/pages/small", "in_large_pages_bytes", "image_bytes"),
    ("memory of a hundred followers ÷ the image", "follow/memory",
     "all_of_the_hundred_bytes", "image_bytes"),
    ("memory of a hundred followers after a thousand changes ÷ the image", "follow/memory",
     "all_after_changes_bytes", "image_bytes"),
]

UNBOUNDED = """\
Changes of a token that the engine has issued or replaced have no bound: its handle lies between
index and block, a third miss that waits for the one before, where the bound allows for two."""


class Row(NamedTuple):
    """How a budget is kept: `kept` is None where the machine does not let one say, and `unclear`
    says why. `beyond` is the share by which it is exceeded, `remark` what was chosen."""
    what: str
    bound: str
    value: float
    kept: bool
    beyond: float
    unclear: str = ""
    remark: str = ""


def budgets(rounds):
    """Yields the Row of each budget whose figures were measured."""
    medians = medians_of(rounds)
    for what, bound, figure, floors in BUDGETS:
        if {figure, *floors} <= medians.keys():
            yield at_most(what, bound, ratios_of(rounds, figure, floors))
    for what, bound, figure, rivals in BEST_RIVAL:
        found = [rival for rival in rivals if rival in medians]
        if figure in medians and found:
            best = min(found, key=medians.get)
            row = at_most(what, bound, ratios_of(rounds, figure, [best]))
            yield row._replace(remark=f"÷ {best}")
    for what, bound, name, counter in IN_TURN:
        if name in rounds and bound is not None:
            yield at_most(what, bound, ratios_of_counters(rounds[name], "real_time", counter))
    for what, bound, figure, floor in AT_LEAST:
        if {figure, floor} <= medians.keys():
            yield at_least(what, bound, ratios_of(rounds, figure, [floor]))
    for what, bound, name, counter in SIZES:
        if name in rounds:
            yield at_most(what, bound, [run[counter] for run in rounds[name]])
    for what, bound, name, figure, floor, idle in WITHIN:
        if name in rounds:
            row = at_most(what, bound, ratios_of_counters(rounds[name], figure, floor))
            beside_nothing = ratio_of_counters(rounds[name], idle, floor)
            hidden = row.value > bound and beside_nothing > max(bound, row.value / 2)
            yield row._replace(kept=None, unclear="interrupts") if hidden else row


def ratios_of(rounds, figure, floors):
    """The ratio of each round to the sum of the floors' rounds that were as early as it."""
    return [run["real_time"] / sum(floor["real_time"] for floor in others)
            for run, *others in zip(*(rounds[name] for name in (figure, *floors)))]


def at_most(what, bound, values):
    return judged(what, f"{bound:g}", values, lambda value: value <= bound,
                  lambda value: value / bound - 1)


def at_least(what, bound, values):
    return judged(what, f"at least {bound:g}", values, lambda value: value >= bound,
                  lambda value: bound / value - 1)


def judged(what, bound, values, keeps, beyond):
    """The median of the rounds decides, unless the middle half of them lies on both sides."""
    value = statistics.median(values)
    low, _, high = (statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1
                    else (value, value, value))
    row = Row(what, bound, value, keeps(value), beyond(value))
    return row if keeps(low) == keeps(high) else row._replace(kept=None, unclear="noise")


def costs(rounds):
    """Yields (what, ratio) of those that have no bound."""
    medians = medians_of(rounds)
    for what, figure, floor in COMPARISONS:
        if {figure, floor} <= medians.keys():
            yield what, medians[figure] / medians[floor]
    for what, bound, name, counter in IN_TURN:
        if name in rounds and bound is None:
            yield what, ratio_of_counters(rounds[name], "real_time", counter)
    for what, name, counter, whole in SHARES:
        if name in rounds:
            yield what, ratio_of_counters(rounds[name], counter, whole)
