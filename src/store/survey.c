/* How far the runs in progress are, for who only looks: heads of slots alone are read, so that it
   costs little, and the next launch proves what it takes up. */

#include "slots.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The newest checkpoint of a run; generation 0: there is none. */
typedef struct {
  uint64_t generation;
  double share;
} newest;

static PetscErrorCode look_through(int fd, const char *name, size_t n_runs, newest run[])
{
  slots_head h;
  slots_entry *index = NULL;
  bool fits = false;
  PetscErrorCode code = slots_read(fd, name, &h, &index, &fits);

  for (uint64_t slot = 0; !code && fits && slot < h.own + h.taken; slot++) {
    slot_head s;

    code = slot_read_head(fd, name, &h, slot, &s);
    if (!code && s.run < n_runs && s.generation > run[s.run].generation && s.share >= 0.0 &&
        s.share <= 1.0)
      run[s.run] = (newest){s.generation, s.share};
  }
  ip_release(&index);
  return code;
}

static PetscErrorCode look_into(const char *name, size_t n_runs, newest run[])
{
  const int fd = ip_file_open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0 && errno == ENOENT) return PETSC_SUCCESS;
  IP_CHECK(fd >= 0, IP_ERR_IO, "%s: %s", name, strerror(errno));

  const PetscErrorCode code = look_through(fd, name, n_runs, run);

  close(fd);
  return code;
}

PetscErrorCode ip_checkpoints_survey(const char *path, size_t n_runs, const int8_t status[],
                                     size_t *kept, double *share)
{
  ip_text name = {0};
  newest *run = NULL;
  PetscErrorCode code = slots_name(path, &name);
  size_t n = 0;
  double sum = 0.0;

  if (!code) code = IP_ALLOCATE(n_runs, &run);
  if (!code) code = look_into(name.text, n_runs, run);
  for (size_t r = 0; r < n_runs && !code; r++)
    if (run[r].generation > 0 && status[r] != IP_STATUS_DONE && status[r] != IP_STATUS_DIVERGED)
      n++, sum += run[r].share;
  ip_release(&run);
  ip_text_clear(&name);
  PetscCall(code);
  *kept = n;
  *share = n > 0 ? sum / (double)n : 0.0;
  return PETSC_SUCCESS;
}
