/* stage.h - a directory that is published for a test, those who follow it, and ways to spoil it. */
#ifndef WEIR_TESTS_PUBLISH_STAGE_H
#define WEIR_TESTS_PUBLISH_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/follow.h>
#include <weir/publish.h>

#include "live/recipes.h"
#include "publish/format.h"

#define SECOND UINT64_C(1000000000)
/* So long that no test outlives it: where an answer is to be stale, its instant says so. */
#define LEASE (3600 * SECOND)
#define SEGMENT UINT64_C(65536)

struct stage {
    char folder[256];
    char path[320]; /* in the folder; what is published */
    struct weir_publisher_options options;
    struct weir_publisher *publisher;
};

/* A folder with nothing in it. */
void stage_make(struct stage *stage);
void stage_remove(struct stage *stage);
/* Likewise, with a publisher of nothing or of these tokens. */
void stage_create(struct stage *stage);
void stage_create_anew(struct stage *stage, const struct recipe *recipes, size_t count,
                       uint64_t sequence);
void stage_resume(struct stage *stage);
void stage_end(struct stage *stage); /* closes the publisher, if there is one */

/* The changes, each with an error that is as it should be. */
enum weir_status publish_issue(struct stage *stage, struct recipe recipe);
enum weir_status publish_put(struct stage *stage, struct recipe recipe);
enum weir_status publish_revoke(struct stage *stage, const char *id);
enum weir_status publish_compact(struct stage *stage);
enum weir_status publish_block(struct stage *stage, const struct weir_compiled_token *token);
/* A token whose block is larger than a segment; free it with free. */
struct weir_compiled_token *compile_large(const char *id, size_t scopes);
/* "fill0000", "fill0001", … are put until the next would need another segment, or leave less than
 * so many bytes of this one. Returns how many. */
size_t fill_segment(struct stage *stage, uint64_t leaving);

struct weir_follower *follow(const struct stage *stage);
enum weir_status try_follow(const struct stage *stage, struct weir_follower **follower);
/* With a heartbeat before it, so that what is found is fresh. */
enum weir_status poll(struct stage *stage, struct weir_follower *follower);
/* Without; at a moment so many nanoseconds after now. */
enum weir_status poll_later(struct weir_follower *follower, uint64_t later);
enum weir_status poll_some(struct weir_follower *follower, uint64_t limit);
uint64_t sequence_of(const struct weir_follower *follower);

/* The follower is asked in every way, at the boot time of its newest heartbeat, or at a given one:
 * all must agree. */
enum weir_reason follower_ask(struct weir_follower *follower, const char *id, unsigned version);
enum weir_reason follower_ask_at(struct weir_follower *follower, const char *id, unsigned version,
                                 uint64_t boot);
/* Demands that the follower answers as the publisher's engine, or another follower's, does. */
void expect_alike(const struct weir_engine *left, const struct weir_engine *right);
void expect_current(struct stage *stage, struct weir_follower *follower);
const struct weir_engine *engine_of(const struct weir_follower *follower);

/*
 * ---- Files ----
 */

/* The path of the last, by name, of the files whose name ends so. Their number. The spare segment
 * counts only if it is named. */
size_t find_files(const struct stage *stage, const char *ending, char path[512]);
void file_path(const struct stage *stage, const char *name, char path[512]);
uint64_t file_size(const char *path);
void read_bytes(const char *path, void *bytes, size_t size, uint64_t offset);
void write_bytes(const char *path, const void *bytes, size_t size, uint64_t offset);
/* Inverts that many bytes; done twice they are as before. */
void invert_bytes(const char *path, size_t size, uint64_t offset);
/* Runs the shell's command with the stage's path in `$D`, its folder in `$F`. */
void shell(const struct stage *stage, const char *command);

/* The control page, mapped writable. */
struct weir_control *map_control(const struct stage *stage);
void unmap_control(struct weir_control *control);
/* Gives the control file's header another content, with the right checksum. */
void forge_header(const struct stage *stage, void (*change)(struct weir_control_header *header));

/* Gives the record there the checksum that its bytes should have. */
void reseal_record(const char *path, uint64_t offset);

#endif
