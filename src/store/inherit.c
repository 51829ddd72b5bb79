/* A launch's file of checkpoints: complete and synced before it has its name, with what an earlier
   launch left of runs that are not finished. */

#include "room.h"
#include "slots.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

/* ---- taking over what an earlier launch left ----------------------------------------------------------- */

/* The best checkpoint of a run. */
typedef struct {
  uint64_t slot, generation; /* generation 0: there is none */
  double share;
} candidate;

typedef struct {
  int fd; /* -1: no file, or nothing in it counts */
  ip_text name;
  slots_head head;
  slots_entry *index;
  candidate *best; /* shape (n_runs) */
} heritage;

/* Where a slot is copied to. */
typedef struct {
  int fd;
  const char *name;
  uint64_t at;
} place_for;

/* Read a slot in chunks, prove it, and write it where it shall be copied (to may be NULL). */
static PetscErrorCode pass_slot(const heritage *from, uint64_t slot, const place_for *to,
                                bool *fits)
{
  const uint64_t offset = slot_offset(&from->head, slot);
  XXH3_state_t *hash = XXH3_createState();
  char *chunk = NULL;
  slot_head s;
  PetscErrorCode code = IP_ALLOCATE(CHUNK, &chunk);

  if (!code && !hash)
    code = ip_error_raise(IP_ERR_INTERNAL, __func__, "no memory left for a checksum");
  if (!code) code = slot_read_head(from->fd, from->name.text, &from->head, slot, &s);
  if (!code) XXH3_64bits_reset(hash);
  for (uint64_t done = 0; !code && done < s.length; done += CHUNK) {
    const size_t n = s.length - done < CHUNK ? (size_t)(s.length - done) : CHUNK;

    code = ip_file_read(from->fd, from->name.text, chunk, n, offset + SLOT_PAGE + done);
    if (!code) XXH3_64bits_update(hash, chunk, n);
    if (!code && to)
      code = ip_file_write(to->fd, to->name, chunk, n, to->at + SLOT_PAGE + done);
  }
  if (!code) *fits = slot_seal(hash, &s) == s.checksum;
  if (!code && to) code = ip_file_write(to->fd, to->name, &s, sizeof s, to->at);
  XXH3_freeState(hash);
  ip_release(&chunk);
  return code;
}

/* A slot holds a checkpoint of a run that has still a use for one. */
static bool is_of_use(const slot_head *s, size_t n_runs, const int8_t status[])
{
  return s->generation > 0 && s->run < n_runs && status[s->run] != IP_STATUS_DONE &&
         status[s->run] != IP_STATUS_DIVERGED;
}

static PetscErrorCode consider(heritage *from, uint64_t slot, const ip_checkpoints_of *of,
                               const int8_t status[])
{
  uint64_t what = 0;
  slot_head s;
  bool fits = false;

  PetscCall(slot_read_head(from->fd, from->name.text, &from->head, slot, &s));
  if (!is_of_use(&s, of->plan->n_runs, status) || s.generation <= from->best[s.run].generation)
    return PETSC_SUCCESS;
  PetscCall(slots_hash_run(of, (size_t)s.run, &what));
  if (s.what != what) return PETSC_SUCCESS;
  PetscCall(pass_slot(from, slot, NULL, &fits));
  if (fits) from->best[s.run] = (candidate){slot, s.generation, s.share};
  return PETSC_SUCCESS;
}

/* The file that stands beside these results, if there is one. */
static PetscErrorCode open_heritage(const char *path, heritage *from)
{
  bool fits = false;

  PetscCall(slots_name(path, &from->name));
  from->fd = ip_file_open(from->name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (from->fd < 0 && errno == ENOENT) return PETSC_SUCCESS;
  IP_CHECK(from->fd >= 0, IP_ERR_IO, "%s: %s", from->name.text, strerror(errno));
  PetscCall(slots_read(from->fd, from->name.text, &from->head, &from->index, &fits));
  if (!fits) from->head.own = from->head.taken = 0; /* nothing in it counts */
  return PETSC_SUCCESS;
}

static PetscErrorCode inherit(const ip_checkpoints_of *of, const int8_t status[],
                              heritage *from)
{
  PetscCall(open_heritage(of->path, from));
  PetscCall(IP_ALLOCATE(of->plan->n_runs, &from->best));
  for (uint64_t slot = 0; slot < from->head.own + from->head.taken; slot++)
    PetscCall(consider(from, slot, of, status));
  return PETSC_SUCCESS;
}

static void disinherit(heritage *from)
{
  if (from->fd >= 0) close(from->fd);
  ip_text_clear(&from->name);
  ip_release(&from->index);
  ip_release(&from->best);
}

/* ---- a new file -------------------------------------------------------------------------------------------- */

static PetscErrorCode reserve(int fd, const char *name, uint64_t bytes)
{
  int error;

  do error = posix_fallocate(fd, 0, (off_t)bytes);
  while (error == EINTR);
  IP_CHECK(!error, IP_ERR_IO,
           "%s: no room for %llu bytes of checkpoints: %s (checkpoint=none does without)", name,
           (unsigned long long)bytes, strerror(error));
  return PETSC_SUCCESS;
}

static PetscErrorCode copy_slots(const heritage *from, const slots_head *h,
                                 const slots_entry index[], place_for to)
{
  bool fits = false;

  for (uint64_t i = 0; i < h->taken; i++) {
    to.at = slot_offset(h, h->own + i);
    PetscCall(pass_slot(from, from->best[index[i].run].slot, &to, &fits));
    IP_CHECK(fits, IP_ERR_IO, "%s changed while it was read: another job may be writing it",
             from->name.text);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(int fd, const char *name, slots_head *h, const slots_entry index[],
                           const heritage *from)
{
  PetscCall(reserve(fd, name, slots_file_bytes(h)));
  h->checksum = slots_checksum(h, index);
  PetscCall(copy_slots(from, h, index, (place_for){.fd = fd, .name = name}));
  PetscCall(ip_file_write(fd, name, index, h->taken * sizeof *index, SLOT_PAGE));
  PetscCall(ip_file_write(fd, name, h, sizeof *h, 0));
  return ip_file_sync(fd, name);
}

static PetscErrorCode list_taken(const ip_plan *plan, const heritage *from, slots_head *h,
                                 slots_entry **index)
{
  for (size_t run = 0; run < plan->n_runs; run++)
    h->taken += (uint64_t)(from->best[run].generation > 0);
  PetscCall(IP_ALLOCATE(h->taken, index));
  for (size_t run = 0, i = 0; run < plan->n_runs; run++)
    if (from->best[run].generation > 0)
      (*index)[i++] = (slots_entry){.run = run, .share = from->best[run].share};
  return PETSC_SUCCESS;
}

static PetscErrorCode make(const char *name, slots_head *h, const slots_entry index[],
                           const heritage *from)
{
  ip_text partial = {0};
  int fd = -1;

  PetscCall(room_check(name, slots_file_bytes(h), 0));
  PetscCall(ip_text_add(&partial, "%s.partial", name));
  if (unlink(partial.text) == 0 || errno == ENOENT)
    fd = ip_file_open(partial.text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);

  PetscErrorCode code =
      fd >= 0 ? fill(fd, partial.text, h, index, from)
              : ip_error_raise(IP_ERR_CREATE, __func__, "%s cannot be created: %s",
                               partial.text, strerror(errno));

  if (!code) code = ip_file_publish(partial.text, name, true);
  if (code && fd >= 0) unlink(partial.text);
  if (fd >= 0) close(fd);
  ip_text_clear(&partial);
  return code;
}

PetscErrorCode ip_checkpoints_prepare(const ip_checkpoints_of *of, const int8_t status[],
                                      size_t *taken)
{
  heritage from = {.fd = -1};
  slots_head h = {.magic = slots_magic,
                  .token = of->token,
                  .payload = ip_checkpoint_bytes(of->plan),
                  .own = 2 * (uint64_t)of->ranks};
  slots_entry *index = NULL;
  PetscErrorCode code = inherit(of, status, &from);

  if (!code) code = list_taken(of->plan, &from, &h, &index);
  if (!code) code = make(from.name.text, &h, index, &from);
  if (!code) *taken = h.taken;
  ip_release(&index);
  disinherit(&from);
  return code;
}

/* ---- a plan that grows ----------------------------------------------------------------------------------- */

/* The run stands in the same row of the other plan, and its checkpoint means the same there. */
static PetscErrorCode stays(const ip_plan *plan, const ip_plan *other, size_t run, bool *same)
{
  ip_text before = {0}, after = {0};
  PetscErrorCode code = slots_describe(plan, run, &before);

  if (!code && run < other->n_runs) code = slots_describe(other, run, &after);
  if (!code) *same = after.text && strcmp(before.text, after.text) == 0;
  ip_text_clear(&before);
  ip_text_clear(&after);
  return code;
}

static PetscErrorCode outlast(const heritage *from, const ip_plan *plan, const ip_plan *other,
                              const int8_t status[])
{
  slot_head s;

  for (uint64_t slot = 0; slot < from->head.own + from->head.taken; slot++) {
    bool same = true;

    PetscCall(slot_read_head(from->fd, from->name.text, &from->head, slot, &s));
    if (is_of_use(&s, plan->n_runs, status))
      PetscCall(stays(plan, other, (size_t)s.run, &same));
    IP_CHECK(same, IP_ERR_CONFIG,
             "%s holds a checkpoint of run %llu, which would be lost: let the runs in progress "
             "end first, or remove that file and they begin anew",
             from->name.text, (unsigned long long)s.run);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_checkpoints_outlast(const char *path, const ip_plan *plan,
                                      const ip_plan *other, const int8_t status[])
{
  heritage from = {.fd = -1};
  PetscErrorCode code = open_heritage(path, &from);

  if (!code) code = outlast(&from, plan, other, status);
  disinherit(&from);
  return code;
}

PetscErrorCode ip_checkpoints_remove(const char *path)
{
  ip_text name = {0};

  PetscCall(slots_name(path, &name));
  const bool gone = unlink(name.text) == 0 || errno == ENOENT;
  const PetscErrorCode code =
      gone ? PETSC_SUCCESS
           : ip_error_raise(IP_ERR_IO, __func__, "%s cannot be removed: %s", name.text,
                            strerror(errno));

  ip_text_clear(&name);
  return code;
}
