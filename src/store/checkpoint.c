/* Checkpoints of the runs that a rank trains, saved in its two slots in turn, and taken up again. */

#include "lock.h"
#include "slots.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ip_checkpoints {
  ip_checkpoints_of of;
  char *path;   /* of the results file */
  ip_text file; /* of the checkpoints  */
  int fd;
  slots_head head;
  slots_entry *index;  /* shape (taken)                     */
  uint64_t run;        /* of the last save                  */
  uint64_t what;       /* it is                             */
  uint64_t generation; /* of it                             */
  int turn;            /* which of the two slots comes next */
};

static PetscErrorCode open_file(const ip_checkpoints_of *of, ip_checkpoints *c)
{
  bool fits = false;

  PetscCall(ip_text_copy(of->path, &c->path));
  PetscCall(slots_name(of->path, &c->file));
  c->fd = ip_file_open(c->file.text, O_RDWR | O_NOFOLLOW);
  IP_CHECK(c->fd >= 0, IP_ERR_IO, "%s: %s", c->file.text, strerror(errno));
  PetscCall(slots_read(c->fd, c->file.text, &c->head, &c->index, &fits));
  IP_CHECK(fits && c->head.token == of->token, IP_ERR_IO,
           "%s is not the file that rank 0 has just made: the file system shows an old one",
           c->file.text);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_checkpoints_open(const ip_checkpoints_of *of, ip_checkpoints **checkpoints)
{
  ip_checkpoints *c = NULL;

  PetscCall(IP_ALLOCATE(1, &c));
  c->fd = -1;
  c->of = *of;

  const PetscErrorCode code = open_file(of, c);

  if (code)
    ip_checkpoints_close(&c);
  else
    *checkpoints = c;
  return code;
}

void ip_checkpoints_close(ip_checkpoints **checkpoints)
{
  ip_checkpoints *c = *checkpoints;

  if (!c) return;
  if (c->fd >= 0) close(c->fd);
  ip_release(&c->path);
  ip_text_clear(&c->file);
  ip_release(&c->index);
  ip_release(checkpoints);
}

static int by_run(const void *key, const void *element)
{
  const uint64_t run = *(const uint64_t *)key, other = ((const slots_entry *)element)->run;

  return (run > other) - (run < other);
}

/* The run among those that were taken over, or NULL. */
static const slots_entry *find(const ip_checkpoints *c, uint64_t run)
{
  return c->head.taken > 0 ? bsearch(&run, c->index, c->head.taken, sizeof *c->index, by_run)
                           : NULL;
}

double ip_checkpoints_share(void *context, size_t run)
{
  const slots_entry *e = find(context, run);

  return e ? e->share : 0.0;
}

static uint64_t bytes_of(const ip_checkpoint *checkpoint)
{
  uint64_t bytes = 0;

  for (size_t i = 0; i < checkpoint->n; i++) bytes += checkpoint->piece[i].bytes;
  return bytes;
}

/* The generation of the checkpoint that this launch began with, so that the next one is newer. */
static PetscErrorCode begin_run(ip_checkpoints *c, uint64_t run)
{
  const slots_entry *e = find(c, run);
  slot_head s = {0};

  if (e)
    PetscCall(slot_read_head(c->fd, c->file.text, &c->head,
                             c->head.own + (uint64_t)(e - c->index), &s));
  PetscCall(slots_hash_run(&c->of, (size_t)run, &c->what));
  c->run = run;
  c->generation = s.generation;
  return PETSC_SUCCESS;
}

static PetscErrorCode write_slot(ip_checkpoints *c, const ip_checkpoint *checkpoint,
                                 XXH3_state_t *hash)
{
  const uint64_t slot = 2 * (uint64_t)c->of.rank + (uint64_t)c->turn,
                 offset = slot_offset(&c->head, slot);
  const char *name = c->file.text;
  slot_head s = {.magic = slot_magic,
                 .what = c->what,
                 .run = checkpoint->run,
                 .generation = c->generation + 1,
                 .length = bytes_of(checkpoint),
                 .share = checkpoint->share};
  uint64_t at = offset + SLOT_PAGE;

  IP_CHECK(s.length <= c->head.payload, IP_ERR_INTERNAL,
           "%s: a checkpoint of %llu bytes, but slots have %llu", name,
           (unsigned long long)s.length, (unsigned long long)c->head.payload);
  for (size_t i = 0; i < checkpoint->n; i++) {
    const ip_piece *piece = &checkpoint->piece[i];

    XXH3_64bits_update(hash, piece->at, piece->bytes);
    PetscCall(ip_file_write(c->fd, name, piece->at, piece->bytes, at));
    at += piece->bytes;
  }
  PetscCall(ip_file_sync(c->fd, name));
  s.checksum = slot_seal(hash, &s);
  PetscCall(ip_file_write(c->fd, name, &s, sizeof s, offset));
  return ip_file_sync(c->fd, name);
}

PetscErrorCode ip_checkpoints_save(void *context, const ip_checkpoint *checkpoint)
{
  ip_checkpoints *c = context;

  if (c->head.own == 0) return PETSC_SUCCESS;
  if (c->of.token) PetscCall(ip_lock_check(c->path, c->of.token));
  if (c->generation == 0 || c->run != checkpoint->run) PetscCall(begin_run(c, checkpoint->run));

  XXH3_state_t *hash = XXH3_createState();

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  XXH3_64bits_reset(hash);
  const PetscErrorCode code = write_slot(c, checkpoint, hash);

  XXH3_freeState(hash);
  PetscCall(code);
  c->generation++;
  c->turn = 1 - c->turn;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_checkpoints_load(void *context, const ip_checkpoint *checkpoint, bool *found)
{
  const ip_checkpoints *c = context;
  const slots_entry *e = find(c, checkpoint->run);
  slot_head s;

  *found = false;
  if (!e) return PETSC_SUCCESS;

  const uint64_t slot = c->head.own + (uint64_t)(e - c->index);
  uint64_t at = slot_offset(&c->head, slot) + SLOT_PAGE;

  PetscCall(slot_read_head(c->fd, c->file.text, &c->head, slot, &s));
  if (s.run != checkpoint->run || s.length != bytes_of(checkpoint)) return PETSC_SUCCESS;

  XXH3_state_t *hash = XXH3_createState();
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  XXH3_64bits_reset(hash);
  for (size_t i = 0; i < checkpoint->n && !code; i++) {
    const ip_piece *piece = &checkpoint->piece[i];

    code = ip_file_read(c->fd, c->file.text, piece->at, piece->bytes, at);
    XXH3_64bits_update(hash, piece->at, piece->bytes);
    at += piece->bytes;
  }
  *found = !code && slot_seal(hash, &s) == s.checksum;
  XXH3_freeState(hash);
  return code;
}
