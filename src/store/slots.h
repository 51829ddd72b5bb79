#pragma once

/** @file
 *  How a file of checkpoints is laid out, and what of it may be believed.  Private to the store.
 *
 *      page 0     head: whose file this is, how many slots
 *      then       index: the runs of the slots that were taken over, ascending, and their shares
 *      then       slots: two for each rank, written in turn; those taken over, only read
 *      slot       page with a slot_head, then the payload
 *
 *  A head is worth what its checksum says.  No length is believed that the file has no room for.
 */

#include <infoplane/store.h>
#include <xxhash.h>

enum { SLOT_PAGE = 4096 };

typedef struct {
  uint64_t magic, token;
  uint64_t payload;  /**< bytes that a slot has room for */
  uint64_t own;      /**< slots of this launch's ranks   */
  uint64_t taken;    /**< slots taken over               */
  uint64_t checksum; /**< of all before, and the index   */
} slots_head;

typedef struct {
  uint64_t run;
  double share; /**< of its cost that is done */
} slots_entry;

typedef struct {
  uint64_t magic;
  uint64_t what; /**< slots_hash_run */
  uint64_t run, generation, length;
  double share;
  uint64_t checksum; /**< of the payload, then all before */
} slot_head;

extern const uint64_t slots_magic, slot_magic;

uint64_t slots_file_bytes(const slots_head *h);
uint64_t slot_offset(const slots_head *h, uint64_t slot);

/** "<path>.ckpt" */
PetscErrorCode slots_name(const char *path, ip_text *name);

/** All that the bytes of a run's checkpoint depend on, but for the build: what the run is, what it
 *  measures, and the axes of its record. */
PetscErrorCode slots_describe(const ip_plan *plan, size_t run, ip_text *text);

/** Hash of it and the build: whose checkpoint a slot holds. */
PetscErrorCode slots_hash_run(const ip_checkpoints_of *of, size_t run, uint64_t *hash);

uint64_t slots_checksum(const slots_head *h, const slots_entry index[]);

/** End the hash of a payload with the head over it. */
uint64_t slot_seal(XXH3_state_t *hash, const slot_head *s);

/** Head and index of an open file; release *index.  *fits = false: ours, but damaged, so that
 *  nothing in it counts.  IP_ERR_DATA: a strange file. */
PetscErrorCode slots_read(int fd, const char *name, slots_head *h, slots_entry **index,
                          bool *fits);

/** The checkpoints beside these results, of runs that are not finished (status: shape (n_runs)), mean
 *  the same with the other plan; IP_ERR_CONFIG names a run for which that is not so. */
PetscErrorCode ip_checkpoints_outlast(const char *path, const ip_plan *plan,
                                      const ip_plan *other, const int8_t status[]);

/** The head of a slot, {0} where there can be none: the payload is not read. */
PetscErrorCode slot_read_head(int fd, const char *name, const slots_head *h, uint64_t slot,
                              slot_head *s);
