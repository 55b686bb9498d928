/*
 * follower.pml - a process that follows: a thread that polls, and one that checks.
 */

typedef Follower {
    byte identity;  /* the page that it has mapped and the journal that it reads */
    byte reads_in;  /* the file that it has open, named or not */
    byte engine;    /* whose tokens are in the engine, */
    byte applied;   /* and the last change in them; these two change at one moment */
    byte snapshot;  /* the image that the engine is on */
    byte fresh;
};

Follower follower[FOLLOWERS];

#define ME follower[me]
#define MAPPED directory[ME.identity]

/* Whether another creation has taken the place of that one, told or not. */
#define is_superseded(where) (control != (where))

/* ---- Checks ---- */

#ifdef LEASE_TOO_LONG
#define SLACK 1
#else
#define SLACK 0
#endif

#define IS_FRESH (fresh != 0 && instant <= fresh + LEASE + SLACK)

inline load_fresh()
{
    fresh = ME.fresh /* (i) */
}

inline ask_engine()
{
    applied = ME.applied /* (j) */
}

/* A check begins at its instant. What it is answered from must have what was published, or
 * committed, more than a lease before. */
proctype checker(byte me)
{
    byte instant = 0;
    byte fresh = 0;
    byte applied = 0;
    byte number = 0;

    do
    :: instant = now;
#ifdef ENGINE_BEFORE_FRESH
        ask_engine();
        load_fresh();
#else
        load_fresh();
        ask_engine();
#endif
        atomic {
            if
            :: IS_FRESH -> may_answer(instant, applied)
            :: else
            fi;
            instant = 0;
            fresh = 0;
            applied = 0
        }
    od
}

/* ---- The journal ---- */

/*
 * Reads change `number`, which S has reached, from segment `place`, and the next one if that is
 * sealed; `found` unless it was removed. One step: what S has reached is not written again.
 */
inline read_change(where, place, number, found)
{
    found = true;
    if
    :: directory[where].segment[place].record[number] == SEAL ->
        found = directory[where].name[number] != NOTHING;
        place = (found -> directory[where].name[number] : place)
    :: else
    fi;
    PROMISE(JOURNAL, directory[where].segment[place].headed);
    if
    :: found ->
        text = directory[where].segment[place].record[number];
#ifdef KEEPS_READ_AHEAD
        text = (ahead != NOTHING && ahead_of == number -> ahead : text);
        ahead = directory[where].segment[place].record[number + 1];
        ahead_of = number + 1;
#endif
        PROMISE(JOURNAL, text != TORN && text != NOTHING && text != SEAL);
        PROMISE(F1, text == published[number]);
        text = NOTHING
    :: else
    fi
}

/* ---- Snapshots ---- */

/*
 * Opens the newest snapshot of a page and the changes behind it, and puts both in the place of what
 * the engine has, at one moment. What is removed meanwhile has a successor; if not, its creation
 * was superseded, and nothing is done.
 */
inline adopt(where)
{
    do
    :: image = directory[where].snapshot;
        atomic {
            found = directory[where].image[image] != NOTHING;
            PROMISE(F8, !found || directory[where].image[image] == WHOLE)
        };
        atomic {
            find_segment(where, image + 1, segment);
            found = found && segment != 0;
            PROMISE(JOURNAL, !found || directory[where].segment[segment].headed)
        };
        atomic {
            upto = directory[where].sequence;
#ifdef ADOPTS_WHAT_IS_SUPERSEDED
            upto = (upto == SUPERSEDED -> image : upto);
#endif
#ifdef ADOPTS_IMAGE_ONLY
            upto = image;
#endif
            reached = image
        };
        do
        :: atomic {
            found && reached < upto && upto != SUPERSEDED ->
            reached++;
            read_change(where, segment, reached, found)
        }
        :: else -> break
        od;
        if
        :: upto == SUPERSEDED -> break
        :: atomic { upto != SUPERSEDED && found -> take_over(where) }; break
        :: atomic {
            upto != SUPERSEDED && !found ->
            PROMISE(F8, directory[where].snapshot != image || is_superseded(where));
            done = directory[where].snapshot == image
        };
            if
            :: done -> done = false; break
            :: else
            fi
        fi
    od;
    atomic { image = 0; segment = 0; upto = 0; reached = 0; found = false }
}

inline take_over(where)
{
    PROMISE(F1, reached >= ME.applied);
    ME.engine = where;
    ME.identity = where;
    ME.applied = reached;
    ME.snapshot = image;
    ME.reads_in = segment;
    done = true
}

/* ---- Polls ---- */

/* What was removed is only missed by who has been behind for as long as it was kept. */
inline check_left_behind()
{
    PROMISE(P7, now >= caught_up + KEPT || is_superseded(ME.identity))
}

/* (g) */
inline apply_changes()
{
    do
#ifdef LIMITS
    :: atomic { ME.applied < upto -> cut = true }; break
#endif
    :: atomic {
        ME.applied < upto && !left_behind ->
        read_change(ME.identity, ME.reads_in, (ME.applied + 1), found);
        if
        :: found ->
            PROMISE(F8, ME.engine == ME.identity);
            ME.applied++
        :: else ->
            check_left_behind();
            left_behind = true
        fi;
        found = false
    }
    :: ME.applied >= upto || left_behind -> break
    od
}

/* (e) */
inline load_heartbeat()
{
    heartbeat = MAPPED.heartbeat
}

/* (f) */
inline load_sequence()
{
    upto = MAPPED.sequence
}

/* Where all have the same clock no heartbeat can be from the future. */
inline load_clock()
{
#if SKEW
    clock = now
#else
    skip
#endif
}

inline load_words()
{
#ifdef SEQUENCE_BEFORE_HEARTBEAT
    load_sequence();
    load_heartbeat()
#else
    load_heartbeat();
#ifdef CLOCK_AFTER_SEQUENCE
    load_sequence();
    load_clock()
#else
    load_clock();
    load_sequence()
#endif
#endif
}

#ifdef TAKES_FUTURE
#define IS_PAST true
#else
#define IS_PAST (SKEW == 0 || heartbeat <= clock)
#endif
#ifdef FRESH_DESPITE_LIMIT
#define HAS_ALL true
#else
#define HAS_ALL (ME.applied >= upto)
#endif

/* (h) */
inline store_fresh()
{
    if
    :: HAS_ALL && IS_PAST && heartbeat > ME.fresh ->
        PROMISE(F7, heartbeat <= now);
        ME.fresh = heartbeat
    :: else
    fi
}

/* Whether it is time to look at the control page's name: told so, or nothing was heard. */
#ifdef LOOKS_ONLY_WHEN_TOLD
#define HEARD_NOTHING false
#else
#define HEARD_NOTHING (MAPPED.heartbeat == seen && began > looked)
#endif

inline look()
{
#if CREATIONS > 1
    looks = MAPPED.sequence == SUPERSEDED || HEARD_NOTHING;
    looked = (looks || MAPPED.heartbeat != seen -> began : looked);
    seen = MAPPED.heartbeat
#else
    skip
#endif
}

/* Opens what has the name now, if that is another page. */
inline change_over()
{
    atomic { looks = false; target = control };
    if
    :: target != ME.identity ->
#ifdef GOES_ON_WITHOUT_SNAPSHOT
        atomic {
            ME.identity = target;
            find_segment(target, ME.applied + 1, ME.reads_in)
        };
#else
        adopt(target);
#endif
        atomic { ok = done; done = false; seen = 0 }
    :: else
    fi;
    target = 0
}

/* A poll is excused from knowing of a creation that was killed before it superseded the old page,
 * as long as the heartbeat has not stood still since the last look. */
inline begin_poll()
{
    ok = true;
    began = now;
    owed = last_published;
    excused = untold && control != ME.identity && MAPPED.sequence != SUPERSEDED &&
        !(MAPPED.heartbeat == seen && began > looked)
}

inline end_poll()
{
    PROMISE(F2, !ok || cut || excused || ME.applied >= owed);
#ifdef COMPACTS
    caught_up = (ok && !cut && upto != SUPERSEDED -> began : caught_up);
#endif
    heartbeat = 0;
    clock = 0;
    upto = 0;
    began = 0;
    owed = 0;
    ok = false;
    cut = false;
    excused = false
}

/* Goes on from the newest snapshot where the next change was removed. S is not loaded again. */
inline open_anew()
{
    sequence = upto;
    adopt(ME.identity);
    atomic {
        upto = sequence;
        sequence = 0;
        left_behind = false;
        ok = done;
        done = false
    }
}

inline poll()
{
    atomic { begin_poll(); look() };
    do
    :: atomic { ok && looks -> skip }; change_over()
    :: ok && !looks ->
        load_words();
        if
        :: upto != SUPERSEDED -> break
#ifdef POLL_ENDS_AT_SUPERSEDED
        :: upto == SUPERSEDED -> break
#else
        :: upto == SUPERSEDED -> looks = true
#endif
        fi
    :: !ok -> break
    od;
    if
    :: ok && upto != SUPERSEDED ->
#ifdef FRESH_BEFORE_APPLIED
        ME.fresh = (heartbeat > ME.fresh -> heartbeat : ME.fresh);
#endif
        apply_changes();
        if
        :: left_behind -> open_anew()
        :: else
        fi;
        if
        :: atomic { ok -> store_fresh(); end_poll() }
        :: atomic { !ok -> end_poll() }
        fi
    :: atomic { !ok || upto == SUPERSEDED -> end_poll() }
    fi
}

/* Begins when it likes, and then polls and goes over to snapshots as it likes. */
proctype poller(byte me)
{
    byte heartbeat = 0, seen = 0, clock = 0, upto = 0, sequence = 0;
    byte began = 0, caught_up = 0, looked = 0, owed = 0, target = 0;
    byte image = 0, segment = 0, reached = 0, text = NOTHING;
    bool ok = false, cut = false, found = false, done = false, left_behind = false;
    bool looks = false, excused = false;
#ifdef KEEPS_READ_AHEAD
    byte ahead = NOTHING, ahead_of = 0;
#endif

#if CREATIONS > 1 || defined(COMPACTS)
    do
    :: done -> break
    :: !done -> target = control; adopt(target); target = 0
    od;
    done = false;
#endif
    do
    :: poll()
#ifdef COMPACTS
    :: MAPPED.snapshot != ME.snapshot -> adopt(ME.identity); done = false
#endif
    od
}
