/*
 * directory.pml - a published directory as src/publish/format.h specifies it: what its files hold,
 * and what the world outside knows to be true of them. publisher.pml writes it, follower.pml reads
 * it, protocol.pml puts all together; `run` verifies, and breaks the protocol on purpose.
 *
 * What is kept: every step that another process can come between, or after which the publisher can
 * be killed: a record and the header of a segment in two halves, names, S, H, N, the seal, the
 * control page's new name, SUPERSEDED, each file's removal; (a) to (j).
 *
 * What is left out:
 *   - Weak memory. Steps are sequentially consistent; that acquire and release suffice is argued in
 *     format.h. Step (c), which orders and does not decide, is therefore not seen here.
 *   - Contents. The text of a change is the number of the publisher's life that wrote it, so that
 *     two attempts at one number differ; an image is the number of the last change in it. Checksums
 *     always find a record that is half written: to interpret one counts as an error.
 *   - Sizes. Whether a change fits in its segment is open each time; a seal always does. Errors of
 *     the disk, damage, owners and links are not here.
 *   - Time. The clock is a small number that moves whenever it likes, or never. A lease is LEASE
 *     ticks, the ten leases for which a snapshot's journal is kept are KEPT ticks.
 *   - The quarter of a lease after which a follower looks whether its control page was replaced: a
 *     tick. Where a creation was killed between the new page's name and SUPERSEDED, a poll is
 *     excused from F2 until then; F3 has no such exception.
 * Followers write nothing, so what holds for one beside a publisher holds for any number; where
 * bounds allow there are two nevertheless.
 *
 * Numbers: changes have 1 to CHANGES, in one order for both creations: the second goes on from the
 * first, as the publisher's store does. A time of 0 is never.
 */

#ifndef CHANGES
#define CHANGES 2 /* the last number */
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef CREATIONS
#define CREATIONS 1 /* identities that the directory has had, at most */
#endif
#ifndef FOLLOWERS
#define FOLLOWERS 1
#endif
#ifndef TIME
#define TIME 1 /* the last tick */
#endif
#ifndef LEASE
#define LEASE 1
#endif
#ifndef KEPT
#define KEPT 1
#endif
#ifndef SKEW
#define SKEW 0 /* how far the publisher's clock is ahead of the followers': another machine's */
#endif

#define SUPERSEDED 255 /* as S */
#define SEAL 254       /* records: a kind, */
#define TORN 253       /* half of one, */
#define NOTHING 0      /* zeros */

/* Every assertion is about a promise of weir/publish.h or weir/follow.h, which it names; JOURNAL is
 * that nobody interprets what is beyond S, or half of anything. */
hidden byte PROMISE_F1, PROMISE_F2, PROMISE_F3, PROMISE_F7, PROMISE_F8, PROMISE_P2, PROMISE_P6,
    PROMISE_P7, PROMISE_JOURNAL;
#define PROMISE(number, condition) assert(PROMISE_##number || (condition))

/* ---- The files ---- */

/* A segment that is empty and too small gives its name to another file, once. */
#ifdef ROLLS
#define FILES (2 * (CHANGES + 1) + 1)
#else
#define FILES (CHANGES + 2)
#endif
#define LARGER(number) (number + CHANGES + 1)

typedef Segment {
    bool headed;              /* its header is whole */
    byte record[CHANGES + 2]; /* by number; a seal stands where the next change would */
};

typedef Identity {
    byte sequence;           /* S */
    byte heartbeat;          /* H */
    byte snapshot;           /* N */
    byte due;                /* what came before that image is removed when it has been there */
    byte due_since;          /* for long enough since then */
    byte image[CHANGES + 1]; /* NOTHING, TORN or WHOLE, by number */
    byte name[CHANGES + 2];  /* by a segment's first change: its file, or NOTHING */
    Segment segment[FILES];  /* by file: what they hold, named or not */
};

#define WHOLE 1

Identity directory[CREATIONS];
byte control = 0;              /* whose page has that name */
byte now = 1;

/* The file of the last segment that may have the change of that number: NOTHING if there is none. */
inline find_segment(where, number, found)
{
    atomic {
        found = number;
        do
        :: found > 0 && directory[where].name[found] == NOTHING -> found--
        :: else -> break
        od;
        found = directory[where].name[found]
    }
}

/* ---- What is true ---- */

/* Instants are told only where there are checks to compare them with. */
#ifdef BEATS
#define INSTANT now
#else
#define INSTANT 1
#endif

byte published[CHANGES + 1];    /* the text of each change whose S was stored */
byte published_at[CHANGES + 1]; /* when its function, or one that includes it, returned */
byte committed_at[CHANGES + 1]; /* when it was committed elsewhere, while held */
byte last_published = 0;        /* the last one that returned */
byte stored = 0;                /* the last one committed elsewhere */

/* F3 and P6: whether a state that ends with change `applied` may answer a check of that instant. */
inline may_answer(instant, applied)
{
    number = 1;
    do
    :: number <= CHANGES ->
        PROMISE(F3, !(published_at[number] != 0 && published_at[number] + LEASE < instant) || applied >= number);
        PROMISE(P6, !(committed_at[number] != 0 && committed_at[number] + LEASE < instant) || applied >= number);
        number++
    :: else -> break
    od;
    number = 0
}
