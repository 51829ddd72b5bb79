/* Which kind of file it is, and what all kinds share. */

#include "container.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_ARRAYS = 4096, SIGNATURE = 8 };

PetscErrorCode container_grow(container *c, size_t *room)
{
  container_array *larger = NULL;

  IP_CHECK(c->n < MOST_ARRAYS, IP_ERR_DATA, "%s holds more than %d arrays", c->path,
           (int)MOST_ARRAYS);
  if (c->n < *room) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(2 * *room + SIGNATURE, &larger));
  if (c->n > 0) memcpy(larger, c->array, c->n * sizeof *larger);
  ip_release(&c->array);
  c->array = larger;
  *room = 2 * *room + SIGNATURE;
  return PETSC_SUCCESS;
}

int container_find(const container *c, const char *name)
{
  for (size_t i = 0; i < c->n; i++)
    if (strcmp(c->array[i].name, name) == 0) return (int)i;
  return -1;
}

PetscErrorCode container_recognize(const char *path, const container_kind **kind)
{
  static const unsigned char hdf5[SIGNATURE] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char begin[SIGNATURE] = {0};
  struct stat about;
  const int fd = ip_file_open(path, O_RDONLY | O_NONBLOCK);

  IP_CHECK(fd >= 0, IP_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  const bool known = fstat(fd, &about) == 0,
             regular = known && S_ISREG(about.st_mode) && about.st_size >= SIGNATURE;
  const PetscErrorCode code =
      regular ? ip_file_read(fd, path, begin, sizeof begin, 0) : PETSC_SUCCESS;

  close(fd);
  PetscCall(code);
  if (memcmp(begin, hdf5, sizeof begin) == 0)
    *kind = &container_hdf5;
  else if (memcmp(begin, "PK\3\4", 4) == 0 || (known && S_ISDIR(about.st_mode)))
    *kind = &container_npy;
  else
    return ip_error_raise(IP_ERR_DATA, __func__,
                          "%s is neither HDF5 nor .npz nor a folder of .npy files: save "
                          "activations as one of these",
                          path);
  return PETSC_SUCCESS;
}

PetscErrorCode container_open(const char *path, container **opened)
{
  container *c = NULL;
  const container_kind *kind = NULL;

  PetscCall(container_recognize(path, &kind));
  IP_CHECK(kind, IP_ERR_INTERNAL, "%s: of no kind", path);
  PetscCall(IP_ALLOCATE(1, &c));
  c->kind = kind;
  PetscErrorCode code = ip_text_copy(path, &c->path);

  if (!code) code = kind->open(c);
  if (code)
    container_close(&c);
  else
    *opened = c;
  return code;
}

void container_close(container **opened)
{
  container *c = *opened;

  if (!c) return;
  c->kind->close(c);
  ip_release(&c->array);
  ip_release(&c->path);
  ip_release(opened);
}
