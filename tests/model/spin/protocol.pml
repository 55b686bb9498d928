/* protocol.pml - a publisher, its followers, and a world that moves the clock and kills. */
#include "directory.pml"
#include "publisher.pml"
#include "follower.pml"

active proctype world()
{
    byte crashes = 0;

    do
    :: now < TIME -> now++
    :: crashes < CRASHES && !killed ->
        atomic { crashes++; killed = true; opened = false }
    od
}

init {
    byte me = 0;

    atomic {
        directory[0].image[0] = WHOLE;
        directory[0].segment[1].headed = true;
        directory[0].name[1] = 1;
        run publisher();
#ifdef BEATS
        run heart();
#endif
#ifdef COMPACTS
        run compactor();
#endif
        do
        :: me < FOLLOWERS ->
            follower[me].reads_in = 1;
            run poller(me);
#ifdef BEATS
            run checker(me);
#endif
            me++
        :: else -> break
        od;
        me = 0
    }
}
