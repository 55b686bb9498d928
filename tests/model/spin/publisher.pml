/*
 * publisher.pml - the process that publishes: one thread that changes, one that compacts, one that
 * gives heartbeats. All die at once, at any step, when `killed` is set; then the directory is
 * resumed, or created anew.
 */

bool opened = false;    /* there is a publisher to be used by its threads */
bool killed = false;
bool beating = false;   /* whether a thread is at work; one that is not has noticed its death */
bool compacting = false;
byte life = 1;
byte held = 0;          /* holds; gone when the publisher is killed */
bool untold = false;    /* a creation has the name, and has not superseded the one before */
byte writes = 0;        /* the identity that it publishes */
byte writes_in = 1;     /* the first change of the segment that it writes in */
bool locked = false;    /* one change at a time, and tidying, but not the long part of compacting */

#define PAGE directory[writes]
#define NEXT (last + 1)

inline take_lock()
{
    atomic { !locked -> locked = true }
}

#ifdef COMPACTS
#define LOCK take_lock()
#define UNLOCK locked = false
#else
#define LOCK skip
#define UNLOCK skip
#endif

/* ---- Changes ---- */

/* The seal leads to the segment of that name, which gets its header and the name. */
inline go_on()
{
    next_file = (PAGE.name[NEXT] == NOTHING -> NEXT : LARGER(NEXT));
#ifdef NAME_BEFORE_SEAL
    name_segment();
    seal();
#else
    seal();
    name_segment();
#endif
    atomic { writes_in = next_file; next_file = 0 }
}

inline seal()
{
#ifdef NO_SEAL
    skip;
#else
    PAGE.segment[writes_in].record[NEXT] = TORN;
    PAGE.segment[writes_in].record[NEXT] = SEAL;
#endif
}

inline name_segment()
{
#ifdef NAME_BEFORE_HEADER
    PAGE.name[NEXT] = next_file;
    PAGE.segment[next_file].headed = true;
#else
    PAGE.segment[next_file].headed = true;
    PAGE.name[NEXT] = next_file;
#endif
}

inline write_record(segment_first)
{
#ifdef ROLLS
    PAGE.segment[segment_first].record[NEXT] = TORN;
#endif
    PAGE.segment[segment_first].record[NEXT] = life
}

inline store_sequence()
{
    atomic {
        PAGE.sequence = NEXT;
        published[NEXT] = life
    }
}

/* The record may fit, or not. */
inline publish()
{
#ifdef ROLLS
    if
    :: skip
    :: PAGE.name[NEXT] != LARGER(NEXT) -> go_on()
    fi;
#endif
#ifdef SEQUENCE_BEFORE_RECORD
    store_sequence();
    write_record(writes_in);
#else
    write_record(writes_in);
    store_sequence();
#endif
    atomic {
        last = NEXT;
        last_published = last;
        published_at[last] = INSTANT
    }
}

/* A change that is first committed elsewhere; the commit may fail. */
inline commit_and_publish()
{
    held++;
    if
    :: atomic { stored = NEXT; committed_at[NEXT] = INSTANT };
#ifdef RELEASE_BEFORE_PUBLISHING
        held--;
        publish()
#else
        publish();
        held--
#endif
    :: held--
    fi
}

/* ---- Opening ---- */

/* What a publisher reads as it resumes: the image, and the changes behind it, up to S. It goes on in
 * the segment that begins with the next change, if there is one: the last is sealed then. */
inline resume()
{
    atomic {
        writes = control;
        last = PAGE.snapshot;
        PROMISE(P2, PAGE.image[last] == WHOLE);
        find_segment(writes, last + 1, writes_in);
        PROMISE(P2, writes_in != NOTHING && PAGE.segment[writes_in].headed);
        do
        :: last < PAGE.sequence ->
            writes_in = (PAGE.segment[writes_in].record[NEXT] == SEAL -> PAGE.name[NEXT] : writes_in);
            PROMISE(P2, writes_in != NOTHING && PAGE.segment[writes_in].headed);
            PROMISE(P2, PAGE.segment[writes_in].record[NEXT] == published[NEXT]);
            last++
        :: else -> break
        od;
#ifndef RESUME_IGNORES_NAMED
        if
        :: last < CHANGES && PAGE.name[NEXT] != NOTHING -> writes_in = PAGE.name[NEXT]
        :: else
        fi;
#endif
        PROMISE(P2, last >= last_published)
    }
}

/* Resuming says of all it has found that it is published. */
inline opened_again()
{
    atomic {
        last_published = last;
        number = 1;
        do
        :: number <= last ->
            if
            :: published_at[number] == 0 -> published_at[number] = INSTANT
            :: else
            fi;
            number++
        :: else -> break
        od;
        number = 0;
#ifdef RESUME_TAKES_NO_HOLD
        held = 0;
#else
        held = (stored > last -> 1 : 0);
#endif
        opened = true
    }
}

/* What was committed elsewhere before the publisher died is for its next life to publish, before
 * heartbeats say that all is. */
inline catch_up_with_store()
{
    if
    :: stored > last ->
        publish();
        if
        :: held > 0 -> held--
        :: else
        fi
    :: else
    fi
}

#if CREATIONS > 1
/* The directory created anew, from a store that has all that was published, and what was committed
 * to it besides. */
inline create()
{
    atomic {
        /* What a creation that was killed left has another identity, and no reader. */
        number = 0;
        do
        :: number <= CHANGES ->
            directory[1].image[number] = NOTHING;
            directory[1].name[number + 1] = NOTHING;
            number++
        :: else -> break
        od;
        number = 0
    };
    last = (stored > directory[0].sequence -> stored : directory[0].sequence);
#ifdef CONTROL_BEFORE_IMAGE
    directory[1].sequence = last;
    directory[1].snapshot = last;
    control = 1;
    directory[1].image[last] = WHOLE;
#else
    directory[1].image[last] = WHOLE;
#endif
    atomic {
        directory[1].segment[last + 1].headed = true;
        directory[1].name[last + 1] = last + 1
    };
#ifdef OLD_FILES_BEFORE_CONTROL
    remove_creation(0);
#endif
    atomic {
        directory[1].sequence = last;
        directory[1].snapshot = last;
        if
        :: last > 0 && published[last] == 0 -> published[last] = life
        :: else
        fi
    };
    atomic { control = 1; untold = true };
#ifndef NO_SUPERSEDING
    directory[0].sequence = SUPERSEDED;
#endif
    untold = false;
    writes = 1;
    writes_in = last + 1
}
#endif

/* Removes the files of a creation that is no longer the directory's. */
inline remove_creation(which)
{
    number = 0;
    do
    :: number <= CHANGES ->
        directory[which].image[number] = NOTHING;
        directory[which].name[number + 1] = NOTHING;
        number++
    :: else -> break
    od;
    number = 0
}

proctype publisher()
{
    byte last = 0;
    byte number = 0;
    byte next_file = 0;

begin:
    {
        if
        :: life == 1
        :: life > 1 -> resume()
#if CREATIONS > 1
        :: life > 1 && control == 0 -> create()
#endif
        fi;
        opened_again();
#if CREATIONS > 1
        if
        :: control == 1 -> remove_creation(0)
        :: else
        fi;
#endif
        catch_up_with_store();
        do
#ifdef PLAIN_CHANGES
        :: last < CHANGES -> LOCK; publish(); UNLOCK
#endif
#ifdef HOLDS
        :: last < CHANGES -> LOCK; commit_and_publish(); UNLOCK
#endif
        od
    } unless {
        killed ->
        (!beating && !compacting);
        atomic {
            killed = false;
            locked = false;
            held = 0;
            number = 0;
            last = 0;
            next_file = 0;
            life++
        };
        goto begin
    }
}

/* ---- Heartbeats ---- */

#define TELL_TIME clock = now + SKEW /* (a) */

inline beat()
{
#ifdef CLOCK_AFTER_HOLDS
    held == 0;
    TELL_TIME;
#else
    TELL_TIME;
#ifndef HOLDS_IGNORED
    if
    :: held == 0 /* (b) */
    :: atomic { held != 0 -> clock = 0 }; goto beaten
    fi;
#endif
#endif
    atomic { PAGE.heartbeat = clock /* (d) */; clock = 0 };
beaten:
    skip
}

proctype heart()
{
    byte clock = 0;

begin:
    atomic { opened -> beating = true };
    {
        do
        :: beat()
        od
    } unless {
        !opened -> atomic { clock = 0; beating = false };
        goto begin
    }
}

/* ---- Compacting ---- */

#ifdef COMPACTS
inline compact()
{
    taken = PAGE.sequence;
#ifdef SNAPSHOT_BEFORE_IMAGE
    PAGE.snapshot = taken;
#endif
#ifdef IMAGE_IN_PLACE
    PAGE.image[taken] = TORN;
    PAGE.snapshot = taken;
#endif
    PAGE.image[taken] = WHOLE;
    PAGE.snapshot = taken;
    if
    :: PAGE.due_since == 0 ->
        PAGE.due = taken;
        PAGE.due_since = now
    :: else
#ifdef DUE_MOVES
        -> PAGE.due = taken
#endif
    fi;
    taken = 0
}

/* Removes what the image that is due has made superfluous. */
inline tidy()
{
    atomic {
        taken = 0;
        PAGE.due_since = 0;
        kept = PAGE.due + 1;
        do
        :: kept > 0 && PAGE.name[kept] == NOTHING -> kept--
        :: else -> break
        od;
#ifdef REMOVES_ONE_TOO_MANY
        kept++
#endif
    };
    do
    :: taken <= CHANGES ->
        if
        :: PAGE.image[taken] != NOTHING && taken < PAGE.due -> PAGE.image[taken] = NOTHING
        :: else
        fi;
        if
        :: PAGE.name[taken] != NOTHING && taken < kept -> PAGE.name[taken] = NOTHING
        :: else
        fi;
        taken++
    :: else -> break
    od;
    atomic { taken = 0; kept = 0 }
}

#ifdef REMOVES_AT_ONCE
#define HAS_WAITED true
#else
#define HAS_WAITED (now >= PAGE.due_since + KEPT)
#endif

proctype compactor()
{
    byte taken = 0;
    byte kept = 0;

begin:
    atomic { opened -> compacting = true };
    {
        do
        :: PAGE.sequence > PAGE.snapshot -> compact()
        :: PAGE.due_since != 0 && HAS_WAITED -> LOCK; tidy(); UNLOCK
        od
    } unless {
        !opened -> atomic { taken = 0; kept = 0; compacting = false };
        goto begin
    }
}
#endif
