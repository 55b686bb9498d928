/*
 * format.h - a published directory: what its files hold, and the memory model by which one process
 * writes them while others read. This header is the specification; the promises P1 to P8 are in
 * weir/publish.h, F1 to F10 in weir/follow.h.
 *
 *   DIR/lock                            held (flock) by the publisher as long as it lives
 *   DIR/control                         one page: struct weir_control, mapped by all
 *   DIR/control.old                     that of the creation before, while it is superseded
 *   DIR/<identity>-<sequence>.image     a snapshot: the tokens as of that change
 *   DIR/<identity>-<sequence>.journal   a segment: changes, the first of which has that number
 *   DIR/<identity>-spare.journal        the next segment, all of it written, not begun
 *   DIR/….tmp                           being written; means nothing
 *
 * <identity> is 16 hexadecimal digits, <sequence> 20 decimal ones. The identity is drawn when a
 * directory is created, so files of one creation are never taken for another's. Numbers are
 * little-endian. Every file has its full size, every page of it written, before it gets its name:
 * no reader maps a hole, and no file ever becomes shorter.
 *
 * ---- Who writes what ----
 *
 * The publisher writes everything, followers nothing. One lock in the publisher orders its changes;
 * heartbeats come beside it. Of the control page three words change, each in a cache line of its
 * own; each store and the load that is its partner, and what they order:
 *
 *   S  sequence: the number of the last change published. Stored (sequentially consistent) by
 *      control.c when the change's record lies in its segment, which was written by pwrite before;
 *      loaded (acquire) by followers and by the heartbeat. Whoever sees number n finds, by pread,
 *      the records up to n whole. SEQUENCE_SUPERSEDED: the directory was created anew, elsewhere.
 *   H  heartbeat: a time since boot. Stored (release) by weir_publisher_heartbeat, loaded (acquire)
 *      by a poll.
 *   N  snapshot: the sequence number of the newest image. Stored (release) when the image has its
 *      name, loaded (acquire) by whoever opens one. The journal goes on from its number.
 *
 * The heartbeat (a) reads the clock, h; (b) looks whether changes are held, and if so ends; (c)
 * loads S; (d) stores h as H. A poll (e) loads H, and reads its own clock, (f) loads S, (g) applies
 * every change up to that number, (h) stores H as the follower's `fresh` (release; E is its partner
 * in follower.c); a check (i) loads `fresh` (acquire), compares it with its instant, (j) then asks
 * the engine.
 *
 * So a check that is answered at instant b, having loaded fresh = h >= b - lease, sees every change
 * that was published by h: such a change's S was stored, and had left the processor, when (c)
 * loaded S, after h; (d) and (e) pass that on, so (f) loads that number or a later one; by (g),
 * (h), (i) the engine that (j) asks has it. That is F3: what is published at t is seen by every
 * answer from t + lease on. Were (a) after (b), a hold that began between them could be followed by
 * a commit before h which h then claimed to be published (P6). Were (f) before (e), a change could
 * be missed that the heartbeat covers; were (j) before (i), an answer could come from a state older
 * than the one that is found fresh.
 *
 * H does not become `fresh` if it lies in the future of the poll's own clock, read between (e) and
 * (f) (F7): clocks that tell different times since boot are not one machine's. Read after (f), a
 * change could be missed that was published in between, by a clock that is ahead. A poll that is
 * bounded keeps the pair of H and S that it has begun to work off until it has. H may step back
 * where two threads give heartbeats; `fresh` does not.
 *
 * ---- What a crash leaves ----
 *
 * A change: (1) its record is written behind the last one, (2) S. Killed before 2, nobody ever
 * reads the record, and the next change overwrites it. A change that needs another segment: (1) a
 * record of kind SEAL behind the last one, (2) the spare gets its header and (3) its name, (4) the
 * change's record, in the new segment, (5) S; then a new spare is made. A follower that looks for
 * number n + 1 when S says it is there finds, where it stands, the record or a SEAL, and for that
 * the segment n + 1 by its name. Killed between 1 and 3, the SEAL is overwritten like a record;
 * after 3, the publisher that resumes at n goes on in the segment n + 1. It may be that the old
 * segment has that very name: empty, and too small for the change. Then 3 puts a larger file in its
 * place, and the SEAL leads whoever has the old one open to it.
 *
 * A snapshot: (1) its file is written under a temporary name, (2) gets its name, (3) N. Killed
 * before 3, it is a file without meaning, removed by the next that resumes. Images before N and
 * segments all of whose changes are in it are removed once N was stored ten leases ago.
 *
 * A creation: (1) image and first segment under a new identity, (2) the control page under a
 * temporary name, the old page, if there is one, linked to `control.old`, (3) renamed to `control`,
 * which is the one moment, (4) SEQUENCE_SUPERSEDED in the old page, whose link goes, (5) the old
 * identity's files removed. Killed between 3 and 4, the next publisher does 4 before it publishes
 * anything (F2); until then followers of the old page find out when its heartbeat stands still:
 * `control` is another file.
 */
#ifndef WEIR_PUBLISH_FORMAT_H
#define WEIR_PUBLISH_FORMAT_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are read as they are");

#define WEIR_PUBLISH_VERSION 1
#define WEIR_CONTROL_MAGIC "\x89WEIRC\r\n"
#define WEIR_SEGMENT_MAGIC "\x89WEIRJ\r\n"
#define WEIR_PUBLISH_MAGIC_SIZE 8
#define WEIR_CONTROL_SIZE 4096
#define WEIR_BOOT_ID_SIZE 36

#define WEIR_CONTROL_NAME "control"
#define WEIR_OLD_CONTROL_NAME "control.old"
#define WEIR_LOCK_NAME "lock"

/* The fixed part of the control page. */
struct weir_control_header {
    char magic[WEIR_PUBLISH_MAGIC_SIZE];
    uint32_t version;
    uint32_t zero;
    uint64_t identity;
    uint64_t lease;                  /* nanoseconds */
    char boot_id[WEIR_BOOT_ID_SIZE]; /* of the machine's boot, as the kernel tells it */
    uint32_t zero_too;
    uint64_t checksum; /* XXH3-64 of what comes before */
};

_Static_assert(offsetof(struct weir_control_header, checksum) == 72, "no holes");
_Static_assert(sizeof(struct weir_control_header) == 80, "no holes");

#define WEIR_SEQUENCE_SUPERSEDED UINT64_MAX
/* The largest number that a change can have. */
#define WEIR_SEQUENCE_MAX (UINT64_MAX - 1)

/*
 *     0  | header (80 bytes)                 |
 *   128  | sequence                          |  S
 *   192  | heartbeat                         |  H
 *   256  | snapshot | due | due_since      |  N; the publisher's, below
 */
struct weir_control {
    struct weir_control_header header;
    alignas(64) uint64_t sequence;
    alignas(64) uint64_t heartbeat;
    alignas(64) uint64_t snapshot;
    /* What came before the image `due`, which was published at due_since (time since boot; 0: there
     * is nothing), is to be removed ten leases after that. */
    uint64_t due;
    uint64_t due_since;
};

_Static_assert(offsetof(struct weir_control, sequence) == 128, "as drawn");
_Static_assert(offsetof(struct weir_control, heartbeat) == 192, "as drawn");
_Static_assert(offsetof(struct weir_control, snapshot) == 256, "as drawn");
_Static_assert(sizeof(struct weir_control) <= WEIR_CONTROL_SIZE, "a page");

/* A segment begins with this; records follow, each at a multiple of 8. */
struct weir_segment_header {
    char magic[WEIR_PUBLISH_MAGIC_SIZE];
    uint32_t version;
    uint32_t zero;
    uint64_t identity;
    uint64_t first;    /* sequence number of the first change in it */
    uint64_t size;     /* of the file */
    uint64_t checksum; /* XXH3-64 of what comes before */
};

_Static_assert(sizeof(struct weir_segment_header) == 48, "no holes");

enum weir_record_kind {
    WEIR_RECORD_PUT = 1,    /* `size` bytes of a block: the token is this from now on */
    WEIR_RECORD_REVOKE = 2, /* `size` bytes of an id: there is no such token from now on */
    WEIR_RECORD_SEAL = 3    /* nothing: the change of this number is in the segment of that name */
};

struct weir_record {
    uint64_t
        checksum; /* XXH3-64, seeded with the identity, of the rest and the bytes that follow */
    uint64_t sequence;
    uint64_t published; /* time since boot when it was written */
    uint32_t kind;
    uint32_t size; /* of the bytes that follow */
};

_Static_assert(sizeof(struct weir_record) == 32, "no holes");

#define WEIR_RECORD_ALIGNMENT 8

#endif
